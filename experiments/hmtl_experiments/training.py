"""One training with its scores: finished trainings are kept, interrupted ones go on."""

import hashlib
import json
import math
import os
import shutil
import subprocess
import sys
from dataclasses import asdict, dataclass
from pathlib import Path
from time import monotonic
from typing import Any, Dict, List, Optional, Sequence

from thinc.api import Config

from .convergence import read_log
from .plan import ROOT, Settings, Training
from .scoring import scoring_plan
from .training_config import make_config

MADE = ("model-best", "model-last", "resume")  # deleted once the scores are there
PART_OF_SPACY = [sys.executable, "-m", "spacy"]


class TrainingFailed(Exception):
    """A step of a training ended with an error; the message names its log."""


class OutOfTime(Exception):
    """The time for this piece of an experiment is over; a training goes on where it was interrupted."""


@dataclass(frozen=True)
class Job:
    """A training with everything decided.

    folder: where its files are.
    scoring: the plan of what is scored.
    """

    training: Training
    folder: Path
    config: Config
    scoring: Dict[str, Any]

    @property
    def log(self) -> Path:
        """The output of all steps."""
        return self.folder / "output.log"

    @property
    def evaluations(self) -> Path:
        """The log of evaluations during training."""
        return self.folder / "evaluations.jsonl"

    @property
    def begun(self) -> Path:
        """What is known of a training that isn't finished: its fingerprint, and how long its steps took."""
        return self.folder / "begun.json"

    @property
    def fingerprint(self) -> str:
        """A hash that changes whenever the config or what is scored changes."""
        scoring = {key: value for key, value in self.scoring.items() if key != "gpu_id"}
        text = self.config.to_str(interpolate=False) + json.dumps(scoring, sort_keys=True)
        return hashlib.sha256(text.encode("utf8")).hexdigest()


def prepare(training: Training, settings: Settings) -> Job:
    """Decide everything about a training, without running it."""
    folder = settings.work / training.name
    config = make_config(training, settings)
    job = Job(training, folder, config, scoring_plan(training, settings, config))
    config["training"]["logger"]["output_file"] = str(job.evaluations)
    return job


def corpora_of(job: Job) -> List[Path]:
    """List the files that a training reads."""
    corpora = job.config["corpora"]
    sources = [
        corpus for split in ("train", "dev") for corpus in corpora[split]["corpora"].values() if corpus
    ]
    return [Path(source["path"]) for source in [*sources, *job.scoring["tests"]]]


def result_of(job: Job) -> Optional[Dict[str, Any]]:
    """Load the result of a training if it was finished with this very config."""
    return _read(job.folder / "result.json", job)


def begun_with(job: Job) -> Optional[Dict[str, Any]]:
    """Load what is known of a training that was begun with this very config."""
    return _read(job.begun, job)


def _read(path: Path, job: Job) -> Optional[Dict[str, Any]]:
    try:
        data = json.loads(path.read_text(encoding="utf8"))
    except (OSError, ValueError):
        return None
    return data if data.get("fingerprint") == job.fingerprint else None


def run(job: Job, settings: Settings, deadline: float = math.inf) -> None:
    """Train, choose the threshold, score, delete the models; the result is written last, atomically.

    deadline: when to stop, by the monotonic clock; what was trained until the last evaluation is kept.
    """
    if monotonic() >= deadline:
        raise OutOfTime
    begun = begun_with(job)
    if begun is None:
        shutil.rmtree(job.folder, ignore_errors=True)
        begun = {"fingerprint": job.fingerprint, "seconds": {}}
        write_json(job.begun, begun)
        job.config.to_disk(job.folder / "config.cfg", interpolate=False)
        write_json(job.folder / "scoring.json", job.scoring)
    config, gpu = str(job.folder / "config.cfg"), ["--gpu-id", str(settings.gpu_id)]
    output = ["--output", str(job.folder), "--resume"]
    steps = {
        "train": [*PART_OF_SPACY, "hmtl", "train", config, *output, *gpu],
        "score": [sys.executable, "-m", "hmtl_experiments.scoring", str(job.folder)],
    }
    for name, command in steps.items():
        start = monotonic()
        try:
            run_step(command, job, settings.jobs > 1, deadline)
        finally:
            seconds = begun["seconds"].get(name, 0.0) + monotonic() - start
            begun["seconds"][name] = round(seconds, 1)
            write_json(job.begun, begun)
    scores = json.loads((job.folder / "scores.json").read_text(encoding="utf8"))
    for name in MADE:
        shutil.rmtree(job.folder / name, ignore_errors=True)
    steps_done = job.config["training"]["max_steps"]
    result = {"training": asdict(job.training), "steps": steps_done, **begun, **scores}
    result["evaluations"] = read_log(job.evaluations)
    write_json(job.folder / "result.json", result)


def run_step(command: Sequence[str], job: Job, one_thread: bool, deadline: float) -> None:
    """Run one step in a process of its own, with its output in the log; end it at the deadline."""
    paths = [str(ROOT), os.environ.get("PYTHONPATH", "")]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, paths))}
    if one_thread:
        environment["OMP_NUM_THREADS"] = "1"
    left = None if deadline == math.inf else max(0.0, deadline - monotonic())
    with job.log.open("a", encoding="utf8") as log:
        try:
            done = subprocess.run(
                command, stdout=log, stderr=subprocess.STDOUT, env=environment, timeout=left
            )
        except subprocess.TimeoutExpired:
            raise OutOfTime from None
    if done.returncode != 0:
        raise TrainingFailed(f"{job.training.name}: exit status {done.returncode}, see {job.log}")


def write_json(path: Path, data: Dict[str, Any], indent: Optional[int] = 1) -> None:
    """Write a file atomically: it exists whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name(path.name + ".unfinished")
    unfinished.write_text(json.dumps(data, indent=indent) + "\n", encoding="utf8")
    os.replace(unfinished, path)
