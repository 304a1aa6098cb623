"""A task of Label Studio: its text, and which of its annotations is read."""

from collections import Counter
from typing import Any, Dict, FrozenSet, List, NamedTuple, Optional, Tuple

from ..json_items import Item
from ..records import shorten

# What a record of JSON_MIN has beside the task's data and the controls.
MIN_KEYS = ("id", "annotation_id", "annotator", "created_at", "updated_at", "lead_time", "agreement")


class Choice(NamedTuple):
    """What is read of each task: see the options of `labelstudio_to_docs`."""

    text_key: Optional[str]
    annotator: Optional[str]
    predictions: bool


class Task(NamedTuple):
    """What is read of a task.

    item: where it stands. text: its text. id: ours if the data have one, else the task's.
    meta: what else the data have, or None. results: regions and relations.
    has_relations: whether the export can hold relations.
    """

    item: Item
    text: str
    id: str
    meta: Any
    results: List[Dict[str, Any]]
    has_relations: bool


def read_task(item: Item, choice: Choice, dropped: "Counter[str]") -> Optional[Task]:
    """Choose what is read of a task.

    item: the task, as the export, JSON_MIN or cloud storage has it.
    dropped: what is left out is counted here.
    RETURNS: None if nothing of it is to be read.
    """
    if isinstance(item.data.get("task"), dict):  # cloud storage has the task in its annotation
        item = item.replaced({**item.data["task"], "annotations": [item.data]})
    if "data" not in item.data:
        return _read_min(item, choice, dropped)
    data = item.data["data"]
    if not isinstance(data, dict):
        raise item.error(f"found 'data': {shorten(data)}, expected an object with the text.")
    annotation = _choose(item, choice, dropped)
    if annotation is None:
        return None
    key = _text_key(item, data, choice.text_key)
    results = annotation.get("result")
    if not isinstance(results, list) or not all(isinstance(result, dict) for result in results):
        raise item.error(f"found 'result': {shorten(results)}, expected a list of objects.")
    others = {name: value for name, value in data.items() if name not in (key, "id", "meta")}
    named = item.replaced(
        {"id": data.get("id", item.data.get("id")), "meta": data.get("meta", others or None)}
    )
    return Task(item, data[key], named.id("id"), named.meta("meta"), results, True)


def _read_min(item: Item, choice: Choice, dropped: "Counter[str]") -> Optional[Task]:
    """A record of JSON_MIN: an annotation, by control, without ids or relations."""
    data = item.data
    if choice.predictions or choice.annotator not in (None, str(data.get("annotator"))):
        dropped["records of JSON_MIN that aren't asked for"] += 1
        return None
    strings = {name: value for name, value in data.items() if name not in MIN_KEYS}
    key = _text_key(item, strings, choice.text_key)
    results = [
        {"from_name": name, "type": "labels", "value": value}
        for name, values in data.items()
        if isinstance(values, list)
        for value in values
        if isinstance(value, dict)
    ]
    dropped["records of JSON_MIN, which has no relations"] += 1
    return Task(item, data[key], item.id("id"), None, results, False)


def _text_key(item: Item, data: Dict[str, Any], key: Optional[str]) -> str:
    """Where the text is: under the key that is given, under "text", or where the only string is."""
    strings = [name for name, value in data.items() if isinstance(value, str)]
    if key is None:
        key = "text" if "text" in strings else strings[0] if len(strings) == 1 else None
    if key not in strings:
        advice = "Name the one with the text (--text-key)"
        raise item.error(f"found strings under {', '.join(strings) or 'no key'}. {advice}.")
    return key


def _choose(item: Item, choice: Choice, dropped: "Counter[str]") -> Optional[Dict[str, Any]]:
    name = "completions" if "completions" in item.data else "annotations"  # before 1.0
    name = "predictions" if choice.predictions else name
    kept = item.layer(name) or []
    if not all(isinstance(annotation, dict) for annotation in kept):
        raise item.error(f"found {name!r}: {shorten(kept)}, expected a list of objects.")
    cancelled = [annotation for annotation in kept if annotation.get("was_cancelled")]
    dropped["annotations that were cancelled"] += len(cancelled)
    kept = [annotation for annotation in kept if annotation not in cancelled]
    if choice.annotator is not None:
        own = [annotation for annotation in kept if choice.annotator in _names(annotation)]
        dropped["annotations of other people"] += len(kept) - len(own)
        kept = own
    if not kept:
        dropped[f"tasks without {name} to read"] += 1
        return None
    if len(kept) > 1:
        agree = all(_content(annotation) == _content(kept[0]) for annotation in kept)
        what = "which agree" if agree else "which differ (the newest was read)"
        dropped[f"tasks with several {name}, {what}"] += 1
    newest: Dict[str, Any] = max(reversed(kept), key=_rank)
    return newest


def _rank(annotation: Dict[str, Any]) -> Tuple[bool, str]:
    when = annotation.get("updated_at") or annotation.get("created_at") or ""
    return bool(annotation.get("ground_truth")), str(when)


def _names(annotation: Dict[str, Any]) -> List[str]:
    """What the person is called who annotated: an id, or several values of an object."""
    person = annotation.get("completed_by")
    return [str(value) for value in (person.values() if isinstance(person, dict) else [person])]


def _content(annotation: Dict[str, Any]) -> FrozenSet[str]:
    """What an annotation says, without its ids."""
    results = [result for result in annotation.get("result") or () if isinstance(result, dict)]
    spans = {result.get("id"): str(result.get("value")) for result in results if "value" in result}
    return frozenset(
        str([result.get("from_name"), *(result.get(key) for key in ("value", "direction", "labels"))])
        + f"{spans.get(result.get('from_id'))} {spans.get(result.get('to_id'))}"
        for result in results
    )
