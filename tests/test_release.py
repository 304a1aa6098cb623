"""What is published: the sdist, its description, the entry of spaCy's Universe, the application's image."""

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import tarfile
from email import message_from_string
from pathlib import Path

import pytest
import srsly
from packaging.specifiers import SpecifierSet
from serving import serving
from spacy.cli._util import app
from spacy.util import load_model_from_config
from typer.main import get_command
from typer.testing import CliRunner

import hmtl_spacy
import hmtl_spacy.cli
from hmtl_spacy.registry import converters, registered

ROOT = Path(__file__).resolve().parents[1]
if not (ROOT / "setup.py").exists():
    pytest.skip("the tests run without the project", allow_module_level=True)

CITATION = srsly.read_yaml(ROOT / "CITATION.cff")
UNIVERSE = ROOT / "docs" / "universe.json"
# website/UNIVERSE.md and website/meta/universe.json of spaCy: what an entry must have, and may have
REQUIRED = {"id": str, "title": str, "slogan": str, "description": str, "pip": str, "code_example": list}
REQUIRED |= {"code_language": str, "author": str, "author_links": dict, "category": list, "tags": list}
OPTIONAL = {"github": str, "url": str, "thumb": str, "image": str}
CATEGORIES = set("pipeline training conversational research scientific visualizers apis nonpython".split())
CATEGORIES |= {"standalone", "models"}
LINKS = re.compile(r"\]\(([^)\s]+)\)")


