"""Evaluation of a trained pipeline on annotated documents: all scores and counts of the tasks, as data."""

from collections import Counter
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from time import perf_counter
from typing import Any, Callable, Dict, FrozenSet, Iterable, Iterator, List, Optional, Sequence, cast

from spacy.language import Language
from spacy.tokens import Doc
from spacy.training import Example
from tqdm import tqdm

from ..calibration import Calibration
from ..calibration import measure as measure_calibration
from ..component import HMTL
from ..data.corpus import read_task_corpus
from ..data.coverage import measure
from ..data.label_rules import NO_RULES, LabelRules
from ..data.relabelling import Mapped, count_mapped
from ..data.tokenization import Tokenization, measure_tokenization, tokenize
from ..hierarchy import check_thresholds
from ..nn.batch import CandidateSpans
from ..prediction import Predictions
from ..tasks.base import Task, annotated_pairs
from .contradictions import Contradictions, count_contradictions
from .entity_relations import NamedFact, entity_relation_scores, named_facts
from .gold_mentions import annotate_source, gold_candidates, with_gold_mentions
from .known_labels import knowing_all_labels


@dataclass
class TaskResult:
    """What one task did on the documents that have gold for it.

    gold: annotations, all and by label; unusable: those out of reach of the model, by reason;
    unknown: labels that it never learned; settings: what the scores depend on; missing: tokens without
    annotation, on which predictions aren't scored; tokenization: gold spans that the tokenizer can't make;
    calibration: how confident its predictions are, and how many are right; None if it has no confidences.
    """

    docs: int
    gold: int
    per_label: Dict[str, int]
    unusable: Dict[str, int]
    unknown: List[str]
    settings: Dict[str, Any]
    scores: Dict[str, Any]
    missing: int = 0
    tokenization: Tokenization = field(default_factory=Tokenization)
    calibration: Optional[Calibration] = None


@dataclass
class Evaluation:
    """What a pipeline did on some documents, task by task.

    seconds: of annotating alone, not of scoring.
    sentences: where the component's sentence boundaries came from.
    mapped: how many annotations were mapped to labels of the pipeline, see `count_mapped`.
    given: the tasks that were given gold spans, and which: one of `GOLD_MENTIONS`.
    contradictions: how many of how many annotations of different layers contradict each other, by what.
    """

    docs: int = 0
    words: int = 0
    seconds: float = 0.0
    sentences: str = ""
    mapped: Dict[Mapped, int] = field(default_factory=dict)
    given: Dict[str, str] = field(default_factory=dict)
    tasks: Dict[str, Optional[TaskResult]] = field(default_factory=dict)
    contradictions: Dict[str, Contradictions] = field(default_factory=dict)

    @property
    def words_per_second(self) -> float:
        return self.words / self.seconds if self.seconds else 0.0


def evaluate(
    nlp: Language,
    path: Path,
    *,
    component: Optional[str] = None,
    tasks: Optional[Sequence[str]] = None,
    gold_sentences: bool = True,
    gold_mentions: Optional[str] = None,
    singletons: Optional[bool] = None,
    thresholds: Optional[Dict[str, float]] = None,
    progress: bool = False,
    inspect: Optional[Callable[[str, Task, List[Example]], None]] = None,
    rules: LabelRules = NO_RULES,
    entity_relations: bool = False,
    seen: Optional[Path] = None,
) -> Evaluation:
    """Annotate the documents of a `.spacy` file or folder and score them, task by task.

    component: name of the HMTL component; needed only if there are several.
    tasks: which to score; by default all.
    gold_sentences: give the component the sentence boundaries of the data, where it has them.
    gold_mentions: give the tasks that can take them (coreference, relations of spans) the gold spans.
        "paper": only those that the task could find itself, pruned as its own (Sanh et al. 2019); "any":
        all, of any width (Durrett and Klein 2014). The scores' names say which: `coref_gm_paper_f`,
        `rel_gm_any_strict_f`. A level that spans are taken from is scored with its own.
    singletons: overrides whether tasks that know singletons predict them, and count them on both sides.
    thresholds: overrides the component's, by task.
    progress: show a progress bar, on a terminal only.
    inspect: called with the name of each scored task, the task and the annotated examples.
    rules: how the labels of the documents relate to the pipeline's.
    entity_relations: also score relations between entities, see `entity_relation_scores`.
    seen: training data whose facts are left out of a further score of these.
    """
    name = find_component(nlp, component)
    hmtl = get_component(nlp, name)
    chosen = check_tasks(hmtl, tasks)
    examples = list(read_task_corpus(path, None, 0, gold_sentences, 0, rules)(nlp))
    check_gold(path, hmtl, tasks or (), examples)
    result = Evaluation(len(examples), sum(len(eg.predicted) for eg in examples))
    result.mapped = dict(count_mapped(examples))
    candidates = gold_candidates(hmtl, examples, gold_mentions) if gold_mentions else {}
    with overridden(hmtl, singletons, thresholds or {}):
        start = perf_counter()
        predictions = _annotate(nlp, name, examples, candidates, progress)
        result.seconds = perf_counter() - start
        result.contradictions = count_contradictions((eg.predicted for eg in examples), hmtl)
        tokenized = list(tokenize((eg.reference for eg in examples), nlp.make_doc))
        for name in chosen:
            if name in candidates:
                annotate_source(hmtl, name, examples, predictions)
            result.tasks[name] = evaluate_task(hmtl, name, examples, tokenized)
            if entity_relations or seen:
                _score_entities(result.tasks[name], hmtl.tasks[name], examples, nlp, seen)
            if inspect is not None:
                inspect(name, hmtl.tasks[name], examples)
    result.sentences = sentence_source(examples, gold_sentences)
    if gold_mentions:
        _say_given(result, candidates, gold_mentions)
    return result


