"""What a converter is: a file format that `spacy hmtl convert` reads."""

from dataclasses import dataclass, field
from typing import Callable, Iterator, Mapping, Optional

from spacy.tokens import Doc


@dataclass(frozen=True)
class Converter:
    """Reads one file format, and says what the command line shall show of it.

    A package adds one by an entry point in the group `spacy_hmtl_converters`; its name there is that of
    the format. The command's help begins with the first paragraph of the docstring of `read`. Its options
    are the keyword-only parameters of `read` and of `read_folder` that are a bool, an int, a float, a str,
    a Path, a Literal of strings or `Lines`, optional or in a list; their help is in the docstring, one
    `name: meaning` a line. Parameters of other types are for callers from Python.

    read: a generator of documents. It takes the decoded lines of a file, without their ends, and, by
        keyword, `source` (the file's name, for messages), `vocab` (the vocabulary of the documents, or
        None), `dropped` (a Counter of what couldn't be kept, or None) and the options of the format.
    read_folder: likewise for the path of a folder of files, without `source`, if the format has folders;
        it takes the options of `read` and its own.
    input: what the command's help says of its input.
    example: arguments for the command's help, "train.iob2 train.spacy --drop OTH".
    paths: whether `read` takes the path of a file in place of lines: for formats that aren't lines of text,
        or that read a second file or exact line ends. It gets no `source` then.
    rows: whether lines are rows of which a part can be missing: then the last line of a file must end in a
        line feed, unless the option `repair` is set, which such a converter has.
    flags: one-letter names of options, {"scheme": "s"}.
    """

    read: Callable[..., Iterator[Doc]]
    read_folder: Optional[Callable[..., Iterator[Doc]]] = None
    input: str = "File to convert"
    example: str = ""
    paths: bool = False
    rows: bool = False
    flags: Mapping[str, str] = field(default_factory=dict)
