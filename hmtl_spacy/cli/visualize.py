"""`spacy hmtl visualize DATA PAGE`."""

from typing import Annotated, Any, List, Optional

from spacy.cli._util import Opt, setup_gpu
from tqdm import tqdm
from wasabi import msg

from .apps import hmtl_cli
from .options import DataPath, Gpu, LabelsPath, PagePath, rules_of


@hmtl_cli.command("visualize")
def visualize_cli(
    data_path: DataPath,
    out_path: PagePath,
    model: Annotated[
        Optional[str], Opt("--model", "-m", help="Show what this pipeline predicts beside the annotation")
    ] = None,
    limit: Annotated[
        int, Opt("--limit", "-n", min=0, help="At most this many documents, sampled evenly; 0 for all")
    ] = 0,
    labels: LabelsPath = None,
    view: Annotated[
        str, Opt("--view", help="What to show: text, graph (entities and their relations), or all")
    ] = "all",
    title: Annotated[str, Opt("--title", help="Title of the page")] = "HMTL",
    use_gpu: Gpu = -1,
):
    """Write a page that shows all layers of some documents, as annotated or beside a pipeline's predictions.

    Example: python -m spacy hmtl visualize corpus/test.spacy page.html --model training/model-best --limit 5
    """
    import spacy

    from ..data.corpus import read_task_corpus
    from ..data.layers import tasks_of
    from ..visualize import VIEWS, render

    if view not in VIEWS:
        msg.fail(f"Can't show the view '{view}': choose one of {', '.join(VIEWS)} with --view.", exits=1)
    if labels and not model:
        msg.fail("--labels relates the data's labels to those of a pipeline: give one with --model.", exits=1)
    setup_gpu(use_gpu, silent=True)
    try:
        nlp = spacy.load(model) if model else spacy.blank("xx")
        read = read_task_corpus(data_path, None, 0, gold_sentences=True, limit=0, rules=rules_of(labels))
        examples = list(read(nlp))
    except (ValueError, OSError) as err:
        msg.fail(str(err), exits=1)
    examples = _spread(examples, limit or len(examples))
    gold = [eg.reference for eg in examples]
    docs = gold
    if model:
        predicted = nlp.pipe(eg.predicted for eg in examples)
        docs = list(tqdm(predicted, total=len(examples), unit=" docs", disable=None, leave=False))
    for doc, reference in zip(docs, gold):
        doc.user_data.setdefault("title", reference.user_data.get("title"))
    out_path.parent.mkdir(parents=True, exist_ok=True)
    html = render(
        docs,
        gold=gold if model else None,
        tasks=tasks_of(nlp),
        view=view,
        page=True,
        title=title,
        jupyter=False,
    )
    out_path.write_text(html or "", encoding="utf-8")  # None is for Jupyter
    msg.good(f"Wrote a page of {len(docs):,} documents", out_path)


def _spread(items: List[Any], limit: int) -> List[Any]:
    """At most `limit` items, sampled evenly."""
    n = min(limit, len(items))
    return [items[i * len(items) // n] for i in range(n)]
