"""All four layers of a text as HTML: for a notebook, or as a page that needs nothing else.

The script draws relations as arrows and lights what belongs together; without it everything can be read
all the same, relations in a list below their sentence. A page that puts the HTML in later, with
`innerHTML` say, calls `hmtl.start(element)`; see `assets`.
"""

from typing import Any, Iterable, List, Optional, Sequence, Union

from spacy.tokens import Doc
from spacy.util import is_in_jupyter

from .compare import compare
from .content import LAYERS, Content, read
from .markup import document
from .page import assets, page_of, with_assets

__all__ = ["LAYERS", "assets", "render"]


def render(
    docs: Union[Doc, Iterable[Doc]],
    *,
    gold: Optional[Union[Doc, Iterable[Doc]]] = None,
    layers: Sequence[str] = LAYERS,
    page: bool = False,
    title: str = "HMTL",
    jupyter: Optional[bool] = None,
) -> Optional[str]:
    """Show named entities, mentions, coreference clusters and relations.

    docs: one document or several.
    gold: the same texts with other annotations; both are shown side by side, what differs is marked.
    layers: which of "entities", "mentions", "coref" and "relations" to show.
    page: a whole page rather than an element to put into one.
    jupyter: display it in a notebook; found out if not given.
    RETURNS: HTML; nothing if it was displayed.
    """
    if unknown := [layer for layer in layers if layer not in LAYERS]:
        raise ValueError(f"Can't show the layers {unknown}: there are {list(LAYERS)}.")
    shown = [read(doc, layers) for doc in _listed(docs)]
    wanted = [read(doc, layers) for doc in _listed(gold)] if gold is not None else []
    _check_pairs(shown, wanted, gold is not None)
    for one, other in zip(shown, wanted):
        compare(one, other)
    body = "\n".join(document(one, wanted[i] if wanted else None, f"hmtl-{i}") for i, one in enumerate(shown))
    html = page_of(body, title) if page else with_assets(body)
    if jupyter or (jupyter is None and is_in_jupyter()):
        _display(html)
        return None
    return html


def _listed(docs: Union[Doc, Iterable[Doc]]) -> List[Doc]:
    return [docs] if isinstance(docs, Doc) else list(docs)


def _check_pairs(shown: List[Content], wanted: List[Content], asked: bool) -> None:
    if asked and len(shown) != len(wanted):
        raise ValueError(
            f"Can't compare {len(shown)} documents with {len(wanted)} gold documents: give one for each."
        )
    for number, (one, other) in enumerate(zip(shown, wanted), start=1):
        if one.text != other.text:
            raise ValueError(
                f"Can't compare document {number}: its text begins '{one.text[:40]}', that of its gold "
                f"document '{other.text[:40]}'. Both must have the same text."
            )


def _display(html: str) -> Any:
    from IPython.display import HTML, display

    display(HTML(html))
