"""Workflow `paper` on small files of our own in the formats of the licensed corpora."""

import json
import re
import shlex
import shutil
import sys
from pathlib import Path

import pytest
import spacy
from converting import FIXTURES
from spacy.cli._util import app
from spacy.tokens import DocBin
from typer.testing import CliRunner
from weasel.util.config import load_project_config

ROOT = Path(__file__).resolve().parents[1]
if not (ROOT / "experiments").is_dir():
    pytest.skip("the tests run without the project's experiments", allow_module_level=True)
sys.path.append(str(ROOT / "experiments"))

from hmtl_experiments.paper.__main__ import main  # noqa: E402
from hmtl_experiments.paper.converting import count_table  # noqa: E402
from hmtl_experiments.paper.expected import EXPECTED  # noqa: E402
from hmtl_experiments.paper.licensed import divided, missing  # noqa: E402
from hmtl_experiments.paper.scoring import original_relation_score, score_table  # noqa: E402
from hmtl_experiments.paper.table import ROWS, corpus_folders, row_config  # noqa: E402

NEWS, TALK = "XYZ_ENG_20300101.0001", "XYZ_CF_20300102.0002"
TINY = """
[training]
max_epochs = 2

[components.hmtl.tasks.coref]
hidden = 8
scorer_hidden = 8

[components.hmtl.tasks.ner]
hidden = 8

[components.hmtl.tasks.mentions]
hidden = 8

[components.hmtl.tasks.relations]
hidden = 8
depth = 1
"""


def make_licensed(folder):
    """The corpora as their owners have them, by variable."""
    folders = {variable: folder / variable for variable in EXPECTED}
    for part in ("train", "development", "test"):
        english = folders["ontonotes"] / part / "data" / "english" / "annotations"
        english.mkdir(parents=True)
        shutil.copy(FIXTURES / "conll2012.v4_gold_conll", english / "a.v4_gold_conll")
    folders["conll2003"].mkdir()
    for name in ("eng.train", "eng.testa", "eng.testb"):
        shutil.copy(FIXTURES / "conll2003.txt", folders["conll2003"] / name)
    shutil.copytree(FIXTURES / "ace", folders["ace2005"])
    write_lists(folders["ace_split"], train=[NEWS], dev=[NEWS], test=[NEWS, TALK])
    write_lists(folders["ace_split_rahman"], train=[NEWS, TALK], test=[NEWS])
    return folders


def write_lists(folder, **names):
    folder.mkdir()
    for part, of_part in names.items():
        (folder / part).write_text("\n".join(of_part) + "\n")


@pytest.fixture
def licensed(tmp_path):
    return make_licensed(tmp_path / "licensed")


def options(folders):
    return [f"--{variable.replace('_', '-')}={folder}" for variable, folder in folders.items()]


def run_workflow(row, **variables):
    """The workflow's commands, in this process."""
    spacy.registry.cli.get_all()  # as `python -m spacy` does
    overrides = {f"vars.{key}": str(value) for key, value in {"setup": row, **variables}.items()}
    project = load_project_config(Path.cwd(), overrides=overrides)
    commands = {command["name"]: command["script"] for command in project["commands"]}
    for step in project["workflows"]["paper"]:
        for line in commands[step]:
            _, _, module, *args = shlex.split(line)
            if module == "hmtl_experiments.paper":
                assert main(args) == 0
            else:
                result = CliRunner().invoke(app, args)
                assert result.exit_code == 0, result.output


EXPECTED_SCORES = {
    "A": {"ents_f", "spans_mentions_f", "coref_f", "rel_last_token_f", "rel_original_f"},
    "A-GM": {"coref_f", "coref_gm_paper_f", "coref_gm_any_f", "rel_original_f"},
    "A-CoNLL-2003": {"ents_f", "coref_gm_paper_f"},
    "A-CoNLL-2012": {"ents_f", "coref_f"},
    "B": {"ents_f"},
}
CORPORA = {
    "A": {"ontonotes", "ace"},
    "A-GM": {"ontonotes", "ace", "ace_rahman"},
    "A-CoNLL-2003": {"conll2003", "ace", "ace_rahman"},
    "A-CoNLL-2012": {"ontonotes", "ace"},
    "B": {"ontonotes"},
}


