"""The input, read one document at a time: files of text, of lines, of JSON lines, of `Doc`s."""

import sys
from contextlib import nullcontext
from hashlib import blake2b
from pathlib import Path
from typing import Any, BinaryIO, Callable, Dict, Iterable, Iterator, List, NamedTuple, Optional, Tuple, Union

from spacy.tokens import DocBin
from spacy.vocab import Vocab

from ..data.vocabulary import vocabulary
from .files import Files, find_files, is_compressed, name_of, open_file
from .models import add_files
from .places import is_stream, readable

BATCH_BYTES = 1 << 20  # a batch of long documents has fewer of them
STDIN = "standard input"
Raw = Tuple[Optional[int], Any, float]  # an item's number, payload and size


class Item(NamedTuple):
    """A document before it is parsed.

    source: the file.
    number: its line, from 1, or the number of a .spacy file's document; None for a whole file.
    name: the document's id unless it has one.
    payload: bytes, or a .spacy file's document as plain data, or itself where its annotation is wanted.
    size: in bytes.
    error: why it can't be read, if it can't.
    """

    source: str
    number: Optional[int]
    name: str
    payload: Any
    size: float
    error: str = ""


class Batch(NamedTuple):
    """Items to annotate together, and a digest of all items up to here."""

    items: List[Item]
    size: float
    digest: str


class Inputs:
    """The files at a path, and their documents in order.

    path: a .txt, .jsonl or .spacy file, also compressed as .gz; a folder of files of one of these kinds; or
        "-" for standard input: JSON lines, or text with `lines`.
    lines: each line of a .txt file is a document.
    annotated: whether the documents are wanted with their annotation, which .spacy files have.
    """

    def __init__(self, path: Union[str, Path], lines: bool = False, annotated: bool = False):
        self.path = Path(path)
        self.stream: Optional[BinaryIO] = sys.stdin.buffer if is_stream(path) else None
        self.folder = self.path if self.path.is_dir() else self.path.parent
        if self.stream is not None:
            self.files, self.kind, self.left_out = Files([self.path], ".txt" if lines else ".jsonl", [])
        else:
            self.files, self.kind, self.left_out = find_files(self.path)
        if lines and self.kind != ".txt":
            found = f"{readable(path)} has {self.kind} files"
            raise ValueError(f"Lines are for .txt files, but {found}. Omit lines.")
        if annotated and self.kind != ".spacy":
            found = "standard input" if self.stream is not None else f"{self.kind} files"
            advice = "Convert it first: python -m spacy hmtl convert --help"
            raise ValueError(
                f"Can't export {readable(path)}: expected .spacy files, found {found}. {advice}."
            )
        self.annotated = annotated
        self.read = READERS["lines" if lines else "annotated" if annotated else self.kind]
        self.size = 0 if self.stream is not None else sum(file.stat().st_size for file in self.files)

    @property
    def length(self) -> Optional[int]:
        """How many bytes there are to read, None if that can't be known before."""
        unknown = self.stream is not None or any(map(is_compressed, self.files))
        return None if unknown else self.size

    def describe(self) -> Dict[str, Any]:
        """What tells these files from others, without reading them."""
        if self.stream is not None:
            return {"files": STDIN}
        names = [f"{file.relative_to(self.folder)} {file.stat().st_size}" for file in self.files]
        digest = blake2b("\n".join(names).encode("utf-8", "surrogateescape"), digest_size=8).hexdigest()
        described = {"files": len(self.files), "bytes": self.size, "names and sizes": digest}
        if self.annotated:  # the digests of batches know only the words
            content = blake2b(digest_size=8)
            for file in self.files:
                add_files(content, file)
            described["content"] = content.hexdigest()
        return described

    def items(self) -> Iterator[Item]:
        for file in self.files:
            source = STDIN if self.stream is not None else readable(file)
            name = name_of(file.relative_to(self.folder))
            several = f"{name}_" if len(self.files) > 1 else ""
            try:
                with nullcontext(self.stream) if self.stream is not None else open_file(file) as opened:
                    for number, payload, size in self.read(opened):
                        id = name if number is None else f"{several}{number}"
                        yield Item(source, number, id, payload, size)
            except Exception as err:  # of whatever reads .spacy files
                size = file.stat().st_size if file.exists() else 0
                yield Item(source, None, name, None, size, f"can't read the file: {readable(err)}")

    def batches(self, size: int) -> Iterator[Batch]:
        """Batches of at most so many documents, fewer if they are long."""
        digest = blake2b(digest_size=8)
        batch: List[Item] = []
        n_bytes = 0.0
        for item in self.items():
            if batch and (len(batch) == size or n_bytes + item.size > BATCH_BYTES):
                yield Batch(batch, n_bytes, digest.hexdigest())
                batch, n_bytes = [], 0.0
            batch.append(item)
            n_bytes += item.size
            payload = item.payload if isinstance(item.payload, bytes) else repr(item.payload).encode()
            digest.update(b"%d %d " % (item.number or 0, len(payload)) + payload)
        if batch:
            yield Batch(batch, n_bytes, digest.hexdigest())


def _read_text(opened: BinaryIO) -> Iterable[Raw]:
    raw = opened.read()
    return [(None, raw, len(raw))]


def _read_lines(opened: BinaryIO) -> Iterator[Raw]:
    """Lines as bytes; blank ones aren't documents."""
    for number, raw in enumerate(opened, start=1):
        if raw.strip():
            yield number, raw, len(raw)


def _read_docs(opened: BinaryIO) -> Iterator[Raw]:
    """Documents as plain data: words, spaces, sentence starts, user data, and whether there is more."""
    raw = opened.read()
    docs = DocBin().from_bytes(raw)
    size = len(raw) / max(1, len(docs))
    for number, doc in enumerate(docs.get_docs(Vocab()), start=1):
        spaces = None if doc.has_unknown_spaces else [bool(token.whitespace_) for token in doc]
        starts = [token.is_sent_start for token in doc] if doc.has_annotation("SENT_START") else None
        more = bool(doc.spans) or any(map(doc.has_annotation, ("ENT_IOB", "TAG", "POS", "LEMMA", "DEP")))
        payload = ([token.text for token in doc], spaces, starts, dict(doc.user_data), more)
        yield number, payload, size


def _read_annotated(opened: BinaryIO) -> Iterator[Raw]:
    """Documents as they are."""
    raw = opened.read()
    docs = DocBin().from_bytes(raw)
    size = len(raw) / max(1, len(docs))
    for number, doc in enumerate(docs.get_docs(vocabulary()), start=1):
        yield number, doc, size


READERS: Dict[str, Callable[[BinaryIO], Iterable[Raw]]] = {
    ".txt": _read_text,
    "lines": _read_lines,
    ".jsonl": _read_lines,
    ".spacy": _read_docs,
    "annotated": _read_annotated,
}
