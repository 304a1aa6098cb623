"""A pipeline that annotates texts in this process, and what the server has to know of it."""

from typing import Any, Callable, List, NamedTuple, Optional, Protocol, Sequence

from spacy.language import Language
from spacy.tokenizer import Tokenizer
from spacy.tokens import Doc
from spacy.util import logger

from .describing import Describer, version_of
from .schemas import Version


class About(NamedTuple):
    """What the server has to know of a pipeline.

    further: the names of its layers beyond the four standard ones.
    max_length: characters of the longest text that it takes.
    by_space: whether it first splits a text at its white space, as spaCy's own tokenizer does, which then
        takes time that grows with the square of what is between.
    """

    version: Version
    further: List[str]
    max_length: int
    by_space: bool


class AnyPipeline(Protocol):
    """A pipeline, in this process or in another."""

    about: About

    def start(self) -> None:
        """Make it ready, if it isn't."""

    def annotate(self, texts: Sequence[str], forms: Sequence[Any], seconds: float) -> List[Any]:
        """Each text's answer in its form; raises an error if there isn't one for every text.

        seconds: how long that may take, for a pipeline that can be stopped.
        """

    def close(self) -> None:
        """End what runs."""


class Pipeline:
    """Annotates texts in this process, where nothing can stop it.

    describe: turns a document into an answer of some form; by default into JSON, as `Describer` says.
    """

    def __init__(self, nlp: Language, describe: Optional[Callable[[Doc, Any], Any]] = None):
        describer = Describer(nlp)
        self.nlp = nlp
        self.describe = describe or describer
        by_space = isinstance(nlp.tokenizer, Tokenizer)
        self.about = About(version_of(nlp), describer.further, nlp.max_length, by_space)

    def start(self) -> None:
        pass

    def annotate(self, texts: Sequence[str], forms: Sequence[Any], seconds: float) -> List[Any]:
        try:
            return self._annotate(texts, forms)
        except Exception:
            if len(texts) == 1:  # of several, each will be tried alone
                logger.exception("The pipeline failed on a text of a request")
            raise

    def close(self) -> None:
        pass

    def _annotate(self, texts: Sequence[str], forms: Sequence[Any]) -> List[Any]:
        # what one request's words leave in the vocabulary is gone when the zone ends
        with self.nlp.memory_zone():
            docs = self.nlp.pipe(list(texts), batch_size=len(texts))
            answers = [self.describe(doc, form) for doc, form in zip(docs, forms)]
        if len(answers) != len(texts):  # its error handler drops what fails
            raise RuntimeError(f"The pipeline returned {len(answers)} documents for {len(texts)} texts.")
        return answers
