"""Parquet with named columns: tokens and tags, text and spans, or what our writer writes."""

from collections import Counter
from pathlib import Path
from typing import Iterator, Optional, Union

from spacy.tokens import Doc
from spacy.vocab import Vocab

from .arrow_files import RowFile
from .columns import ColumnRules, rows_to_docs
from .converter import Converter
from .folders import files_of
from .rules import takes


@takes(ColumnRules)
def parquet_to_docs(
    path: Path, *, vocab: Optional[Vocab] = None, rules: ColumnRules, dropped: Counter[str]
) -> Iterator[Doc]:
    """Parquet with named columns. Fills the layers that it has columns for, of all four.

    path: the file.
    vocab: the vocabulary of the documents.
    rules: what the columns are called.
    dropped: what couldn't be kept is counted here.
    YIELDS: the documents.
    """
    yield from rows_to_docs([RowFile(path)], vocab, rules, dropped)


@takes(ColumnRules)
def parquet_folder_to_docs(
    path: Union[str, Path],
    *,
    pattern: str = "*.parquet",
    vocab: Optional[Vocab] = None,
    rules: ColumnRules,
    dropped: Counter[str],
) -> Iterator[Doc]:
    """Convert all Parquet files in or below a folder, in the order of their names.

    path: the folder.
    pattern: what the names of the files are like: `train-*` for one split.
    vocab, rules, dropped: as for a file.
    YIELDS: the documents.
    """
    yield from rows_to_docs([RowFile(file) for file in files_of(path, pattern)], vocab, rules, dropped)


converter = Converter(
    parquet_to_docs,
    parquet_folder_to_docs,
    input="A .parquet file, or a folder of them",
    example="train.parquet train.spacy --tokens-column words --tags-column ner",
    paths=True,
)
