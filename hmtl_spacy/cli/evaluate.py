"""`spacy hmtl evaluate MODEL DATA`."""

from enum import Enum
from pathlib import Path
from typing import Annotated, Optional

import typer
from spacy.cli._util import Arg, Opt, setup_gpu
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

    from ..evaluation.evaluate import evaluate, parse_thresholds
    from ..evaluation.report import report, to_json

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
