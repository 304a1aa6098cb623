"""Gold documents in a pipeline's labels: what the rules of a corpus make of them, and what was counted."""

from collections import Counter
from functools import partial
from typing import Any, Dict, Iterable, List, Literal, Mapping, Set, Tuple

from spacy.language import Language
from spacy.tokens import Doc
from spacy.training import Example
from wasabi.tables import table

from ..annotations import Keys, get_clusters, get_mentions, merge_keys
from .label_rules import LabelRules
from .teaching import corpus_name, label_sets, members, open_mentions, teaching, unknown_labels

Mapped = Tuple[str, str, str, str]  # corpus, task, label, what it became


def relabel(docs: Iterable[Doc], rules: LabelRules, nlp: Language, source: str) -> List[Doc]:
    """The documents, changed: labels as the rules say, and what stays open noted for the tasks.

    docs: gold documents with their corpus's settings (`teaching`).
    source: whose they are, for messages.
    """
    tasks = {name: task for _, proc in nlp.components for name, task in tasks_of(proc).items()}
    _check_tasks(rules, tasks, source)
    keys = merge_keys({name: task.keys for name, task in tasks.items()})
    relabelled = list(docs)
    counted = [_count(doc, rules, tasks) for doc in relabelled]
    _check_named(counted, rules, source)
    for doc, mapped in zip(relabelled, counted, strict=True):
        for name in mapped:
            tasks[name].relabel(doc, partial(rules.name, name))
        settings = teaching(doc)
        settings["mapped"] = {
            name: [[label, rules.name(name, label) or "", n] for label, n in counts.items()]
            for name, counts in mapped.items()
        }
        settings["sets"] = {name: sets for name in rules.labels if (sets := rules.sets(name))}
        settings["unknown"] = {name: list(labels) for name, labels in rules.unknown.items()}
        if rules.opens_mentions:
            settings["open_mentions"] = _open_mentions(doc, rules, keys.mentions, keys.clusters)
            settings["singletons"] = rules.singletons
    if rules.opens_mentions:
        _check_mentions(relabelled, keys, source)
    return relabelled


def tasks_of(component: Any) -> Dict[str, Any]:
    return dict(getattr(component, "tasks", None) or {})


def _count(doc: Doc, rules: LabelRules, tasks: Mapping[str, Any]) -> Dict[str, Counter[str]]:
    """How often a document has each label, by task that there are rules for."""
    counts = {}
    for name in rules.labels:
        if name in tasks and tasks[name].has_gold(doc):
            counts[name] = Counter(tasks[name].annotated_labels(doc))
    return counts


def _check_tasks(rules: LabelRules, tasks: Mapping[str, Any], source: str) -> None:
    able = [name for name, task in tasks.items() if task.learns_partially]
    if asked := [name for name in {**rules.labels, **rules.unknown} if name in tasks and name not in able]:
        raise ValueError(
            f"{source} has rules for the labels of {asked}, which can't be mapped; those of {able} can. "
            f"What a corpus leaves open of coreference is said under `chains`."
        )


def _check_named(counts: Iterable[Mapping[str, Counter[str]]], rules: LabelRules, source: str) -> None:
    unnamed: Dict[str, Counter[str]] = {}
    for of_doc in counts:
        for task, labels in of_doc.items():
            strange = {label: n for label, n in labels.items() if label not in rules.labels[task]}
            if strange:
                unnamed.setdefault(task, Counter()).update(strange)
    if unnamed:
        found = "; ".join(
            f"{task}: {', '.join(f'{label!r} ({n:,})' for label, n in counts.most_common())}"
            for task, counts in unnamed.items()
        )
        raise ValueError(
            f"{source} has labels that its rules don't name ({found}). They name "
            f"{ {task: list(rules.labels[task]) for task in unnamed} }. Add each, with the label of the "
            f'pipeline that it is, a list of labels of which it is one, or "*" to leave it out.'
        )


def _check_mentions(docs: List[Doc], keys: Keys, source: str) -> None:
    """Raises if documents with chains don't say which mentions have none."""
    if docs and all(get_mentions(doc, keys.mentions) is None for doc in docs):
        raise ValueError(
            f"{source} says under `chains` which mentions it leaves open, but its documents have no mentions "
            f"(span group '{keys.mentions}'). Remove `chains`, or convert the corpus with its mentions."
        )


def _open_mentions(
    doc: Doc, rules: LabelRules, mentions_key: str, clusters_key: str
) -> List[Tuple[int, int, bool]]:
    """See `teaching.open_mentions`."""
    clusters = get_clusters(doc, clusters_key)
    if clusters is None:
        return []
    chained = {(span.start, span.end) for cluster in clusters for span in cluster}
    types, sets = set(rules.chain_types or ()), label_sets(doc)
    found: Dict[Tuple[int, int], Set[bool]] = {}
    for span in get_mentions(doc, mentions_key) or []:
        has_chains = rules.chain_types is None or types >= set(members(span.label_, sets))
        found.setdefault((span.start, span.end), set()).add(has_chains)
    return [
        (*offsets, all(chains))
        for offsets, chains in sorted(found.items())
        if offsets not in chained and not (rules.singletons and all(chains))
    ]


def check_unknown(examples: Iterable[Example], tasks: Mapping[str, Any]) -> None:
    """Raises if labels are said to be unknown in a corpus that no corpus has."""
    for reference in (example.reference for example in examples):
        for name, task in tasks.items():
            labels = unknown_labels(reference, name)
            if strange := [label for label in labels if label not in task.labels]:
                raise ValueError(
                    f"The corpus '{corpus_name(reference)}' says that the labels {strange} of the task "
                    f"'{name}' are unknown in it, but no corpus has them: there are {list(task.labels)}. "
                    f"Correct its `unknown`, or add a corpus that has them."
                )


def count_mapped(examples: Iterable[Example]) -> "Counter[Mapped]":
    """How many annotations were mapped, mentions left open, and on how many tokens labels are unknown."""
    counts: Counter[Mapped] = Counter()
    for reference in (example.reference for example in examples):
        settings, corpus = teaching(reference), corpus_name(reference)
        for task, of_task in settings.get("mapped", {}).items():
            for label, name, n in of_task:
                counts[corpus, task, label, name or "left out"] += n
        for task, labels in settings.get("unknown", {}).items():
            counts[corpus, task, "(tokens)", f"unknown: {', '.join(labels)}"] += len(reference)
        for _, _, unlinked in open_mentions(reference):
            reason = "singletons aren't annotated" if unlinked else "their types have no chains"
            counts[corpus, "coreference", "(mentions)", f"left open: {reason}"] += 1
    return counts


def mapping_table(counts: Mapping[Mapped, int]) -> str:
    """The counts as text, one line per corpus, task and label."""
    ordered = sorted(counts.items(), key=lambda item: item[0][:2])  # by corpus and task
    rows = [(corpus or "-", task, label, name, str(n)) for (corpus, task, label, name), n in ordered]
    aligns: List[Literal["l", "r"]] = ["l", "l", "l", "l", "r"]
    header = ("corpus", "task", "label", "learned as", "count")
    return table(rows, header=header, divider=True, aligns=aligns)
