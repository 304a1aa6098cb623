"""`spacy hmtl tune MODEL DATA`."""

from pathlib import Path
from typing import Annotated, Any

import typer
from spacy.cli._util import Arg, Opt, setup_gpu
from wasabi import msg

from .apps import hmtl_cli
from .options import Component, Gpu, LabelsPath, rules_of


@hmtl_cli.command("tune")
def tune_cli(
    model: Annotated[Path, Arg(help="Folder of a trained pipeline", exists=True, file_okay=False)],
    data_path: Annotated[Path, Arg(help="Development documents: .spacy file or folder", exists=True)],
    task: Annotated[str, Opt("--task", "-t", help="Task whose threshold is chosen")] = "relations",
    score: Annotated[str, Opt("--score", "-s", help="Score to maximise")] = "rel_strict_f",
    labels: LabelsPath = None,
    component: Component = None,
    use_gpu: Gpu = -1,
):
    """Choose a task's threshold on development documents and store it in the pipeline, with the new scores.

    Example: python -m spacy hmtl tune training/model-best corpus/dev.spacy --score rel_boundaries_f
    """
    from spacy.util import load_model

    from ..evaluation.evaluate import find_component
    from ..evaluation.tuning import tune_threshold

    setup_gpu(use_gpu, silent=True)
    try:
        nlp = load_model(model)
        settings: Any = {"component": component, "progress": True, "rules": rules_of(labels)}
        best, tried = tune_threshold(nlp, data_path, task, score, **settings)
        name = find_component(nlp, component)
    except (ValueError, OSError) as err:
        msg.fail(str(err), exits=1)
    for threshold, value in tried.items():
        typer.echo(f"{threshold:.2f}  {100 * value:6.2f}")
    if not any(tried.values()):
        msg.warn(
            f"'{score}' is 0 at every threshold, so that of '{task}' stays {best}. Train longer, or "
            f"check that the data has this task's annotation with the pipeline's labels: spacy hmtl evaluate"
        )
        return
    nlp.config["components"][name]["thresholds"][task] = best
    nlp.to_disk(model)
    msg.good(f"Set the threshold of '{task}' to {best}", model)
