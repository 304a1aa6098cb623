"""Arguments and options that several commands have."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Dict, List, Optional

from spacy.cli._util import Arg, Opt

if TYPE_CHECKING:
    from ..data.label_rules import LabelRules

Model = Annotated[str, Arg(help="Name or path of a trained pipeline")]
DataPath = Annotated[Path, Arg(help=".spacy file, or a folder of them", exists=True)]
PagePath = Annotated[Path, Arg(help="HTML page to write", dir_okay=False)]
Tasks = Annotated[str, Opt("--tasks", "-t", help="Tasks, separated by commas; all if not given")]

Component = Annotated[
    Optional[str], Opt("--component", "-c", help="Name of the component, if the pipeline has several")
]
GoldSentences = Annotated[bool, Opt(help="Use the sentence boundaries of the data, if it has any")]
Singletons = Annotated[
    Optional[bool],
    Opt(help="Predict and count coreference clusters of one mention; the model's setting if not given"),
]
Thresholds = Annotated[
    Optional[List[str]], Opt("--threshold", help="A task's threshold, as task=0.4; can be repeated")
]
LabelsPath = Annotated[
    Optional[Path],
    Opt(
        "--labels",
        help="File that says how the labels of the data relate to the pipeline's: .json, or .cfg with "
        "sections such as [labels.ner] and [unknown]",
        exists=True,
        dir_okay=False,
    ),
]
EntityRelations = Annotated[
    bool, Opt("--entity-relations", help="Also score relations between entities, as DocRED does")
]
SeenPath = Annotated[
    Optional[Path], Opt("--seen", help="Training data, whose facts DocRED's Ign F1 leaves out", exists=True)
]
Gpu = Annotated[int, Opt("--gpu-id", "-g", help="GPU ID or -1 for CPU")]


def rules_of(labels: Optional[Path]) -> "LabelRules":
    """The rules of `--labels`."""
    from ..data.label_rules import NO_RULES, rules_from_file

    return rules_from_file(labels) if labels else NO_RULES


def evaluation_settings(
    component: Optional[str],
    tasks: str,
    gold_sentences: bool,
    singletons: Optional[bool],
    labels: Optional[Path],
    threshold: Optional[List[str]],
) -> Dict[str, Any]:
    """The settings that evaluation and error analysis share, from the options of their commands."""
    from ..evaluation.evaluate import parse_thresholds

    return {
        "component": component,
        "tasks": [name.strip() for name in tasks.split(",") if name.strip()],
        "gold_sentences": gold_sentences,
        "singletons": singletons,
        "rules": rules_of(labels),
        "thresholds": parse_thresholds(threshold or []),
        "progress": True,
    }
