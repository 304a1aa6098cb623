"""Scores a trained row on its test splits, by the paper's measures and by stricter ones."""

from pathlib import Path
from typing import Any, Dict, List, Optional, Tuple

from hmtl_spacy.annotations import get_relations
from hmtl_spacy.data.corpus import read_task_corpus
from hmtl_spacy.evaluation.evaluate import evaluate
from hmtl_spacy.evaluation.gold_mentions import GOLD_MENTIONS
from hmtl_spacy.evaluation.report import to_json
from hmtl_spacy.evaluation.tuning import tune_threshold
from hmtl_spacy.metrics import relation_scores

from ..plan import SCORES
from ..rows import markdown, paper
from .table import Row

ORIGINAL = "rel_original_f"
Measures = Dict[str, float]  # F1, 0 to 1, by name


def score_row(nlp: Any, row: Row, folders: Dict[str, Path]) -> Tuple[Measures, Dict[str, Any]]:
    """Score every task of the hierarchy on its corpus.

    folders: where the corpus of each task is.
    RETURNS: the F1 of each measure, and all results, by evaluation. Relations are scored at the paper's
        threshold, 0.5, and at the one that is best on the development split.
    """
    measures: Measures = {}
    evaluations: Dict[str, Any] = {}

    def add(name: str, task: str, **options: Any) -> Dict[str, Any]:
        result = evaluate(nlp, folders[task] / "test.spacy", tasks=[task], progress=True, **options)
        evaluations[name] = to_json(result)
        return result.tasks[task].scores

    for task in folders:
        scores = add(task, task)
        measures[SCORES[task]] = scores[SCORES[task]]
        if task == "relations":
            measures[ORIGINAL] = original_relation_score(nlp, folders[task] / "test.spacy")
            threshold, _ = tune_threshold(nlp, folders[task] / "dev.spacy", task, SCORES[task])
            tuned = add("relations_tuned", task, thresholds={task: threshold})
            measures[f"{SCORES[task]} at threshold {threshold}"] = tuned[SCORES[task]]
        for kind in GOLD_MENTIONS if task == "coref" and row.gold_mentions else ():
            measures[f"coref_gm_{kind}_f"] = add(f"coref_gm_{kind}", task, gold_mentions=kind)[
                f"coref_gm_{kind}_f"
            ]
    return measures, evaluations


def original_relation_score(nlp: Any, path: Path) -> float:
    """Compute F1 by last tokens, counting only predictions in sentences that have a gold relation.

    The original reads no other sentences, not even in its test split, so predictions there don't count
    and precision is higher.
    """
    examples = list(read_task_corpus(path, None, 0, True, 0)(nlp))
    gold, predicted = [], []
    for eg, doc in zip(examples, nlp.pipe([eg.predicted for eg in examples])):
        related = _rows(eg.reference)
        sentence_of = {token.i: i for i, sent in enumerate(eg.reference.sents) for token in sent}
        counted = {sentence_of[head[1] - 1] for head, _, _ in related}
        gold.append(related)
        predicted.append([row for row in _rows(doc) if sentence_of[row[0][1] - 1] in counted])
    return relation_scores(gold, predicted, mode="last_token")["f"]


def score_table(name: str, measures: Measures) -> List[str]:
    """Write the measures beside the paper's row; a Markdown table."""
    tables = paper()
    of_embeddings = {f"A-GM-{key}": row for key, row in tables["table5"].items()}
    published = {**tables["table3"], **tables["table4"], **of_embeddings}[name]
    body = [
        [measure, f"{100 * score:.2f}", "" if papers is None else f"{papers:.2f}"]
        for measure, score in measures.items()
        for papers in [_published(measure, published, measures)]
    ]
    return markdown([name, "F1", "paper"], body)


def _published(measure: str, published: Dict[str, float], measures: Measures) -> Optional[float]:
    """Find the paper's number for a measure, if that is how the paper measures it."""
    coref = "coref_gm_paper_f" if "coref_gm_paper_f" in measures else SCORES["coref"]
    keys = {**SCORES, "relations": ORIGINAL, "coref": coref}
    return next((score for task, score in published.items() if keys[task] == measure), None)


def _rows(doc: Any) -> List[Tuple[Tuple[int, int], Tuple[int, int], str]]:
    return [
        ((head.start, head.end), (tail.start, tail.end), label)
        for head, tail, label, _ in get_relations(doc) or []
    ]
