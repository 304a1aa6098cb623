"""The pipelines that a training leaves: model-last, and model-best, which is always whole."""

import os
import shutil
from pathlib import Path

from spacy.training.loop import DIR_MODEL_BEST, DIR_MODEL_LAST


class Checkpoints:
    """The folders of a training's pipelines.

    path: the folder that they are in.
    """

    def __init__(self, path: Path):
        self.best = path / DIR_MODEL_BEST
        self.last = path / DIR_MODEL_LAST
        self._new = path / f".{DIR_MODEL_BEST}.part"
        self._old = path / f".{DIR_MODEL_BEST}.old"

    @property
    def complete(self) -> bool:
        """Whether both are there."""
        return self.best.exists() and self.last.exists()

    def tidy(self) -> None:
        """Undo a replacement that was interrupted, or finish it."""
        if self._old.exists() and not self.best.exists():
            self._old.rename(self.best)
        for path in (self._new, self._old):
            shutil.rmtree(path, ignore_errors=True)

    def last_is_best(self) -> None:
        """Copy the last pipeline to the best one."""
        shutil.copytree(self.last, self._new)
        for file in self._new.rglob("*"):
            if file.is_file():
                with file.open("rb+") as opened:
                    os.fsync(opened.fileno())
        if self.best.exists():
            self.best.rename(self._old)
        self._new.rename(self.best)
        shutil.rmtree(self._old, ignore_errors=True)
