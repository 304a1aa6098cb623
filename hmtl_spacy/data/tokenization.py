"""Which gold spans a pipeline's tokenizer can make: training and evaluation take the tokens of the data, use
takes those of the tokenizer.
"""

from dataclasses import dataclass, field
from typing import Any, Callable, Dict, Iterable, Iterator, List, Mapping

import numpy
from spacy.language import Language
from spacy.tokens import Doc
from spacy.training import Example
from spacy.util import logger

from .gold import align_rows, trim_rows
from .teaching import teaches

LARGE = 0.05  # the share of spans from which it is a warning
N_EXAMPLES = 3


@dataclass
class Tokenization:
    """Gold spans of one task.

    spans: how many there are; impossible: how many begin or end within a token of the tokenizer.
    examples: some of these, with the tokens that they cut.
    """

    spans: int = 0
    impossible: int = 0
    examples: List[str] = field(default_factory=list)

    @property
    def is_bad(self) -> bool:
        return self.impossible > LARGE * self.spans


def tokenize(references: Iterable[Doc], tokenizer: Callable[[str], Doc]) -> Iterator[Example]:
    """The texts of gold documents, tokenized as in use."""
    return (Example(tokenizer(reference.text), reference) for reference in references)


def measure_tokenization(tokenized: Iterable[Example], tasks: Mapping[str, Any]) -> Dict[str, Tokenization]:
    """Of each task that documents are annotated for, the gold spans on the tokens of `tokenize`. The two
    arguments of a relation are spans, too.
    """
    found: Dict[str, Tokenization] = {}
    for example in tokenized:
        reference = example.reference
        gold = {name: t for name, t in tasks.items() if teaches(reference, name) and t.has_gold(reference)}
        for name, task in gold.items():
            rows, _ = trim_rows(reference, task.encode(reference), task.offset_columns)
            spans = numpy.unique(rows[:, : task.offset_columns].reshape(-1, 2), axis=0)  # [n, 2]
            _, aligned = align_rows(example, spans, 2)
            of_task = found.setdefault(name, Tokenization())
            of_task.spans += len(spans)
            of_task.impossible += int((~aligned).sum())
            for start, end in spans[~aligned].tolist():
                if len(of_task.examples) < N_EXAMPLES:
                    of_task.examples.append(_describe(example, start, end))
    return found


def describe_tokenization(found: Mapping[str, Tokenization]) -> Iterator[str]:
    """A line for each task some of whose spans can't be made."""
    for name, of_task in found.items():
        if of_task.impossible:
            share = of_task.impossible / of_task.spans
            yield (
                f"{name}: {of_task.impossible:,} of {of_task.spans:,} gold spans ({share:.1%}) aren't whole "
                f"tokens of this pipeline's tokenizer, and can't be found in plain text: "
                f"{'; '.join(of_task.examples)}."
            )


def check_tokenizer(references: Iterable[Doc], tasks: Mapping[str, Any], nlp: Language) -> None:
    """Log which gold spans can't be found in use, where the pipeline's tokenizer divides the text."""
    found = measure_tokenization(tokenize(references, nlp.make_doc), tasks)
    for line in describe_tokenization(found):
        logger.info(line)
    if bad := [name for name, of_task in found.items() if of_task.is_bad]:
        logger.warning(
            "The tokenizer of this pipeline (language '%s') doesn't divide text as the training data of %s "
            "is divided. Set `--nlp.lang` or [nlp.tokenizer] to what the data was converted with.",
            *(nlp.lang, bad),
        )


def _describe(example: Example, start: int, end: int) -> str:
    """A span of the reference, and the tokens that it cuts: 'York' in 'York-based'."""
    span = example.reference[start:end]
    tokens = example.predicted.char_span(span.start_char, span.end_char, alignment_mode="expand")
    return f"'{span.text}' in '{' '.join(token.text for token in tokens or ())}'"
