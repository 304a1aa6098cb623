"""`python -m spacy hmtl ...`: spaCy's command line finds it by the entry point group `spacy_cli`.

What is heavy is imported when a command runs.
"""

from . import annotate, convert, errors, models, preparing, serve
from .apps import hmtl_cli

__all__ = ["annotate", "convert", "errors", "hmtl_cli", "models", "preparing", "serve"]
