"""A whole run: decide whether there is something to go on from, initialize, train."""

import sys
from pathlib import Path
from typing import Any, Dict, Optional

from spacy.training.initialize import init_nlp
from spacy.training.loop import clean_output_dir
from thinc.api import Config
from wasabi import msg

from ..annotate.locks import locked
from .checkpoints import Checkpoints
from .errors import CantResume
from .folder import ResumeFolder, Stored
from .job import describe, differences, other_libraries
from .training import Training

RESUME = "resume"


def train(
    config: Config, output_path: Path, *, resume: bool, use_gpu: int = -1, code_path: Optional[Path] = None
) -> None:
    """Train a pipeline as `spacy train` does, so that the training can be resumed if it is interrupted.

    config: with all overrides, not interpolated.
    output_path: the folder for model-best and model-last; the state of the training is in a folder in it.
    resume: go on where a training with the same config and corpora was interrupted; begin if there is none.
    use_gpu: the number of the GPU, -1 for a CPU.
    code_path: a file of Python that the config needs, imported already.
    """
    folder, checkpoints = ResumeFolder(output_path / RESUME), Checkpoints(output_path)
    output_path.mkdir(parents=True, exist_ok=True)
    with locked(folder.path):
        checkpoints.tidy()
        job = describe(config, use_gpu, code_path)
        past = folder.read() if resume else None
        if past is not None and past.state["finished"]:
            if not (reasons := _reasons_to_repeat(past, checkpoints, job)):
                step = past.state["step"]
                msg.good(f"The training in {output_path} was finished at step {step}: nothing is left to do")
                return
            # not refused: `spacy project run` trains again by the same command once a config has changed
            msg.warn(
                f"The training in {output_path} was finished, but {reasons}. It starts from the beginning "
                f"and replaces the pipelines there. To keep them, stop it and train to another --output"
            )
            past = None
        elif past is not None:
            _check(past, checkpoints, job)
            msg.info(f"Going on after step {past.state['step']}, where the training was interrupted")
        elif resume:
            msg.info(f"Nothing to resume in {output_path}: the training starts from the beginning")
        elif not folder.is_empty:
            msg.info(
                "The training starts from the beginning. With --resume, one that was interrupted goes on"
            )
        msg.divider("Initializing pipeline")
        nlp = init_nlp(config, use_gpu=use_gpu)
        msg.good("Initialized pipeline")
        msg.divider("Training pipeline")
        if past is None:
            clean_output_dir(output_path)
            folder.clear()
        Training(nlp, checkpoints, folder, job, past, use_gpu).run(sys.stdout, sys.stderr)


def _reasons_to_repeat(past: Stored, checkpoints: Checkpoints, job: Dict[str, Any]) -> str:
    """Why a finished training isn't what is asked for; empty if it is."""
    reasons = differences(past.state["job"], job)
    if not checkpoints.complete:
        reasons.append(f"{checkpoints.best.name} or {checkpoints.last.name} is gone")
    return "; ".join(reasons)


def _check(past: Stored, checkpoints: Checkpoints, job: Dict[str, Any]) -> None:
    """Raises if a training wouldn't go on as it began."""
    folder = checkpoints.best.parent
    if different := differences(past.state["job"], job):
        raise CantResume(
            f"Can't resume the training in {folder}, which was interrupted at step {past.state['step']}: "
            f"{'; '.join(different)}. Train with what it began with, or without --resume to start from the "
            f"beginning, or delete {folder / RESUME}."
        )
    if not checkpoints.complete:
        raise CantResume(
            f"Can't resume the training in {folder}: {checkpoints.best.name} or {checkpoints.last.name} is "
            f"gone. Train without --resume to start from the beginning."
        )
    if libraries := other_libraries(past.state["job"], job):
        msg.warn(f"The result may differ from that of a training in one go: {'; '.join(libraries)}")
