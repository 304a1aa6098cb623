"""All layers of a text as HTML: for a notebook, or as a page that needs nothing else.

The script draws relations as arrows and highlights what belongs together; without it everything can still be
read, relations in a list below their sentence. A page that puts the HTML in later, with
`innerHTML` say, calls `hmtl.start(element)`; see `assets`.
"""

from typing import Any, Iterable, List, Mapping, Optional, Sequence, Union

from spacy.tokens import Doc
from spacy.util import is_in_jupyter

from ..annotations import Keys, keys_of_doc
from ..data.layers import LayerTask, further_names
from .compare import compare
from .content import LAYERS, Content, read
from .markup import documents
from .page import assets, page_of, with_assets

__all__ = ["LAYERS", "VIEWS", "assets", "render"]

VIEWS = ("text", "graph", "all")


def render(
    docs: Union[Doc, Iterable[Doc]],
    *,
    gold: Optional[Union[Doc, Iterable[Doc]]] = None,
    layers: Optional[Sequence[str]] = None,
    tasks: Optional[Mapping[str, LayerTask]] = None,
    keys: Optional[Keys] = None,
    view: str = "text",
    page: bool = False,
    title: str = "HMTL",
    jupyter: Optional[bool] = None,
) -> Optional[str]:
    """Show named entities, mentions, coreference clusters, relations, and what further tasks find.

    docs: one document or several.
    gold: the same texts with other annotations; both are shown side by side, what differs is marked.
    layers: which of "entities", "mentions", "coref", "relations" and the tasks' further layers to show; all
        if not given.
    tasks: those of the pipeline, by name (`nlp.get_pipe("hmtl").tasks`), which are asked for further layers.
    keys: the span groups of both; if not given, found out from each document, and those that gold doesn't
        tell from the document beside it.
    view: "text", "graph" (the entities and the relations between them, with evidence), or "all" of both.
    page: a whole page rather than an element to put into one.
    jupyter: display it in a notebook; found out if not given.
    RETURNS: HTML; None if it was displayed.
    """
    known = [*LAYERS, *further_names(tasks or {})]
    if unknown := [layer for layer in layers or () if layer not in known]:
        raise ValueError(f"Can't show the layers {unknown}: there are {known}.")
    if view not in VIEWS:
        raise ValueError(f"Can't show the view '{view}': there are {list(VIEWS)}.")
    graph = view != "text"
    docs = _listed(docs)
    gold_docs = None if gold is None else _listed(gold)
    _check_pairs(docs, gold_docs)
    shown = [read(doc, layers, keys, tasks, graph) for doc in docs]
    targets: List[Optional[Content]] = [None] * len(docs)
    if gold_docs is not None:
        keys_of_gold = [keys or keys_of_doc(one, keys_of_doc(doc)) for doc, one in zip(docs, gold_docs)]
        targets = [read(doc, layers, own, tasks, graph) for doc, own in zip(gold_docs, keys_of_gold)]
    for content, target in zip(shown, targets):
        if target is not None:
            compare(content, target)
    body = documents(list(zip(shown, targets)), view)
    html = page_of(body, title) if page else with_assets(body)
    if jupyter or (jupyter is None and is_in_jupyter()):
        _display(html)
        return None
    return html


def _listed(docs: Union[Doc, Iterable[Doc]]) -> List[Doc]:
    return [docs] if isinstance(docs, Doc) else list(docs)


def _check_pairs(docs: List[Doc], gold: Optional[List[Doc]]) -> None:
    if gold is not None and len(docs) != len(gold):
        raise ValueError(
            f"Can't compare {len(docs)} documents with {len(gold)} gold documents: give one for each."
        )
    for number, (doc, other) in enumerate(zip(docs, gold or ()), start=1):
        if doc.text != other.text:
            raise ValueError(
                f"Can't compare document {number}: its text begins '{doc.text[:40]}', that of its gold "
                f"document '{other.text[:40]}'. Both must have the same text."
            )


def _display(html: str) -> Any:
    from IPython.display import HTML, display

    display(HTML(html))
