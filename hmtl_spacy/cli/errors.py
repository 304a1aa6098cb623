"""The command that shows a trained pipeline's errors."""

from pathlib import Path
from typing import Annotated, Optional

import typer
from spacy.cli._util import Arg, Opt, setup_gpu
from wasabi import msg, table

from .apps import hmtl_cli
from .options import Component, GoldSentences, Gpu, Singletons, Thresholds


@hmtl_cli.command("errors")
def errors_cli(
    model: Annotated[str, Arg(help="Name or path of a trained pipeline")],
    data_path: Annotated[Path, Arg(help=".spacy file, or a folder of them", exists=True)],
    out_path: Annotated[Path, Arg(help="HTML page to write", dir_okay=False)],
    json_path: Annotated[
        Optional[Path], Opt("--json", "-j", help="File to write all counts and all errors to", dir_okay=False)
    ] = None,
    tasks: Annotated[str, Opt("--tasks", "-t", help="Tasks to look at, with commas; all if not given")] = "",
    limit: Annotated[
        int, Opt("--limit", "-n", min=0, help="Examples of each kind in each group; 0 for all")
    ] = 10,
    component: Component = None,
    gold_sentences: GoldSentences = True,
    singletons: Singletons = None,
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
    from ..evaluation.evaluate import parse_thresholds

    setup_gpu(use_gpu, silent=True)
    try:
        found = find_errors(
            load_model(model),
            data_path,
            component=component,
            tasks=[name.strip() for name in tasks.split(",") if name.strip()],
            gold_sentences=gold_sentences,
            singletons=singletons,
            thresholds=parse_thresholds(threshold or []),
            progress=True,
        )
    except (ValueError, OSError) as err:
        msg.fail(str(err), exits=1)
    counts = to_json(found)
    rows = [(name, *(one[key] for key in ("correct", "missed", "spurious"))) for name, one in counts.items()]
    typer.echo(table(rows, header=("", "correct", "missed", "spurious"), divider=True, aligns=tuple("lrrr")))
    if found.unsupported:
        msg.warn(f"These tasks don't report single errors: {', '.join(found.unsupported)}")
    out_path.parent.mkdir(parents=True, exist_ok=True)
    title = f"Errors of {Path(model).name} on {data_path.name}"
    out_path.write_text(page(found, title, limit), encoding="utf-8")
    msg.good("Wrote the errors with their sentences", out_path)
    if json_path is not None:
        json_path.parent.mkdir(parents=True, exist_ok=True)
        srsly.write_json(json_path, {"model": model, "data": str(data_path), "measures": counts})
        msg.good("Wrote all counts and all errors", json_path)
