"""`spacy hmtl evaluate MODEL DATA`."""

from enum import Enum
from pathlib import Path
from typing import Annotated, Optional

import typer
from spacy.cli._util import Opt, setup_gpu
from wasabi import msg

from .apps import hmtl_cli
from .options import (
    Component,
    DataPath,
    EntityRelations,
    GoldSentences,
    Gpu,
    LabelsPath,
    Model,
    SeenPath,
    Singletons,
    Tasks,
    Thresholds,
    evaluation_settings,
)


class GoldMentions(str, Enum):
    paper = "paper"
    any = "any"


@hmtl_cli.command("evaluate")
def evaluate_cli(
    model: Model,
    data_path: DataPath,
    json_path: Annotated[
        Optional[Path], Opt("--json", "-j", help="File to write everything to", dir_okay=False)
    ] = None,
    tasks: Tasks = "",
    component: Component = None,
    gold_sentences: GoldSentences = True,
    singletons: Singletons = None,
    gold_mentions: Annotated[
        Optional[GoldMentions],
        Opt(
            "--gold-mentions",
            help="Give coreference, and relations of spans, the gold spans to link: those they could find "
            "themselves, pruned like their own, as in the paper; or all, of any width",
        ),
    ] = None,
    labels: LabelsPath = None,
    entity_relations: EntityRelations = False,
    seen: SeenPath = None,
    threshold: Thresholds = None,
    use_gpu: Gpu = -1,
):
    """Score the tasks of a trained pipeline with all their measures.

    Example: python -m spacy hmtl evaluate training/model-best corpus/test.spacy --json metrics.json
    """
    import srsly
    from spacy.util import load_model

    from ..evaluation.evaluate import evaluate
    from ..evaluation.report import report, to_json

    setup_gpu(use_gpu, silent=True)
    try:
        result = evaluate(
            load_model(model),
            data_path,
            gold_mentions=gold_mentions and gold_mentions.value,
            entity_relations=entity_relations,
            seen=seen,
            **evaluation_settings(component, tasks, gold_sentences, singletons, labels, threshold),
        )
    except (ValueError, OSError) as err:
        msg.fail(str(err), exits=1)
    typer.echo(report(result))
    if json_path is not None:
        json_path.parent.mkdir(parents=True, exist_ok=True)
        srsly.write_json(json_path, {"model": model, "data": str(data_path), **to_json(result)})
        msg.good("Wrote all scores", json_path)
