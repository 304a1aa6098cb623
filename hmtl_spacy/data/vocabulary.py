"""The vocabulary of documents that no pipeline made."""

from typing import Optional

from spacy.language import BaseDefaults
from spacy.vocab import Vocab, create_vocab


def vocabulary(given: Optional[Vocab] = None) -> Vocab:
    """The one that is given, else a new one of no language.

    A bare `Vocab()` has no lower-cased words and no white space, so that no pronoun is known by it.
    """
    return create_vocab("", BaseDefaults) if given is None else given
