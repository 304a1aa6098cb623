"""What a gold document says of its corpus: which tasks it teaches, and how its labels are understood."""

from typing import Any, Dict, List, Mapping, Optional, Sequence, Tuple

from spacy.tokens import Doc

TEACHES = "hmtl_teaches"
LabelSets = Mapping[str, Sequence[str]]


def teaching(reference: Doc) -> Dict[str, Any]:
    """The settings of a document's corpus; empty for documents that no corpus was named for."""
    settings: Dict[str, Any] = reference.user_data.get(TEACHES, {})
    return settings


def teaches(reference: Doc, task: str) -> bool:
    """Whether a gold document is meant to teach a task; any document may that no corpus was named for."""
    tasks = teaching(reference).get("tasks")
    return tasks is None or task in tasks


def corpus_name(reference: Doc) -> str:
    return str(teaching(reference).get("corpus", ""))


def batch_words(reference: Doc) -> int:
    """How many words a training batch of the document's corpus should have; 0 = not said."""
    return int(teaching(reference).get("batch_words", 0))


def label_sets(reference: Doc, task: Optional[str] = None) -> LabelSets:
    """What annotation that may have one of several labels is labelled with, and which labels these are, ""
    for none; of a task, or of all.
    """
    by_task: Mapping[str, LabelSets] = teaching(reference).get("sets", {})
    if task is not None:
        return by_task.get(task, {})
    return {name: members for sets in by_task.values() for name, members in sets.items()}


def unknown_labels(reference: Doc, task: str) -> List[str]:
    """The labels of a task that aren't annotated in the document's corpus."""
    return list(teaching(reference).get("unknown", {}).get(task, ()))


def open_mentions(reference: Doc) -> List[Tuple[int, int, bool]]:
    """Mentions in no annotated chain of which something isn't known, as start, end, and whether they are
    known to corefer with none, so that they may only be chains of their own.
    """
    return [tuple(row) for row in teaching(reference).get("open_mentions", [])]


def singletons_known(reference: Doc) -> bool:
    """Whether chains of one mention are annotated in the document's corpus, if there are any."""
    return bool(teaching(reference).get("singletons", True))


def members(label: str, sets: LabelSets) -> List[str]:
    """The labels that annotation with a label may have: itself, or those of the set with this name."""
    return [member for member in sets[label] if member] if label in sets else [label]
