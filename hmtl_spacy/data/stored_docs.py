"""The documents of `.spacy` files, read once if they are small."""

from pathlib import Path
from typing import Iterator, List, Optional, Tuple

from spacy.tokens import Doc, DocBin
from spacy.vocab import Vocab

from .converters.common import ConversionError

KEPT_BYTES = 64 * 2**20  # of compressed files, about ten times as much in memory


class StoredDocs:
    """The documents of a `.spacy` file, or of all such files in a folder.

    They are kept for the next epoch: each span group that spaCy restores costs a search through the entry
    points of all installed packages, about a millisecond, which made a quarter of a short training. Files
    that are larger in all than KEPT_BYTES are read anew each time.
    """

    def __init__(self, path: Path):
        self.path = path
        self._kept: Optional[Tuple[Vocab, List[Doc]]] = None

    def read(self, vocab: Vocab) -> Iterator[Doc]:
        """The documents, the same objects each time where they are kept."""
        files = self._files()
        if sum(file.stat().st_size for file in files) > KEPT_BYTES:
            for file in files:
                yield from read_stored(file, vocab)
            return
        if self._kept is None or self._kept[0] is not vocab:
            self._kept = vocab, [doc for file in files for doc in read_stored(file, vocab)]
        yield from self._kept[1]

    def _files(self) -> List[Path]:
        files = [self.path]
        if self.path.is_dir():  # a folder in it may be called .spacy too
            found = (file for file in self.path.glob("**/*.spacy") if file.is_file())
            files = sorted(file for file in found if not _is_hidden(file.relative_to(self.path)))
        if not files or not all(file.exists() for file in files):
            raise ValueError(
                f"No .spacy file at '{self.path}'. Convert the corpus first: "
                f"python -m spacy hmtl convert --help"
            )
        return files


def _is_hidden(file: Path) -> bool:
    """As in spaCy's `Corpus`: a conversion that was killed leaves such a folder."""
    return any(part.startswith(".") for part in file.parts)


def read_stored(file: Path, vocab: Vocab) -> Iterator[Doc]:
    """The documents of a .spacy file."""
    return docs_of(file.read_bytes(), str(file), vocab)


def docs_of(raw: bytes, source: str, vocab: Vocab) -> Iterator[Doc]:
    """The documents in the bytes of a .spacy file.

    source: the name of the file, for messages.
    RAISES: `ConversionError` if they are damaged, by whichever library notices it.
    """
    try:
        yield from DocBin().from_bytes(raw).get_docs(vocab)
    except Exception as error:  # of zlib, msgpack, numpy or spaCy, by where the damage is
        found = f"it is cut short, damaged, or not a .spacy file ({type(error).__name__}: {error})"
        raise ConversionError(source, None, f"{found}. Make it again.") from error
