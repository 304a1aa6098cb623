"""The worked examples in the docstrings of `hmtl_spacy.nn` say what the code does."""

import doctest
import importlib
import pkgutil

import pytest

from hmtl_spacy import nn

MODULES = sorted(module.name for module in pkgutil.iter_modules(nn.__path__))
WITH_EXAMPLES = set(
    "batch clusters coarse crf forward_backward grids pairs pruning sentence_spans spans".split()
)


@pytest.mark.parametrize("name", MODULES)
def test_examples_in_docstrings(name):
    results = doctest.testmod(importlib.import_module(f"hmtl_spacy.nn.{name}"))
    assert results.failed == 0
    assert results.attempted or name not in WITH_EXAMPLES
