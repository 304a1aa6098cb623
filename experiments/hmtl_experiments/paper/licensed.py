"""Finds the files of the licensed corpora, in the layouts in which they are distributed."""

import random
from pathlib import Path
from typing import Any, Callable, Dict, Iterable, List, NamedTuple, Optional, Sequence, Tuple

from hmtl_spacy.data.converters.ace.files import find_documents
from hmtl_spacy.data.converters.common import ConversionError, Lines, read_lines

from .expected import VARIABLES, Folders, Missing

DEV_SHARE = 0.3  # of Rahman and Ng's training documents


class Source(NamedTuple):
    """What a split of a corpus is converted from: a format of `spacy hmtl convert`, with its options."""

    format: str
    path: Path
    options: Dict[str, Any]


def find_ontonotes(folders: Folders) -> Dict[str, Source]:
    """Find the splits of OntoNotes."""
    folder = folders["ontonotes"]
    names = {"train": ["train"], "dev": ["development", "dev"], "test": ["test"]}
    paths = {split: _gold_conll(folder, candidates) for split, candidates in names.items()}
    if lacking := [names[split][0] for split, path in paths.items() if path is None]:
        problem = f"has no *gold_conll file for {', '.join(lacking)}"
        if any(folder.rglob("*gold_skel")):
            problem += ", only *gold_skel files, which skeleton2conll must first fill with OntoNotes' words"
        raise Missing("ontonotes", folder, problem)
    return {split: Source("conll2012", path, {}) for split, path in paths.items() if path}


def find_conll2003(folders: Folders) -> Dict[str, Source]:
    """Find the splits of CoNLL-2003."""
    folder = folders["conll2003"]
    names = {
        "train": ("eng.train", "train.txt"),
        "dev": ("eng.testa", "valid.txt"),
        "test": ("eng.testb", "test.txt"),
    }
    paths = {split: _first_file(folder / name for name in candidates) for split, candidates in names.items()}
    if lacking := [names[split][0] for split, path in paths.items() if path is None]:
        raise Missing("conll2003", folder, f"has no {', no '.join(lacking)}")
    return {split: Source("iob", path, {}) for split, path in paths.items() if path}


def find_ace(folders: Folders) -> Dict[str, Source]:
    """Find the splits of ACE 2005 in three lists."""
    lists = _lists(folders, "ace_split", ("train", "dev", "test"))
    return _ace(folders, {split: list(read_lines(path)) for split, path in lists.items()}, lists)


def find_ace_rahman(folders: Folders) -> Dict[str, Source]:
    """Find the splits of ACE 2005 in the two lists of Rahman and Ng; development documents may be drawn."""
    lists = _lists(folders, "ace_split_rahman", ("train", "test"))
    names = {split: list(read_lines(path)) for split, path in lists.items()}
    dev = lists["train"].with_name("dev")
    if dev.is_file():
        names["dev"] = list(read_lines(dev))
    else:
        names["train"], names["dev"] = divided([name for name in names["train"] if name.strip()])
    return _ace(folders, names, {**lists, "dev": dev if dev.is_file() else lists["train"]})


# how to find each corpus, once the folders of its variables exist
FINDERS: Dict[str, Callable[[Folders], Dict[str, Source]]] = {
    "ontonotes": find_ontonotes,
    "conll2003": find_conll2003,
    "ace": find_ace,
    "ace_rahman": find_ace_rahman,
}


def missing(corpora: Iterable[str], folders: Folders) -> List[str]:
    """List what some corpora need and lack, each message once; empty if nothing is missing."""
    messages: Dict[str, None] = {}
    for corpus in corpora:
        absent = [variable for variable in VARIABLES[corpus] if not folders[variable].is_dir()]
        for variable in absent:
            messages[str(Missing(variable, folders[variable], "is not a folder"))] = None
        if not absent:
            try:
                FINDERS[corpus](folders)
            except (Missing, ConversionError) as err:
                messages[str(err)] = None
    return list(messages)


def divided(names: Sequence[str], share: float = DEV_SHARE) -> Tuple[List[str], List[str]]:
    """Divide names into training and development, at random but always the same way.

    share: of the names, for development.
    """
    shuffled = sorted(names)
    random.Random(0).shuffle(shuffled)
    dev = set(shuffled[: round(share * len(names))])
    return [name for name in names if name not in dev], [name for name in names if name in dev]


def _ace(folders: Folders, names: Dict[str, List[str]], lists: Dict[str, Path]) -> Dict[str, Source]:
    folder = folders["ace2005"]
    sources = {}
    for split in ("train", "dev", "test"):
        files = Lines(names[split], str(lists[split]))
        try:
            find_documents(folder, None, files)
        except ConversionError as err:
            raise Missing("ace2005", folder, f"doesn't match the list: {err}") from None
        sources[split] = Source("ace", folder, {"files": files, "singletons": True})
    return sources


def _lists(folders: Folders, variable: str, splits: Sequence[str]) -> Dict[str, Path]:
    folder = folders[variable]
    if lacking := [split for split in splits if not (folder / split).is_file()]:
        raise Missing(variable, folder, f"has no file {', no file '.join(lacking)}")
    return {split: folder / split for split in splits}


def _gold_conll(folder: Path, names: Sequence[str]) -> Optional[Path]:
    """Find the English data of a split: a folder, or one file."""
    for name in names:
        for path in (folder / name / "data" / "english", folder / name):
            if any(path.rglob("*gold_conll")):
                return path
        files = sorted(folder.glob(f"{name}*gold_conll"))
        files = [path for path in files if "english" in path.name] or files
        if len(files) > 1:
            problem = f"has several files for {name}: {', '.join(path.name for path in files)}"
            raise Missing("ontonotes", folder, problem)
        if files:
            return files[0]
    return None


def _first_file(paths: Iterable[Path]) -> Optional[Path]:
    return next((path for path in paths if path.is_file()), None)
