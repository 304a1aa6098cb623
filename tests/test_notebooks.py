"""The notebooks run without a download, and what they say holds; they are stored without outputs."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
FOLDER = ROOT / "notebooks"
if not FOLDER.exists():
    pytest.skip("the tests run without the project's files", allow_module_level=True)
nbformat = pytest.importorskip("nbformat", reason='pip install "hmtl-spacy[test]"')
nbclient = pytest.importorskip("nbclient", reason='pip install "hmtl-spacy[test]"')
pytest.importorskip("ipykernel", reason='pip install "hmtl-spacy[test]"')


def run(name):
    """The cells' texts and the MIME types of what they show, by their order."""
    environment = {"HF_HUB_OFFLINE": "1", "OMP_NUM_THREADS": "1", "JUPYTER_PREFER_ENV_PATH": "1"}
    notebook = nbformat.read(FOLDER / name, as_version=4)
    client = nbclient.NotebookClient(notebook, timeout=900, resources={"metadata": {"path": str(FOLDER)}})
    with pytest.MonkeyPatch.context() as patch:  # of the kernel
        for variable, value in environment.items():
            patch.setenv(variable, value)
        client.execute()
    cells = [cell for cell in notebook.cells if cell.cell_type == "code"]
    shown = [[output.get("data", {}) for output in cell.outputs] for cell in cells]
    text = "\n".join(output.get("text", "") for cell in cells for output in cell.outputs)
    return text, [data for outputs in shown for data in outputs if data]


@pytest.mark.parametrize("path", sorted(FOLDER.glob("*.ipynb")), ids=lambda path: path.stem)
def test_notebooks_are_stored_without_outputs_and_their_links_lead_somewhere(path):
    notebook = nbformat.read(path, as_version=4)
    nbformat.validate(notebook)
    for cell in notebook.cells:
        if cell.cell_type == "code":
            assert not cell.outputs and cell.execution_count is None
        for link in re.findall(r"\]\(([^)#\s]+)", cell.source if cell.cell_type == "markdown" else ""):
            assert (FOLDER / link).exists(), link


@pytest.mark.slow
def test_what_is_annotated_is_what_the_notebook_says():
    text, shown = run("annotate.ipynb")
    assert "('Tom Reed', 'PER')" in text and "relation: Tom Reed WORK_FOR Acme" in text
    assert re.search(r"clusters: \[\[Tom Reed, He", text), "the pronoun is in the cluster of the name"
    [resolved] = [data["text/plain"] for data in shown if set(data) == {"text/plain"}]
    assert "Tom Reed lives with" in resolved
    pictures = [data["text/html"] for data in shown if "text/html" in data]
    assert len(pictures) == 3 and all("Bergen" in html for html in pictures[:2])
    assert 'class="graph"' in pictures[1] and " differs" in pictures[2], (
        "a graph; two annotations that differ"
    )
    assert "fact: Tom Reed LIVE_IN Bergen" in text, "what is said of the pronoun is a fact about the name"


@pytest.mark.slow
def test_a_pipeline_is_trained_as_the_notebook_says():
    text, shown = run("train.ipynb")
    assert "126 documents" in (FOLDER / "train.ipynb").read_text("utf8")
    assert (
        sum(map(int, re.findall(r"(\d+) documents", text.partition("What 'hmtl' can learn")[0])[:3])) == 126
    )
    assert "What 'hmtl' can learn from" in text and "=== relations ===" in text
    scores = {
        name: float(f) for name, f in re.findall(r"^(\w+) .* right, .*, F ([\d.]+)$", text, re.MULTILINE)
    }
    assert set(scores) == {"ents", "spans_mentions", "coref_muc", "rel_strict"}
    assert scores["spans_mentions"] > 40 and scores["coref_muc"] > 20
    assert "Geneva" in shown[-1]["text/html"]
