"""The paper's experiments on open corpora: ablation, embeddings, speed.

python -m hmtl_experiments.run ablation|embeddings|speed [--size reduced|full] [--seeds 0,1] [--jobs 2]
[--hours 2] [--plan]. The same command goes on where it was interrupted, or stopped after so many hours.
"""

import argparse
import math
import sys
from concurrent.futures import ThreadPoolExecutor, as_completed
from itertools import chain
from pathlib import Path
from time import monotonic
from typing import List, Optional, Sequence

from tqdm import tqdm

from .again import METRICS, RESULTS
from .corpora import require
from .forecast import forecast
from .plan import GRIDS, GROUPS, SETUPS, SIZES, Settings, size_of, trainings
from .report import collect, write_report
from .training import Job, OutOfTime, TrainingFailed, corpora_of, prepare, result_of, run, write_json

PIECE = 2.0  # hours that are worked at a time, if nothing else is said


def arguments(argv: Optional[List[str]] = None) -> argparse.Namespace:
    """Parse the command line."""
    parser = argparse.ArgumentParser(
        prog="python -m hmtl_experiments.run", description=(__doc__ or "").splitlines()[0]
    )
    add = parser.add_argument
    add("experiment", choices=list(GRIDS))
    add(
        "--groups",
        type=names,
        default=["science", "open"],
        help=f"some of {', '.join(GROUPS)}, separated by commas",
    )
    add(
        "--setups",
        type=names,
        default=list(SETUPS),
        help="only these setups of the experiment, separated by commas",
    )
    add(
        "--size",
        type=size,
        default="reduced",
        help=f"{', '.join(SIZES)}, or a size with a number of updates, such as reduced-1500",
    )
    add("--seeds", type=numbers, default=[0, 1], help="separated by commas")
    add(
        "--jobs",
        type=int,
        default=1,
        help="how many trainings run at once; if more than one, each has one thread",
    )
    add("--transformer", help="a model's name or folder; by default that of the default config")
    add("--vectors", help="a folder with spaCy vectors, or null", type=null_or_text)
    add("--plan", action="store_true", help="print what is left and the estimated time, train nothing")
    add("--hours", type=float, help="stop after so many; without it, when all is done")
    add("--gpu-id", type=int, default=-1)
    add("--corpus", type=Path, default=Settings.corpus, help="folder of the converted corpora")
    add("--work", type=Path, default=Settings.work, help="folder for configs, logs and results")
    add("--results", type=Path, default=RESULTS, help="folder for scores as data")
    add("--metrics", type=Path, default=METRICS, help="folder for the tables")
    options = parser.parse_args(argv)
    for asked, known in ((options.groups, GROUPS), (options.setups, SETUPS)):
        if unknown := [name for name in asked if name not in known]:
            parser.error(f"unknown: {', '.join(unknown)}. Choose from {', '.join(known)}.")
    return options


def names(text: str) -> List[str]:
    """Split names at commas."""
    return [name.strip() for name in text.split(",") if name.strip()]


def size(text: str) -> str:
    """Check the name of a size."""
    try:
        size_of(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(error) from None
    return text


def numbers(text: str) -> List[int]:
    """Split numbers at commas."""
    return [int(name) for name in names(text)]


def null_or_text(text: str) -> Optional[str]:
    """Read an option that may be null."""
    return None if text in ("", "null") else text


def main(argv: Optional[List[str]] = None) -> int:
    """Run an experiment: what isn't finished is trained, then the table is written."""
    options = arguments(argv)
    shared = ("corpus", "work", "transformer", "vectors", "gpu_id", "jobs")
    settings = Settings(**{name: getattr(options, name) for name in shared})
    planned = trainings(options.experiment, options.groups, options.size, options.seeds, options.setups)
    try:
        jobs = [prepare(training, settings) for training in planned]
        if options.plan:
            print(*forecast(jobs, settings, options.hours or PIECE), sep="\n")
            return 0
        unfinished = [job for job in jobs if result_of(job) is None]
        for source in chain.from_iterable(map(corpora_of, unfinished)):
            require(source)
    except FileNotFoundError as error:
        print(f"{error} If the corpora are elsewhere, name their folder with --corpus.", file=sys.stderr)
        return 1
    failures = run_all(unfinished, settings, of=len(jobs), hours=options.hours or math.inf)
    stored = options.results / f"{options.experiment}-{options.size}.json"
    write_json(stored, results := collect(options.experiment, options.size, jobs), indent=None)
    path = write_report(results, options.metrics)
    print(path.read_text(encoding="utf8"))
    print(f"Wrote {stored}, {path} and {path.with_suffix('.json')}")
    left = sum(result_of(job) is None for job in jobs) - len(failures)
    if left:
        print(f"The time is over: {left} of {len(jobs)} trainings are left. The same command goes on.")
    if failures:
        print(f"\n{len(failures)} of {len(jobs)} trainings failed:", *failures, sep="\n", file=sys.stderr)
    return 1 if failures else 0


def run_all(jobs: Sequence[Job], settings: Settings, of: int, hours: float = math.inf) -> List[str]:
    """Run trainings, `settings.jobs` at once.

    of: how many there are in all, including those that were finished before.
    hours: when to stop; what is begun then goes on next time.
    RETURNS: a message for each training that failed.
    """
    failures = []
    deadline = monotonic() + 3600 * hours
    with (
        ThreadPoolExecutor(settings.jobs) as pool,
        tqdm(total=of, initial=of - len(jobs), unit=" trainings", disable=None) as bar,
    ):
        started = [pool.submit(run, job, settings, deadline) for job in jobs]
        try:
            for future in as_completed(started):
                try:
                    future.result()
                except TrainingFailed as error:
                    failures.append(str(error))
                except OutOfTime:
                    continue
                bar.update(1)
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise
    return failures


if __name__ == "__main__":
    sys.exit(main())
