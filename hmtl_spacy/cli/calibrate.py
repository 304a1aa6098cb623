"""`spacy hmtl calibrate MODEL DATA`."""

from pathlib import Path
from typing import Annotated

import typer
from spacy.cli._util import Arg, setup_gpu
from wasabi import msg

from .apps import hmtl_cli
from .options import Component, Gpu, LabelsPath, rules_of

ROW = "{:<12}{:>8}{:>13}{:>10}{:>9}{:>9}"


@hmtl_cli.command("calibrate")
def calibrate_cli(
    model: Annotated[Path, Arg(help="Folder of a trained pipeline", exists=True, file_okay=False)],
    data_path: Annotated[Path, Arg(help="Development documents: .spacy file or folder", exists=True)],
    labels: LabelsPath = None,
    component: Component = None,
    use_gpu: Gpu = -1,
):
    """Fit the confidences of a pipeline to development documents, so that they can be read as probabilities,
    and store it. What is predicted stays the same.

    Example: python -m spacy hmtl calibrate training/model-best corpus/dev.spacy
    """
    from spacy.util import load_model

    from ..evaluation.calibrating import calibrate

    setup_gpu(use_gpu, silent=True)
    try:
        nlp = load_model(model)
        fitted = calibrate(nlp, data_path, component=component, progress=True, rules=rules_of(labels))
    except (ValueError, OSError) as err:
        msg.fail(str(err), exits=1)
    if not fitted:
        msg.fail(f"'{data_path}' has no gold annotation for what the pipeline predicts.", exits=1)
    typer.echo(ROW.format("", "number", "confidence", "right", "error", "after"))
    for name, task in fitted.items():
        before = task.before
        percent = (before.confidence, before.right, before.error, task.after.error)
        typer.echo(ROW.format(name, f"{before.n:,}", *(f"{100 * x:.1f}" for x in percent)))
    typer.echo("error: expected calibration error, after: on documents that the curve wasn't fitted on")
    if kept := [name for name, task in fitted.items() if task.curve is None]:
        msg.info(f"Too few predictions, or nothing to gain: the confidences of {', '.join(kept)} stay.")
    nlp.to_disk(model)
    msg.good("Stored what the confidences are moved by", model)