@pytest.mark.parametrize("row", EXPECTED_SCORES)
def test_the_workflow_from_files_to_scores(row, licensed, tmp_path, monkeypatch, capsys):
    shutil.copytree(ROOT / "configs", tmp_path / "configs")
    tmp_path /= "experiments"
    shutil.copytree(ROOT / "experiments/configs", tmp_path / "configs")
    shutil.copy(ROOT / "experiments/project.yml", tmp_path)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "tiny.cfg").write_text(TINY)
    variant = "../configs/hmtl_static.cfg configs/halving.cfg tiny.cfg"
    run_workflow(row, variant=variant, **licensed)
    assert {path.name for path in (tmp_path / "corpus").iterdir() if path.is_dir()} == CORPORA[row]
    written = json.loads((tmp_path / f"metrics/paper/{row}/seed-0/scores.json").read_text())
    assert EXPECTED_SCORES[row] <= set(written["scores"])
    assert ("coref_gm_paper_f" in written["scores"]) == ROWS[row].gold_mentions
    assert written["row"] == row and set(written["evaluations"]) >= set(ROWS_TASKS[row])
    table = (tmp_path / f"metrics/paper/{row}/seed-0/scores.md").read_text()
    assert f"| {row} | F1 | paper |" in table and table in capsys.readouterr().out
    config = spacy.util.load_config(tmp_path / f"training/paper/{row}/seed-0/config.cfg", interpolate=True)
    epoch = config["training"]["eval_frequency"]
    assert epoch == config["training"]["optimizer"]["learn_rate"]["steps_per_epoch"] > 0
    assert config["training"]["patience"] == 10 * epoch


ROWS_TASKS = {row: ["ner"] if row == "B" else ["ner", "mentions", "coref", "relations"] for row in CORPORA}


