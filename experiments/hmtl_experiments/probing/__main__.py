"""Probe sentence embeddings of every layer of a trained pipeline (Table 6 of the paper).

python -m hmtl_experiments.probing PIPELINE --treebank FOLDER --name NAME
"""

import argparse
import sys
from pathlib import Path
from typing import List, Optional

from .command import exit_status, make_parser, write_results
from .generating import TASKS
from .requirements import require_libraries
from .splitting import make_splits
from .treebank import read_treebank


def arguments(argv: Optional[List[str]] = None) -> argparse.Namespace:
    """Parse the command line."""
    parser = make_parser("hmtl_experiments.probing", __doc__ or "")
    add = parser.add_argument
    add("--treebank", type=Path, required=True, help="a file in CoNLL-U, or a folder of such files")
    add("--vectors", help="a folder with spaCy vectors, for bags of word vectors; or null", default="null")
    add("--tasks", type=lambda text: text.split(","), help="only these tasks, separated by commas")
    add("--seed", type=int, default=0, help="of what is drawn when tasks are made")
    return parser.parse_args(argv)


def main(argv: Optional[List[str]] = None) -> int:
    """Make the tasks, probe, write what came of it. RETURNS: the exit status."""
    return exit_status(_run, arguments(argv))


def _run(options: argparse.Namespace) -> None:
    require_libraries()
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
        "experiment": "probing",
        "pipeline": options.name,
        "treebank": f"{len(sentences):,} sentences of {', '.join(path.name for path in paths)}",
        "seed": options.seed,
        "tasks": run(nlp, by_task, vocab),
    }
    write_results(results, options, "probing")


def _files(treebank: Path) -> List[Path]:
    paths = sorted(treebank.glob("*.conllu")) if treebank.is_dir() else [treebank]
    if not paths or not all(path.is_file() for path in paths):
        raise ValueError(
            f"There is no treebank in '{treebank}': name a file in CoNLL-U or a folder of "
            f"such files. `python -m spacy project assets` downloads GUM."
        )
    return paths


if __name__ == "__main__":
    sys.exit(main())
