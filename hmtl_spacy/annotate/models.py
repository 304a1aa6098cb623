"""What distinguishes one pipeline from another."""

import json
from hashlib import blake2b
from pathlib import Path
from typing import Any, Dict

from spacy.language import Language

PIECE = 1 << 20  # bytes read at a time


def describe_model(nlp: Language, files: bool = True) -> Dict[str, Any]:
    """What distinguishes a pipeline from others: its name, its settings, and the files it was loaded from.

    Of a pipeline that was never saved the weights aren't known.

    files: whether to read those.
    """
    digest = blake2b(digest_size=8)
    settings = [getattr(pipe, "cfg", None) for _, pipe in nlp.pipeline]
    known = json.dumps([nlp.config, settings], default=lambda value: type(value).__name__, sort_keys=True)
    digest.update(known.encode())
    if files and nlp.path:
        add_files(digest, Path(nlp.path))
    name = f"{nlp.lang}_{nlp.meta.get('name')} {nlp.meta.get('version')}"
    return {"name": name, "digest": digest.hexdigest()}


def add_files(digest: blake2b, path: Path) -> None:
    """Add a file to a hash, or the names and contents of all files in a folder."""
    for file in sorted(path.rglob("*")) if path.is_dir() else [path]:
        if file.is_file():
            digest.update(file.relative_to(path).as_posix().encode())
            with file.open("rb") as opened:
                while piece := opened.read(PIECE):
                    digest.update(piece)
