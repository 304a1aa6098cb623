"""The input, read one document at a time: files of text, of lines, of JSON lines, of `Doc`s."""

from hashlib import blake2b
from pathlib import Path
from typing import Any, Callable, Dict, Iterable, Iterator, List, NamedTuple, Optional, Union

from spacy.tokens import DocBin
from spacy.vocab import Vocab

BATCH_BYTES = 1 << 20  # a batch of long documents has fewer of them
SUFFIXES = (".txt", ".jsonl", ".spacy")


class Item(NamedTuple):
    """A document before it is parsed.

    source: the file.
    number: its line, from 1, or the number of a .spacy file's document; None for a whole file.
    name: the document's id unless it has one.
    payload: bytes, or a .spacy file's document as plain data.
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

    path: a .txt, .jsonl or .spacy file, or a folder of files of one of these kinds.
    lines: each line of a .txt file is a document.
    """

    def __init__(self, path: Union[str, Path], lines: bool = False):
        self.path = Path(path)
        self.folder = self.path if self.path.is_dir() else self.path.parent
        self.files, self.kind = _find(self.path)
        if lines and self.kind != ".txt":
            raise ValueError(f"Lines are for .txt files, but {path} has {self.kind} files. Omit lines.")
        self.read = READERS["lines" if lines else self.kind]
        self.size = sum(file.stat().st_size for file in self.files)

    def describe(self) -> Dict[str, Any]:
        """What tells these files from others, without reading them."""
        names = [f"{file.relative_to(self.folder)} {file.stat().st_size}" for file in self.files]
        digest = blake2b("\n".join(names).encode("utf-8", "surrogateescape"), digest_size=8).hexdigest()
        return {"files": len(self.files), "bytes": self.size, "names and sizes": digest}

    def items(self) -> Iterator[Item]:
        for file in self.files:
            name = file.relative_to(self.folder).with_suffix("").as_posix()
            try:
                for item in self.read(file):
                    several = f"{name}_" if len(self.files) > 1 else ""
                    yield item._replace(name=name if item.number is None else f"{several}{item.number}")
            except Exception as err:  # of whatever reads .spacy files
                size = file.stat().st_size if file.exists() else 0
                yield Item(str(file), None, name, None, size, f"can't read the file: {err}")

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


def _find(path: Path) -> tuple:
    if not path.exists():
        raise ValueError(f"There is nothing at {path}: name a file or folder to annotate.")
    files = [file for file in path.rglob("*") if file.is_file()] if path.is_dir() else [path]
    files = sorted(file for file in files if file.suffix in SUFFIXES)
    kinds = sorted({file.suffix for file in files})
    if len(kinds) != 1:
        found = f"found {' and '.join(kinds) or 'none'}, expected files of one kind of {', '.join(SUFFIXES)}"
        raise ValueError(f"Can't annotate {path}: {found}.")
    return files, kinds[0]


def _read_text(file: Path) -> Iterable[Item]:
    raw = file.read_bytes()
    return [Item(str(file), None, "", raw, len(raw))]


def _read_lines(file: Path) -> Iterator[Item]:
    """Lines as bytes; blank ones aren't documents."""
    with file.open("rb") as lines:
        for number, raw in enumerate(lines, start=1):
            if raw.strip():
                yield Item(str(file), number, "", raw, len(raw))


def _read_docs(file: Path) -> Iterator[Item]:
    """Documents as plain data: words, spaces, sentence starts, user data, and whether there is more."""
    docs = DocBin().from_disk(file)
    size = file.stat().st_size / max(1, len(docs))
    for number, doc in enumerate(docs.get_docs(Vocab()), start=1):
        spaces = None if doc.has_unknown_spaces else [bool(token.whitespace_) for token in doc]
        starts = [token.is_sent_start for token in doc] if doc.has_annotation("SENT_START") else None
        more = bool(doc.spans) or any(map(doc.has_annotation, ("ENT_IOB", "TAG", "POS", "LEMMA", "DEP")))
        payload = ([token.text for token in doc], spaces, starts, dict(doc.user_data), more)
        yield Item(str(file), number, "", payload, size)


READERS: Dict[str, Callable[[Path], Iterable[Item]]] = {
    ".txt": _read_text,
    "lines": _read_lines,
    ".jsonl": _read_lines,
    ".spacy": _read_docs,
}