def test_documents_of_the_rows(licensed, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert main(["convert", "A-GM", *options(licensed), "--record", "record.json"]) == 0

    def ids(corpus, part):
        docs = DocBin().from_disk(tmp_path / f"corpus/{corpus}/{part}.spacy").get_docs(spacy.vocab.Vocab())
        return [doc.user_data["id"] for doc in docs]

    assert len(ids("ontonotes", "train")) == 3
    assert (ids("ace", "train"), ids("ace", "test")) == ([NEWS], [NEWS, TALK])
    assert sorted(ids("ace_rahman", "train") + ids("ace_rahman", "dev")) == sorted([NEWS, TALK])
    record = json.loads((tmp_path / "record.json").read_text())
    assert set(record) == CORPORA["A-GM"] and len(record["ace"]["train"]["sha256"]) == 64
    lines = "\n".join(count_table("ontonotes", record["ontonotes"]))
    assert "| ontonotes | train | published | dev | published | test | published |" in lines
    assert "| sentences | 4 | 75,187 | 4 | 9,603 | 4 | 9,479 |" in lines
    assert "| *documents of the New Testament (without named entities)* | 1 |  | 1 |  | 1 |  |" in lines


def test_every_row_has_a_config_of_its_setup():
    for name, row in ROWS.items():
        config = row_config(name)
        hierarchy = config["components"]["hmtl"]["hierarchy"]
        assert {task for task, of_task in config["corpora"]["train"]["corpora"].items() if of_task} == set(
            hierarchy
        )
        assert row.setup == name.split("-")[0]
        assert list(corpus_folders(config)) == hierarchy
        parts = config["components"]["hmtl"]["embedding"]["parts"]
        assert (parts["contextual"] is None) == (row.embeddings is not None)
        assert (parts["characters"] is None) == (row.embeddings == "words")
    of_row = {row: {folder.name for folder in corpus_folders(row_config(row)).values()} for row in CORPORA}
    assert of_row == CORPORA


def test_the_original_settings():
    """The numbers of the original's configs."""
    config = row_config("A").interpolate()
    hmtl, training = config["components"]["hmtl"], config["training"]
    encoders = {
        name: (task["hidden"], task["depth"], task["dropout"]) for name, task in hmtl["tasks"].items()
    }
    assert encoders == {
        "ner": (64, 2, 0.2),
        "mentions": (64, 2, 0.2),
        "relations": (64, 3, 0.2),
        "coref": (200, 1, 0.5),
    }
    coref = hmtl["tasks"]["coref"]
    assert (coref["max_width"], coref["spans_per_token"], coref["max_antecedents"]) == (8, 0.4, 70)
    assert (coref["scorer_hidden"], coref["scorer_dropout"], coref["feature_width"]) == (150, 0.3, 20)
    assert not coref["string_match"] and coref["mention_weight"] == 0.0
    assert all(task["label_embedding_width"] == 0 for task in hmtl["tasks"].values())
    parts = hmtl["embedding"]["parts"]
    assert parts["case"] is None and parts["words"]["width"] == 100
    assert parts["contextual"]["trainable"] is False
    assert training["optimizer"]["learn_rate"] == {"@schedules": "constant.v1", "rate": 0.001}
    assert (training["optimizer"]["L2"], training["optimizer"]["use_averages"]) == (0.0, False)
    assert (training["max_epochs"], training["max_steps"], training["optimizer"]["grad_clip"]) == (
        100,
        0,
        5.0,
    )
    assert training["batcher"]["with_replacement"] and training["batcher"]["sampling"] == "proportional"


def test_what_is_missing_is_said_all_at_once(tmp_path, capsys):
    folders = {variable: tmp_path / variable for variable in EXPECTED}
    assert main(["check", "A-CoNLL-2003", *options(folders)]) == 1
    told = capsys.readouterr().err
    assert "Row A-CoNLL-2003 needs the corpora conll2003, ace, ace_rahman." in told
    for variable in ("conll2003", "ace2005", "ace_split", "ace_split_rahman"):
        assert f"{variable}: '{folders[variable]}' is not a folder." in told
        assert f"--vars.{variable} FOLDER" in told and told.count(EXPECTED[variable]) == 1
    assert "ontonotes" not in told
    assert main(["convert", "B", *options(folders), "--record", str(tmp_path / "b.json")]) == 1
    assert not (tmp_path / "b.json").exists()


def test_all_there(licensed, capsys):
    assert missing(["ontonotes", "conll2003", "ace", "ace_rahman"], licensed) == []
    assert main(["check", "A", *options(licensed)]) == 0
    assert "Row A: all files of ontonotes, ace are there." in capsys.readouterr().out


def test_a_single_file_for_each_part_serves(licensed):
    folder = licensed["ontonotes"]
    shutil.rmtree(folder)
    folder.mkdir()
    for part in ("train", "dev", "test"):
        for language in ("english", "chinese"):
            shutil.copy(FIXTURES / "conll2012.v4_gold_conll", folder / f"{part}.{language}.v4_gold_conll")
    assert missing(["ontonotes"], licensed) == []
    (folder / "train.english2.v4_gold_conll").touch()
    [told] = missing(["ontonotes"], licensed)
    assert "has several files for train: train.english.v4_gold_conll, train.english2.v4_gold_conll" in told


def test_files_that_are_missing(licensed):
    english = licensed["ontonotes"] / "development/data/english/annotations"
    (english / "a.v4_gold_conll").rename(english / "a.v4_gold_skel")
    shutil.rmtree(licensed["ontonotes"] / "test")
    (licensed["conll2003"] / "eng.testa").unlink()
    (licensed["ace_split_rahman"] / "test").unlink()
    (licensed["ace_split"] / "dev").write_text("nothing_of_this_name\n")
    told = missing(["ontonotes", "conll2003", "ace", "ace_rahman"], licensed)
    assert len(told) == 4
    assert (
        "has no *gold_conll file for development, test, only *gold_skel files, which skeleton2conll"
        in told[0]
    )
    assert "has no eng.testa.\n" in told[1]
    assert (
        "doesn't match the list" in told[2]
        and "dev:1: there is no document 'nothing_of_this_name'" in told[2]
    )
    assert "has no file test.\n" in told[3]
    (licensed["conll2003"] / "valid.txt").write_bytes(b"caf\xe9 NN B-NP O\n")
    assert missing(["conll2003"], licensed) == []  # what is in the files is the converter's affair
    (licensed["ace_split"] / "dev").write_bytes(b"caf\xe9\n")
    assert "dev:1: byte 0xe9 isn't UTF-8" in missing(["ace"], licensed)[0]


def test_a_damaged_file_is_named(licensed, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (licensed["conll2003"] / "eng.testb").write_text("-DOCSTART- -X- O O\n\nOslo NNP I-NP I-LOC\nand CC\n")
    assert main(["convert", "A-CoNLL-2003", *options(licensed), "--record", "record.json"]) == 1
    assert "eng.testb:4: found 2 columns" in capsys.readouterr().err
    assert not (tmp_path / "record.json").exists()


def test_a_list_of_development_documents_serves(licensed, tmp_path, monkeypatch):
    (licensed["ace_split_rahman"] / "dev").write_text(TALK)
    monkeypatch.chdir(tmp_path)
    assert main(["convert", "E-GM", *options(licensed), "--record", "record.json"]) == 0
    record = json.loads((tmp_path / "record.json").read_text())["ace_rahman"]
    assert [record[part]["written"]["documents"] for part in ("train", "dev", "test")] == [2, 1, 1]


def test_the_draw_of_development_documents():
    names = [f"doc{i}" for i in range(482)]
    train, dev = divided(names)
    assert (len(train), len(dev)) == (337, 145) and sorted(train + dev) == sorted(names)
    assert divided(names[::-1])[1] == dev[::-1]


def test_relations_scored_as_the_original_did(tmp_path, nlp):
    """Predictions in sentences without a gold relation don't count."""
    from tiny import ANNOTATED, annotate

    from hmtl_spacy.annotations import Relation, set_relations

    doc = annotate(nlp.vocab, *ANNOTATED[0])
    DocBin(docs=[doc], store_user_data=True).to_disk(tmp_path / "test.spacy")

    class Pipeline:
        vocab = nlp.vocab
        components = ()

        def pipe(self, docs):
            for found in docs:
                right = Relation(found[1:2], found[4:6], "WORK")
                elsewhere = Relation(found[7:8], found[9:10], "WORK")
                set_relations(found, [right, elsewhere])
                yield found

    assert original_relation_score(Pipeline(), tmp_path / "test.spacy") == 1.0


def test_the_table_shows_the_papers_numbers_where_they_compare():
    measures = {"rel_last_token_f": 0.5, "rel_original_f": 0.6, "coref_f": 0.5, "coref_gm_paper_f": 0.7}
    assert score_table("A-GM", measures)[2:] == [
        "| rel_last_token_f | 50.00 |  |",
        "| rel_original_f | 60.00 | 62.69 |",
        "| coref_f | 50.00 |  |",
        "| coref_gm_paper_f | 70.00 | 70.29 |",
    ]
    assert score_table("A", {"coref_f": 0.5})[2:] == ["| coref_f | 50.00 | 64.78 |"]
    assert score_table("A-GM-words", {"ents_f": 0.5})[2:] == ["| ents_f | 50.00 | 79.81 |"]
    assert score_table("A-CoNLL-2012", {"ents_f": 0.5})[2:] == ["| ents_f | 50.00 | 86.90 |"]


def test_the_documentation_names_all_rows_variables_and_configs():
    text = (ROOT / "docs" / "paper.md").read_text("utf8")
    rows = [name for name in ROWS if len(name) > 1] + ["A", "L"]
    for name in [*rows, *EXPECTED]:
        assert f"`{name}`" in text, name
    for path in re.findall(r"(?:experiments/)?configs/[\w/.]*\w", text):
        assert (ROOT / path).exists() or (ROOT / "experiments" / path).exists(), path
