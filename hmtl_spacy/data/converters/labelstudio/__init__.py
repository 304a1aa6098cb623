"""Label Studio's JSON export: regions and relations of one annotation a task.

The results of a region share its id, one for each control. A relation may have several labels, and a
direction.
"""

from collections import Counter
from pathlib import Path
from typing import AbstractSet, Any, Dict, FrozenSet, Iterator, List, Optional, Set

from spacy.tokens import Doc
from spacy.vocab import Vocab

from ..converter import Converter
from ..folders import files_in
from ..json_items import read_items
from ..records import shorten
from ..rules import SPAN_LAYERS, Rules, TextRules, takes
from ..standoff import Standoff
from ..tokens import load_tokenizer
from ..units import Unit
from .config import ARGUMENT, Config, layer_of, read_config
from .regions import find_positions, read_regions
from .tasks import Choice, Task, read_task


@takes(TextRules)
def labelstudio_to_docs(
    path: Path,
    *,
    vocab: Optional[Vocab] = None,
    rules: TextRules,
    config: Optional[Path] = None,
    text_key: Optional[str] = None,
    annotator: Optional[str] = None,
    predictions: bool = False,
    offsets: Optional[Unit] = None,
    dropped: Counter[str],
) -> Iterator[Doc]:
    """Label Studio's JSON export. Fills the layers that the project's controls have.

    Regions of a control called `ner` or `entities` are named entities, others mentions. Relations labelled
    `coref` make clusters.

    path: the file, a list of tasks or one task, or a folder of such files.
    vocab: the vocabulary of the documents.
    rules: which layer a region belongs to, by its label or its control.
    config: the project's labelling configuration: what its layers are, and where the text is.
    text_key: where a task's data have the text, if there are several strings.
    annotator: the id or e-mail address of the person whose annotations are read; by default the newest is,
        that of a ground truth if there is one.
    predictions: read predictions in place of annotations.
    offsets: what offsets count; by default code points, or UTF-16 units where only these fit.
    dropped: what couldn't be kept is counted here.
    YIELDS: the documents.
    """
    paths = files_in(path)
    known = None if config is None else read_config(config)
    choice = Choice(text_key or (known.text_key if known else None), annotator, predictions)
    layers = _layers_in(paths, choice, rules, known)
    nlp = load_tokenizer(rules.lang, rules.model, vocab)
    for file in paths:
        for item in read_items(file):
            task = read_task(item, choice, dropped)
            if task is None:
                continue
            doc = nlp.tokenizer(task.text)
            doc.user_data["id"] = task.id
            if task.meta is not None:
                doc.user_data["meta"] = task.meta
            annotation = Standoff(doc, rules, item.error, dropped)
            _add(annotation, task, offsets, known, dropped)
            yield annotation.annotate(layers if task.has_relations else layers & SPAN_LAYERS)


def _layers_in(paths: List[Path], choice: Choice, rules: Rules, config: Optional[Config]) -> FrozenSet[str]:
    """The layers that the configuration has, else those that some task has: others have "none" of these."""
    if config is not None:
        names = {control.name for control in config.controls}
        return _layers_of(names, config.relations or frozenset(), rules)
    controls: Set[str] = set()
    labels: Set[str] = set()
    for path in paths:
        for item in read_items(path):
            task = read_task(item, choice, Counter())
            for result in task.results if task is not None else ():
                if result.get("type") == "relation":
                    labels.update(map(str, result.get("labels") or ()))
                elif isinstance(result.get("value"), dict) and "start" in result["value"]:
                    controls.add(str(result.get("from_name", "")))
    return _layers_of(controls, labels, rules)


def _layers_of(controls: AbstractSet[str], relations: AbstractSet[str], rules: Rules) -> FrozenSet[str]:
    layers = {layer_of(control) for control in controls if control != ARGUMENT}
    layers.update("clusters" if rules.is_coref(label) else "relations" for label in relations)
    return frozenset(layers | ({"clusters"} if rules.has_coref else set()))


def _add(
    annotation: Standoff, task: Task, offsets: Optional[Unit], config: Optional[Config], dropped: Counter[str]
) -> None:
    regions = read_regions(task, dropped)
    positions = find_positions(task, regions, offsets, dropped)
    for region in regions:
        place = positions[region.start], positions[region.end]
        if region.control == ARGUMENT:
            annotation.argument(region.id, [place])
            continue
        for label in region.labels:
            _check_label(label, config, dropped)
            annotation.span(region.id, [place], label, [region.control], layer_of(region.control))
    relations = [result for result in task.results if result.get("type") == "relation"]
    for result in task.results:
        if isinstance(result.get("id"), str):
            annotation.leave_out(result["id"])  # unless it is a span: a box in an image, a choice
    for relation in relations:
        _relate(annotation, task, relation, config, dropped)


def _relate(
    annotation: Standoff,
    task: Task,
    relation: Dict[str, Any],
    config: Optional[Config],
    dropped: Counter[str],
) -> None:
    head, tail, direction = (relation.get(key) for key in ("from_id", "to_id", "direction"))
    labels = relation.get("labels") or []
    if not isinstance(labels, list) or not all(isinstance(label, str) for label in labels):
        raise task.item.error(f"found the relation {shorten(relation)}, expected labels, a list of strings.")
    if direction not in (None, "right", "left", "bi"):
        raise task.item.error(f"found the direction {shorten(direction)}, expected right, left or bi.")
    dropped["relations without a label"] += not labels
    if direction == "left":
        head, tail = tail, head
    for label in labels:
        _check_label(label, config, dropped)
        annotation.relation(head, tail, label)
        if direction == "bi" and not annotation.rules.is_coref(label):
            annotation.relation(tail, head, label)
            dropped["relations in both directions, read as two"] += 1


def _check_label(label: str, config: Optional[Config], dropped: Counter[str]) -> None:
    dropped["labels that the configuration doesn't have (kept)"] += (
        config is not None and label not in config.labels
    )


converter = Converter(
    labelstudio_to_docs,
    read_folder=labelstudio_to_docs,
    input="File to convert, or a folder of files with a task each, as in cloud storage",
    example="project-3.json train.spacy --config config.xml",
    paths=True,
)
