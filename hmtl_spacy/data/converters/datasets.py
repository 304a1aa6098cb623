"""Data sets of Hugging Face's `datasets`, as `save_to_disk` writes them; the library isn't needed."""

import json
from collections import Counter
from pathlib import Path
from typing import Any, Dict, Iterator, List, Optional, Union

from spacy.tokens import Doc
from spacy.vocab import Vocab

from .arrow_files import RowFile
from .columns import ColumnRules, rows_to_docs
from .common import ConversionError, read_text
from .converter import Converter
from .rules import takes

SPLITS, INFO, STATE = "dataset_dict.json", "dataset_info.json", "state.json"


@takes(ColumnRules)
def arrow_to_docs(
    path: Path, *, vocab: Optional[Vocab] = None, rules: ColumnRules, dropped: Counter[str]
) -> Iterator[Doc]:
    """Data sets saved by Hugging Face's datasets. Fills the layers that it has columns for, of all four.

    path: one .arrow file of a data set.
    vocab: the vocabulary of the documents.
    rules: what the columns are called.
    dropped: what couldn't be kept is counted here.
    YIELDS: the documents.
    """
    if path.suffix.lower() != ".arrow":
        advice = "Name the folder that `save_to_disk` wrote, or use the format parquet"
        raise ConversionError(str(path), None, f"expected a folder or an .arrow file. {advice}.")
    yield from rows_to_docs([RowFile(path)], vocab, rules, dropped)


@takes(ColumnRules)
def dataset_to_docs(
    path: Union[str, Path],
    *,
    split: Optional[str] = None,
    vocab: Optional[Vocab] = None,
    rules: ColumnRules,
    dropped: Counter[str],
) -> Iterator[Doc]:
    """Convert the folder of a data set.

    path: the folder that `save_to_disk` wrote.
    split: which split to read, if it has several.
    vocab, rules, dropped: as for a file.
    YIELDS: the documents.
    """
    folder = _split(Path(path), split)
    features = _read(folder / INFO).get("features")
    names = [str(row.get("filename", "")) for row in _read(folder / STATE).get("_data_files", ())]
    # only the name: a path in it would lead out of the folder
    files: List[RowFile] = [RowFile(folder / Path(name).name, features) for name in names]
    if not files:
        raise ConversionError(str(folder / STATE), None, "it names no files (`_data_files`).")
    yield from rows_to_docs(files, vocab, rules, dropped)


def _split(folder: Path, split: Optional[str]) -> Path:
    if not (folder / SPLITS).is_file():
        if not (folder / STATE).is_file():
            found = f"there is no {STATE} in it, nor {SPLITS}"
            advice = "Name the folder that `save_to_disk` wrote; for a folder of .parquet, the format parquet"
            raise ConversionError(str(folder), None, f"{found}. {advice}.")
        if split is not None:
            raise ConversionError(str(folder), None, f"it has no splits, so there is no {split!r}.")
        return folder
    splits = [str(name) for name in _read(folder / SPLITS).get("splits", ())]
    chosen = splits if split is None else [name for name in splits if name == split]
    if len(chosen) != 1:
        raise ConversionError(str(folder), None, f"its splits are {', '.join(splits)}. Name one (--split).")
    return folder / Path(chosen[0]).name


def _read(path: Path) -> Dict[str, Any]:
    try:
        data = json.loads(read_text(path))
    except (OSError, ValueError) as err:
        raise ConversionError(str(path), None, f"can't be read: {err}.") from None
    return data if isinstance(data, dict) else {}


converter = Converter(
    arrow_to_docs,
    dataset_to_docs,
    input="A folder that `save_to_disk` wrote, or one of its .arrow files",
    example="wikiann train.spacy --split train",
    paths=True,
)
