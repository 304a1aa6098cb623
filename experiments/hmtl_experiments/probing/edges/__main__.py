"""Probe the layers of a trained pipeline for entities, coreference and relations, beside control tasks.

python -m hmtl_experiments.probing.edges PIPELINE --corpus FOLDER --name NAME
"""

import argparse
import sys
from pathlib import Path
from typing import Dict, List, Optional, Sequence

from spacy.tokens import Doc, DocBin
from spacy.vocab import Vocab

from ...corpora import require
from ..command import exit_status, make_parser, write_results
from ..requirements import require_libraries
from ..splitting import SHARES
from .targets import TASKS


def arguments(argv: Optional[List[str]] = None) -> argparse.Namespace:
    """Parse the command line."""
    parser = make_parser("hmtl_experiments.probing.edges", __doc__ or "")
    add = parser.add_argument
    add(
        "--corpus",
        type=lambda text: [Path(folder) for folder in text.split(",")],
        required=True,
        help="folder with train.spacy, dev.spacy, test.spacy; several, separated by commas, are one corpus",
    )
    add("--seed", type=int, default=0, help="of what is drawn: pairs, and the labels of the control tasks")
    return parser.parse_args(argv)


def main(argv: Optional[List[str]] = None) -> int:
    """Make the targets, probe, write what came of it. RETURNS: the exit status."""
    return exit_status(_run, arguments(argv))


def _run(options: argparse.Namespace) -> None:
    require_libraries()

    import spacy

    from .run import can_be_probed, make_splits, run

    if not options.pipeline.is_dir():
        raise ValueError(f"There is no pipeline in '{options.pipeline}': name the folder of a trained one.")
    for path in _files(options.corpus):
        require(path)
    nlp = spacy.load(options.pipeline)
    docs = read_corpus(options.corpus, nlp.vocab)
    by_task = {task: make_splits(task, docs, options.seed) for task in TASKS}
    left_out = [task for task, splits in by_task.items() if not can_be_probed(splits)]
    names = ", ".join(folder.name for folder in options.corpus)
    if len(left_out) == len(TASKS):
        raise ValueError(
            f"There is nothing to probe for in {names}: each of train, dev and test needs annotation of "
            f"{', '.join(TASKS)}, or of one of them, with two labels or more."
        )
    if left_out:
        print(f"Left out: {', '.join(left_out)}. {names} lacks this annotation in train, dev or test.")
    results = {
        "experiment": "edge-probing",
        "pipeline": options.name,
        "corpus": f"{names} ({', '.join(f'{len(docs[split])} {split}' for split in SHARES)})",
        "seed": options.seed,
        "left out": left_out,
        "tasks": run(
            nlp, docs, {task: by_task[task] for task in TASKS if task not in left_out}, options.seed
        ),
    }
    write_results(results, options, "edges")


def read_corpus(folders: Sequence[Path], vocab: Vocab) -> Dict[str, List[Doc]]:
    """Read the documents of each split, those of all folders together."""
    docs: Dict[str, List[Doc]] = {split: [] for split in SHARES}
    for path in _files(folders):
        docs[path.stem] += DocBin().from_disk(path).get_docs(vocab)
    return docs


def _files(folders: Sequence[Path]) -> List[Path]:
    return [folder / f"{split}.spacy" for split in SHARES for folder in folders]


if __name__ == "__main__":
    sys.exit(main())
