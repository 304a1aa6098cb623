"""The paper's experiments on open corpora: ablation, embeddings, speed.

python -m experiments.run ablation|embeddings|speed [--size reduced|full] [--seeds 0,1] [--jobs 2]
A command that was interrupted goes on where it stopped when it is given again.
"""

import argparse
import sys
from concurrent.futures import ThreadPoolExecutor, as_completed
from itertools import chain
from pathlib import Path
from typing import List, Optional, Sequence

from tqdm import tqdm

from .corpora import require
from .plan import GRIDS, GROUPS, SETUPS, SIZES, Settings, size_of, trainings
from .report import write_report
from .training import Job, TrainingFailed, corpora_of, prepare, result_of, run


def arguments(argv: Optional[List[str]] = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m experiments.run", description=(__doc__ or "").splitlines()[0]
    )
    add = parser.add_argument
    add("experiment", choices=list(GRIDS))
    add("--groups", type=names, default=["science", "open"], help=f"of {', '.join(GROUPS)}, with commas")
    add("--setups", type=names, default=list(SETUPS), help="only these of the experiment's, with commas")
    add(
        "--size",
        type=size,
        default="reduced",
        help=f"{', '.join(SIZES)}, or such as reduced-1500: with 1,500 updates",
    )
    add("--seeds", type=numbers, default=[0, 1], help="with commas")
    add("--jobs", type=int, default=1, help="trainings at once, then each with one thread")
    add("--transformer", help="the default config's if not given")
    add("--vectors", help="a folder with spaCy vectors, or null", type=null_or_text)
    add("--gpu-id", type=int, default=-1)
    add("--corpus", type=Path, default=Path("corpus"), help="folder of the converted corpora")
    add("--work", type=Path, default=Path("training/experiments"), help="folder of configs, logs and results")
    add("--metrics", type=Path, default=Path("metrics/experiments"), help="folder of the tables")
    options = parser.parse_args(argv)
    for asked, known in ((options.groups, GROUPS), (options.setups, SETUPS)):
        if unknown := [name for name in asked if name not in known]:
            parser.error(f"unknown: {', '.join(unknown)}. There are {', '.join(known)}.")
    return options


def names(text: str) -> List[str]:
    return [name.strip() for name in text.split(",") if name.strip()]


def size(text: str) -> str:
    try:
        size_of(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(error) from None
    return text


def numbers(text: str) -> List[int]:
    return [int(name) for name in names(text)]


def null_or_text(text: str) -> Optional[str]:
    return None if text in ("", "null") else text


def main(argv: Optional[List[str]] = None) -> int:
    options = arguments(argv)
    shared = ("corpus", "work", "transformer", "vectors", "gpu_id", "jobs")
    settings = Settings(**{name: getattr(options, name) for name in shared})
    wanted = trainings(options.experiment, options.groups, options.size, options.seeds, options.setups)
    try:
        jobs = [prepare(training, settings) for training in wanted]
        unfinished = [job for job in jobs if result_of(job) is None]
        for source in chain.from_iterable(map(corpora_of, unfinished)):
            require(source)
    except FileNotFoundError as error:
        print(f"{error} Or name their folder with --corpus.", file=sys.stderr)
        return 1
    failures = run_all(unfinished, settings, of=len(jobs))
    path = write_report(options.experiment, options.size, jobs, options.metrics)
    print(path.read_text(encoding="utf8"))
    print(f"Wrote {path} and {path.with_suffix('.json')}")
    if failures:
        print(f"\n{len(failures)} of {len(jobs)} trainings failed:", *failures, sep="\n", file=sys.stderr)
    return 1 if failures else 0


def run_all(jobs: Sequence[Job], settings: Settings, of: int) -> List[str]:
    """Run trainings, `settings.jobs` at once. of: how many there are, with those finished before.

    RETURNS: what is to be said of those that failed.
    """
    failures = []
    with (
        ThreadPoolExecutor(settings.jobs) as pool,
        tqdm(total=of, initial=of - len(jobs), unit=" trainings", disable=None) as bar,
    ):
        started = [pool.submit(run, job, settings) for job in jobs]
        try:
            for future in as_completed(started):
                try:
                    future.result()
                except TrainingFailed as error:
                    failures.append(str(error))
                bar.update(1)
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise
    return failures


if __name__ == "__main__":
    sys.exit(main())
