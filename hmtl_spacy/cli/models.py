"""Commands for trained pipelines: their scores, their thresholds, what they find."""

from enum import Enum
from pathlib import Path
from typing import Annotated, Any, List, Optional

import typer
from spacy.cli._util import Arg, Opt, setup_gpu
from tqdm import tqdm
from wasabi import msg

from .apps import hmtl_cli
from .options import Component, GoldSentences, Gpu, Singletons, Thresholds


class GoldMentions(str, Enum):
    paper = "paper"
    any = "any"


@hmtl_cli.command("evaluate")
def evaluate_cli(
    model: Annotated[str, Arg(help="Name or path of a trained pipeline")],
    data_path: Annotated[Path, Arg(help=".spacy file, or a folder of them", exists=True)],
    json_path: Annotated[
        Optional[Path], Opt("--json", "-j", help="File to write everything to", dir_okay=False)
    ] = None,
    tasks: Annotated[str, Opt("--tasks", "-t", help="Tasks to score, with commas; all if not given")] = "",
    component: Component = None,
    gold_sentences: GoldSentences = True,
    singletons: Singletons = None,
    gold_mentions: Annotated[
        Optional[GoldMentions],
        Opt(
            "--gold-mentions",
            help="Give coreference gold spans to link: those it could find itself, pruned as its own, as in "
            "the paper; or all, of any width",
        ),
    ] = None,
    threshold: Thresholds = None,
    use_gpu: Gpu = -1,
):
    """Score every task of a trained pipeline by all its measures.

    Example: python -m spacy hmtl evaluate training/model-best corpus/test.spacy --json metrics.json
    """
    import srsly
    from spacy.util import load_model

    from ..evaluation import evaluate, parse_thresholds
    from ..report import report, to_json

    setup_gpu(use_gpu, silent=True)
    try:
        result = evaluate(
            load_model(model),
            data_path,
            component=component,
            tasks=[name.strip() for name in tasks.split(",") if name.strip()],
            gold_sentences=gold_sentences,
            gold_mentions=gold_mentions and gold_mentions.value,
            singletons=singletons,
            thresholds=parse_thresholds(threshold or []),
            progress=True,
        )
    except (ValueError, OSError) as err:
        msg.fail(str(err), exits=1)
    typer.echo(report(result))
    if json_path is not None:
        json_path.parent.mkdir(parents=True, exist_ok=True)
        srsly.write_json(json_path, {"model": model, "data": str(data_path), **to_json(result)})
        msg.good("Wrote all scores", json_path)


@hmtl_cli.command("tune")
def tune_cli(
    model: Annotated[Path, Arg(help="Folder of a trained pipeline", exists=True, file_okay=False)],
    data_path: Annotated[Path, Arg(help="Development documents: .spacy file or folder", exists=True)],
    task: Annotated[str, Opt("--task", "-t", help="Whose threshold to choose")] = "relations",
    score: Annotated[str, Opt("--score", "-s", help="The score to make highest")] = "rel_strict_f",
    component: Component = None,
    use_gpu: Gpu = -1,
):
    """Choose a task's threshold on development documents and store it in the pipeline.

    Example: python -m spacy hmtl tune training/model-best corpus/dev.spacy --score rel_boundaries_f
    """
    from spacy.util import load_model

    from ..evaluation import find_component
    from ..tuning import tune_threshold

    setup_gpu(use_gpu, silent=True)
    try:
        nlp = load_model(model)
        best, tried = tune_threshold(nlp, data_path, task, score, component=component, progress=True)
        name = find_component(nlp, component)
    except (ValueError, OSError) as err:
        msg.fail(str(err), exits=1)
    for threshold, value in tried.items():
        typer.echo(f"{threshold:.2f}  {100 * value:6.2f}")
    nlp.config["components"][name]["thresholds"][task] = best
    nlp.to_disk(model)
    msg.good(f"Set the threshold of '{task}' to {best}", model)


@hmtl_cli.command("visualize")
def visualize_cli(
    data_path: Annotated[Path, Arg(help=".spacy file, or a folder of them", exists=True)],
    out_path: Annotated[Path, Arg(help="HTML page to write", dir_okay=False)],
    model: Annotated[
        Optional[str], Opt("--model", "-m", help="Show what this pipeline finds beside what the data has")
    ] = None,
    limit: Annotated[
        int, Opt("--limit", "-n", min=0, help="So many documents, spread over the data; 0 for all")
    ] = 0,
    title: Annotated[str, Opt("--title", help="Of the page")] = "HMTL",
    use_gpu: Gpu = -1,
):
    """Write a page that shows all layers of some documents, as annotated or beside a pipeline's predictions.

    Example: python -m spacy hmtl visualize corpus/test.spacy page.html --model training/model-best --limit 5
    """
    import spacy

    from ..data.corpus import read_task_corpus
    from ..visualize import render

    setup_gpu(use_gpu, silent=True)
    try:
        nlp = spacy.load(model) if model else spacy.blank("xx")
        examples = list(read_task_corpus(data_path, None, 0, gold_sentences=True, limit=0)(nlp))
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
    html = render(docs, gold=gold if model else None, page=True, title=title, jupyter=False)
    out_path.write_text(html, encoding="utf-8")
    msg.good(f"Wrote a page of {len(docs):,} documents", out_path)


def _spread(items: List[Any], limit: int) -> List[Any]:
    """So many, from all over a list."""
    n = min(limit, len(items))
    return [items[i * len(items) // n] for i in range(n)]
