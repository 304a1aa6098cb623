"""One training with its scores: finished trainings are kept, unfinished ones are repeated."""

import hashlib
import json
import os
import shutil
import subprocess
import sys
from dataclasses import asdict, dataclass
from pathlib import Path
from time import perf_counter
from typing import Any, Dict, List, Optional, Sequence

from thinc.api import Config

from .plan import ROOT, Settings, Training
from .scoring import scoring_plan
from .training_config import make_config

MODELS = ("model-best", "model-last")
PART_OF_SPACY = [sys.executable, "-m", "spacy"]


class TrainingFailed(Exception):
    """A step of a training ended with an error; the message names its log."""


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
    try:
        result = json.loads((job.folder / "result.json").read_text(encoding="utf8"))
    except (OSError, ValueError):
        return None
    return result if result.get("fingerprint") == job.fingerprint else None


def run(job: Job, settings: Settings) -> None:
    """Train, choose the threshold, score, delete the models; the result is written last, atomically."""
    shutil.rmtree(job.folder, ignore_errors=True)
    job.folder.mkdir(parents=True)
    job.config.to_disk(job.folder / "config.cfg", interpolate=False)
    write_json(job.folder / "scoring.json", job.scoring)
    gpu = ["--gpu-id", str(settings.gpu_id)]
    steps = {
        "train": [*PART_OF_SPACY, "train", str(job.folder / "config.cfg"), "--output", str(job.folder), *gpu],
        "score": [sys.executable, "-m", "hmtl_experiments.scoring", str(job.folder)],
    }
    seconds = {}
    for name, command in steps.items():
        start = perf_counter()
        run_step(command, job, one_thread=settings.jobs > 1)
        seconds[name] = round(perf_counter() - start, 1)
    scores = json.loads((job.folder / "scores.json").read_text(encoding="utf8"))
    for name in MODELS:
        shutil.rmtree(job.folder / name, ignore_errors=True)
    result = {"training": asdict(job.training), "seconds": seconds, **scores}
    write_json(job.folder / "result.json", {**result, "fingerprint": job.fingerprint})


def run_step(command: Sequence[str], job: Job, one_thread: bool) -> None:
    """Run one step in a process of its own, with its output in the log."""
    paths = [str(ROOT), os.environ.get("PYTHONPATH", "")]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, paths))}
    if one_thread:
        environment["OMP_NUM_THREADS"] = "1"
    with job.log.open("a", encoding="utf8") as log:
        done = subprocess.run(command, stdout=log, stderr=subprocess.STDOUT, env=environment)
    if done.returncode != 0:
        raise TrainingFailed(f"{job.training.name}: exit status {done.returncode}, see {job.log}")


def write_json(path: Path, data: Dict[str, Any], indent: Optional[int] = 1) -> None:
    """Write a file atomically: it exists whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name(path.name + ".unfinished")
    unfinished.write_text(json.dumps(data, indent=indent) + "\n", encoding="utf8")
    os.replace(unfinished, path)