def _say_given(result: Evaluation, tasks: Iterable[str], kind: str) -> None:
    """Note which tasks were given gold spans, in the names of their scores too."""
    result.given = dict.fromkeys(tasks, kind)
    for task in filter(None, map(result.tasks.get, result.given)):
        task.scores = {with_gold_mentions(key, kind): task.scores[key] for key in task.scores}


def _score_entities(
    result: Optional[TaskResult], task: Task, examples: Sequence[Example], nlp: Language, seen: Optional[Path]
) -> None:
    """Add the scores of relations between entities, for a task of relations that has gold."""
    if result is not None and task.layer == "relations":
        facts: Optional[FrozenSet[NamedFact]] = None
        if seen is not None:
            training = read_task_corpus(seen, None, 0, gold_sentences=True, limit=0)(nlp)
            facts = named_facts(eg.reference for eg in training)
        result.scores.update(entity_relation_scores(annotated_pairs(task, examples), facts))


def find_component(nlp: Language, name: Optional[str] = None) -> str:
    """The name of the pipeline's HMTL component; it must be named if there are several."""
    names = [pipe for pipe, proc in nlp.pipeline if isinstance(proc, HMTL)]
    if name is None and len(names) == 1:
        return names[0]
    if name in names:
        return name
    asked = f"'{name}'" if name else "its HMTL component without a name for it"
    raise ValueError(
        f"Can't evaluate {asked}: the pipeline is {nlp.pipe_names}, the HMTL components in it are {names}. "
        f"Name one of them."
    )


def get_component(nlp: Language, name: Optional[str] = None) -> HMTL:
    """The pipeline's HMTL component; it must be named if there are several."""
    return cast(HMTL, nlp.get_pipe(find_component(nlp, name)))


def check_tasks(hmtl: HMTL, tasks: Optional[Sequence[str]]) -> List[str]:
    """The tasks to score, in the order of the hierarchy."""
    if unknown := [name for name in tasks or () if name not in hmtl.tasks]:
        raise ValueError(
            f"Can't evaluate {unknown}: the component '{hmtl.name}' has the tasks {list(hmtl.tasks)}."
        )
    return [name for name in hmtl.tasks if not tasks or name in tasks]


def parse_thresholds(values: Sequence[str]) -> Dict[str, float]:
    """Thresholds by task, of texts such as "relations=0.4"."""
    thresholds = {}
    for value in values:
        name, _, number = value.partition("=")
        try:
            thresholds[name.strip()] = float(number)
        except ValueError:
            raise ValueError(f"Can't read the threshold '{value}': write it as task=0.4.") from None
    return thresholds


def sentence_source(examples: Sequence[Example], gold_sentences: bool) -> str:
    """Where the sentence boundaries of the annotated documents came from, in words."""
    docs = [(eg.predicted, eg.reference) for eg in examples if len(eg.predicted) > 1]
    if not all(doc.has_annotation("SENT_START") for doc, _ in docs):
        return "none, cut into windows"
    same = all(_starts(doc) == _starts(reference) for doc, reference in docs)
    has_gold = all(reference.has_annotation("SENT_START") for _, reference in docs)
    return "of the data" if gold_sentences and has_gold and same else "of the pipeline"


