"""Pipelines as packages: what they require, and that they work where they are installed."""

import json
import os
import subprocess
import sys
from importlib.metadata import distribution
from pathlib import Path

import pytest
import spacy
from packaging.requirements import Requirement
from spacy.cli.package import get_meta
from spacy.util import load_model_from_config
from tiny import layers, make_pipeline

import hmtl_spacy
from hmtl_spacy.factories import make_transformer
from hmtl_spacy.requirements import require_extras

# without an index, packages are built with what is installed, and the network isn't needed
ENVIRONMENT = {**os.environ, "OMP_NUM_THREADS": "1", "PIP_NO_INDEX": "1"}
TEXT = "Ann Lee works for Acme Corp . She likes it ."
TRANSFORMER = {
    "@architectures": "hmtl_spacy.Embedding.v1",
    "parts": {"contextual": {"@architectures": "hmtl_spacy.Transformer.v1", "name": "some/model"}},
}
IN_A_NEW_PLACE = """
import json
import en_hmtl_test
from tiny import layers

nlp = en_hmtl_test.load()
print(json.dumps({"path": en_hmtl_test.__file__, "layers": layers(nlp(TEXT))}))
"""


def run(*args, cwd=None, **environment):
    command = [sys.executable, *map(str, args)]
    done = subprocess.run(
        command, env={**ENVIRONMENT, **environment}, capture_output=True, text=True, cwd=cwd
    )
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    return done.stdout


@pytest.fixture(scope="module")
def wheel(trained_bytes, tmp_path_factory):
    folder = tmp_path_factory.mktemp("package")
    config, weights = trained_bytes
    load_model_from_config(config, auto_fill=False).from_bytes(weights).to_disk(folder / "model")
    (folder / "packages").mkdir()
    options = ["--name", "hmtl_test", "--version", "1.2.3", "--build", "wheel"]
    run("-m", "spacy", "package", folder / "model", folder / "packages", *options)
    return folder / "packages/en_hmtl_test-1.2.3/dist/en_hmtl_test-1.2.3-py3-none-any.whl"


def test_an_installed_pipeline_annotates_as_before(wheel, trained, tmp_path):
    run("-m", "pip", "install", "--no-deps", "--target", tmp_path, wheel)
    code = IN_A_NEW_PLACE.replace("TEXT", repr(TEXT))
    path = os.pathsep.join([str(tmp_path), os.path.dirname(__file__)])
    found = json.loads(run("-c", code, PYTHONPATH=path).splitlines()[-1])
    assert found["path"].startswith(str(tmp_path))
    expected = json.loads(json.dumps(layers(trained(TEXT))))
    assert expected["relations"] and expected["clusters"], "there is something to compare"
    assert found["layers"] == expected


def test_the_package_has_every_file_that_the_code_reads(tmp_path):
    root = Path(hmtl_spacy.__file__).resolve().parents[1]
    if not (root / "setup.py").exists():
        pytest.skip("the tests run without the project")
    run("setup.py", "-q", "build_py", "--build-lib", tmp_path, "egg_info", "--egg-base", tmp_path, cwd=root)
    ours = {path.relative_to(root) for path in (root / "hmtl_spacy").rglob("*") if path.is_file()}
    wanted = {path for path in ours if path.suffix != ".pyc"}
    wanted |= {Path("hmtl_spacy/configs") / path.name for path in (root / "configs").glob("hmtl*.cfg")}
    found = {path.relative_to(tmp_path) for path in (tmp_path / "hmtl_spacy").rglob("*") if path.is_file()}
    assert {path.suffix for path in wanted} >= {".css", ".js", ".html", ".typed", ".cfg"}
    assert found == wanted


def test_a_package_requires_the_compatible_versions(wheel, tmp_path):
    run("-m", "pip", "install", "--no-deps", "--target", tmp_path, wheel)
    (metadata,) = tmp_path.glob("*.dist-info/METADATA")
    lines = [line.partition(": ")[2] for line in metadata.read_text().splitlines() if "Requires-Dist" in line]
    required = {Requirement(line).name: Requirement(line) for line in lines}
    ours = required["hmtl-spacy"].specifier
    major, minor, patch = map(int, hmtl_spacy.__version__.split("."))
    assert f"{major}.{minor}.{patch}" in ours and f"{major}.{minor}.{patch + 1}" in ours
    assert f"{major}.{minor + 1}.0" not in ours
    assert not required["hmtl-spacy"].extras, "words and characters need no extra"
    assert spacy.__version__ in required["spacy"].specifier


def test_a_transformer_is_required_where_it_is_used(tmp_path):
    nlp = make_pipeline(embedding=TRANSFORMER)
    nlp.meta["requirements"].append("emoji>=1")
    nlp.to_disk(tmp_path, exclude=["hmtl"])
    config = spacy.util.load_config(tmp_path / "config.cfg")
    again = load_model_from_config(config, meta=json.loads((tmp_path / "meta.json").read_text()))
    ours = [line for line in again.meta["requirements"] if line.startswith("hmtl")]
    assert len(ours) == 1 and Requirement(ours[0]).extras == {"hf"}
    assert hmtl_spacy.__version__ in Requirement(ours[0]).specifier
    assert "emoji>=1" in again.meta["requirements"]
    required = map(Requirement, distribution("hmtl-spacy").requires)
    extras = {one.name: one for one in required if one.marker and one.marker.evaluate({"extra": "hf"})}
    assert all(version in extras["transformers"].specifier for version in ("4.53.2", "5.24.0", "6.0.0"))
    assert "spacy-transformers" not in extras


def test_what_spacy_finds_by_itself_isnt_named_twice(trained, tmp_path):
    trained.to_disk(tmp_path)
    trained.meta["requirements"] = ["hmtl-spacy[transformers]>=0.1.0,<0.2.0"]
    found = get_meta(tmp_path, trained.meta)["requirements"]
    assert [line for line in found if line.startswith("hmtl")] == ["hmtl-spacy[transformers]>=0.1.0,<0.2.0"]


def test_nothing_is_required_without_need(nlp):
    embedding = make_pipeline().get_pipe("hmtl").model.get_ref("embedding")
    require_extras(nlp, embedding)
    assert not nlp.meta.get("requirements")


def test_core_requirements():
    """No transformers without the extra, and no upper bound on torch."""
    core = [Requirement(line) for line in distribution("hmtl-spacy").requires]
    core = {one.name: one.specifier for one in core if one.marker is None}
    assert set(core) == {"spacy", "thinc", "torch", "safetensors", "numpy", "scipy", "jinja2"}
    assert "99.0" in core["torch"] and "2.0" not in core["torch"]


def test_without_the_extra_a_transformer_says_what_to_install(monkeypatch):
    monkeypatch.delitem(sys.modules, "hmtl_spacy.embedding.transformer", raising=False)
    monkeypatch.delitem(sys.modules, "hmtl_spacy.embedding.transformer_shim", raising=False)
    monkeypatch.setitem(sys.modules, "transformers", None)
    with pytest.raises(ImportError, match=r'transformers, which isn\'t installed.* "hmtl-spacy\[hf\]"'):
        make_transformer("some/model")
