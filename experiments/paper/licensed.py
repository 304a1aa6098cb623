"""The licensed corpora as their owners have them: which files are expected, and what is missing."""

import random
from pathlib import Path
from typing import Any, Callable, Dict, Iterable, List, NamedTuple, Optional, Sequence, Tuple

from hmtl_spacy.data.converters.ace.files import find_documents
from hmtl_spacy.data.converters.common import ConversionError, read_lines

from .expected import VARIABLES, Folders, Missing

DEV_SHARE = 0.3  # of Rahman and Ng's training documents


class Source(NamedTuple):
    """What a part of a corpus is converted from: a format of `spacy hmtl convert`, with its options."""

    format: str
    path: Path
    options: Dict[str, Any]


def find_ontonotes(folders: Folders) -> Dict[str, Source]:
    folder = folders["ontonotes"]
    names = {"train": ["train"], "dev": ["development", "dev"], "test": ["test"]}
    found = {part: _gold_conll(folder, of_part) for part, of_part in names.items()}
    if lacking := [names[part][0] for part, path in found.items() if path is None]:
        told = f"has no *gold_conll file of {', '.join(lacking)}"
        if any(folder.rglob("*gold_skel")):
            told += ", but *gold_skel files, which skeleton2conll must fill with OntoNotes' words first"
        raise Missing("ontonotes", folder, told)
    return {part: Source("conll2012", path, {}) for part, path in found.items() if path}


def find_conll2003(folders: Folders) -> Dict[str, Source]:
    folder = folders["conll2003"]
    names = {
        "train": ("eng.train", "train.txt"),
        "dev": ("eng.testa", "valid.txt"),
        "test": ("eng.testb", "test.txt"),
    }
    found = {part: _first_file(folder / name for name in of_part) for part, of_part in names.items()}
    if lacking := [names[part][0] for part, path in found.items() if path is None]:
        raise Missing("conll2003", folder, f"has no {', no '.join(lacking)}")
    return {part: Source("iob", path, {}) for part, path in found.items() if path}


def find_ace(folders: Folders) -> Dict[str, Source]:
    lists = _lists(folders, "ace_split", ("train", "dev", "test"))
    return _ace(folders, {part: list(read_lines(path)) for part, path in lists.items()}, lists)


def find_ace_rahman(folders: Folders) -> Dict[str, Source]:
    lists = _lists(folders, "ace_split_rahman", ("train", "test"))
    names = {part: list(read_lines(path)) for part, path in lists.items()}
    dev = lists["train"].with_name("dev")
    if dev.is_file():
        names["dev"] = list(read_lines(dev))
    else:
        names["train"], names["dev"] = divided([name for name in names["train"] if name.strip()])
    return _ace(folders, names, {**lists, "dev": dev if dev.is_file() else lists["train"]})


# what is found for each corpus; the folders of its variables must be there
FINDERS: Dict[str, Callable[[Folders], Dict[str, Source]]] = {
    "ontonotes": find_ontonotes,
    "conll2003": find_conll2003,
    "ace": find_ace,
    "ace_rahman": find_ace_rahman,
}


def missing(corpora: Iterable[str], folders: Folders) -> List[str]:
    """What is needed for some corpora and isn't there, each once; empty if all is there."""
    told: Dict[str, None] = {}
    for corpus in corpora:
        absent = [variable for variable in VARIABLES[corpus] if not folders[variable].is_dir()]
        for variable in absent:
            told[str(Missing(variable, folders[variable], "is no folder"))] = None
        if not absent:
            try:
                FINDERS[corpus](folders)
            except (Missing, ConversionError) as err:
                told[str(err)] = None
    return list(told)


def divided(names: Sequence[str], share: float = DEV_SHARE) -> Tuple[List[str], List[str]]:
    """Names for training and, a share of them by lot, for development; the same whenever it is asked."""
    shuffled = sorted(names)
    random.Random(0).shuffle(shuffled)
    dev = set(shuffled[: round(share * len(names))])
    return [name for name in names if name not in dev], [name for name in names if name in dev]


def _ace(folders: Folders, names: Dict[str, List[str]], lists: Dict[str, Path]) -> Dict[str, Source]:
    folder = folders["ace2005"]
    found = {}
    for part in ("train", "dev", "test"):
        listed = {"files": names[part], "files_source": str(lists[part])}
        try:
            find_documents(folder, None, **listed)
        except ConversionError as err:
            raise Missing("ace2005", folder, f"doesn't fit the list: {err}") from None
        found[part] = Source("ace", folder, {**listed, "singletons": True})
    return found


def _lists(folders: Folders, variable: str, parts: Sequence[str]) -> Dict[str, Path]:
    folder = folders[variable]
    if lacking := [part for part in parts if not (folder / part).is_file()]:
        raise Missing(variable, folder, f"has no file {', no file '.join(lacking)}")
    return {part: folder / part for part in parts}


def _gold_conll(folder: Path, names: Sequence[str]) -> Optional[Path]:
    """The English data of a part: a folder, or one file."""
    for name in names:
        for path in (folder / name / "data" / "english", folder / name):
            if any(path.rglob("*gold_conll")):
                return path
        files = sorted(folder.glob(f"{name}*gold_conll"))
        files = [path for path in files if "english" in path.name] or files
        if len(files) > 1:
            told = f"has several files of {name}: {', '.join(path.name for path in files)}"
            raise Missing("ontonotes", folder, told)
        if files:
            return files[0]
    return None


def _first_file(paths: Iterable[Path]) -> Optional[Path]:
    return next((path for path in paths if path.is_file()), None)
