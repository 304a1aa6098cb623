"""Measure how fast the component is, and say of each target whether it is met.

python benchmarks/run.py [--json FILE] [--only NAME] [--quick] [--gum TEST.conllu --conll04 test.txt]
"""

import argparse
import json
import sys
import tempfile
from importlib import import_module
from pathlib import Path
from typing import Dict, List, NamedTuple, Optional

if not __package__:  # run as a script
    sys.path[0] = str(Path(__file__).resolve().parents[1])

from benchmarks import report
from benchmarks.machine import describe_machine, versions
from benchmarks.measure import Measurement, in_turn
from benchmarks.pipelines import Pipelines, Setup
from benchmarks.texts import count_words, read_texts

BENCHMARKS = {
    "encoder": "encoder",
    "pipe": "pipe",
    "threads": "threads",
    "peers": "peers",
    "naive": "comparing",
    "scaling": "scaling",
    "train": "training",
    "load": "loading",
    "ray": "ray",
}

QUICK = ("encoder", "peers")  # what says most in a few minutes


class Amount(NamedTuple):
    """How much is measured.

    limit: documents at most, and ten times as many sentences; 0 for all.
    steps: updates that pipelines are trained for.
    """

    limit: int
    passes: int
    steps: int


def arguments(argv: Optional[List[str]] = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    add = parser.add_argument
    add("--json", type=Path, help="write everything that was measured to this file")
    add("--only", action="append", choices=list(BENCHMARKS), help="measure only this; may be given again")
    add(
        "--quick",
        action="store_true",
        help=f"{' and '.join(QUICK)}, on some texts: three minutes on two cores",
    )
    add("--tiny", action="store_true", help="measure as little as shows that everything runs")
    add("--gum", type=Path, help="documents: GUM's test part, .conllu; without it assets/sample")
    add("--conll04", type=Path, help="short texts: CoNLL04's test part, .txt; without it assets/sample")
    add("--pipelines", type=Path, help="a folder of trained pipelines; those not there are made and kept")
    add("--compare", type=Path, help="the --json file of another run: say what changed by a fifth or more")
    add("--passes", type=int, default=5, help="passes that count, after one that doesn't (default: 5)")
    add("--threads", type=int, default=2, help="threads of every process (default: 2)")
    add("--steps", type=int, default=150, help="updates to train pipelines for (default: 150)")
    return parser.parse_args(argv)


def amount(options: argparse.Namespace) -> Amount:
    if options.tiny:
        return Amount(limit=2, passes=1, steps=3)
    if options.quick:
        return Amount(limit=8, passes=min(options.passes, 3), steps=min(options.steps, 60))
    return Amount(limit=0, passes=options.passes, steps=options.steps)


def main(argv: Optional[List[str]] = None) -> None:
    options = arguments(argv)
    limit, passes, steps = amount(options)
    texts = read_texts(options.gum, options.conll04, limit)
    machine = describe_machine()
    about = {
        "machine": machine,
        "versions": versions(),
        "settings": {
            "texts": texts.source,
            "documents": f"{len(texts.documents)} ({count_words(texts.documents)} words)",
            "sentences": f"{len(texts.sentences)} ({count_words(texts.sentences)} words)",
            "passes": passes,
            "threads": options.threads,
        },
    }
    measured: List[Measurement] = []
    ratios: List[report.Ratio] = []
    left_out: List[str] = []
    with tempfile.TemporaryDirectory() as folder:
        pipelines = Pipelines(options.pipelines or Path(folder), steps, options.threads)
        for name in options.only or (QUICK if options.quick else BENCHMARKS):
            benchmark = import_module(f"benchmarks.{BENCHMARKS[name]}")
            left_out += getattr(benchmark, "left_out", list)()
            of_benchmark: Dict[str, Measurement] = {}
            for group in benchmark.groups(Setup(texts, pipelines, options.tiny)):
                threads = getattr(benchmark, "THREADS", options.threads)
                of_benchmark.update(in_turn(group, passes, threads))
            measured.extend(of_benchmark.values())
            ratios = sorted([*ratios, *benchmark.ratios(of_benchmark)], key=lambda ratio: ratio.number)
            result = report.to_json(measured, ratios, **about)
            if options.json:  # a long run that is broken off leaves what it has
                options.json.write_text(json.dumps(result, indent=1) + "\n", encoding="utf8")
    print(report.whole(measured, ratios, about))
    if left_out:
        print("\n".join(["\nNot measured:", *left_out]))
    if options.tiny:
        print("\nThis was a tiny run, on far less text than the names say: its numbers mean nothing.")
    if options.compare:
        old = json.loads(options.compare.read_text(encoding="utf8"))
        print("\n".join(["\nChanged by a fifth or more:", *(report.changes(result, old) or ["nothing"])]))


if __name__ == "__main__":
    main()
