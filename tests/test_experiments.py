"""The experiments: their configs, resumption, how convergence is read, tables beside the paper's."""

import json
import math
import shutil
import sys
from pathlib import Path
from time import monotonic

import numpy
import pytest
import spacy
from spacy.tokens import Doc, DocBin
from spacy.util import load_model_from_config, registry
from tiny import TINY, make_examples

from hmtl_spacy.data.converters import convert

ROOT = Path(__file__).resolve().parents[1]
if not (ROOT / "experiments").is_dir():
    pytest.skip("the tests run without the project's experiments", allow_module_level=True)
sys.path.append(str(ROOT / "experiments"))

from hmtl_experiments import training as running  # noqa: E402
from hmtl_experiments.again import main as again  # noqa: E402
from hmtl_experiments.comparing import differences  # noqa: E402
from hmtl_experiments.convergence import Reached, first_near  # noqa: E402
from hmtl_experiments.corpora import smaller, spread  # noqa: E402
from hmtl_experiments.document_counts import MEASURES, document_counts  # noqa: E402
from hmtl_experiments.forecast import duration, share_done, steps_of  # noqa: E402
from hmtl_experiments.plan import GRIDS, SCORES, Settings, Training, trainings  # noqa: E402
from hmtl_experiments.rows import paper, with_range  # noqa: E402
from hmtl_experiments.run import main  # noqa: E402
from hmtl_experiments.speed import _cells, compare  # noqa: E402
from hmtl_experiments.training import OutOfTime, TrainingFailed, begun_with, prepare, result_of  # noqa: E402
from hmtl_experiments.training_config import corpus_tasks, make_config  # noqa: E402