def evaluate_task(
    hmtl: HMTL, name: str, examples: Sequence[Example], tokenized: Sequence[Example] = ()
) -> Optional[TaskResult]:
    """Scores and counts of one task, or None if no document has gold for it.

    tokenized: the same documents on the tokens of the pipeline's tokenizer.
    """
    task = hmtl.tasks[name]
    pairs = annotated_pairs(task, examples)
    if not pairs:
        return None
    scores = task.score(list(examples))
    with knowing_all_labels(task, [gold for _, gold in pairs]) as unknown:
        per_label = _count_labels(task, [gold for _, gold in pairs])
        measured = measure(examples, {name: task}, hmtl.sentence_of).values()
        tokenization = measure_tokenization(tokenized, {name: task})
    unusable: Counter = Counter()
    for coverage in measured:
        unusable.update(coverage.lost)
    settings = {"singletons": task.singletons} if hasattr(task, "singletons") else {}
    total = sum(coverage.annotations for coverage in measured)
    missing = sum(coverage.missing for coverage in measured)
    counts = (len(pairs), total, per_label, dict(unusable), unknown, settings, scores, missing)
    judgements = [judgement for pair in pairs for judgement in task.judgements(*pair)]
    calibration = measure_calibration(judgements) if judgements else None
    return TaskResult(*counts, tokenization.get(name, Tokenization()), calibration)


def check_gold(path: Path, hmtl: HMTL, tasks: Sequence[str], examples: Sequence[Example]) -> None:
    """Raises if no document has gold for a task."""
    has_gold = [name for name, task in hmtl.tasks.items() if annotated_pairs(task, examples)]
    if missing := [name for name in tasks if name not in has_gold]:
        raise ValueError(
            f"'{path}' has no gold annotation for {missing}, which you asked for. It has some for {has_gold}."
        )


@contextmanager
def overridden(hmtl: HMTL, singletons: Optional[bool], thresholds: Dict[str, float]) -> Iterator[None]:
    """Other settings for a while."""
    parts = [part for name, task in hmtl.tasks.items() for part in (task, hmtl.head(name))]
    takers = [part for part in parts if hasattr(part, "singletons")]  # a task scores, its head predicts
    if singletons is not None and not takers:
        raise ValueError(f"None of the tasks {list(hmtl.tasks)} knows singletons: omit the option.")
    check_tasks(hmtl, list(thresholds))
    check_thresholds(hmtl.name, thresholds, hmtl.tasks)
    before = [taker.singletons for taker in takers], dict(hmtl.cfg["thresholds"])
    try:
        for taker in takers if singletons is not None else ():
            taker.singletons = singletons
        hmtl.cfg["thresholds"].update(thresholds)
        yield
    finally:
        for taker, value in zip(takers, before[0]):
            taker.singletons = value
        hmtl.cfg["thresholds"] = before[1]


def _annotate(
    nlp: Language,
    name: str,
    examples: List[Example],
    candidates: Dict[str, CandidateSpans],
    progress: bool,
) -> Predictions:
    """RETURNS: the rows and scores of what was given candidates."""
    docs = [eg.predicted for eg in examples]
    predictions: Predictions = {}
    if candidates:
        with nlp.select_pipes(enable=nlp.pipe_names[: nlp.pipe_names.index(name)]):
            docs = list(nlp.pipe(docs))
        hmtl = get_component(nlp, name)
        predictions = hmtl.predict(docs, candidates)
        hmtl.set_annotations(docs, predictions)
    else:
        bar = {"total": len(docs), "unit": " docs", "disable": None if progress else True, "leave": False}
        docs = list(tqdm(nlp.pipe(docs), **bar))
    for eg, doc in zip(examples, docs):
        eg.predicted = doc
    return predictions


def _starts(doc: Doc) -> List[bool]:
    return [bool(token.is_sent_start) for token in doc]


def _count_labels(task: Task, docs: Sequence[Doc]) -> Dict[str, int]:
    if not task.labels:
        return {}
    counts = Counter(int(row[-1]) for doc in docs for row in task.encode(doc))
    return {label: counts[i] for i, label in enumerate(task.row_labels)}
