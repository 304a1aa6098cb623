"""How long a text may be: spaCy's limit is for its parser and entity recognizer."""

from typing import List

from spacy.language import Language
from spacy.pipeline import DependencyParser, EntityRecognizer

LIMITED = (DependencyParser, EntityRecognizer)  # whose memory `nlp.max_length` bounds, as spaCy says
DEFAULT = 10**6  # spaCy's limit, in characters
LONGEST = 2**30 - 1  # the longest text that spaCy's tokenizer takes, in characters


def limited_components(nlp: Language) -> List[str]:
    """The components that need about 1 GB of memory per 100,000 characters."""
    return [name for name, proc in nlp.pipeline if isinstance(proc, LIMITED)]


def allow_long_texts(nlp: Language) -> None:
    """Raise `nlp.max_length`, unless somebody has set it or a component is there that it protects."""
    if nlp.max_length == DEFAULT and not limited_components(nlp):
        nlp.max_length = LONGEST