# setup: its levels, lowest first, each with what it reads
SETUPS = {
    "A": {"ner": [], "mentions": ["ner"], "coref": ["mentions"], "relations": ["mentions"]},
    "B": {"ner": []},
    "C": {"mentions": []},
    "D": {"relations": []},
    "E": {"coref": []},
    "F": {"ner": [], "mentions": ["ner"]},
    "G": {"mentions": [], "relations": ["mentions"]},
    "H": {"mentions": [], "coref": ["mentions"]},
    "I": {"ner": [], "mentions": ["ner"], "relations": ["mentions"]},
    "J": {"ner": [], "mentions": ["ner"], "coref": ["mentions"]},
    "K": {"mentions": [], "ner": ["mentions"]},
    "L": {"mentions": [], "ner": ["mentions"], "coref": ["ner"], "relations": ["ner"]},
}
# runs what comes after the path of a training's state, and ends it by force once that is there
INTERRUPT = """
import subprocess, sys, time, os
process = subprocess.Popen([sys.executable, *sys.argv[2:]])
while process.poll() is None and not os.path.exists(sys.argv[1]):
    time.sleep(0.02)
process.kill()
process.wait()
"""
UPDATES = {"science": 4500 // 2, "open": 7500 // 3}


def config_of(setup, group="science", embeddings="full", size="full", seed=0):
    return make_config(Training(group, setup, embeddings, size, seed), Settings())


@pytest.mark.parametrize("setup", SETUPS)
def test_setups(setup):
    """Each has the levels of the paper's Table 3, initialises and learns on all of them."""
    config = config_of(setup)
    config["components"]["hmtl"]["embedding"]["parts"]["contextual"] = None
    nlp = load_model_from_config(config, auto_fill=True)
    component = nlp.get_pipe("hmtl")
    assert {name: task.inputs for name, task in component.tasks.items()} == SETUPS[setup]
    assert list(component.tasks) == list(SETUPS[setup])
    nlp.initialize(lambda: make_examples(nlp.vocab))
    losses = nlp.update(make_examples(nlp.vocab), losses={})
    assert all(losses[f"hmtl_{name}"] > 0 for name in SETUPS[setup])
    weights = config["training"]["score_weights"]
    counted = {key: value for key, value in weights.items() if value}
    keys = {
        "ner": "ents_f",
        "mentions": "spans_mentions_f",
        "coref": "coref_f",
        "relations": "rel_last_token_f",
    }
    assert set(counted) == {keys[name] for name in SETUPS[setup]}
    assert len(set(counted.values())) == 1 and sum(counted.values()) == pytest.approx(1, abs=0.01)


def test_every_setup_of_the_paper_is_trained_and_shared():
    assert [setup for setup, _ in GRIDS["ablation"]] == list(SETUPS)
    shared = {name: set(trainings(name, ["science"], "full", [0, 1])) for name in GRIDS}
    assert len(shared["ablation"] | shared["embeddings"] | shared["speed"]) == 2 * (12 + 2)
    assert shared["speed"] < shared["ablation"]


@pytest.mark.parametrize("group", UPDATES)
@pytest.mark.parametrize("setup", "ABDGL")
def test_every_corpus_gets_the_same_updates_and_those_without_a_level_are_left_out(group, setup):
    config = config_of(setup, group)
    tasks = corpus_tasks(config)
    assert all(tasks.values()) and set().union(*tasks.values()) == set(SETUPS[setup])
    used = {name for name, corpus in config["corpora"]["dev"]["corpora"].items() if corpus}
    assert used == set(tasks)
    steps = config["training"]["max_steps"]
    assert steps == pytest.approx(len(tasks) * UPDATES[group], abs=20)
    assert steps % config["training"]["eval_frequency"] == 0
    assert config["training"]["batcher"]["sampling"] == "uniform"


def test_the_learning_rate_rises_and_stays():
    settings = config_of("A")["training"]["optimizer"]["learn_rate"]
    rates = registry.resolve({"rates": settings})["rates"]
    first = [next(rates) for _ in range(1000)]
    assert first[0] == pytest.approx(0.00015) and first == sorted(first)
    assert first[100] < 0.003 and set(first[226:]) == {0.003}


def test_embeddings():
    parts = {name: config_of("A", embeddings=name) for name in ("full", "words_characters", "words")}
    left = {
        name: {part for part, value in config["components"]["hmtl"]["embedding"]["parts"].items() if value}
        for name, config in parts.items()
    }
    assert left["full"] > left["words_characters"] == {"characters", "words"}
    assert left["words"] == {"words"}


def test_smaller_corpora_have_documents_from_everywhere(tmp_path):
    chosen = spread([10] * 100, 100)
    assert len(chosen) == 10 and chosen == list(range(9, 100, 10))
    assert sum([500, 20, 30, 400, 50, 60, 7][i] for i in spread([500, 20, 30, 400, 50, 60, 7], 200)) <= 200
    source = tmp_path / "news" / "train.spacy"
    source.parent.mkdir()
    vocab = spacy.blank("en").vocab
    DocBin(docs=[Doc(vocab, words=["a"] * 5) for _ in range(20)]).to_disk(source)
    assert smaller(source, 100, tmp_path / "work") == source
    found = smaller(source, 30, tmp_path / "work")
    assert len(DocBin().from_disk(found)) == 6
    written = found.stat().st_mtime_ns
    assert smaller(source, 30, tmp_path / "work").stat().st_mtime_ns == written


def test_a_missing_corpus_says_what_to_do(tmp_path):
    with pytest.raises(FileNotFoundError, match="no corpus at '.*uner.*': run the project's convert-uner"):
        smaller(tmp_path / "uner" / "train.spacy", 10, tmp_path)


@pytest.mark.parametrize("size", ["reduced", "full"])
def test_without_corpora_it_ends_with_one_line(tmp_path, monkeypatch, capsys, size):
    monkeypatch.chdir(tmp_path)
    assert main(["speed", "--size", size, "--corpus", "elsewhere"]) == 1
    out, err = capsys.readouterr()
    message = "There is no corpus at 'elsewhere/uner/train.spacy': run the project's convert-uner first."
    assert err == f"{message} If the corpora are elsewhere, name their folder with --corpus.\n" and not out
    assert not list(tmp_path.rglob("*"))


def record(step, updates, score):
    losses = {"hmtl_ner_updates": updates, "hmtl_coref_updates": 99}
    return {"step": step, "losses": losses, "scores": {"ents_f": score, "coref_f": 0.0}}


def test_convergence_is_the_first_evaluation_near_the_best():
    scores = [0.0, 0.5, 0.792, 0.7, 0.8, 0.799]
    records = [record(20 * i, 10 if i else 1, score) for i, score in enumerate(scores)]
    assert first_near(records, "ner") == Reached(score=0.792, updates=21, total=41, last=False)
    records[2]["scores"]["ents_f"] = 0.791
    assert first_near(records, "ner") == Reached(score=0.8, updates=41, total=81, last=False)
    assert first_near(records[:5], "ner").last
    assert first_near(records, "ner", 0.5) == Reached(score=0.5, updates=11, total=21, last=False)
    assert first_near(records, "ner", 0.9) is None
    assert first_near(records, "coref") is None
    assert first_near(records, "mentions") is None and first_near([], "ner") is None


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A folder where commands run, with the smoke corpus in the folder above."""
    for split in ("train", "dev"):
        target = tmp_path / f"corpus/smoke/{split}.spacy"
        target.parent.mkdir(parents=True, exist_ok=True)
        convert("jsonl", ROOT / f"assets/smoke/{split}.jsonl", target)
    (tmp_path / "experiments").mkdir()
    monkeypatch.chdir(tmp_path / "experiments")
    return tmp_path / "experiments"


@pytest.fixture
def steps(monkeypatch):
    """Steps that only write what real ones would; what they were, and which fail, by training."""
    done = []
    failing = set()

    def step(command, job, one_thread, deadline):
        name = "train" if "train" in command else "score"
        done.append((job.training.setup, job.training.seed, name))
        if done[-1] in failing:
            raise TrainingFailed(f"{job.training.name}: exit status 1, see {job.log}")
        if name == "train":
            (job.folder / "model-best").mkdir(exist_ok=True)
            best = 0.8 if job.training.setup == "A" else 0.7
            lines = [record(0, 1, 0.1), record(5, 5, 0.7), record(10, 5, best), record(15, 5, 0.5)]
            job.evaluations.write_text("\n".join(map(json.dumps, lines)))
        else:
            scores = {"ents_f": 0.6 + 0.02 * job.training.seed + 0.1 * (job.training.setup == "A")}
            of_document = [100 * scores["ents_f"], 100, 100 * scores["ents_f"], 100]
            tests = [{"counts": {"ents_f": [of_document] * 25}}]
            running.write_json(job.folder / "scores.json", {"scores": scores, "tests": tests})

    monkeypatch.setattr(running, "run_step", step)
    return done, failing


def run(*more, experiment="ablation"):
    return main([experiment, "--groups", "smoke", "--size", "tiny", *more])


def test_finished_trainings_are_kept_and_models_deleted(folder, steps):
    done, _ = steps
    assert run("--setups", "A,B") == 0
    assert len(done) == 8 and not list(folder.rglob("model-best"))
    assert run("--setups", "A,B") == 0 and len(done) == 8
    assert run("--setups", "A,B", experiment="speed") == 0 and len(done) == 8
    assert run("--setups", "A,B", "--seeds", "0,1,2") == 0 and len(done) == 12


def test_a_changed_config_is_trained_anew(folder, steps):
    done, _ = steps
    run("--setups", "B", "--seeds", "0")
    run("--setups", "B", "--seeds", "0", "--transformer", "another")
    assert len(done) == 4


@pytest.mark.parametrize("left", ["", '{"scores": {"ents', "{}"])
def test_what_was_not_finished_is_done_again(folder, steps, left):
    """Killed between training and scoring, or with a result that was cut off or isn't of this config."""
    done, _ = steps
    training = Training("smoke", "B", "full", "tiny", 0)
    job = prepare(training, Settings())
    (job.folder / "model-last").mkdir(parents=True)
    if left:
        (job.folder / "result.json").write_text(left)
    assert result_of(job) is None
    assert run("--setups", "B", "--seeds", "0") == 0
    assert len(done) == 2 and result_of(job)["scores"] == {"ents_f": 0.6}
    assert not (job.folder / "model-last").exists()


def test_one_that_fails_is_reported_at_the_end_and_done_again_later(folder, steps, capsys):
    done, failing = steps
    failing.add(("A", 0, "score"))
    assert run("--setups", "A,B", "--seeds", "0") == 1
    out, err = capsys.readouterr()
    assert "1 of 2 trainings." in out
    assert "1 of 2 trainings failed:" in err and "seed-0/output.log" in err
    failing.clear()
    done.clear()
    assert run("--setups", "A,B", "--seeds", "0") == 0
    assert done == [("A", 0, "train"), ("A", 0, "score")]


def test_a_step_that_fails_names_its_log(folder):
    job = prepare(Training("smoke", "B", "full", "tiny", 0), Settings())
    job.folder.mkdir(parents=True)
    with pytest.raises(TrainingFailed, match="B-full/seed-0: exit status 3, see .*output.log"):
        running.run_step([sys.executable, "-c", "print('why'); exit(3)"], job, True, math.inf)
    assert job.log.read_text() == "why\n"


def test_tables_stand_beside_the_paper(folder, steps):
    run("--setups", "A,B")
    lines = (folder / "metrics/ablation.md").read_text().splitlines()
    assert "4 of 4 trainings." in lines
    assert "| A | 71.0 (70.0–72.0) | 87.4 |  |  |  |  |  |  |" in lines
    assert "| B | 61.0 (60.0–62.0) | 87.1 |  |  |  |  |  |  |" in lines
    assert "| *spread* | *2.0* |  |  |  |  |  |  |  |" in lines
    assert "| A − single task | **+10.0** [+10.0, +10.0] (+0.2) |  |  |  |" in lines
    data = json.loads((folder / "metrics/ablation.json").read_text())["groups"]["smoke"]
    assert data["differences"][0] == {
        "setup": "A",
        "against": "B",
        "task": "ner",
        "seeds": 2,
        "difference": pytest.approx(10),
        "interval": pytest.approx([10, 10]),
        "p": pytest.approx(1 / 10001),
        "corrected": pytest.approx(1 / 10001),
        "clear": True,
        "paper": pytest.approx(0.24),
    }
    written = (folder / "metrics/ablation.md").read_text()
    (folder / "metrics/ablation.md").unlink()
    assert again([]) == 0 and (folder / "metrics/ablation.md").read_text() == written
    stored = json.loads((folder / "results/ablation-tiny.json").read_text())
    assert len(stored["trainings"]) == 4 and stored["planned"] == {"smoke": 4}


def test_without_results_nothing_is_made_again(tmp_path, capsys):
    assert again(["--results", str(tmp_path)]) == 1
    assert f"There are no results in '{tmp_path}': run an experiment first." in capsys.readouterr().err


def test_speed_counts_updates_to_convergence(folder, steps):
    run("--setups", "A,B", experiment="speed")
    lines = (folder / "metrics/speed.md").read_text().splitlines()
    (found,) = [line for line in lines if line.startswith("| named entities")]
    assert [cell.strip() for cell in found.strip("|").split("|")] == [
        *("named entities (B)", "6 (6–6)", "11 (11–11)", "+83 % (-16 %)"),
        *("6 (6–6)", "6 (6–6)", "+0 %", "+10.0 (-0.0)"),
    ]


def test_what_was_still_rising_is_marked():
    """And how long A takes to the same score can be read all the same."""
    rising = [record(20 * i, 20 if i else 1, 0.1 * (i + 1)) for i in range(4)]
    row = compare({"B": {0: rising}, "A": {0: rising[1:]}}, {"B": {"ner": [40]}, "A": {"ner": [50]}}, "ner")
    assert row["unfinished"] == [True, True] and row["converged"] == {"single": [61], "multi": [60]}
    row = compare({"B": {0: rising}, "A": {0: rising[:3]}}, {"B": {"ner": [40]}, "A": {"ner": [50]}}, "ner")
    assert row["same"] == {"single": [41], "multi": [41]}
    assert _cells(row)[1:3] == ["≥ 61", "≥ 41"] and _cells(row)[4:6] == ["41", "41"]


def counted(*by_seed, n_docs=20):
    """Counts of seeds, in each of whose documents so many of ten are right."""
    return {seed: numpy.array([[right, 10, right, 10]] * n_docs, float) for seed, right in enumerate(by_seed)}


def test_a_difference_is_clear_in_several_seeds_that_agree_and_many_documents():
    def clear(here, there):
        [item] = differences({"A": {"ner": here}, "B": {"ner": there}}, {}, [("A", "B")])
        return item["clear"]

    assert clear(counted(8, 7), counted(7, 6))
    assert not clear(counted(8), counted(7)), "one seed"
    assert not clear(counted(9, 6), counted(7, 7)), "the seeds disagree"
    assert not clear(counted(8, 7, n_docs=3), counted(7, 6, n_docs=3)), "three documents can't tell"
    assert clear(counted(8, 7, 5), counted(7, 6)), "the seeds that both have"


def test_many_comparisons_are_corrected():
    """Six documents give p = 2 / 64 at best: enough for one comparison, not for two."""
    few = {name: {"ner": counted(right, right, n_docs=6)} for name, right in (("A", 8), ("B", 7), ("C", 6))}
    [one] = differences(few, {}, [("A", "B")])
    assert one["p"] == one["corrected"] == 2 / 64 and one["clear"]
    both = differences(few, {}, [("A", "B"), ("A", "C")])
    assert [item["corrected"] for item in both] == [4 / 64, 4 / 64] and not any(
        item["clear"] for item in both
    )


def test_counts_per_document_add_up_to_the_scores():
    """Of every task, on annotation that is right, wrong and missing in turns."""
    nlp = spacy.blank("en")
    nlp.add_pipe("hmtl", config=TINY)
    nlp.initialize(lambda: make_examples(nlp.vocab))
    examples = make_examples(nlp.vocab)
    for i, eg in enumerate(examples):
        other = eg.reference if i % 2 else examples[0].reference
        eg.predicted = spacy.tokens.Doc(nlp.vocab).from_bytes(other.to_bytes())
    for name, task in nlp.get_pipe("hmtl").tasks.items():
        counts = numpy.array(document_counts(name, task, examples))
        assert counts.shape == (4, 12 if name == "coref" else 4)
        score = task.score(examples)[SCORES[name]]
        assert 0 < score < 1 and MEASURES[name](counts.sum(axis=0)) == pytest.approx(score)


def test_sizes_with_other_updates(capsys):
    assert config_of("B", size="full-100")["training"]["max_steps"] == 90
    for wrong in ("huge", "reduced-", "reduced-0", "reduced-many"):
        with pytest.raises(SystemExit):
            main(["speed", "--size", wrong])
        assert f"There is no size '{wrong}': use one of full, reduced, tiny" in capsys.readouterr().err


def test_the_papers_numbers():
    numbers = paper()
    assert set(numbers["table3"]) == {*SETUPS, "A-GM", "E-GM"}
    for name, row in numbers["table3"].items():
        assert set(row) == set(SETUPS[name[0]])
    assert numbers["table3"]["A"] == {"ner": 87.36, "mentions": 85.69, "relations": 61.3, "coref": 64.78}
    assert numbers["table5"]["words"]["ner"] == 79.81
    assert numbers["table7"]["relations"]["updates_percent"] == 78


def test_one_seed_has_no_range():
    assert with_range([61.26]) == "61.3" and with_range([60.0, 63.0], 0) == "62 (60–63)"


def test_unknown_names_are_refused(capsys):
    with pytest.raises(SystemExit):
        main(["ablation", "--setups", "A,X"])
    assert "unknown: X. Choose from A, B" in capsys.readouterr().err


def test_the_plan_says_what_is_left_and_how_long_it_takes(folder, steps, capsys):
    """From the trainings that are finished: of the same setup first, then of the same corpora."""
    plan = ("--plan", "--setups", "A,B", "--seeds", "0,1", "--jobs", "2")
    assert run(*plan) == 0
    out = capsys.readouterr().out
    assert "| tiny/smoke/A-full/seed-0 | not begun | ? |" in out and "0 of 4 trainings are finished." in out
    assert "Without 4 of them: no training on the same corpora" in out
    assert run("--setups", "B", "--seeds", "0") == 0
    job = prepare(Training("smoke", "B", "full", "tiny", 0), Settings())
    result = json.loads((job.folder / "result.json").read_text())
    running.write_json(job.folder / "result.json", {**result, "seconds": {"train": 3000, "score": 600}})
    half = prepare(Training("smoke", "B", "full", "tiny", 1), Settings())
    running.write_json(half.begun, {"fingerprint": half.fingerprint, "seconds": {}})
    state = {"state": {"step": steps_of(half) // 2 - 1}}
    running.write_json(half.folder / "resume/state.json", state)
    capsys.readouterr()
    assert run(*plan, "--hours", "0.5") == 0
    out = capsys.readouterr().out
    assert "| tiny/smoke/B-full/seed-0 | finished |  |" in out
    assert "| tiny/smoke/B-full/seed-1 | 50 % trained | 30 min |" in out
    rate = 3600 / steps_of(job)
    others = 2 * rate * steps_of(prepare(Training("smoke", "A", "full", "tiny", 0), Settings()))
    assert f"take about {duration((1800 + others) / 2)}, 2 at a time" in out
    assert f"{math.ceil((1800 + others) / 3600)} pieces of 0.5 hours." in out
    assert len(steps[0]) == 2, "nothing was trained"


def test_durations():
    assert [duration(seconds) for seconds in (9, 100, 7380)] == ["9 s", "2 min", "2 h 3 min"]


def test_time_that_is_over_leaves_the_rest_for_the_next_piece(folder, steps, capsys):
    done, _ = steps
    assert run("--setups", "B", "--hours", "1e-12") == 0
    out = capsys.readouterr().out
    assert not done and "0 of 2 trainings." in out
    assert "The time is over: 2 of 2 trainings are left. The same command goes on." in out
    assert run("--setups", "B", "--hours", "1") == 0 and len(done) == 4
    assert "are left" not in capsys.readouterr().out


def test_a_step_ends_at_the_deadline_and_its_time_counts(folder, monkeypatch):
    monkeypatch.setattr(running, "PART_OF_SPACY", [sys.executable, "-c", "import time; time.sleep(60)"])
    job = prepare(Training("smoke", "B", "full", "tiny", 0), Settings())
    with pytest.raises(OutOfTime):
        running.run(job, Settings(), monotonic() + 0.3)
    assert 0.2 < begun_with(job)["seconds"]["train"] < 30 and result_of(job) is None


@pytest.mark.slow
def test_an_interrupted_training_goes_on(folder, monkeypatch):
    """It isn't begun anew, and ends with the scores of one that was never interrupted."""
    job = prepare(Training("smoke", "B", "full", "tiny", 0), Settings())
    run_step, logs = running.run_step, []

    def stop_after_an_evaluation(command, job, one_thread, deadline):
        if "train" in command and not logs:
            logs.append("interrupted")
            until = [sys.executable, "-c", INTERRUPT, str(job.folder / "resume/state.json"), *command[1:]]
            run_step(until, job, one_thread, deadline)
            raise OutOfTime
        run_step(command, job, one_thread, deadline)

    monkeypatch.setattr(running, "run_step", stop_after_an_evaluation)
    assert run("--setups", "B", "--seeds", "0") == 0 and result_of(job) is None
    assert 0 < share_done(job) < 1
    assert run("--setups", "B", "--seeds", "0") == 0
    assert "Going on after step" in job.log.read_text()
    result, evaluations = result_of(job), job.evaluations.read_text().splitlines()
    shutil.rmtree(job.folder)
    assert run("--setups", "B", "--seeds", "0") == 0
    assert result_of(job)["scores"] == result["scores"] and len(evaluations) == 3
    assert not (job.folder / "resume").exists()


@pytest.mark.slow
def test_an_experiment_from_training_to_table(folder):
    """For real, on a few sentences; then there is nothing left to do."""
    assert run("--setups", "E", "--seeds", "0", "--jobs", "2", experiment="speed") == 0
    job = prepare(Training("smoke", "E", "full", "tiny", 0), Settings())
    result = result_of(job)
    assert set(result["scores"]) == {"coref_f", "coref_gm_paper_f", "coref_gm_any_f"}
    assert [test["tasks"]["coref"]["docs"] for test in result["tests"]] == [4, 4, 4]
    assert len(job.evaluations.read_text().splitlines()) == 3
    shutil.rmtree(folder.parent / "corpus")
    assert run("--setups", "E", "--seeds", "0", experiment="speed") == 0
