"""What keeps the code readable, measured: see CONTRIBUTING.md."""

import ast
import io
import re
import tokenize
from pathlib import Path
from statistics import median

import pytest

import hmtl_spacy

ROOT = Path(hmtl_spacy.__file__).parent
FILES = {str(path.relative_to(ROOT)): path.read_text(encoding="utf8") for path in sorted(ROOT.rglob("*.py"))}


def functions(text):
    """YIELDS: the name and the number of lines of every function."""
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            yield node.name, node.end_lineno - node.lineno + 1


def comments(text):
    tokens = tokenize.generate_tokens(io.StringIO(text).readline)
    return sum(token.type == tokenize.COMMENT for token in tokens)


@pytest.mark.parametrize("name", FILES)
def test_functions_fit_a_screen(name):
    assert not [(function, n) for function, n in functions(FILES[name]) if n > 60]


def test_files_have_one_concern():
    lengths = {name: len(text.splitlines()) for name, text in FILES.items()}
    assert median(lengths.values()) <= 100
    assert not {name: n for name, n in lengths.items() if n > 320}


def test_tensors_have_shapes_and_steps_have_reasons():
    """At least three comments in 100 lines of `nn`."""
    nn = [text for name, text in FILES.items() if name.startswith("nn/")]
    assert 100 * sum(map(comments, nn)) / sum(len(text.splitlines()) for text in nn) >= 3.0
    assert comments("x = 1  # [n]\n# why\ny = '# not one'\n") == 2


def is_enum(node):
    return "Enum" in {getattr(base, "id", "") for base in node.bases}


def docstrings(text):
    """YIELDS: the name and the docstring of each public class but enumerations, whose members say it all."""
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
            bases = {getattr(base, "id", "") for base in node.bases}
            yield node.name, "Enumeration." if "Enum" in bases else ast.get_docstring(node) or ""


@pytest.mark.parametrize("name", FILES)
def test_public_classes_begin_with_a_sentence(name):
    """Not with the meaning of a field, `name: meaning`, which comes after it."""
    bare = [cls for cls, docstring in docstrings(FILES[name]) if re.match(r"$|[a-z]\w*(, \w+)*: ", docstring)]
    assert not bare
