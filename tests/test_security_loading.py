"""Loading a stranger's pipeline runs no code, writes no file, asks nothing and takes no more memory than the
pipeline's own size warrants: one test for each promise in docs/security.md.
"""

import ast
import builtins
import json
import os
import pickle
import shutil
import sys
import tempfile
from contextlib import nullcontext
from io import BytesIO
from pathlib import Path

import pytest
import safetensors.torch
import spacy
import srsly
import torch

pytest.importorskip("transformers", reason="needs the extra hmtl-spacy[hf]")

import transformers
from tiny import layers, make_examples, train
from tiny_transformer import pipeline, save_transformer

import hmtl_spacy
from hmtl_spacy.embedding.transformer import resolve
from hmtl_spacy.factories import make_transformer
from hmtl_spacy.storage import DamagedPipeline

HOSTILE = "damaged or hostile"
TRANSFORMER, MIX, NETWORK = ("hmtl-transformer", 0), ("hmtl-transformer", 1), ("hmtl", 0)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return save_transformer(tmp_path_factory.mktemp("bert"))


@pytest.fixture(scope="module")
def trained(folder):
    nlp = pipeline(folder)
    train(nlp, make_examples(nlp.vocab), steps=1)
    return nlp


@pytest.fixture(scope="module")
def harmless(folder):
    """A transformer as spacy-transformers' shim stores it, to be made hostile."""
    pytest.importorskip("spacy_transformers", reason="needs the extra hmtl-spacy[transformers]")
    from spacy_transformers.layers.hf_shim import HFShim
    from spacy_transformers.layers.transformer_model import huggingface_from_pretrained

    objects = huggingface_from_pretrained(folder, {"use_fast": True}, {})
    return HFShim(objects).to_bytes()


class Watch:
    """What may not happen: code that leaves a mark, files outside, questions."""

    def __init__(self, path, monkeypatch):
        self.outside, self.temporary = path / "outside", path / "temporary"
        for made in (self.outside, self.temporary):
            made.mkdir()
        self.mark = self.outside / "code-ran"
        self.code = f"open({str(self.mark)!r}, 'w')\nclass Evil: pass\n"
        self.questions = []
        self.modules = set(sys.modules)
        monkeypatch.setattr(tempfile, "tempdir", str(self.temporary))
        monkeypatch.setattr(builtins, "input", self.ask)
        monkeypatch.setattr(sys, "stdin", None)
        monkeypatch.setattr("transformers.dynamic_module_utils.TIME_OUT_REMOTE_CODE", 1)
        monkeypatch.setattr("transformers.dynamic_module_utils.HF_MODULES_CACHE", str(path / "modules"))
        monkeypatch.setattr(sys, "path", list(sys.path))

    def ask(self, *args):
        self.questions.append(args)
        return "y"

    def nothing_happened(self):
        assert not self.questions
        assert not list(self.outside.iterdir()) and not list(self.temporary.iterdir())
        assert not any("evil" in name for name in set(sys.modules) - self.modules)


@pytest.fixture
def watch(tmp_path, monkeypatch):
    return Watch(tmp_path, monkeypatch)


def tampered(nlp, path, place, change):
    """Store a pipeline with one shim's bytes changed. place: the layer's name and which of its shims."""
    nlp.to_disk(path)
    file, (layer, index) = path / "hmtl" / "model", place
    message = srsly.msgpack_loads(file.read_bytes())
    node = next(i for i, node in enumerate(message["nodes"]) if node["name"] == layer)
    message["shims"][node][index] = change(message["shims"][node][index])
    file.write_bytes(srsly.msgpack_dumps(message))
    return path


def is_refused(path, match=HOSTILE):
    with pytest.raises(DamagedPipeline, match=match):
        spacy.load(path)


class Payload:
    """A pickle that writes a file when it is loaded."""

    def __init__(self, mark):
        self.mark = mark

    def __reduce__(self):
        return open, (str(self.mark), "w")


def pickled(watch):
    torch.save({"weight": Payload(watch.mark)}, file := BytesIO())
    return file.getvalue()


def json_of(value):
    return json.dumps(value).encode()


def evil_class(message, watch):
    tokenizer = json.loads(message["tokenizer"]["tokenizer_config.json"])
    tokenizer.update(tokenizer_class="EvilTokenizer", auto_map={"AutoTokenizer": ["evil.Evil", "evil.Evil"]})
    message["tokenizer"].update({"evil.py": watch.code.encode(), "tokenizer_config.json": json_of(tokenizer)})


def trusted_code(message, watch):
    evil_class(message, watch)
    message["tokenizer"]["kwargs"] = {"use_fast": True, "trust_remote_code": True}


