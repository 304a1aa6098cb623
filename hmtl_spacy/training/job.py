"""What the result of a training depends on, so that only the same one is resumed."""

import platform
from hashlib import blake2b
from importlib.metadata import version
from pathlib import Path
from typing import Any, Dict, Iterator, List, Optional, Tuple

from thinc.api import Config

from ..annotate.models import add_files

READ = ("corpora.", "components.", "initialize.")  # sections whose values may name files that are read
LIBRARIES = ("hmtl-spacy", "spacy", "thinc", "torch", "numpy")


def describe(config: Config, use_gpu: int, code_path: Optional[Path]) -> Dict[str, Dict[str, Any]]:
    """Settings, files with hashes of what is in them, and versions, each by name; plain data.

    config: with all overrides.
    """
    settings = dict(_flat(config.interpolate()))
    files = {key: value for key, value in settings.items() if _is_file(key, value)}
    if code_path is not None:
        files["--code"] = str(code_path)
    return {
        "settings": {**settings, "--gpu-id": "a CPU" if use_gpu < 0 else "a GPU"},
        "files": {f"{key} ({path})": _digest(Path(path)) for key, path in files.items()},
        "libraries": {"python": platform.python_version(), **{name: version(name) for name in LIBRARIES}},
    }


def differences(before: Dict[str, Dict[str, Any]], now: Dict[str, Dict[str, Any]]) -> List[str]:
    """Each setting and each file that differs, in words."""
    words = []
    for key in _differing(before["settings"], now["settings"]):
        then, value = (settings.get(key, "not set") for settings in (before["settings"], now["settings"]))
        words.append(f"{key} was {then} and is {value}")
    same_paths = before["files"].keys() & now["files"].keys()
    changed = [key for key in _differing(before["files"], now["files"]) if key in same_paths]
    return words + [f"the files of {key} have changed" for key in changed]


def other_libraries(before: Dict[str, Dict[str, Any]], now: Dict[str, Dict[str, Any]]) -> List[str]:
    """Each library that has another version now, in words."""
    then, libraries = before["libraries"], now["libraries"]
    return [
        f"{name} was {then.get(name)} and is {libraries.get(name)}" for name in _differing(then, libraries)
    ]


def _differing(before: Dict[str, Any], now: Dict[str, Any]) -> List[str]:
    missing = object()
    return [key for key in {**before, **now} if before.get(key, missing) != now.get(key, missing)]


def _flat(section: Dict[str, Any], prefix: str = "") -> Iterator[Tuple[str, Any]]:
    for key, value in section.items():
        if isinstance(value, dict) and value:
            yield from _flat(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", value


def _is_file(key: str, value: Any) -> bool:
    setting = key.rpartition(".")[2]
    if (
        not key.startswith(READ)
        or setting.startswith("@")
        or setting == "factory"
        or not isinstance(value, str)
    ):
        return False
    try:
        return bool(value) and Path(value).exists()
    except (OSError, ValueError):  # a text that can't be a file's name
        return False


def _digest(path: Path) -> str:
    digest = blake2b(digest_size=16)
    add_files(digest, path)
    return digest.hexdigest()
