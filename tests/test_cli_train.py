"""`spacy hmtl train`: what it resumes, refuses and says, wherever it was killed."""

import json
import os
import shutil
from hashlib import blake2b
from pathlib import Path

import pytest
import safetensors.torch
import spacy
from resuming import die_at_update, die_at_write, differences, in_process, left, make_config, train
from spacy.cli._util import app
from spacy.cli.train import train as spacy_train
from typer.testing import CliRunner

from hmtl_spacy.annotate.locks import locked

if not hasattr(os, "fork"):
    pytest.skip("processes are forked", allow_module_level=True)


@pytest.fixture(scope="module")
def corpus(tmp_path_factory):
    """A folder with corpora and a config that reads them."""
    spacy.registry.cli.get_all()  # as `python -m spacy` does
    path = tmp_path_factory.mktemp("training")
    make_config(path, max_steps=6).to_disk(path / "config.cfg")
    return path


@pytest.fixture(scope="module")
def whole(corpus):
    """A training in one go, with its last state."""
    assert train(spacy.util.load_config(corpus / "config.cfg"), corpus / "whole", keep=True) == 0
    return corpus / "whole"


@pytest.fixture(scope="module")
def killed(corpus):
    """A training that was killed after its second evaluation."""
    config = spacy.util.load_config(corpus / "config.cfg")
    assert train(config, corpus / "killed", before=die_at_update(5)) < 0
    return corpus / "killed"


@pytest.fixture
def copy(corpus, killed, tmp_path, monkeypatch):
    """A copy of it, where commands run."""
    for path in (killed, corpus / "config.cfg", corpus / "news.spacy", corpus / "talk.spacy"):
        (shutil.copytree if path.is_dir() else shutil.copy)(path, tmp_path / path.name)
    monkeypatch.chdir(tmp_path / "killed")
    return tmp_path / "killed"


def resume(*more, config="../config.cfg", out="out"):
    found = CliRunner().invoke(app, ["hmtl", "train", str(config), "-o", str(out), "--resume", *more])
    return found.exit_code, " ".join(found.output.split())


def test_in_one_go_it_is_spacys_training(corpus, whole):
    """The same bytes; of the pipelines, that is: spaCy stores no state."""

    def body():
        os.chdir(corpus)
        spacy_train(Path("config.cfg"), Path("spacy"))

    assert in_process(body) == 0
    for name in ("model-best", "model-last"):
        ours, spacys = (
            {str(file.relative_to(path)): file.read_bytes() for file in path.rglob("*") if file.is_file()}
            for path in (whole / "out" / name, corpus / "spacy" / name)
        )
        assert not differences(ours, spacys)


def test_killed_at_every_write(corpus, whole, tmp_path):
    """Each process dies one write later than the one before, until one comes to its end."""
    config = spacy.util.load_config(corpus / "config.cfg")
    deaths = 0
    while train(config, tmp_path / "killed", resume=True, before=die_at_write(deaths)) < 0:
        deaths += 1
        assert deaths < 60
    assert deaths > 5
    assert not differences(left(whole), left(tmp_path / "killed"))


def test_a_finished_training_leaves_no_tensors_and_is_not_repeated(copy):
    code, said = resume()
    assert code == 0 and "Going on after step 3, where the training was interrupted" in said
    assert [path.name for path in Path("out/resume").iterdir()] == ["state.json"]
    assert sorted(path.name for path in Path("out").iterdir()) == ["model-best", "model-last", "resume"]
    before = Path("out/model-best/meta.json").stat().st_mtime_ns
    code, said = resume()
    assert code == 0 and "The training in out was finished at step 6: nothing is left to do" in said
    assert Path("out/model-best/meta.json").stat().st_mtime_ns == before
    code, said = resume("--training.max_steps", "1")
    assert code == 0 and "was finished, but training.max_steps was 6 and is 1" in said
    assert "replaces the pipelines there. To keep them, stop it and train to another --output" in said
    shutil.rmtree("out/model-best")
    code, said = resume("--training.max_steps", "1")
    assert code == 0 and "was finished, but model-best or model-last is gone" in said
    assert Path("out/model-best").exists()