def absolute_name(message, watch):
    message["tokenizer"][str(watch.outside / "written")] = b"x"


def relative_name(message, watch):
    message["tokenizer"]["../../outside/written"] = b"x"


def code_of_the_configuration(message, watch):
    message["config"].update(model_type="evil", auto_map={"AutoConfig": "evil.Evil"})


def payload_in_weights(message, watch):
    message["state"] = pickled(watch)


@pytest.mark.parametrize(
    "attack",
    [
        evil_class,
        trusted_code,
        absolute_name,
        relative_name,
        code_of_the_configuration,
        payload_in_weights,
    ],
)
def test_a_message_with_files_and_code_is_refused(trained, harmless, watch, tmp_path, attack):
    message = srsly.msgpack_loads(harmless)
    attack(message, watch)
    path = tampered(trained, tmp_path / "stored", TRANSFORMER, lambda _: srsly.msgpack_dumps(message))
    try:
        is_refused(path)
    finally:
        watch.nothing_happened()


def test_the_same_from_bytes(trained, harmless, watch, folder, tmp_path):
    message = srsly.msgpack_loads(harmless)
    absolute_name(message, watch)
    path = tampered(trained, tmp_path / "stored", TRANSFORMER, lambda _: srsly.msgpack_dumps(message))
    component = pipeline(folder).get_pipe("hmtl")
    try:
        with pytest.raises(DamagedPipeline, match=HOSTILE):
            component.model.from_bytes((path / "hmtl" / "model").read_bytes())
    finally:
        watch.nothing_happened()


def changed(text, **values):
    """A change of a stored JSON text."""

    def change(data):
        tensors = safetensors.torch.load(data)
        settings = json.loads(bytes(tensors[f"texts.{text}"].numpy()))
        encoded = bytearray(json_of({**settings, **values}))
        tensors[f"texts.{text}"] = torch.frombuffer(encoded, dtype=torch.uint8)
        return safetensors.torch.save(tensors)

    return change


def with_text(name, content):
    def change(data):
        tensors = safetensors.torch.load(data)
        tensors[f"texts.{name}"] = torch.frombuffer(bytearray(content), dtype=torch.uint8)
        return safetensors.torch.save(tensors)

    return change


@pytest.mark.parametrize(
    "settings, match",
    [
        ({"auto_map": {"AutoModel": "evil.Evil"}}, r"settings \['auto_map'\]"),
        ({"model_type": "evil", "auto_map": {"AutoConfig": "evil.Evil"}}, "doesn't have, 'evil'"),
        ({"model_type": ["bert"]}, "doesn't have"),
        ({"model_type": "encoder-decoder"}, "consists of several models|settings"),
        ({"_attn_implementation_internal": "evil/kernel:run"}, "_attn_implementation_internal"),
        ({"attn_implementation": "evil/kernel:run"}, "attn_implementation"),
        ({"quantization_config": {"quant_method": "evil"}}, "quantization_config"),
        ({"trust_remote_code": True}, "trust_remote_code"),
        ({"experts_implementation": "evil/kernel:run"}, "experts_implementation"),
        ({"per_layer_config": {}}, "per_layer_config"),
        ({"of_another_version": {"a": 1}, "transformers_version": "9.1"}, "doesn't take .* with version 9.1"),
        ({"torch_dtype": "load"}, "torch_dtype is 'load'"),
        ({"dtype": "load"}, "dtype is 'load'"),
        ({"hidden_act": "evil"}, "no network can be built"),
    ],
)
def test_a_configuration_names_nothing_but_what_transformers_has(trained, watch, tmp_path, settings, match):
    try:
        is_refused(tampered(trained, tmp_path / "stored", TRANSFORMER, changed("config", **settings)), match)
    finally:
        watch.nothing_happened()


@pytest.mark.parametrize("name", ["evil.py", "../../outside/written", "/outside/written"])
def test_texts_of_other_names_are_refused_by_name(trained, watch, tmp_path, name):
    path = tampered(trained, tmp_path / "stored", TRANSFORMER, with_text(name, watch.code.encode()))
    try:
        is_refused(path, name)
    finally:
        watch.nothing_happened()


@pytest.mark.parametrize("text", ["config", "tokenizer", "special_pieces"])
@pytest.mark.parametrize("content", [b" ", b"\xff", b"{}", b"[]", b"[" * 100_000], ids=repr)
def test_a_damaged_text_is_refused(trained, tmp_path, text, content):
    is_refused(tampered(trained, tmp_path / "stored", TRANSFORMER, with_text(text, content)))


