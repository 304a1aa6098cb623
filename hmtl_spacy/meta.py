"""What a trained pipeline's meta says of it, where its user said nothing."""

import re
from typing import Iterable

from spacy.language import Language
from spacy.training import Example

from . import __version__
from .data.teaching import corpus_name

UNNAMED, NO_VERSION = "pipeline", "0.0.0"  # spaCy's own
USUAL = ("", "main", "train")  # names of corpora that say nothing of them
MAX_CORPORA = 3


def name_pipeline(nlp: Language, examples: Iterable[Example]) -> None:
    """Give a pipeline a name, "hmtl" and its corpora's, and this package's version, unless it has others."""
    if nlp.meta["name"] == UNNAMED:
        named = {corpus_name(eg.reference) for eg in examples} - {*USUAL}
        corpora = sorted(re.sub(r"\W+", "_", name) for name in named)  # as in the name of a package
        nlp.meta["name"] = "_".join(["hmtl", *(corpora if len(corpora) <= MAX_CORPORA else ())])
    if nlp.meta["version"] == NO_VERSION:
        nlp.meta["version"] = __version__


def without_losses(nlp: Language) -> Language:
    """Take the last losses out of a pipeline's meta, where spaCy notes them beside the scores."""
    performance = nlp.meta.get("performance", {})
    for name in nlp.pipe_names:
        performance.pop(f"{name}_loss", None)
    return nlp
