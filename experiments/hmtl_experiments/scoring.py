"""Choose the threshold of relations for a trained pipeline and score it on its test splits, in one process.

python -m hmtl_experiments.scoring FOLDER reads FOLDER/scoring.json and writes FOLDER/scores.json.
"""

import sys
from pathlib import Path
from typing import Any, Dict, List, Optional

import srsly

from .document_counts import document_counts
from .plan import SCORES, Settings, Training, test_split
from .training_config import corpus_tasks, split_path

FORMAT = 2  # of the scores: those of another are computed anew
GOLD_MENTIONS = {"paper": "coref_gm_paper_f", "any": "coref_gm_any_f"}


def scoring_plan(training: Training, settings: Settings, config: Dict[str, Any]) -> Dict[str, Any]:
    """Plan what to score, as data. For setups A and E coreference is also scored with gold mentions."""
    tune: Optional[str] = None
    tests: List[Dict[str, Any]] = []
    for corpus, tasks in corpus_tasks(config).items():
        path = split_path(training, settings, corpus, test_split(training))
        test = {"corpus": corpus, "path": str(path)}
        tests.append({**test, "tasks": tasks, "gold_mentions": None})
        if "coref" in tasks and training.setup in "AE":
            tests += [{**test, "tasks": ["coref"], "gold_mentions": kind} for kind in GOLD_MENTIONS]
        if "relations" in tasks:
            tune = config["corpora"]["dev"]["corpora"][corpus]["path"]
    return {"gpu_id": settings.gpu_id, "tune": tune, "tests": tests, "format": FORMAT}


def score(model: Path, plan: Dict[str, Any]) -> Dict[str, Any]:
    """Tune the threshold of relations and score a pipeline.

    model: folder of the trained pipeline.
    RETURNS: F1 from 0 to 1 by name, the threshold, and everything about each test split, `counts` by
        name and document among it.
    """
    import spacy
    from spacy.cli._util import setup_gpu

    from hmtl_spacy.evaluation.evaluate import evaluate
    from hmtl_spacy.evaluation.report import to_json
    from hmtl_spacy.evaluation.tuning import tune_threshold
    from hmtl_spacy.model import keep_features

    setup_gpu(plan["gpu_id"], silent=True)
    nlp = spacy.load(model)
    keep_features(nlp.get_pipe("hmtl").model)
    threshold = None
    if plan["tune"]:
        threshold, _ = tune_threshold(nlp, Path(plan["tune"]), "relations", SCORES["relations"])
    scores: Dict[str, float] = {}
    tests = []
    for test in plan["tests"]:
        kind = test["gold_mentions"]
        counts: Dict[str, List[List[float]]] = {}

        def count(name: str, task: Any, examples: Any, kind: Any = kind, counts: Any = counts) -> None:
            counts[GOLD_MENTIONS[kind] if kind else SCORES[name]] = document_counts(name, task, examples)

        evaluation = evaluate(nlp, Path(test["path"]), tasks=test["tasks"], gold_mentions=kind, inspect=count)
        result = to_json(evaluation)
        scores.update({key: result["scores"][key] for key in counts})
        tests.append({**test, **result, "counts": counts})
    return {"scores": scores, "threshold": threshold, "tests": tests}


def main(folder: Path) -> None:
    """Score the model in a folder by the plan beside it."""
    plan = srsly.read_json(folder / "scoring.json")
    srsly.write_json(folder / "scores.json", score(folder / "model-best", plan))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