@pytest.mark.parametrize("place", [TRANSFORMER, MIX, NETWORK])
def test_a_pickle_in_weights_is_not_loaded(trained, watch, tmp_path, place):
    old = {"config": {}, "state": pickled(watch)}
    for data in (pickled(watch), pickle.dumps(Payload(watch.mark)), srsly.msgpack_dumps(old)):
        try:
            is_refused(tampered(trained, tmp_path / "stored", place, lambda _, data=data: data))
        finally:
            watch.nothing_happened()


def peak_memory():
    """Of this process, in MiB; 0 where it isn't known."""
    if not sys.platform.startswith("linux"):
        return 0
    status = Path("/proc/self/status").read_text()
    return int(status.split("VmHWM:")[1].split()[0]) / 1024


def claims(header, length=None):
    """A message whose header says more than there is."""
    encoded = json_of(header)
    return (length or len(encoded)).to_bytes(8, "little") + encoded + b"\0" * 64


HUGE = {"dtype": "F32", "shape": [2**20, 2**20], "data_offsets": [0, 2**42]}


@pytest.mark.parametrize("place", [TRANSFORMER, MIX, NETWORK])
@pytest.mark.parametrize(
    "data",
    [
        claims({}, length=2**62),
        claims({}, length=2**26),
        claims({"weights.weights": HUGE}),
        claims({"weights.weights": {**HUGE, "data_offsets": [0, 64]}}),
        b"",
        b"\0" * 8,
    ],
    ids=["header", "long header", "shape and place", "shape", "nothing", "empty"],
)
def test_an_oversized_message_is_refused_before_memory_is_taken(trained, tmp_path, place, data):
    before = peak_memory()
    is_refused(tampered(trained, tmp_path / "stored", place, lambda _: data))
    assert peak_memory() - before < 200


@pytest.mark.parametrize(
    "place, change",
    [
        (TRANSFORMER, changed("config", hidden_size=10**12)),
        (TRANSFORMER, changed("config", vocab_size=2**20)),
        (TRANSFORMER, changed("config", intermediate_size=2**20)),
        (TRANSFORMER, changed("config", max_position_embeddings=10**9)),
        (TRANSFORMER, changed("config", num_hidden_layers=10**12)),
        (TRANSFORMER, changed("config", num_hidden_layers=2**19)),
        (TRANSFORMER, changed("config", num_labels=10**12)),
        (TRANSFORMER, changed("config", id2label={"1": 10**12})),
        (MIX, changed("settings", n_layers=10**12)),
        (MIX, changed("settings", n_layers=10**30)),
        (MIX, changed("settings", n_layers=-1)),
        (MIX, changed("settings", build="evil")),
        (NETWORK, changed("settings", nI=10**12)),
        (NETWORK, changed("settings", nI="evil")),
        (NETWORK, changed("settings", nI=[1])),
    ],
)
def test_sizes_that_disagree_with_the_weights_are_refused_before_memory_is_taken(
    trained, tmp_path, place, change
):
    before = peak_memory()
    is_refused(tampered(trained, tmp_path / "stored", place, change))
    assert peak_memory() - before < 300


def test_a_width_of_the_config_is_compared_with_the_weights(trained, tmp_path):
    trained.to_disk(tmp_path)
    before = peak_memory()
    for changes in (
        {"embedding": {"parts": {"characters": {"width": 10**12}}}},
        {"tasks": {"ner": {"hidden": 10**12}}},
        {"tasks": {"ner": {"depth": 10**12}}},
    ):
        with pytest.raises(DamagedPipeline, match="its config was changed"):
            spacy.load(tmp_path, config={"components": {"hmtl": changes}})
    assert peak_memory() - before < 300


def test_many_labels_are_refused_before_their_table_is_made(trained, tmp_path):
    before = peak_memory()
    labels = {name: [f"L{i}" for i in range(10_000)] for name in trained.get_pipe("hmtl").tasks}
    is_refused(tampered(trained, tmp_path / "stored", NETWORK, changed("settings", labels=labels)))
    assert peak_memory() - before < 300


def test_padding_of_a_stored_tokenizer_is_not_followed(trained, tmp_path):
    padding = {
        "strategy": {"Fixed": 10**9},
        "direction": "Right",
        "pad_to_multiple_of": None,
        "pad_id": 0,
        "pad_type_id": 0,
        "pad_token": "[PAD]",
    }
    path = tampered(trained, tmp_path / "stored", TRANSFORMER, changed("tokenizer", padding=padding))
    text = "Ann likes Oslo."
    assert layers(spacy.load(path)(text)) == layers(trained(text))


def test_a_pipeline_of_ours_is_loaded_without_files_and_questions(trained, watch, tmp_path, monkeypatch):
    trained.to_disk(tmp_path / "stored")
    monkeypatch.setattr(tempfile, "mkdtemp", lambda *args, **kwargs: pytest.fail("a temporary folder"))
    loaded = spacy.load(tmp_path / "stored")
    assert layers(loaded("Ann likes Oslo.")) == layers(trained("Ann likes Oslo."))
    watch.nothing_happened()


