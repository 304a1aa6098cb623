"""Probe sentence embeddings of every layer of a trained pipeline (Table 6 of the paper).

python -m hmtl_experiments.probing run PIPELINE --treebank FOLDER --name NAME
python -m hmtl_experiments.probing report makes tables and plots of stored results again.
"""

import argparse
import json
import sys
from pathlib import Path
from typing import List, Optional

from ..plan import ROOT
from ..training import write_json
from .report import write_report
from .splitting import make_splits
from .treebank import read_treebank

RESULTS = ROOT / "results"


def arguments(argv: Optional[List[str]] = None) -> argparse.Namespace:
    """Parse the command line."""
    parser = argparse.ArgumentParser(
        prog="python -m hmtl_experiments.probing", description=(__doc__ or "").splitlines()[0]
    )
    commands = parser.add_subparsers(dest="command", required=True)
    run = commands.add_parser("run", help="probe a pipeline, store the results, report them")
    add = run.add_argument
    add("pipeline", type=Path, help="folder of a trained pipeline")
    add("--name", required=True, help="of the results: a file's name without its ending")
    add("--treebank", type=Path, required=True, help="a file in CoNLL-U, or a folder of such files")
    add("--vectors", help="a folder with spaCy vectors, for bags of word vectors; or null", default="null")
    add("--tasks", type=lambda text: text.split(","), help="only these tasks, separated by commas")
    add("--seed", type=int, default=0, help="of what is drawn when tasks are made")
    report = commands.add_parser("report", help="make tables and plots of all stored results again")
    for command in (run, report):
        command.add_argument("--results", type=Path, default=RESULTS, help="folder of the results")
        command.add_argument("--metrics", type=Path, default=Path("metrics"), help="folder for the tables")
    return parser.parse_args(argv)


def main(argv: Optional[List[str]] = None) -> int:
    """Run a command. RETURNS: the exit status."""
    options = arguments(argv)
    try:
        if options.command == "run":
            _run(options)
        else:
            _report(options)
    except (OSError, ValueError) as error:
        print(error, file=sys.stderr)
        return 1
    return 0


def _run(options: argparse.Namespace) -> None:
    from .generating import TASKS

    chosen = options.tasks or list(TASKS)
    if unknown := [task for task in chosen if task not in TASKS]:
        raise ValueError(f"There is no task {', '.join(unknown)}: choose from {', '.join(TASKS)}.")
    paths = _files(options.treebank)
    sentences = read_treebank(paths)
    by_task = {task: make_splits(task, sentences, options.seed) for task in chosen}

    import spacy

    from .run import run

    nlp = spacy.load(options.pipeline)
    vocab = None if options.vectors in ("", "null") else spacy.load(options.vectors).vocab
    results = {
        "pipeline": options.name,
        "treebank": f"{len(sentences):,} sentences of {', '.join(path.name for path in paths)}",
        "seed": options.seed,
        "tasks": run(nlp, by_task, vocab),
    }
    path = options.results / f"probing-{options.name}.json"
    write_json(path, results, indent=None)
    print(f"Wrote {path}")
    _write(path, options.metrics)


def _files(treebank: Path) -> List[Path]:
    paths = sorted(treebank.glob("*.conllu")) if treebank.is_dir() else [treebank]
    if not paths or not all(path.is_file() for path in paths):
        raise ValueError(
            f"There is no treebank in '{treebank}': name a file in CoNLL-U or a folder of "
            f"such files. `python -m spacy project assets` downloads GUM."
        )
    return paths


def _report(options: argparse.Namespace) -> None:
    paths = sorted(options.results.glob("probing-*.json"))
    if not paths:
        raise ValueError(f"There are no results of probing in '{options.results}': run some first.")
    for path in paths:
        _write(path, options.metrics)


def _write(path: Path, metrics: Path) -> None:
    results = json.loads(path.read_text(encoding="utf8"))
    target = metrics / f"{path.stem}.md"
    write_report(results, target)
    print(f"Wrote {target} and {target.with_suffix('.svg')}")


if __name__ == "__main__":
    sys.exit(main())