def test_other_settings_are_refused(copy):
    code, said = resume("--training.patience", "7", "--training.optimizer.learn_rate.warmup_steps", "1")
    assert code == 1 and "Can't resume the training in out, which was interrupted at step 3" in said
    assert "training.patience was 1600 and is 7" in said and "max_steps" not in said
    assert "training.optimizer.learn_rate.warmup_steps was 2 and is 1" in said


def test_changed_corpora_are_refused(corpus, copy):
    """Of the files that the config names, since it names those of the first folder."""
    shutil.copy(corpus / "talk.spacy", corpus / "kept")
    try:
        shutil.copy(corpus / "news.spacy", corpus / "talk.spacy")
        code, said = resume()
    finally:
        shutil.copy(corpus / "kept", corpus / "talk.spacy")
    assert code == 1 and "the files of corpora.train.corpora.talk.path" in said and "have changed" in said


def test_a_lost_pipeline_is_refused(copy):
    shutil.rmtree("out/model-best")
    code, said = resume()
    assert code == 1 and "model-best or model-last is gone" in said


def test_without_a_state_it_begins(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    make_config(tmp_path, max_steps=1).to_disk("config.cfg")
    code, said = resume(config="config.cfg")
    assert code == 0 and "Nothing to resume in out: the training starts from the beginning" in said


def test_two_at_once_are_refused(copy):
    with locked(Path("out/resume")):
        code, said = resume()
    assert code == 1 and "Another run is writing to" in said


def cut(path):
    path.write_bytes(path.read_bytes()[:-100])


def flip(path):
    data = bytearray(path.read_bytes())
    data[-50] ^= 1
    path.write_bytes(data)


@pytest.mark.parametrize("damage", [cut, flip, Path.unlink])
@pytest.mark.parametrize("name", ["state.json", "training-00000003.safetensors"])
def test_a_damaged_state_is_refused(copy, damage, name):
    if (damage, name) == (Path.unlink, "state.json"):
        pytest.skip("without it, there is no state")
    damage(Path("out/resume") / name)
    code, said = resume()
    assert code == 1 and f"'out/resume/{name}' is damaged" in said and "Train without --resume" in said


def rewrite(change):
    path = Path("out/resume/state.json")
    state = json.loads(path.read_bytes())["state"]
    change(state)
    digest = blake2b(json.dumps(state, sort_keys=True).encode(), digest_size=16).hexdigest()
    path.write_text(json.dumps({"digest": digest, "state": state}))


def test_a_state_names_no_other_files(copy):
    rewrite(lambda state: state.update(files={"../../secret.safetensors": ""}))
    code, said = resume()
    assert code == 1 and "it names the file '../../secret.safetensors'" in said


def test_weights_that_do_not_fit_are_refused(copy):
    path = Path("out/resume/training-00000003.safetensors")
    tensors = safetensors.torch.load_file(path)
    name = next(name for name in tensors if name.startswith("weights/"))
    safetensors.torch.save_file({**tensors, name: tensors[name][:1].clone()}, path)
    digest = blake2b(b"." + path.read_bytes(), digest_size=16).hexdigest()
    rewrite(lambda state: state["files"].update({path.name: digest}))
    code, said = resume()
    assert code == 1 and "led to another pipeline" in said and name.partition("/")[2] in said


@spacy.Language.factory("counts_updates")
class CountsUpdates:
    """A component that learns, but not in a model."""

    is_trainable, model = True, None

    def __init__(self, nlp, name):
        self.n = 0

    def __call__(self, doc):
        return doc

    def update(self, examples, **settings):
        self.n += 1


def test_what_cannot_be_stored_is_told_before_training(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    config = make_config(tmp_path)
    config["components"]["counter"] = {"factory": "counts_updates"}
    config["nlp"]["pipeline"] = ["sentencizer", "counter", "hmtl"]
    config.to_disk("config.cfg")
    code, said = resume(config="config.cfg")
    assert code == 1 and not Path("out/model-last").exists()
    assert "The component 'counter' is trained, but has no Thinc model, so a training couldn't be" in said