@pytest.fixture
def package(tmp_path, monkeypatch):
    """An installed package `evil_folders` with a folder, and with links that lead out of it."""
    root = tmp_path / "site" / "evil_folders"
    for inside in (root / "model", tmp_path / "elsewhere", root / "nested"):
        inside.mkdir(parents=True)
    (root / "__init__.py").write_text("")
    (root / "linked").symlink_to(tmp_path / "elsewhere", target_is_directory=True)
    (root / "own").symlink_to(root / "model", target_is_directory=True)
    monkeypatch.syspath_prepend(str(root.parent))
    return root


def test_a_package_s_folder_is_not_left(package, tmp_path):
    assert resolve("package:evil_folders/model") == str(package / "model")
    assert resolve("package:evil_folders/nested/../model") == str(package / "model")
    assert resolve("package:evil_folders/own") == str(package / "model")
    for folder in ("..", "../..", "model/../..", "linked", "linked/..", str(tmp_path), "/"):
        with pytest.raises(ValueError, match="is outside the package 'evil_folders'"):
            resolve(f"package:evil_folders/{folder}")


def test_a_package_s_code_is_not_run_to_find_its_folder(package, watch):
    (package / "__init__.py").write_text(watch.code)
    for name in ("evil_folders.nested", ".evil_folders", "", "/evil_folders"):
        with pytest.raises(ValueError, match="no package"):
            resolve(f"package:{name}/model")
    assert resolve("package:evil_folders/model") == str(package / "model")
    watch.nothing_happened()


@pytest.mark.parametrize("file", ["tokenizer_config.json", "config.json"])
def test_a_folder_s_own_code_is_not_run(folder, watch, tmp_path, file):
    """Also not for training, where which transformer is used is the user's own choice."""
    copied = Path(shutil.copytree(folder, tmp_path / "copied"))
    (copied / "evil.py").write_text(watch.code)
    settings = json.loads((copied / file).read_text())
    own = {"AutoConfig": "evil.Evil", "AutoModel": "evil.Evil", "AutoTokenizer": ["evil.Evil", "evil.Evil"]}
    kind = {"tokenizer_class": "Evil"} if file == "tokenizer_config.json" else {"model_type": "evil"}
    (copied / file).write_text(json.dumps({**settings, **kind, "auto_map": own}))
    # transformers 5 takes a plain class for a tokenizer's own
    refused = pytest.raises(ValueError, match="trust_remote_code|execute")
    before_5 = transformers.__version__ < "5"
    try:
        with refused if before_5 or file == "config.json" else nullcontext():
            make_transformer(str(copied), window=30).initialize()
    finally:
        watch.nothing_happened()


def test_where_transformers_has_a_class_it_is_used_instead_of_a_folder_s_own(folder, watch, tmp_path):
    copied = Path(shutil.copytree(folder, tmp_path / "copied"))
    (copied / "evil.py").write_text(watch.code)
    settings = json.loads((copied / "config.json").read_text())
    (copied / "config.json").write_text(json.dumps({**settings, "auto_map": {"AutoModel": "evil.Evil"}}))
    model = make_transformer(str(copied), window=30)
    model.initialize()
    loaded = make_transformer(str(copied), window=30).from_bytes(model.to_bytes())
    assert not hasattr(loaded.shims[0]._model.config, "auto_map")
    watch.nothing_happened()


def called(tree):
    """The functions that a module calls, by name, and the modules that it imports."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            yield ast.unparse(node.func)
        elif isinstance(node, (ast.Import, ast.ImportFrom)):
            yield from (alias.name for alias in node.names)
            yield getattr(node, "module", None) or ""


def test_nothing_of_ours_reads_pickles_or_runs_texts():
    refused = {
        "pickle",
        "dill",
        "cloudpickle",
        "marshal",
        "shelve",
        "torch.load",
        "numpy.load",
        "eval",
        "exec",
    }
    for file in Path(hmtl_spacy.__file__).parent.rglob("*.py"):
        assert not refused & set(called(ast.parse(file.read_text(encoding="utf8")))), file


def test_every_promise_names_its_test():
    page = Path(__file__).parent.parent / "docs" / "security.md"
    if not page.exists():
        pytest.skip("the tests run without the project's docs")
    words = page.read_text(encoding="utf8").replace("`", " ").split()
    named = {word.strip(".,;:()") for word in words if word.startswith("test_") and os.sep not in word}
    here = {name for name in globals() if name.startswith("test_")}
    assert here - {"test_every_promise_names_its_test"} <= named
