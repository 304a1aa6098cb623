"""Smaller corpora: documents sampled evenly from a corpus."""

import os
from pathlib import Path
from typing import List, Sequence

import spacy
from spacy.tokens import DocBin


def smaller(source: Path, words: int, folder: Path) -> Path:
    """Write a `.spacy` file with documents sampled evenly from another one.

    words: the most that these documents have together.
    folder: where the file goes; one that exists already is kept.
    RETURNS: the file, or the source itself if it has no more words than that.
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
    """Raise an error that says what to do if a corpus is missing."""
    if not source.exists():
        raise FileNotFoundError(
            f"There is no corpus at '{source}': run the project's convert-{source.parent.name} first."
        )


def spread(lengths: Sequence[int], words: int) -> List[int]:
    """Choose documents evenly.

    lengths: of each document, in words.
    words: the most that the chosen documents have together.
    RETURNS: indices into lengths.
    """
    share = words / sum(lengths)
    chosen, seen, taken = [], 0, 0
    for i, length in enumerate(lengths):
        seen += length
        if taken + length <= share * seen:
            chosen.append(i)
            taken += length
    return chosen
