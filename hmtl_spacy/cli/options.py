"""Options that several commands have."""

from typing import Annotated, List, Optional

from spacy.cli._util import Opt

Component = Annotated[
    Optional[str], Opt("--component", "-c", help="Name of the component, if the pipeline has several")
]
GoldSentences = Annotated[bool, Opt(help="Use the sentence boundaries of the data, if it has any")]
Singletons = Annotated[
    Optional[bool],
    Opt(help="Count coreference clusters of one mention, on both sides; the model's setting if not given"),
]
Thresholds = Annotated[
    Optional[List[str]], Opt("--threshold", help="A task's threshold, as task=0.4; can be repeated")
]
Gpu = Annotated[int, Opt("--gpu-id", "-g", help="GPU ID or -1 for CPU")]
