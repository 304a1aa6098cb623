"""The component against the reference implementation of its network."""

from pathlib import Path
from typing import Dict, Iterator, List

import spacy

from .measure import Case, Measurement, Work
from .pipe import annotations, piped
from .pipelines import Setup
from .report import Ratio
from .texts import count_words, some

WORDS = 3000


def groups(setup: Setup) -> List[List[Case]]:
    texts = setup.texts
    both = some(texts.documents, 100 if setup.tiny else WORDS) + some(
        texts.sentences, 50 if setup.tiny else WORDS
    )
    settings = {"texts": both, "path": setup.pipelines.path("static")}
    return [
        [
            Case("static, beside naive", piped, {**settings, "batch_size": 256}),
            Case("naive", naive, {**settings, "probabilities": True}),
            Case("naive, no probabilities of spans", naive, {**settings, "probabilities": False}),
        ]
    ]


def ratios(measured: Dict[str, Measurement]) -> Iterator[Ratio]:
    own = measured["static, beside naive"].words_per_second
    for name in ("naive", "naive, no probabilities of spans"):
        yield Ratio(
            2, f"static: words/s over those of {name}", own / measured[name].words_per_second, ">=", 10.0
        )


def naive(texts: List[str], path: Path, probabilities: bool) -> Work:
    """The same pipeline, but its component predicts with the reference implementation.

    probabilities: of tagged spans; the original has none.
    """
    from .naive import use_naive

    nlp = spacy.load(path)
    use_naive(nlp.get_pipe("hmtl"), probabilities)
    return Work(lambda: annotations(nlp.pipe(texts)), count_words(texts))
