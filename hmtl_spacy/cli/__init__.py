"""`python -m spacy hmtl ...`: spaCy's command line finds it by the entry point group `spacy_cli`.

What is heavy is imported when a command runs.
"""

from . import (
    annotate,
    calibrate,
    config,
    convert,
    describe,
    encoder,
    errors,
    evaluate,
    export,
    graph,
    init_config,
    join,
    serve,
    train,
    tune,
    vectors,
    visualize,
)
from .apps import hmtl_cli

__all__ = [
    "annotate",
    "calibrate",
    "config",
    "convert",
    "describe",
    "encoder",
    "errors",
    "evaluate",
    "export",
    "graph",
    "hmtl_cli",
    "init_config",
    "join",
    "serve",
    "train",
    "tune",
    "vectors",
    "visualize",
]
