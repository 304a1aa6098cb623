"""Smaller corpora: documents spread evenly over a corpus."""

import os
from pathlib import Path
from typing import List, Sequence

import spacy
from spacy.tokens import DocBin


def smaller(source: Path, words: int, folder: Path) -> Path:
    """A `.spacy` file with documents from all over another one, at most so many words together.

    folder: where it is written, unless it is there.
    RETURNS: the file, or the source itself if that has no more words.
    """
    require(source)
    target = folder / source.parent.name / f"{source.stem}-{words}.spacy"
    if target.exists():
        return target
    docs = list(DocBin().from_disk(source).get_docs(spacy.blank("xx").vocab))
    lengths = [len(doc) for doc in docs]
    if sum(lengths) <= words:
        return source
    chosen = spread(lengths, words)
    target.parent.mkdir(parents=True, exist_ok=True)
    unfinished = target.with_suffix(".unfinished")
    DocBin(docs=[docs[i] for i in chosen], store_user_data=True).to_disk(unfinished)
    os.replace(unfinished, target)
    return target


def require(source: Path) -> None:
    if not source.exists():
        raise FileNotFoundError(
            f"No corpus at '{source}': run the project's convert-{source.parent.name} first."
        )


def spread(lengths: Sequence[int], words: int) -> List[int]:
    """Which documents to take for at most so many words, spread evenly.

    lengths: words of each document.
    """
    share = words / sum(lengths)
    chosen, seen, taken = [], 0, 0
    for i, length in enumerate(lengths):
        seen += length
        if taken + length <= share * seen:
            chosen.append(i)
            taken += length
    return chosen
