"""Choose a trained pipeline's threshold of relations and score it on test parts, all in one process.

python -m experiments.scoring FOLDER reads FOLDER/scoring.json and writes FOLDER/scores.json.
"""

import sys
from pathlib import Path
from typing import Any, Dict, List, Optional

import srsly

from .configs import corpus_tasks, part_path
from .plan import SCORES, Settings, Training, test_part

GOLD_MENTIONS = {"paper": "coref_gm_paper_f", "any": "coref_gm_any_f"}


def scoring_plan(training: Training, settings: Settings, config: Dict[str, Any]) -> Dict[str, Any]:
    """What is to be scored, as data. That of A and E includes gold mentions for coreference."""
    tune: Optional[str] = None
    tests: List[Dict[str, Any]] = []
    for corpus, tasks in corpus_tasks(config).items():
        test = {"corpus": corpus, "path": str(part_path(training, settings, corpus, test_part(training)))}
        tests.append({**test, "tasks": tasks, "gold_mentions": None})
        if "coref" in tasks and training.setup in "AE":
            tests += [{**test, "tasks": ["coref"], "gold_mentions": kind} for kind in GOLD_MENTIONS]
        if "relations" in tasks:
            tune = config["corpora"]["dev"]["corpora"][corpus]["path"]
    return {"gpu_id": settings.gpu_id, "tune": tune, "tests": tests}


def score(model: Path, plan: Dict[str, Any]) -> Dict[str, Any]:
    """RETURNS: F1 from 0 to 1 by name, the threshold, and everything about each test part."""
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
    found: Dict[str, float] = {}
    tests = []
    for test in plan["tests"]:
        kind = test["gold_mentions"]
        result = to_json(evaluate(nlp, Path(test["path"]), tasks=test["tasks"], gold_mentions=kind))
        for key in [GOLD_MENTIONS[kind]] if kind else map(SCORES.get, test["tasks"]):
            found[key] = result["scores"][key]
        tests.append({**test, **result})
    return {"scores": found, "threshold": threshold, "tests": tests}


def main(folder: Path) -> None:
    plan = srsly.read_json(folder / "scoring.json")
    srsly.write_json(folder / "scores.json", score(folder / "model-best", plan))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
