"""Documents as .spacy files: one file, or a folder of files of bounded size, whole or not at all."""

import os
import shutil
from pathlib import Path
from typing import Iterable, Iterator, List, Union

from spacy.tokens import Doc, DocBin

ENDING = ".spacy"
SHARD_TOKENS = 100_000  # from which a file of a folder is full: with dense annotation about 100 MB in memory


def write_docs(docs: Iterable[Doc], path: Union[str, Path]) -> None:
    """Write documents as a .spacy file or as a folder of them: all of it or, if anything fails, nothing.

    A .spacy file is made in memory, as a whole. Those of a folder are written one by one.

    docs: the documents, a generator for example.
    path: the .spacy file; or, without a suffix, the folder. One that is there is replaced if it has nothing
        but .spacy files.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        if path.suffix == ENDING:
            DocBin(store_user_data=True, docs=docs).to_disk(partial)
            os.replace(partial, path)
        else:
            check_folder(path)
            partial.mkdir()
            for number, shard in enumerate(_shards(docs)):
                shard.to_disk(partial / f"{number:05}{ENDING}")
            _replace_folder(partial, path)
    finally:
        if partial.is_dir():
            shutil.rmtree(partial)
        partial.unlink(missing_ok=True)


def _replace_folder(new: Path, path: Path) -> None:
    """Unlike a file, a folder can't take the place of another in one step: the old one is moved first."""
    old = new.with_suffix(".old")
    if path.exists():
        os.replace(path, old)
    os.replace(new, path)
    if old.exists():
        shutil.rmtree(old)


def check_folder(path: Path) -> None:
    """Raise an error if a folder can't be made, or has what shouldn't be replaced."""
    if path.suffix or path.is_file():
        found = "a file is there" if path.is_file() else f"found the suffix {path.suffix!r}"
        expected = f"expected a name that ends in {ENDING}, or that of a folder, without a suffix"
        raise ValueError(f"Can't write to {path}: {found}, {expected}.")
    others: List[str] = []
    if path.is_dir():
        others = sorted(one.name for one in path.iterdir() if one.suffix != ENDING or not one.is_file())
    if others:
        found = f"it has more than {ENDING} files ({others[0]})"
        raise ValueError(f"Can't replace the folder {path}: {found}. Name another one.")


def _shards(docs: Iterable[Doc]) -> Iterator[DocBin]:
    shard, tokens = DocBin(store_user_data=True), 0
    for doc in docs:
        shard.add(doc)
        tokens += len(doc)
        if tokens >= SHARD_TOKENS:
            yield shard
            shard, tokens = DocBin(store_user_data=True), 0
    if len(shard):
        yield shard
