"""The folder that an interrupted training leaves: tensors as safetensors, and what goes with them as JSON."""

import json
import re
from hashlib import blake2b
from pathlib import Path
from typing import Any, Dict, List, NamedTuple, Optional

import safetensors.torch
from safetensors import SafetensorError
from torch import Tensor

from ..annotate.models import add_files
from ..annotate.outputs import write_whole, written_whole
from .errors import CantResume

VERSION = 1
STATE = "state.json"
TENSORS = re.compile(r"(training|features)-\d+\.safetensors")


class Stored(NamedTuple):
    """A training as it was stored.

    state: plain data. training: what it changes, as tensors. features: of texts, which never change.
    """

    state: Dict[str, Any]
    training: Dict[str, Tensor]
    features: Dict[str, Tensor]


class ResumeFolder:
    """What is stored of a training. `state.json` is replaced last and at once: what it names is whole, what
    it doesn't name is what an interruption has left.

    path: the folder; it needn't exist.
    """

    def __init__(self, path: Path):
        self.path = path
        self.files: Dict[str, str] = {}

    @property
    def is_empty(self) -> bool:
        return not (self.path / STATE).exists()

    def read(self) -> Optional[Stored]:
        """What is stored, None if there is nothing."""
        if self.is_empty:
            return None
        try:
            content = json.loads((self.path / STATE).read_bytes())
            state, digest = content["state"], content["digest"]
            if digest != _digest(state):
                raise ValueError("its checksum is another")
            if state["version"] != VERSION:
                raise ValueError(f"it is of version {state['version']}, not {VERSION}")
            self.files = dict(state["files"])
        except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
            raise self.damaged(STATE, error) from error
        return Stored(state, self._tensors("training"), self._tensors("features"))

    def _tensors(self, kind: str) -> Dict[str, Tensor]:
        tensors: Dict[str, Tensor] = {}
        for name, digest in self.files.items():
            if not TENSORS.fullmatch(name):
                raise self.damaged(STATE, f"it names the file '{name}'")
            if name.startswith(kind):
                try:
                    if _digest_of_file(self.path / name) != digest:
                        raise ValueError("its checksum is another")
                    loaded = safetensors.torch.load_file(self.path / name)
                except (OSError, ValueError, SafetensorError) as error:
                    raise self.damaged(name, error) from error
                # some results depend on how memory is aligned, which that of a mapped file isn't
                tensors.update({key: tensor.clone() for key, tensor in loaded.items()})
        return tensors

    def write(
        self, state: Dict[str, Any], step: int, training: Dict[str, Tensor], features: Dict[str, Tensor]
    ) -> None:
        """Replace what is stored.

        state: plain data. training: all tensors. features: those that are added to what is stored.
        """
        self.path.mkdir(parents=True, exist_ok=True)
        kept = {name: digest for name, digest in self.files.items() if name.startswith("features")}
        added = {"features": features} if features else {}
        for kind, tensors in {**added, "training": training}.items():
            path = self.path / f"{kind}-{step:08}.safetensors"
            with written_whole(path) as partial:
                safetensors.torch.save_file(
                    {name: x.cpu().contiguous() for name, x in tensors.items()}, partial
                )
            kept[path.name] = _digest_of_file(path)
        self._replace({**state, "files": kept})

    def finish(self, state: Dict[str, Any]) -> None:
        """Keep the state without any tensors."""
        self.path.mkdir(parents=True, exist_ok=True)
        self._replace({**state, "files": {}})

    def clear(self) -> None:
        """Remove everything."""
        for path in [self.path / STATE, *self._others([])]:
            path.unlink(missing_ok=True)

    def damaged(self, name: str, reason: object) -> CantResume:
        """The error that says what is wrong with a file, and what to do."""
        return CantResume(
            f"Can't resume: '{self.path / name}' is damaged or of another version of hmtl_spacy ({reason}). "
            f"Train without --resume to start from the beginning."
        )

    def _replace(self, state: Dict[str, Any]) -> None:
        state = {"version": VERSION, **state}
        text = json.dumps({"digest": _digest(state), "state": state}, indent=1)
        write_whole(self.path / STATE, text.encode("utf8"))
        self.files = state["files"]
        for path in self._others(list(self.files)):
            path.unlink()

    def _others(self, names: List[str]) -> List[Path]:
        """Files of ours that aren't named."""
        files = [*self.path.glob("*.safetensors"), *self.path.glob(".*.part")]
        return [path for path in files if path.name not in names]


def _digest(state: Any) -> str:
    text = json.dumps(json.loads(json.dumps(state)), sort_keys=True)
    return blake2b(text.encode("utf8"), digest_size=16).hexdigest()


def _digest_of_file(path: Path) -> str:
    digest = blake2b(digest_size=16)
    add_files(digest, path)
    return digest.hexdigest()