def setup(folder, *command):
    done = subprocess.run(
        [sys.executable, "setup.py", "-q", *map(str, command)], cwd=folder, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.fixture(scope="module")
def sdist(tmp_path_factory):
    folder = tmp_path_factory.mktemp("sdist")
    setup(ROOT, "egg_info", "--egg-base", folder, "sdist", "--dist-dir", folder)
    [path] = folder.glob("*.tar.gz")
    with tarfile.open(path) as archive:
        archive.extractall(folder, filter="data")
    return folder / path.name.removesuffix(".tar.gz")


def test_an_sdist_is_the_whole_project(sdist):
    if not (ROOT / ".git").exists():
        pytest.skip("what belongs to the project is known from git alone")
    listed = subprocess.run(
        ["git", "ls-files", "-co", "--exclude-standard"], cwd=ROOT, capture_output=True, text=True
    )
    files = {name for name in listed.stdout.split("\n") if name and (ROOT / name).exists()}
    found = {str(path.relative_to(sdist)) for path in sdist.rglob("*") if path.is_file()}
    made = {name for name in found if name == "PKG-INFO" or "egg-info/" in name}
    assert found - made == files


def metadata(folder):
    return message_from_string((folder / "PKG-INFO").read_text("utf8"))


def test_the_metadata_are_those_of_the_citation(sdist):
    data = metadata(sdist)
    assert [data["Author"]] == [author["name"] for author in CITATION["authors"]]
    assert [word.strip() for word in data["Keywords"].split(",")] == CITATION["keywords"]
    versions = re.findall(r"Python :: (3\.\d+)", "\n".join(data.get_all("Classifier")))
    assert versions == ["3.10", "3.11", "3.12", "3.13"]
    assert all(version in SpecifierSet(data["Requires-Python"]) for version in versions)
    assert {line.split(", ")[1] for line in data.get_all("Project-URL", [])} == set(
        urls(CITATION.get("repository-code"))
    )


def urls(repository):
    tag = f"v{hmtl_spacy.__version__}"
    pages = (f"tree/{tag}/docs", f"blob/{tag}/CHANGELOG.md", "issues")
    return [f"{repository}/{page}" for page in pages] if repository else []


def test_the_description_has_no_link_that_needs_the_repository_around_it(sdist):
    data = metadata(sdist)
    text = data.get_payload()
    assert data["Description-Content-Type"].startswith("text/markdown")
    assert "# hmtl_spacy" in text and "## Without a download" in text
    assert LINKS.findall(text) and all(link.startswith("https://") for link in LINKS.findall(text))


def test_with_a_repository_the_links_of_the_description_are_absolute(tmp_path):
    url, tag = "https://example.org/team/project", f"v{hmtl_spacy.__version__}"
    for name in ("setup.py", "setup.cfg", "pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, tmp_path)
    shutil.copytree(ROOT / "configs", tmp_path / "configs")
    (tmp_path / "hmtl_spacy").mkdir()
    shutil.copy(ROOT / "hmtl_spacy" / "__init__.py", tmp_path / "hmtl_spacy")
    lines = (ROOT / "CITATION.cff").read_text("utf8").splitlines()
    lines = [line for line in lines if not line.startswith("repository-code")] + [f'repository-code: "{url}"']
    (tmp_path / "CITATION.cff").write_text("\n".join(lines), "utf8")
    setup(tmp_path, "egg_info")
    data = metadata(tmp_path / "hmtl_spacy.egg-info")
    assert [line.split(", ")[1] for line in data.get_all("Project-URL")][-3:] == urls(url)
    links = LINKS.findall(data.get_payload())
    assert f"{url}/raw/{tag}/docs/images/page.png" in links
    ours = [link.partition("#")[0] for link in links if link.startswith(url)]
    assert len(ours) > 10 and all((ROOT / link.partition(f"/{tag}/")[2]).exists() for link in ours)
    assert len(links) == len(LINKS.findall((ROOT / "README.md").read_text("utf8")))


def test_twine_finds_no_fault(sdist):
    pytest.importorskip("twine", reason='pip install "hmtl-spacy[dev]"')
    [archive] = sdist.parent.glob("*.tar.gz")
    command = [sys.executable, "-m", "twine", "check", "--strict", str(archive)]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0 and "PASSED" in done.stdout, done.stdout + done.stderr


def test_the_universe_entry_has_the_fields_of_the_schema():
    entry = json.loads(UNIVERSE.read_text("utf8"))
    assert set(REQUIRED) <= set(entry) <= {*REQUIRED, *OPTIONAL}
    assert all(isinstance(value, (REQUIRED | OPTIONAL)[name]) for name, value in entry.items())
    assert all(isinstance(line, str) and len(line) < 110 for line in entry["code_example"])
    assert set(entry["category"]) <= CATEGORIES and set(entry["author_links"]) <= {
        "twitter",
        "github",
        "website",
    }
    assert entry["pip"] == "hmtl-spacy" and entry["author"] == CITATION["authors"][0]["name"]
    assert f"{len(registered(converters))} formats" in entry["description"]
    repository = CITATION.get("repository-code", "")
    assert entry.get("github", "") == repository.partition("github.com/")[2]


def test_the_universe_example_works_without_an_import_of_ours(trained_bytes, tmp_path, monkeypatch, capsys):
    config, weights = trained_bytes
    (tmp_path / "training").mkdir()
    nlp = load_model_from_config(config, auto_fill=False).from_bytes(weights)
    nlp.to_disk(tmp_path / "training" / "model-best")
    lines = json.loads(UNIVERSE.read_text("utf8"))["code_example"]
    assert not [line for line in lines if "import hmtl" in line]
    monkeypatch.chdir(tmp_path)
    exec("\n".join(lines), {})
    printed = capsys.readouterr().out
    assert "(Ann Lee,)" in printed and "[[Ann Lee, " in printed, "an entity and a cluster"
    init, train = (line.removeprefix("# python -m spacy ") for line in lines if line.startswith("#"))
    assert CliRunner().invoke(app, shlex.split(init)).exit_code == 0
    assert str(parsed(shlex.split(train))["config_path"]) == "config.cfg"


def parsed(arguments):
    """The options of a `spacy` command as it understands them; it exits where it doesn't."""
    command, names = get_command(app), []
    while hasattr(command, "commands"):
        names.append(arguments[0])
        command, arguments = command.commands[arguments[0]], arguments[1:]
    return command.make_context(" ".join(names), list(arguments)).params


def dockerfile():
    """The instructions as pairs of a word and the rest."""
    text = re.sub(r"^#.*\n", "", (ROOT / "Dockerfile").read_text("utf8"), flags=re.MULTILINE)
    lines = text.replace("\\\n", " ").splitlines()
    return [tuple(line.split(None, 1)) for line in lines if line.strip()]


def test_the_image_starts_the_web_application_with_its_real_options():
    instructions = dockerfile()
    shell, flag, command = json.loads(dict(instructions)["CMD"])
    assert (shell, flag) == ("sh", "-c")
    words = shlex.split(command.replace("$PIPELINE", "en_hmtl_web_md"))
    assert words[:5] == ["exec", "python", "-m", "spacy", "hmtl"]
    options = parsed(words[4:])
    assert str(options["model"]) == "en_hmtl_web_md" and options["host"] == "0.0.0.0"
    assert str(options["port"]) == dict(instructions)["EXPOSE"]
    [user] = [rest for word, rest in instructions if word == "USER"]
    assert user not in ("root", "0") and any(
        "useradd" in rest and rest.endswith(user) for _, rest in instructions
    )


def test_the_image_is_made_of_wheels_alone():
    copied = [rest.split()[:-1] for word, rest in dockerfile() if word == "COPY" and "--from" not in rest]
    allowed = [line[1:] for line in (ROOT / ".dockerignore").read_text().splitlines() if line.startswith("!")]
    assert copied == [["dist/*.whl", "${WHEELS}/*.whl"]] and allowed == [
        "dist/*.whl",
        "packages/*/dist/*.whl",
    ]
    for word, rest in dockerfile():
        if word == "RUN":
            subprocess.run(["sh", "-n", "-c", rest], check=True)


def test_the_health_check_is_that_of_the_server(trained, monkeypatch):
    rest = dict(dockerfile())["HEALTHCHECK"]
    command = json.loads(rest[rest.index("CMD ") + 4 :])
    code = command[2]
    environment = {key: value for key, value in os.environ.items() if "proxy" not in key.lower()}
    with serving(trained) as url:
        asked = code.replace("http://127.0.0.1:8000", url)
        assert asked != code
        check = [sys.executable, *command[1:2], asked]
        assert subprocess.run(check, env=environment).returncode == 0
    assert subprocess.run(check, env=environment, capture_output=True).returncode != 0
