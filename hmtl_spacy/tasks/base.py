"""What a task is: labels, gold, annotation, head and score of one level."""

from typing import Any, Callable, Dict, Iterable, List, Mapping, Optional, Sequence, Tuple

import numpy
from spacy.tokens import Doc, Span
from spacy.training import Example

from ..annotations import merge_keys
from ..calibration import Judgement
from ..data.label_rules import set_name
from ..data.layers import STANDARD, layer_to_json
from ..data.teaching import label_sets
from ..nn.head import Head
from ..nn.level import LevelSettings
from .differences import Differences


class Task:
    """One level of the hierarchy, as spaCy sees it.

    inputs: names of the levels below whose encoders this one reads.
    hidden, depth, dropout: of its encoder; `hidden` is the width of one direction.
    label_embedding_width: width of the soft label embedding of each tagging level among the inputs; 0 = none.

    A row is an annotation as integers: token offsets, ends exclusive, then the label. Gold and
    prediction have the same form, so `annotate(doc, encode(doc))` reproduces the annotation.
    `name` is its own in the hierarchy, and `below` are the tasks below it there, by name, once it is in one.
    `layer` names what the task fills: "entities", "mentions", "clusters" or "relations", or a layer of its
    own, which `to_json` describes; "" is shown and exported nowhere. `threshold_filters` says that the
    rows at a threshold are those of any lower one whose scores are above it, so that tuning decodes once.
    `learns_partially` says that labels may be mapped: that `relabel` does it, `encode` makes rows of sets of
    labels (`row_label`), scores go by them (`metrics.settle`), and the head's loss by `PartialGold`.
    `takes_spans` says that the level can work on spans that documents have already (`candidate_rows`).
    """

    layer = ""
    offset_columns = 2
    reasons: Sequence[str] = ()
    threshold_filters = False
    learns_partially = False
    takes_spans = False

    def __init__(
        self,
        *,
        inputs: Iterable[str],
        hidden: int,
        depth: int,
        dropout: float,
        label_embedding_width: int,
    ):
        self.inputs = list(inputs)
        self.hidden = hidden
        self.depth = depth
        self.dropout = dropout
        self.label_embedding_width = label_embedding_width
        self.label_sets: List[Tuple[str, ...]] = []
        self.labels = []
        self.name = ""
        self.below: Dict[str, Task] = {}

    @property
    def keys(self) -> Dict[str, Optional[str]]:
        """The span groups that the task reads and writes: from a field of `annotations.Keys` to a name.

        Groups are best written with `annotations.write_layer`: it marks them with their layer.
        """
        return {}

    @property
    def scored_group(self) -> Optional[str]:
        """The span group that the task fills, with confidences in `attrs["scores"]`; None for none."""
        return None

    def level_settings(self) -> LevelSettings:
        return LevelSettings(
            self.inputs, self.hidden, self.depth, self.dropout, self.label_embedding_width, self.build_head
        )

    def build_head(self, nI: int, nX: int) -> Head:
        """The torch module that scores and decodes; it fulfils `hmtl_spacy.nn.head.Head`.

        nI: width of the encoder's vectors; nX: width of what the encoder read.
        """
        raise NotImplementedError

    def token_features(self, docs: Sequence[Doc]) -> Mapping[str, numpy.ndarray]:
        """What the head reads of tokens beside their vectors, by name: `tokens.features`.

        RETURNS: an integer per token of all documents in turn, equal where the tokens' values are, 0 where
            a value is unknown; int64 [n_tokens] each. Tasks that use a name for the same feature share it.
        """
        return {}

    @property
    def spans_from(self) -> Optional[str]:
        """For a task that `takes_spans`: the level below that writes the spans that a document has for it."""
        return None

    def candidate_rows(self, doc: Doc) -> Optional[numpy.ndarray]:
        """Spans on a document: start, end and what else is read, [n, n_columns]; None where it has no group.

        For a head whose `candidates_from` names a level that isn't in the hierarchy, what it scores; for a
        task that `takes_spans`, what its head scores or its level passes up (NO_LABEL for other labels).
        """
        raise NotImplementedError

    def has_gold(self, doc: Doc) -> bool:
        """Whether a document is annotated for this task at all, even if empty."""
        raise NotImplementedError

    def missing(self, doc: Doc) -> Optional[numpy.ndarray]:
        """The tokens of an annotated document of which nothing is known: neither learned from nor scored.
        bool [n_tokens]; None for a task whose head learns from whole annotation alone
        """
        return None

    def find_labels(self, docs: Iterable[Doc]) -> List[str]:
        """The labels that occur in annotated documents, sorted."""
        raise NotImplementedError

    def observe(self, docs: Iterable[Doc]) -> Optional[Any]:
        """What settings of the task need to know of the annotated documents of a training beside labels, as
        plain data: it is stored with the component, and given back to `prepare`.
        """
        return None

    def prepare(self, observed: Any) -> None:
        """Called before training and before each prediction, when the labels are known. Raises if a setting
        doesn't go with them.

        observed: what `observe` gave; None if the component was trained before that was stored.
        """

    def annotated_labels(self, doc: Doc) -> List[str]:
        """The label of each annotation of a document that has gold; for a task that `learns_partially`."""
        raise NotImplementedError

    def relabel(self, doc: Doc, rename: Callable[[str], Optional[str]]) -> None:
        """Change the labels of a document's annotation; only for a task that `learns_partially`.

        rename: from a label to the new one; None to remove the annotation.
        """
        raise NotImplementedError

    def encode(self, doc: Doc) -> numpy.ndarray:
        """The document's annotation as rows. [n, n_columns]"""
        raise NotImplementedError

    def unusable(self, rows: numpy.ndarray, sentence_of: numpy.ndarray) -> Dict[str, numpy.ndarray]:
        """Which rows can't be learned from, by reason: bool arrays [n]. A row has at most one reason.

        sentence_of: the sentence of each token. [n_tokens]
        """
        raise NotImplementedError

    def out_of_reach(self, rows: numpy.ndarray) -> Dict[str, int]:
        """What can be learned from but hardly be found in use, by reason: how many. rows: usable ones"""
        return {}

    def annotate(self, doc: Doc, rows: numpy.ndarray, scores: numpy.ndarray) -> None:
        """Write rows and their confidences to a document."""
        raise NotImplementedError

    def annotate_beside(self, doc: Doc, rows: numpy.ndarray, scores: numpy.ndarray) -> None:
        """Write them where the level was given spans: those that it passes up stay as they are."""
        self.annotate(doc, rows, scores)

    def to_json(self, doc: Doc) -> Optional[Any]:
        """The task's layer as plain data with character offsets; None where it isn't annotated.

        A layer of its own is drawn as spans if it is a list of dicts with "start", "end" and "label", as
        relations if they have "head", "tail" (each with "start" and "end") and "label", else as a note;
        `data.layers.spans_to_json` makes such a list of a span group.
        """
        if self.layer and self.layer not in STANDARD:
            raise NotImplementedError(
                f"{type(self).__name__} fills the layer '{self.layer}' but has no `to_json`, which says how "
                f"it is written and shown."
            )
        return layer_to_json(doc, self.layer, merge_keys({self.layer: self.keys}))

    def score(self, examples: List[Example]) -> Dict[str, Any]:
        """Scores of predicted documents; floats, and dicts per type."""
        raise NotImplementedError

    def differences(self, predicted: Doc, reference: Doc) -> Dict[str, Differences]:
        """What the scores of one document are made of, by the prefix of their names: those of `ents_p` and
        `ents_r` under "ents". A task that reports none is scored all the same.
        """
        return {}

    def judgements(self, predicted: Doc, reference: Doc) -> List[Judgement]:
        """The confidence of each prediction on a document, and whether it is right; none for a task whose
        confidences can't be judged.
        """
        return []

    def confidences(self, doc: Doc) -> Dict[Tuple[int, int], float]:
        """Those of the spans in `scored_group`, by character offsets; none where it has no scores."""
        group = doc.spans.get(self.scored_group) if self.scored_group else None
        if group is None:
            return {}
        return {char_offsets(span): score for span, score in zip(group, group.attrs.get("scores", ()))}

    def score_weights(self) -> Dict[str, Optional[float]]:
        """The scores worth showing; those with a number count when models are compared."""
        raise NotImplementedError

    def label_index(self, label: str) -> int:
        try:
            return self._index[label]
        except KeyError:
            raise ValueError(
                f"The annotation has the label '{label}', which isn't among the task's labels: "
                f"{self.labels}. Initialize the component with examples of every label, or with labels."
            ) from None

    def row_label(self, doc: Doc, label: str) -> int:
        """The last column of a row: the label, or the number of labels plus k for one of those of set k."""
        sets = label_sets(doc, self.name)
        if label not in sets:
            return self.label_index(label)
        members = tuple(sets[label])
        if members not in self.label_sets:
            self.label_sets.append(members)
        return len(self.labels) + self.label_sets.index(members)

    @property
    def row_labels(self) -> List[str]:
        """What rows may be labelled with: the labels, and the names of sets of them."""
        return [*self.labels, *map(set_name, self.label_sets)]

    def set_table(self) -> numpy.ndarray:
        """Which labels are in which set, after whether it may be none. bool [n_sets, 1 + n_labels]"""
        table = numpy.zeros((len(self.label_sets), 1 + len(self.labels)), dtype=bool)
        for row, members in zip(table, self.label_sets):
            row[[1 + self.label_index(label) if label else 0 for label in members]] = True
        return table

    @property
    def labels(self) -> List[str]:
        return self._labels

    @labels.setter
    def labels(self, labels: Iterable[str]) -> None:
        self._labels = list(labels)
        self._index: Dict[str, int] = {label: i for i, label in enumerate(self._labels)}


def offset_rows(spans: Iterable[Span]) -> numpy.ndarray:
    """Where spans begin and end in tokens. [n, 2]"""
    return numpy.array([(span.start, span.end) for span in spans], dtype=numpy.int64).reshape(-1, 2)


def char_offsets(span: Span) -> Tuple[int, int]:
    """Where a span begins and ends in characters, without white space around it."""
    text = span.text
    start = span.start_char + len(text) - len(text.lstrip())
    return start, max(start, span.end_char - len(text) + len(text.rstrip()))


def crosses_sentences(
    starts: numpy.ndarray, ends: numpy.ndarray, sentence_of: numpy.ndarray
) -> numpy.ndarray:
    """Whether spans reach into another sentence. [n]"""
    if not len(starts):
        return numpy.zeros(0, dtype=bool)
    crossing: numpy.ndarray = sentence_of[starts] != sentence_of[ends - 1]
    return crossing


def annotated_pairs(task: Task, examples: Iterable[Example]) -> List[Tuple[Doc, Doc]]:
    """Predicted and reference documents of the examples that have gold for a task."""
    return [(eg.predicted, eg.reference) for eg in examples if task.has_gold(eg.reference)]
