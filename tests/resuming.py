"""Trainings in processes of their own, which may be killed; what they leave, to compare."""

import json
import os
import shutil
import signal
import traceback
from pathlib import Path

import safetensors.torch
import spacy
from spacy.tokens import DocBin
from tiny import ANNOTATED, TINY, TINY_TASKS, annotate, config_of

from hmtl_spacy.training import folder, replay, run

DROPOUT = {"dropout": 0.3}


def corpora(path):
    """Two corpora of a few documents each; returns the config of both by name."""
    nlp = spacy.blank("en")
    found = {}
    for name, numbers in (("news", [0, 1, 3, 0, 1]), ("talk", [2, 0, 3])):
        docs = [annotate(nlp.vocab, *ANNOTATED[number]) for number in numbers]
        file = path / f"{name}.spacy"
        DocBin(docs=docs, store_user_data=True).to_disk(file)
        found[name] = {"@readers": "hmtl_spacy.TaskCorpus.v1", "path": str(file), "gold_sentences": False}
    return found


def make_config(path, **training):
    """A short training of a small pipeline with dropout everywhere, evaluated at every third step."""
    parts = TINY["embedding"]["parts"]
    words = {**parts["words"], **DROPOUT, "word_dropout": 0.2}
    parts = {**parts, "characters": {**parts["characters"], **DROPOUT}, "words": words}
    tasks = {name: {**TINY_TASKS[name], **DROPOUT} for name in ("ner", "mentions")}
    component = {
        "factory": "hmtl",
        "hierarchy": ["ner", "mentions"],
        "embedding": {**TINY["embedding"], "parts": parts},
        "tasks": tasks,
    }
    config = config_of(None, None, component)
    for split in ("train", "dev"):
        config["corpora"][split]["corpora"] = corpora(path)
    config["training"].update({"max_steps": 9, "eval_frequency": 3, **training})
    config["training"]["annotating_components"] = ["sentencizer"]
    config["training"]["batcher"] |= {"words": 12}
    config["training"]["logger"]["output_file"] = "log.jsonl"
    config["training"]["optimizer"]["learn_rate"] = {
        "@schedules": "warmup_linear.v1",
        "warmup_steps": 2,
        "total_steps": 12,
        "initial_rate": 0.02,
    }
    return config


def in_process(function):
    """Call a function in a process of its own. RETURNS: how that ended, 0 if well."""
    child = os.fork()
    if not child:
        try:
            function()
            os._exit(0)
        except BaseException:
            traceback.print_exc()
            os._exit(1)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def train(config, where, resume=False, before=lambda: None, keep=True):
    """Train in a folder, in a process of its own.

    before: what is called first, to arrange for its death.
    keep: leave the last state, to compare it.
    RETURNS: how it ended.
    """
    where.mkdir(exist_ok=True)

    def body():
        os.chdir(where)
        if keep:
            folder.ResumeFolder.finish = lambda self, state: None
        before()
        run.train(config, Path("out"), resume=resume)

    return in_process(body)


def die():
    os.kill(os.getpid(), signal.SIGKILL)


def die_at_update(number):
    """Kill the process before an update; those that are replayed don't count."""

    def arrange():
        update = replay.ReplayedPipeline.update
        done = []

        def counted(self, *args, **kwargs):
            if not self.past:
                done.append(1)
                if len(done) > number:
                    die()
            update(self, *args, **kwargs)

        replay.ReplayedPipeline.update = counted

    return arrange


def die_at_write(number):
    """Kill the process before it makes a change to the files of its state or of model-best; where it writes
    tensors, when half of them are there.
    """

    def arrange():
        done = []

        def killing(function, half=False):
            def called(*args, **kwargs):
                done.append(1)
                if len(done) > number:
                    if half:
                        function(*args, **kwargs)
                        os.truncate(args[1], os.path.getsize(args[1]) // 2)
                    die()
                return function(*args, **kwargs)

            return called

        safetensors.torch.save_file = killing(safetensors.torch.save_file, half=True)
        os.replace = killing(os.replace)
        shutil.copytree = killing(shutil.copytree)
        for name in ("rename", "unlink"):
            setattr(Path, name, killing(getattr(Path, name)))

    return arrange


def left(where):
    """Everything that a training leaves: pipelines, the last state's tensors, the log but for the time."""
    files = {
        str(path.relative_to(where)): path.read_bytes()
        for path in sorted((where / "out").rglob("*"))
        if path.is_file() and path.name != "state.json" and not path.name.startswith("features")
    }
    log = [json.loads(line) for line in (where / "log.jsonl").read_text().splitlines()]
    state = json.loads((where / "out/resume/state.json").read_bytes())["state"]
    seconds = [
        (record.pop("seconds"), evaluation.pop(1)) for record, evaluation in zip(log, state["evaluations"])
    ]
    assert all(logged == stored for logged, stored in seconds)
    for scores in [
        *(record["scores"] for record in log),
        *(evaluation[2] for evaluation in state["evaluations"]),
    ]:
        del scores["speed"]
    return {**files, "log": log, "state": {key: x for key, x in state.items() if key not in ("files", "job")}}


def differences(one, other):
    return [name for name in {**one, **other} if one.get(name) != other.get(name)]
