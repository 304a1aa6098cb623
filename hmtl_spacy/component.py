"""The pipeline component: one model, every task of the hierarchy."""

from functools import partial
from typing import Any, Callable, Dict, Iterable, Iterator, List, Optional, Tuple

import numpy
from spacy.language import Language
from spacy.pipeline import TrainablePipe
from spacy.tokens import Doc
from spacy.training import Example, validate_examples, validate_get_examples
from spacy.util import logger, minibatch
from spacy.vocab import Vocab
from thinc.api import Model, Optimizer

from .agreement import OWN, check_agreement, labels_together, settle
from .annotations import Keys, merge_keys
from .calibration import calibrated
from .candidates import candidates_on, candidates_on_examples, spans_on
from .data.batch_gold import gold_of_batch
from .data.coverage import Coverage, coverage_table, measure
from .data.gold import visible_rows
from .data.layers import further_names
from .data.relabelling import Mapped, check_unknown, count_mapped, mapping_table
from .data.teaching import teaches
from .data.tokenization import check_tokenizer
from .divergence import UpdateWatch
from .entities import set_extensions
from .hierarchy import prepare_tasks
from .meta import name_pipeline
from .model import TrainingBatch, network_of, sentence_of, training_threads, warn_without_sentences
from .nn.batch import CandidateSpans
from .nn.head import Head
from .prediction import Prediction, Predictions, predict_ahead, threads_for
from .side_by_side import SideBySide
from .tasks.base import Task
from .thresholds import ThresholdChoice


