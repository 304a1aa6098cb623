"""The texts that are read: real documents and sentences, and long documents made by joining them."""

from itertools import cycle
from pathlib import Path
from typing import Iterator, List, NamedTuple, Optional

import spacy
from spacy.tokens import Doc

from hmtl_spacy.data.converters import get_converter
from hmtl_spacy.data.converters.common import read_lines
from hmtl_spacy.data.converters.inline import inline_folder_to_docs

ROOT = Path(__file__).resolve().parents[1]
SAMPLE = ROOT / "assets" / "sample"


class Texts(NamedTuple):
    """documents: whole ones; sentences: each a text of its own; source: where they are from."""

    documents: List[str]
    sentences: List[str]
    source: str

    @property
    def all(self) -> List[str]:
        return self.documents + self.sentences


def read_texts(gum: Optional[Path], conll04: Optional[Path], limit: int = 0) -> Texts:
    """Documents of GUM and sentences of CoNLL04; those of assets/sample where a file isn't given.

    limit: use so many documents, and ten times as many sentences, at most; 0 = all.
    """
    sample = [] if gum and conll04 else list(inline_folder_to_docs(SAMPLE))
    documents = [doc.text for doc in (_converted("conllu", gum) if gum else sample)]
    if conll04:
        sentences = [doc.text for doc in _converted("conll04", conll04)]
    else:
        sentences = [sent.text.strip() for doc in sample for sent in doc.sents][::5]
    source = ", ".join(Path(path).name if path else "assets/sample" for path in (gum, conll04))
    return Texts(documents[: limit or None], sentences[: limit * 10 or None], source)


def some(texts: List[str], words: int) -> List[str]:
    """The first texts that have so many words together; again from the first if there aren't enough."""
    chosen, n_words = [], 0
    for text in cycle(texts):
        if n_words >= words:
            return chosen
        chosen.append(text)
        n_words += count_words([text])
    raise ValueError("There are no texts to take words from. Check the corpora given to the benchmark.")


def joined(texts: List[str], words: int) -> str:
    """One document of so many words."""
    doc = _tokenizer("\n\n".join(some(texts, words)))
    return doc[:words].text


def count_words(texts: List[str]) -> int:
    """spaCy's tokens."""
    return sum(len(_tokenizer(text)) for text in texts)


_tokenizer = spacy.blank("en").tokenizer


def _converted(format: str, path: Path) -> Iterator[Doc]:
    return get_converter(format).read(read_lines(path), source=str(path))
