"""One training with its scores: what is finished is kept, what isn't is done again."""

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

from .configs import make_config
from .plan import ROOT, Settings, Training
from .scoring import scoring_plan

MODELS = ("model-best", "model-last")
PART_OF_SPACY = [sys.executable, "-m", "spacy"]


class TrainingFailed(Exception):
    """A step of a training ended with an error; the message names its log."""


@dataclass(frozen=True)
class Job:
    """A training with everything decided. folder: where its files are."""

    training: Training
    folder: Path
    config: Config
    scoring: Dict[str, Any]

    @property
    def log(self) -> Path:
        return self.folder / "output.log"

    @property
    def evaluations(self) -> Path:
        return self.folder / "evaluations.jsonl"

    @property
    def fingerprint(self) -> str:
        """Differs as soon as the config or what is scored does."""
        scoring = {key: value for key, value in self.scoring.items() if key != "gpu_id"}
        text = self.config.to_str(interpolate=False) + json.dumps(scoring, sort_keys=True)
        return hashlib.sha256(text.encode("utf8")).hexdigest()


def prepare(training: Training, settings: Settings) -> Job:
    folder = settings.work / training.name
    config = make_config(training, settings)
    job = Job(training, folder, config, scoring_plan(training, settings, config))
    config["training"]["logger"]["output_file"] = str(job.evaluations)
    return job


def corpora_of(job: Job) -> List[Path]:
    """The files that a training reads."""
    corpora = job.config["corpora"]
    used = [corpus for part in ("train", "dev") for corpus in corpora[part]["corpora"].values() if corpus]
    return [Path(one["path"]) for one in [*used, *job.scoring["tests"]]]


def result_of(job: Job) -> Optional[Dict[str, Any]]:
    """The result of a training, if it was finished with this very config."""
    try:
        result = json.loads((job.folder / "result.json").read_text(encoding="utf8"))
    except (OSError, ValueError):
        return None
    return result if result.get("fingerprint") == job.fingerprint else None


def run(job: Job, settings: Settings) -> None:
    """Train, choose the threshold, score, delete the models; the result is written last, all at once."""
    shutil.rmtree(job.folder, ignore_errors=True)
    job.folder.mkdir(parents=True)
    job.config.to_disk(job.folder / "config.cfg", interpolate=False)
    write_json(job.folder / "scoring.json", job.scoring)
    gpu = ["--gpu-id", str(settings.gpu_id)]
    steps = {
        "train": [*PART_OF_SPACY, "train", str(job.folder / "config.cfg"), "--output", str(job.folder), *gpu],
        "score": [sys.executable, "-m", "experiments.scoring", str(job.folder)],
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
    paths = [str(ROOT), os.environ.get("PYTHONPATH", "")]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, paths))}
    if one_thread:
        environment["OMP_NUM_THREADS"] = "1"
    with job.log.open("a", encoding="utf8") as log:
        done = subprocess.run(command, stdout=log, stderr=subprocess.STDOUT, env=environment)
    if done.returncode != 0:
        raise TrainingFailed(f"{job.training.name}: exit status {done.returncode}, see {job.log}")


def write_json(path: Path, data: Dict[str, Any]) -> None:
    """Write a file so that it is there whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name(path.name + ".unfinished")
    unfinished.write_text(json.dumps(data, indent=1) + "\n", encoding="utf8")
    os.replace(unfinished, path)
