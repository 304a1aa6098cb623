"""What a writer is: a file format that `spacy hmtl annotate` and `export` write."""

from collections import Counter
from dataclasses import dataclass, field
from typing import Any, Callable, Iterable, Iterator, List, Mapping, Optional, Protocol, Tuple, Union

from spacy.tokens import Doc

from ..layers import Layers

Written = Union[bytes, Mapping[str, bytes]]  # a batch: what is added to a file, or to each of several
MODEL = "hmtl_model"  # in `doc.user_data`, the pipeline and its version, for formats that have it


class Numbering(Protocol):
    """Changes what is added to a file by what the file has already, such as numbers of its documents."""

    def read(self, lines: Iterable[bytes]) -> None:
        """Go on after these lines, which the file has already."""

    def number(self, data: bytes) -> bytes:
        """What is to be added, as it has to be there."""

    @staticmethod
    def documents(lines: Iterable[bytes]) -> Iterator[bytes]:
        """Cut the lines of a file between documents, for `number` to number them anew: `join` needs it."""


def join_text(parts: List[str]) -> bytes:
    return "".join(parts).encode("utf-8")


@dataclass(frozen=True)
class Writer:
    """Writes one file format, document by document.

    A package adds one by an entry point in the group `spacy_hmtl_writers`; its name there is that of the
    format.

    write: turns a document and its layers into the document's part of the file, text unless `join` takes
        something else, or None if the format can't hold the document at all. What else it can't hold is
        counted in its third argument, a Counter, by what it is: "scores", "relations".
    endings: the ends of file names that mean this format; where several formats have one, the longest.
    join: the parts of a batch as the bytes that are added to the file, or to each of `files`, by name.
    numbering: makes the `Numbering` of a file, if the format needs one.
    whole_files: whether nothing can be added to a file. Then the output is a folder, with one numbered
        file a batch, which ends in the first of `endings`.
    files: the names of files that all grow, with what each begins with. Then the output is a folder of them.
    names_model: whether the file says which pipeline annotated a document: `annotate` puts that into
        `doc.user_data` then, under `MODEL`.
    """

    write: Callable[[Doc, Layers, Counter[str]], Optional[Any]]
    endings: Tuple[str, ...]
    join: Callable[[List[Any]], Written] = join_text
    numbering: Optional[Callable[[], Numbering]] = None
    whole_files: bool = False
    files: Mapping[str, bytes] = field(default_factory=dict)
    names_model: bool = False

    @property
    def makes_folder(self) -> bool:
        """Whether the output is a folder."""
        return self.whole_files or bool(self.files)
