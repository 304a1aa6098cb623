"""The command that shows a trained pipeline's errors."""

from pathlib import Path
from typing import Annotated, Optional

import typer
from spacy.cli._util import Opt, setup_gpu
from wasabi import msg
from wasabi.tables import table

from .apps import hmtl_cli
from .options import (
    Component,
    DataPath,
    GoldSentences,
    Gpu,
    LabelsPath,
    Model,
    PagePath,
    Singletons,
    Tasks,
    Thresholds,
    evaluation_settings,
)


@hmtl_cli.command("errors")
def errors_cli(
    model: Model,
    data_path: DataPath,
    out_path: PagePath,
    json_path: Annotated[
        Optional[Path], Opt("--json", "-j", help="File to write all counts and all errors to", dir_okay=False)
    ] = None,
    tasks: Tasks = "",
    limit: Annotated[
        int, Opt("--limit", "-n", min=0, help="Examples of each kind in each group; 0 for all")
    ] = 10,
    component: Component = None,
    gold_sentences: GoldSentences = True,
    singletons: Singletons = None,
    labels: LabelsPath = None,
    threshold: Thresholds = None,
    use_gpu: Gpu = -1,
):
    """Write a page of what a pipeline misses and wrongly predicts, by type and length, with sentences.

    The counts are those of `evaluate`. The length of relations and of coreference links is their distance.

    Example: python -m spacy hmtl errors training/model-best corpus/dev.spacy errors.html --tasks relations
    """
    import srsly
    from spacy.util import load_model

    from ..evaluation.error_analysis import find_errors, page, to_json

    setup_gpu(use_gpu, silent=True)
    try:
        settings = evaluation_settings(component, tasks, gold_sentences, singletons, labels, threshold)
        errors = find_errors(load_model(model), data_path, **settings)
    except (ValueError, OSError) as err:
        msg.fail(str(err), exits=1)
    measures = to_json(errors)
    kinds = ("correct", "missed", "spurious")
    rows = [(name, *(counts[kind] for kind in kinds)) for name, counts in measures.items()]
    typer.echo(table(rows, header=("", *kinds), divider=True, aligns=("l", "r", "r", "r")))
    if errors.unsupported:
        msg.warn(f"These tasks don't report single errors: {', '.join(errors.unsupported)}")
    out_path.parent.mkdir(parents=True, exist_ok=True)
    title = f"Errors of {Path(model).name} on {data_path.name}"
    out_path.write_text(page(errors, title, limit), encoding="utf-8")
    msg.good("Wrote the errors with their sentences", out_path)
    if json_path is not None:
        json_path.parent.mkdir(parents=True, exist_ok=True)
        srsly.write_json(json_path, {"model": model, "data": str(data_path), "measures": measures})
        msg.good("Wrote all counts and all errors", json_path)
