"""A batch of the input annotated and written as bytes: what one process does at a time."""

from collections import Counter
from contextlib import contextmanager, suppress
from typing import Any, Callable, Dict, Iterator, List, NamedTuple, Optional, Tuple

from spacy.language import Language
from spacy.tokens import Doc

from ..data.converters.common import ConversionError
from ..data.layers import Layers, count_layers, keys_of, read_layers, tasks_of
from ..data.long_texts import limited_components
from ..data.writers import get_writer
from ..data.writers.writer import MODEL, Written
from .documents import FIELDS, Fields, make_doc
from .inputs import Item
from .places import readable

Failure = Tuple[Optional[int], str]  # line, if it isn't the item's own, and reason


class BatchResult(NamedTuple):
    """A batch's part of the output, what was skipped and why, what it holds, and what is lost.

    output: one piece, or more if the batch couldn't be annotated at once.
    """

    output: List[Written]
    failures: List[Dict[str, Any]]
    counts: Counter
    lost: Counter


def add_results(results: List[BatchResult]) -> BatchResult:
    """Results of pieces of a batch as that of the batch."""
    outputs, failures, counts, lost = zip(*results, strict=True)
    return BatchResult(
        [piece for output in outputs for piece in output],
        [failure for several in failures for failure in several],
        sum(counts, Counter()),
        sum(lost, Counter()),
    )


class Annotator:
    """Annotates batches; a document that fails is skipped, and the others of its batch aren't harmed.

    kind: the suffix of the files.
    format: the name of a registered writer.
    fields: the keys of JSON lines that are read.
    """

    def __init__(self, nlp: Language, kind: str, format: str, fields: Fields = FIELDS):
        self.nlp = nlp
        self.kind = kind
        self.fields = fields
        self.format = format
        self.model_name = (
            f"{nlp.meta['name']} {nlp.meta['version']}" if get_writer(format).names_model else None
        )
        self.tasks = tasks_of(nlp)
        self.keys = keys_of(self.tasks)
        self.limited = limited_components(nlp)

    def __call__(self, items: List[Item]) -> BatchResult:
        """In a memory zone: the words of many texts don't pile up in the vocabulary."""
        counts: Counter = Counter()
        lost: Counter = Counter()
        failed: Dict[int, Failure] = {}
        with self.nlp.memory_zone(), _handler(self.nlp, failed):
            docs = self._annotate(dict(enumerate(items)), failed, lost)
            output = write_docs(self.format, docs, self._layers, failed, counts, lost)
            del docs
        return BatchResult([output], describe_failures(items, failed), +counts, +lost)

    def _annotate(self, items: Dict[int, Item], failed: Dict[int, Failure], lost: Counter) -> Dict[int, Doc]:
        """Documents that fail in a batch are tried again alone, since components may fail by the batch."""
        made = self._make(items, failed, lost)
        docs = self._pipe(made, failed)
        for i in sorted(made.keys() - docs.keys()) if len(made) > 1 else ():
            docs.update(self._pipe(self._make({i: items[i]}, failed, Counter()), failed))
        for i in made.keys() - docs.keys():
            failed.setdefault(i, (None, "the pipeline returned nothing for it"))
        for i in docs:
            failed.pop(i, None)
        return docs

    def _make(self, items: Dict[int, Item], failed: Dict[int, Failure], lost: Counter) -> Dict[int, Doc]:
        docs = {}
        for i, item in items.items():
            try:
                doc = make_doc(self.nlp, item, self.kind, self.fields, lost)
                self._check_length(doc, item)
                docs[i] = doc
            except Exception as err:
                failed[i] = _failure(err, "the tokenizer")
        return docs

    def _check_length(self, doc: Doc, item: Item) -> None:
        """`nlp.max_length` protects spaCy's parser and entity recognizer; others take texts of any length."""
        if self.limited and len(doc.text) > self.nlp.max_length:
            found = f"the text has {len(doc.text):,} characters, more than the pipeline's max_length"
            why = f"needs about 1 GB of memory per 100,000 characters ({', '.join(self.limited)})"
            advice = "Split the text, or raise nlp.max_length if there is enough memory"
            reason = f"{found}, {self.nlp.max_length:,}, which protects a component that {why}. {advice}."
            raise ConversionError(item.source, item.number, reason)

    def _pipe(self, docs: Dict[int, Doc], failed: Dict[int, Failure]) -> Dict[int, Doc]:
        annotated: Dict[int, Doc] = {}
        stream = ((doc, i) for i, doc in docs.items())
        try:
            for doc, i in self.nlp.pipe(stream, as_tuples=True, batch_size=max(1, len(docs))):
                annotated[i] = doc
        except Exception as err:  # of components that don't ask the error handler
            for i in docs.keys() - annotated.keys():
                failed.setdefault(i, _failure(err, "the pipeline"))
        return annotated

    def _layers(self, doc: Doc) -> Layers:
        if self.model_name is not None:
            doc.user_data[MODEL] = self.model_name
        return read_layers(doc, self.keys, self.tasks)


def write_docs(
    format: str,
    docs: Dict[int, Doc],
    read: Callable[[Doc], Layers],
    failed: Dict[int, Failure],
    counts: Counter,
    lost: Counter,
) -> Written:
    """Documents in the order of their numbers as a batch of a format; one that can't be written has failed.

    read: reads the layers of a document.
    failed, counts, lost: are added to.
    """
    writer = get_writer(format)
    parts = []
    for i, doc in sorted(docs.items()):
        try:
            layers = read(doc)
            part = writer.write(doc, layers, lost)
        except Exception as err:
            failed[i] = _failure(err, f"writing {format}")
            continue
        if part is not None:
            parts.append(part)
            count_layers(doc, layers, counts)
    return writer.join(parts)


def describe_failures(items: List[Item], failed: Dict[int, Failure]) -> List[Dict[str, Any]]:
    """What is reported of each document that failed."""
    return [
        {"file": items[i].source, "line": line or items[i].number, "reason": reason}
        for i, (line, reason) in sorted(failed.items())
    ]


def _failure(err: Exception, where: str) -> Failure:
    if isinstance(err, ConversionError):
        return err.line, err.message
    return None, readable(f"{where} failed: {type(err).__name__}: {err}")


@contextmanager
def _handler(nlp: Language, failed: Dict[int, Failure]) -> Iterator[None]:
    """Collect the documents on which components fail; they go through `nlp.pipe` with their numbers."""

    def collect(name: str, pipe: Any, docs: List[Doc], err: Exception) -> None:
        failed.update({doc._context: _failure(err, f"the component '{name}'") for doc in docs})

    pipes: List[Any] = [pipe for _, pipe in nlp.pipeline if hasattr(pipe, "set_error_handler")]
    before = [pipe.get_error_handler() for pipe in pipes]
    default = nlp.default_error_handler
    # spaCy says that a handler raises; it goes on without the documents if one doesn't
    nlp.default_error_handler = collect
    for pipe in pipes:
        _set_handler(pipe, collect)
    try:
        yield
    finally:
        nlp.default_error_handler = default
        for pipe, handler in zip(pipes, before, strict=True):
            _set_handler(pipe, handler)


def _set_handler(pipe: Any, handler: Any) -> None:
    """spaCy's parser and entity recognizer can't have one: what they raise comes out of `nlp.pipe`."""
    with suppress(AttributeError):
        pipe.set_error_handler(handler)
