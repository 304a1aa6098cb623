"""What the engine is, and what a worker checks before it begins: no cluster is needed."""

import pytest
from annotating import TEXTS, write_jsonl
from test_cli_annotate import run

from hmtl_spacy.annotate import Ray, annotate, cluster
from hmtl_spacy.annotate.batches import Annotator
from hmtl_spacy.annotate.inputs import Inputs
from hmtl_spacy.annotate.remote import pack, unpack


@pytest.mark.parametrize(
    "options, match",
    [
        ({"engine": "spark"}, "There is no engine 'spark', expected one of: local, ray"),
        ({"engine": "ray", "n_process": 2}, "n_process is 2, but the engine is Ray: say how many workers"),
        (
            {"engine": Ray(workers=0)},
            "Asked for 0 workers with 1 CPUs and 0 GPUs each, expected 1 or more, with a CPU or a GPU",
        ),
        (
            {"engine": Ray(cpus_per_worker=0)},
            "Asked for workers with 0 CPUs and 0 GPUs each, expected 1 or more, with a CPU or a GPU",
        ),
        ({"engine": Ray(timeout=0)}, "The timeout is 0 seconds, expected more than 0"),
    ],
)
def test_what_cannot_work(trained, tmp_path, monkeypatch, options, match):
    monkeypatch.setattr(cluster, "find_spec", lambda name: name)
    with pytest.raises(ValueError, match=match):
        annotate(trained, write_jsonl(tmp_path / "in.jsonl", 1), tmp_path / "out.jsonl", **options)
    assert not (tmp_path / "out.jsonl").exists()


def test_without_ray(trained, tmp_path, monkeypatch):
    monkeypatch.setattr(cluster, "find_spec", lambda name: None)
    with pytest.raises(
        ImportError, match=r"needs Ray, which isn't installed: pip install \"hmtl-spacy\[ray\]\""
    ):
        annotate(trained, write_jsonl(tmp_path / "in.jsonl", 1), tmp_path / "out.jsonl", engine="ray")


def test_options_of_ray_without_it(trained, tmp_path):
    trained.to_disk(tmp_path / "model")
    source = write_jsonl(tmp_path / "in.jsonl", 1)
    code, output = run(tmp_path / "model", source, tmp_path / "out.jsonl", "--workers", 2)
    assert code == 1 and "there are options of Ray's: add --engine ray" in output


def test_as_many_workers_as_fit():
    assert Ray()._fitting({"CPU": 7.0}) == 7
    assert Ray(cpus_per_worker=2, gpus_per_worker=0.5)._fitting({"CPU": 9.0, "GPU": 1.0}) == 2
    with pytest.raises(ValueError, match="a worker needs 1 CPUs and 0 GPUs, and the cluster has 0 and 0"):
        Ray()._fitting({})


@pytest.fixture
def work(trained, tmp_path):
    trained.max_length = 1234
    trained.to_disk(tmp_path / "model")
    return Annotator(trained, ".jsonl", "jsonl")


@pytest.mark.parametrize("stored", [False, True])
def test_a_worker_has_the_drivers_pipeline(work, tmp_path, stored):
    import spacy

    work = Annotator(spacy.load(tmp_path / "model"), ".jsonl", "jsonl") if stored else work
    work.nlp.max_length = 1234
    theirs = unpack(pack(work, str(tmp_path / "model") if stored else None))
    (batch,) = Inputs(write_jsonl(tmp_path / "in.jsonl", len(TEXTS))).batches(10)
    assert theirs(batch.items) == work(batch.items) and theirs.nlp.max_length == 1234


def test_a_worker_with_another_pipeline_stops(work, tmp_path):
    import spacy

    nlp = spacy.load(tmp_path / "model")
    parcel = pack(Annotator(nlp, ".jsonl", "jsonl"), str(tmp_path / "model"))
    nlp.get_pipe("hmtl").cfg["thresholds"]["relations"] = 0.9
    nlp.to_disk(tmp_path / "model")
    with pytest.raises(
        RuntimeError, match=r"the pipeline of this worker .*digest \w+ there, \w+ here. Put the same"
    ):
        unpack(parcel)


def test_a_worker_with_other_packages_stops(work):
    parcel = pack(work)
    with pytest.raises(
        RuntimeError, match=r"the packages .*: spacy 1.0 there, 3\S+ here. Install the same versions"
    ):
        unpack(parcel._replace(versions={**parcel.versions, "spacy": "1.0"}))