class HMTL(TrainablePipe):
    """Hierarchical multi-task learning of entities, mentions, coreference and relations.

    tasks: the levels by name, lowest first.
    thresholds: per task the probability from which something is predicted.
    spans: whose spans each level works on in use, one of `hierarchy.SPANS`; training is the same.
    agreement: how levels that contradict each other are settled in use, see `agreement.SETTINGS`.
    scorer: from examples to scores; null to score nothing.
    blank_line_ends_sentence: whether sentences of the levels end at blank lines, too.
    threads: how many batches are predicted at a time, each on one core; null for all that torch uses.

    `keys` are the span groups that the tasks read and write.
    """

    def __init__(
        self,
        vocab: Vocab,
        model: Model,
        name: str = "hmtl",
        *,
        tasks: Dict[str, Task],
        thresholds: Dict[str, float],
        spans: Dict[str, str],
        agreement: Dict[str, str],
        scorer: Optional[Callable[..., Dict[str, Any]]],
        blank_line_ends_sentence: bool,
        threads: Optional[int],
    ):
        self.vocab = vocab
        self.model = model
        self.name = name
        self.tasks = tasks
        self.cfg: Dict[str, Any] = {
            "thresholds": {task: float(thresholds.get(task, 0.0)) for task in tasks},
            "spans": {name: spans.get(name, "own") for name, task in tasks.items() if task.takes_spans},
            "agreement": {**OWN, **agreement},
            "observed": {},
            "together": [],
            "calibration": {},
        }
        self.scorer = scorer
        self.blank_line_ends_sentence = blank_line_ends_sentence
        self.threads = threads
        self.coverage: Dict[Tuple[str, str], Coverage] = {}
        self.mapped: Dict[Mapped, int] = {}
        self.watch = UpdateWatch()
        self.choice: Optional[ThresholdChoice] = None
        self.keys: Keys = merge_keys({name: task.keys for name, task in tasks.items()})
        further_names(tasks)  # raises if two tasks fill the same layer of their own
        set_extensions()

    @property
    def labels(self) -> Tuple[str, ...]:
        """All labels, each as `task:label`."""
        return tuple(f"{name}:{label}" for name, task in self.tasks.items() for label in task.labels)

    @property
    def label_data(self) -> Dict[str, List[str]]:
        """The labels of each task; what `spacy init labels` stores and `initialize` takes."""
        return {name: list(task.labels) for name, task in self.tasks.items()}

    def add_label(self, label: str) -> int:
        """Add a label, as `task:label`, before the component is initialized.

        RETURNS: 1 if it was added, 0 if the task had it already.
        """
        name, _, task_label = label.partition(":")
        if name not in self.tasks or not task_label:
            raise ValueError(
                f"Can't add the label '{label}': give it as task:label, with one of the tasks "
                f"{list(self.tasks)}."
            )
        if task_label in self.tasks[name].labels:
            return 0
        if self.is_initialized:
            raise ValueError(
                f"Can't add the label '{label}' to '{self.name}': its network is built for the labels "
                f"{self.tasks[name].labels}. Initialize it again with data or labels that have the new one."
            )
        self.tasks[name].labels = [*self.tasks[name].labels, task_label]
        return 1

    @property
    def is_initialized(self) -> bool:
        return network_of(self.model) is not None

    def initialize(
        self,
        get_examples: Callable[[], Iterable[Example]],
        *,
        nlp: Optional[Language] = None,
        labels: Optional[Dict[str, List[str]]] = None,
    ) -> None:
        """Find the labels, report what can be learned from the corpus, and build the network.

        labels: the labels of each task; tasks that it doesn't name take theirs from the examples.
        """
        validate_get_examples(get_examples, f"{type(self).__name__}.initialize")
        examples = list(get_examples())
        for name, task in self.tasks.items():
            gold = [
                eg.reference for eg in examples if teaches(eg.reference, name) and task.has_gold(eg.reference)
            ]
            if not gold:
                raise ValueError(
                    f"No training document teaches the task '{name}'. Annotate some, list the task "
                    f"among a corpus's tasks, or remove it from [components.{self.name}] hierarchy "
                    f"{list(self.tasks)}."
                )
            given = (labels or {}).get(name)
            task.labels = given or [
                *task.labels,
                *(x for x in task.find_labels(gold) if x not in task.labels),
            ]
            self.cfg["observed"][name] = task.observe(gold)
            task.prepare(self.cfg["observed"][name])
        self.cfg["calibration"] = {}
        self.cfg["together"] = labels_together((eg.reference for eg in examples), self.tasks)
        check_unknown(examples, self.tasks)
        self.coverage = measure(examples, self.tasks, self.sentence_of)
        logger.info("What '%s' can learn from:\n%s", self.name, coverage_table(self.coverage))
        self.mapped = count_mapped(examples)
        if self.mapped:
            logger.info("What '%s' learns labels as:\n%s", self.name, mapping_table(self.mapped))
        if nlp is not None:
            check_tokenizer([eg.reference for eg in examples], self.tasks, nlp)
            name_pipeline(nlp, examples)
        self.model.initialize(X=[eg.predicted for eg in examples], Y=self.label_data)
        self.watch = UpdateWatch()

    def predict(
        self, docs: Iterable[Doc], candidates: Optional[Dict[str, CandidateSpans]] = None
    ) -> Predictions:
        """Rows and scores of every task, per document.

        candidates: spans by task, in place of what documents have and levels find; see `Network.decode`.
        """
        with self._side_by_side() as side_by_side:
            return self._begin(list(docs), side_by_side, candidates or {}).result()

    def head(self, task: str) -> Head:
        """The torch module that scores a task; only once the component is initialized."""
        self._require_network()
        return network_of(self.model).level(task).head

    def set_annotations(self, docs: Iterable[Doc], scores: Predictions) -> None:
        for i, doc in enumerate(docs):
            for name in self.tasks:
                self.annotate(doc, name, *(part[i] for part in scores[name]))
                settle(doc, name, self.tasks, self.cfg)

    def annotate(self, doc: Doc, name: str, rows: numpy.ndarray, scores: numpy.ndarray) -> None:
        """Write what one task has predicted for a document."""
        task = self.tasks[name]
        decoded = visible_rows(doc, rows, scores, task.offset_columns)
        write = task.annotate if self.cfg["spans"].get(name, "own") == "own" else task.annotate_beside
        rows, scores = self.choice.keep(doc, name, decoded) if self.choice else decoded
        write(doc, rows, calibrated(scores, self.cfg["calibration"].get(name)))

    def pipe(self, stream: Iterable[Doc], *, batch_size: int = 128) -> Iterator[Doc]:
        """Annotate a stream. If a batch fails, its documents are tried alone, and only those that
        fail then go to the error handler.
        """
        with self._side_by_side() as side_by_side:
            begin = partial(self._begin, side_by_side=side_by_side, given={})
            for docs, prediction in predict_ahead(minibatch(stream, batch_size), begin, side_by_side.n):
                try:
                    self.set_annotations(docs, prediction.result())
                    yield from docs
                except Exception as error:
                    if len(docs) == 1:
                        self.get_error_handler()(self.name, self, docs, error)
                    else:
                        yield from (doc for doc in map(self.__call__, docs) if doc is not None)

    def update(
        self,
        examples: Iterable[Example],
        *,
        drop: float = 0.0,
        sgd: Optional[Optimizer] = None,
        losses: Optional[Dict[str, float]] = None,
    ) -> Dict[str, float]:
        """Learn from a batch. `drop` has no effect: every layer has a dropout rate of its own.

        losses: the sum under the component's name, and each task's under `{name}_{task}`; how
            many updates these come from is counted under `{name}_{task}_updates`.
        """
        losses = {} if losses is None else losses
        losses.setdefault(self.name, 0.0)
        for name in self.tasks:
            losses.setdefault(f"{self.name}_{name}", 0.0)
            losses.setdefault(f"{self.name}_{name}_updates", 0)
        examples = list(examples)
        validate_examples(examples, f"{type(self).__name__}.update")
        self._require_network()
        gold = gold_of_batch(examples, self.tasks, self.sentence_of)
        if not gold.rows or not any(len(eg.predicted) for eg in examples):
            return losses
        docs = [eg.predicted for eg in examples]
        candidates = candidates_on_examples(examples, self.tasks, self._outside())
        batch = TrainingBatch(
            docs, gold.rows, self.cfg["thresholds"], candidates, gold.unannotated, gold.label_sets
        )
        with training_threads(self.model):
            task_losses, backprop = self.model.begin_update(batch)
            by_task = dict(zip(gold.rows, self.model.ops.to_numpy(task_losses).tolist()))
            self.watch.watch_losses(by_task, examples)
            backprop(self.model.ops.alloc1f(len(gold.rows)) + 1.0)
            if sgd:
                self.finish_update(sgd)
        for name, loss in by_task.items():
            losses[f"{self.name}_{name}"] += loss
            losses[f"{self.name}_{name}_updates"] += 1
            losses[self.name] += loss
        return losses

    def finish_update(self, sgd: Optimizer) -> None:
        """Update the weights, unless a gradient isn't finite, which is an error."""
        with training_threads(self.model):
            self.watch.watch_update(self.model, sgd)
            self.model.finish_update(sgd)
        self.cfg["calibration"] = {}  # it was of other weights

    def rehearse(self, *args: Any, **kwargs: Any) -> Dict[str, float]:
        """Refused: spaCy's default does nothing, without a word."""
        raise ValueError(
            f"'{self.name}' can't rehearse. So that it forgets nothing, train on documents of the earlier "
            f"corpus too (a further section of [corpora.train.corpora]), or leave it out: "
            f"nlp.rehearse(examples, exclude=['{self.name}'])."
        )

    def score(self, examples: Iterable[Example], **kwargs: Any) -> Dict[str, Any]:
        if self.scorer is None:
            return {}
        examples = list(examples)
        chosen = self.choice.choose(self.name, self.tasks, examples) if self.choice else {}
        return {**self.scorer(examples, tasks=self.tasks), **chosen}

    def sentence_of(self, doc: Doc) -> numpy.ndarray:
        """The sentence of each token, as the levels divide the document. [n_tokens]"""
        return sentence_of(doc, self.blank_line_ends_sentence)

    def _side_by_side(self) -> SideBySide:
        return SideBySide(threads_for(self.model, self.threads))

    def _begin(
        self, docs: List[Doc], side_by_side: SideBySide, given: Dict[str, CandidateSpans]
    ) -> Prediction:
        self._require_network()
        prepare_tasks(self.name, self.cfg, self.tasks)
        check_agreement(self.name, self.cfg["agreement"])
        warn_without_sentences(self.name, docs)
        sources = {name: source for name, source in self._outside().items() if name not in given}
        on_docs = candidates_on(docs, self.tasks, sources)
        on_docs.update(spans_on(docs, self.tasks, self.cfg["spans"]))
        thresholds = self.choice.lowest() if self.choice else self.cfg["thresholds"]
        return Prediction(self.model, docs, thresholds, {**on_docs, **given}, side_by_side)

    def _outside(self) -> Dict[str, str]:
        """The levels that aren't in the hierarchy from which tasks take their candidates, by task."""
        sources = {name: self.head(name).candidates_from for name in self.tasks}
        return {name: source for name, source in sources.items() if source and source not in self.tasks}

    def _require_network(self) -> None:
        if not self.is_initialized:
            raise ValueError(
                f"The component '{self.name}' isn't trained yet: train it with `python -m spacy train` on a "
                f"config that has it, or load a trained pipeline with spacy.load."
            )


def score_tasks(examples: List[Example], *, tasks: Dict[str, Task]) -> Dict[str, Any]:
    """The scores of every task, each on the documents that are annotated for it."""
    scores: Dict[str, Any] = {}
    for name, task in tasks.items():
        scores.update(task.score([eg for eg in examples if teaches(eg.reference, name)]))
    return scores
