"""How the labels of a corpus relate to a pipeline's, and what the corpus leaves open: which labels aren't
annotated in it, which mentions have no chains.
"""

from pathlib import Path
from typing import Any, Dict, List, Mapping, NamedTuple, Optional, Sequence, Tuple

import srsly
from thinc.api import Config

LEFT_OUT = "*"
NONE = ""  # in a set of labels: or none
SECTIONS = ("labels", "unknown", "chains")
Members = Tuple[str, ...]


class LabelRules(NamedTuple):
    """The rules of one corpus.

    labels: by task and label of the corpus, the labels of the pipeline of which it is one, with "" if it may
        be none; empty for what the pipeline has no label for.
    unknown: by task, labels of the pipeline that what the corpus calls outside, or unrelated, may have.
    chain_types: the types of mentions that have coreference chains; None for all.
    singletons: whether mentions without a chain are known to be no mentions of coreference.
    """

    labels: Mapping[str, Mapping[str, Members]] = {}
    unknown: Mapping[str, Members] = {}
    chain_types: Optional[Members] = None
    singletons: bool = True

    def __bool__(self) -> bool:
        return self != NO_RULES

    @property
    def opens_mentions(self) -> bool:
        return self.chain_types is not None or not self.singletons

    def name(self, task: str, label: str) -> Optional[str]:
        """What a label of the corpus becomes: a label of the pipeline, a set's name, None if left out."""
        members = self.labels[task][label]
        return set_name(members) if members else None

    def sets(self, task: str) -> Dict[str, List[str]]:
        """The sets of labels of a task by name, in the order of the rules."""
        return {set_name(m): list(m) for m in self.labels.get(task, {}).values() if len(m) > 1}


NO_RULES = LabelRules()


def set_name(members: Sequence[str]) -> str:
    """What a span that has one of several labels is called, where it has to have a label.

    >>> set_name(["VEH", "WEA", ""])
    'VEH or WEA or none'
    """
    return " or ".join(label or "none" for label in members)


def make_rules(
    labels: Optional[Mapping[str, Any]],
    unknown: Optional[Mapping[str, Any]],
    chains: Optional[Mapping[str, Any]],
    source: str,
) -> LabelRules:
    """The rules as the config gives them, checked.

    source: whose they are, for messages.
    """
    tables: Dict[str, Dict[str, Members]] = {}
    for task, table in (labels or {}).items():
        if not isinstance(table, Mapping) or not table:
            raise ValueError(
                f"{source}: the labels of the task '{task}' are {table!r}. Give a table with an entry for "
                f'each label of the corpus, such as PER = "PERSON".'
            )
        tables[task] = {label: _members(source, task, label, value) for label, value in table.items()}
    return LabelRules(tables, _unknown(source, unknown or {}), *_chains(source, chains or {}))


def rules_from_file(path: Path) -> LabelRules:
    """Rules in a file: JSON, or sections as in a config: [labels.ner], [unknown], [chains]."""
    try:
        if path.suffix == ".json":
            content = srsly.read_json(path)
        else:
            content = Config().from_str(_with_parents(path.read_text("utf8")))
    except ValueError as error:  # of the parser of either
        raise ValueError(
            f"Can't read the label rules '{path}': {error}. Write JSON into a file that ends with .json, "
            f"sections such as [labels.ner] and [unknown] into any other."
        ) from error
    if not isinstance(content, dict) or not content or set(content) - set(SECTIONS):
        found = list(content) if isinstance(content, dict) else type(content).__name__
        raise ValueError(f"The label rules '{path}' have {found}. Expected some of {list(SECTIONS)}.")
    labels, unknown, chains = (content.get(name) for name in SECTIONS)
    return make_rules(labels, unknown, chains, source=f"The label rules '{path}'")


def _with_parents(text: str) -> str:
    """A section needs its parent's heading."""
    return text if "[labels]" in text else f"[labels]\n\n{text}"


def _members(source: str, task: str, label: str, value: Any) -> Members:
    if value == LEFT_OUT:
        return ()
    members = [value] if isinstance(value, str) else value
    if (
        not isinstance(members, (list, tuple))
        or not all(isinstance(member, str) and member != LEFT_OUT for member in members)
        or not any(members)
        or len(set(members)) < len(members)
    ):
        raise ValueError(
            f"{source}: of the task '{task}', the label '{label}' is said to be {value!r}. Give a label of "
            f'the pipeline ("PERSON"), a list of those of which it is one (["GPE","LOC"], with "" if it may '
            f'be none), or "{LEFT_OUT}" if the pipeline has no label for it.'
        )
    return tuple(members)


def _unknown(source: str, unknown: Mapping[str, Any]) -> Dict[str, Members]:
    for task, labels in unknown.items():
        if not _are_labels(labels):
            raise ValueError(
                f"{source}: the unknown labels of the task '{task}' are {labels!r}. Give a list of labels of "
                f'the pipeline that aren\'t annotated in the corpus: {task} = ["DATE","TIME"].'
            )
    return {task: tuple(labels) for task, labels in unknown.items() if labels}


def _chains(source: str, chains: Mapping[str, Any]) -> Tuple[Optional[Members], bool]:
    if odd := set(chains) - {"types", "singletons"}:
        raise ValueError(f"{source}: chains has {sorted(odd)}. Expected 'types' and 'singletons'.")
    types, singletons = chains.get("types"), chains.get("singletons", True)
    if types is not None and not _are_labels(types):
        raise ValueError(
            f"{source}: the types of chains are {types!r}. Give the list of the types of mentions that have "
            f'coreference chains in the corpus: types = ["PER","ORG"].'
        )
    if not isinstance(singletons, bool):
        raise ValueError(f"{source}: singletons of chains is {singletons!r}. Set it to true or false.")
    return None if types is None else tuple(types), singletons


def _are_labels(labels: Any) -> bool:
    return isinstance(labels, (list, tuple)) and all(isinstance(x, str) and x for x in labels)
