"""Annotate files with a pipeline: any amount of text, in constant memory; an interrupted run resumes.

from hmtl_spacy.annotate import annotate
annotate(nlp, "texts.jsonl", "found.jsonl")
"""

from .cluster import Ray
from .documents import Fields
from .exporting import export
from .joining import join
from .places import readable
from .run import Summary, annotate

__all__ = ["Fields", "Ray", "Summary", "annotate", "export", "join", "readable"]
