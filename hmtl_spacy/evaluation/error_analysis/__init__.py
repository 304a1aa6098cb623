"""What a pipeline misses and wrongly predicts, of every task, by type and by length.

The counts are those of `hmtl_spacy.evaluation.evaluate`: precision and recall follow from them.
"""

from .finding import Errors, Measure, find_errors
from .page import page
from .table import to_json

__all__ = ["Errors", "Measure", "find_errors", "page", "to_json"]
