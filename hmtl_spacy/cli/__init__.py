"""`python -m spacy hmtl ...`: spaCy's command line finds it by the entry point group `spacy_cli`.

What is heavy is imported when a command runs.
"""

from . import convert, models, preparing
from .apps import hmtl_cli

__all__ = ["convert", "hmtl_cli", "models", "preparing"]
