"""A row of the paper's Tables 3 to 5 on its own corpora, step by step.

python -m hmtl_experiments.paper check|convert|config|evaluate ROW ...
`spacy project run paper experiments --vars.setup ROW` does all of it; docs/paper.md says what it needs.
"""

import argparse
import sys
from pathlib import Path
from typing import Dict, List, Optional

from ..training import write_json
from .converting import convert_corpus, count_table
from .expected import EXPECTED, Folders
from .licensed import missing
from .table import ROWS, corpus_folders, row_config, set_epochs


def arguments(argv: Optional[List[str]] = None) -> argparse.Namespace:
    """Parse the command line."""
    parser = argparse.ArgumentParser(
        prog="python -m hmtl_experiments.paper", description=(__doc__ or "").splitlines()[0]
    )
    steps = parser.add_subparsers(dest="step", required=True)
    check = steps.add_parser("check", help="say which licensed corpora are missing")
    convert = steps.add_parser("convert", help="convert the corpora of a row")
    config = steps.add_parser("config", help="write the config of a row, once its corpora are converted")
    evaluate = steps.add_parser("evaluate", help="score a trained row beside the paper's numbers")
    for step in (check, convert, config, evaluate):
        step.add_argument("row", choices=list(ROWS), metavar="ROW", help=", ".join(ROWS))
    for step in (check, convert):
        for variable in EXPECTED:
            option = f"--{variable.replace('_', '-')}"
            step.add_argument(option, type=Path, default=Path("assets/licensed") / variable)
    convert.add_argument("--record", type=Path, required=True, help="JSON file that says what was converted")
    config.add_argument("base", type=Path, help="config to start from, such as ../configs/hmtl.cfg")
    config.add_argument(
        "overlays", type=Path, nargs="*", help="files with differing values, laid over everything else"
    )
    config.add_argument("--output", type=Path, required=True, help="config to write")
    evaluate.add_argument("--model", type=Path, required=True, help="folder of the trained pipeline")
    evaluate.add_argument("--output", type=Path, required=True, help="folder for scores.json and scores.md")
    evaluate.add_argument("--gpu-id", type=int, default=-1)
    return parser.parse_args(argv)


def main(argv: Optional[List[str]] = None) -> int:
    """Run one step."""
    options = arguments(argv)
    try:
        return STEPS[options.step](options)
    except (ValueError, OSError) as err:  # also raised by converters and evaluation
        print(f"Row {options.row}: {err}", file=sys.stderr)
        return 1


def folders_of(options: argparse.Namespace) -> Folders:
    """Collect the folder of each licensed corpus from the options."""
    return {variable: getattr(options, variable) for variable in EXPECTED}


def corpora_of(row: str) -> Dict[str, Path]:
    """Name the corpora of a row, each once, with the folders that they are converted to."""
    return {folder.name: folder for folder in corpus_folders(row_config(row)).values()}


def check(options: argparse.Namespace) -> int:
    """Say what is missing for a row."""
    corpora = corpora_of(options.row)
    messages = missing(corpora, folders_of(options))
    if messages:
        print(
            f"Row {options.row} needs the corpora {', '.join(corpora)}.",
            *messages,
            sep="\n\n",
            file=sys.stderr,
        )
        return 1
    print(f"Row {options.row}: all files of {', '.join(corpora)} are there.")
    return 0


def convert(options: argparse.Namespace) -> int:
    """Convert the corpora of a row and print their counts beside the published ones."""
    if status := check(options):
        return status
    record = {}
    for corpus, folder in corpora_of(options.row).items():
        record[corpus] = convert_corpus(corpus, folders_of(options), folder)
        print(*count_table(corpus, record[corpus]), "", sep="\n")
    write_json(options.record, record)
    return 0


def config(options: argparse.Namespace) -> int:
    """Write the config of a row, with the length of its epochs."""
    merged = row_config(options.row, options.base, options.overlays)
    updates = set_epochs(merged)
    options.output.parent.mkdir(parents=True, exist_ok=True)
    merged.to_disk(options.output, interpolate=False)
    print(f"Wrote {options.output}: an epoch has {updates:,} updates.")
    return 0


def evaluate(options: argparse.Namespace) -> int:
    """Score a trained row and write the table beside the paper's numbers."""
    import spacy
    from spacy.cli._util import setup_gpu

    from .scoring import score_row, score_table

    setup_gpu(options.gpu_id, silent=True)
    nlp = spacy.load(options.model)
    folders = corpus_folders(row_config(options.row))
    measures, evaluations = score_row(nlp, ROWS[options.row], folders)
    table = score_table(options.row, measures)
    write_json(
        options.output / "scores.json", {"row": options.row, "scores": measures, "evaluations": evaluations}
    )
    (options.output / "scores.md").write_text("\n".join(table) + "\n", encoding="utf8")
    print(*table, sep="\n")
    return 0


STEPS = {"check": check, "convert": convert, "config": config, "evaluate": evaluate}

if __name__ == "__main__":
    sys.exit(main())
