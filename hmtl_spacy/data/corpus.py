"""Readers: which corpus teaches which tasks."""

from pathlib import Path
from typing import Any, Callable, Dict, Iterator, List, Optional, Sequence, Set, Tuple

from spacy.language import Language
from spacy.tokens import Doc
from spacy.training import Example
from spacy.util import logger

from .stored_docs import StoredDocs

TEACHES = "hmtl_teaches"
Reader = Callable[[Language], Iterator[Example]]


def read_task_corpus(
    path: Optional[Path], tasks: Optional[Sequence[str]], batch_words: int, gold_sentences: bool, limit: int
) -> Reader:
    """A reader of `.spacy` files whose examples know which tasks they teach.

    path: a file or a folder of files; null gives an empty corpus.
    tasks: the tasks that the corpus teaches; its gold for others is ignored. Null: all it has gold for.
    batch_words: fill a training batch of this corpus up to this many words; 0 = the batcher's own.
    gold_sentences: let the component see the corpus's sentence starts. If not, an
        annotating component such as the sentencizer has to set them, in training as in use.
    limit: use only the first documents; 0 = all.
    """
    teaches = {"corpus": Path(path).stem if path else "", "tasks": tasks, "batch_words": batch_words}

    docs = StoredDocs(Path(path)) if path else None

    def read(nlp: Language) -> Iterator[Example]:
        _check_names(tasks or (), nlp, str(path))
        for number, reference in enumerate(docs.read(nlp.vocab) if docs else ()):
            if limit and number >= limit:
                break
            reference.user_data[TEACHES] = dict(teaches)
            yield Example(_unannotated(reference, gold_sentences), reference)

    return read


def read_corpora(corpora: Dict[str, Optional[Reader]]) -> Reader:
    """Several task corpora, one after the other, each under its name; null entries are left out.

    Documents that could teach none of the pipeline's tasks are left out too, which is reported once:
    in training they would take the place of others, as would the corpora of levels that the hierarchy lacks.
    """
    readers = {name: reader for name, reader in corpora.items() if reader is not None}
    if not readers:
        raise ValueError(
            "hmtl_spacy.MultiCorpus.v1 got no corpora. Add a section such as "
            '[corpora.train.corpora.news] with @readers = "hmtl_spacy.TaskCorpus.v1".'
        )

    reported: Set[str] = set()

    def read(nlp: Language) -> Iterator[Example]:
        tasks = learned_tasks(nlp)
        for name, reader in readers.items():
            n_docs = useless = 0
            for example in reader(nlp):
                example.reference.user_data.setdefault(TEACHES, {})["corpus"] = name
                n_docs += 1
                if tasks is None or _is_useful(example.reference, tasks):
                    yield example
                else:
                    useless += 1
            if name in reported:
                continue
            if not n_docs:
                reported.add(name)
                logger.warning("The corpus '%s' has no documents.", name)
            if useless:
                reported.add(name)
                asked = [task for task, _ in tasks or ()]
                logger.warning(
                    "The corpus '%s': %d of %d documents teach none of %s and are left out.",
                    *(name, useless, n_docs, asked),
                )

    return read


def learned_tasks(nlp: Language) -> Optional[List[Tuple[str, Any]]]:
    """All tasks that a pipeline can learn, or None if it has no component with tasks, or a component
    without, for which any document may be of use.
    """
    trainable: List[Any] = [proc for _, proc in nlp.pipeline if getattr(proc, "is_trainable", False)]
    if not trainable or not all(hasattr(proc, "tasks") for proc in trainable):
        return None
    return [item for proc in trainable for item in proc.tasks.items()]


def _is_useful(reference: Doc, tasks: List[Tuple[str, Any]]) -> bool:
    return any(teaches(reference, name) and task.has_gold(reference) for name, task in tasks)


def teaches(reference: Doc, task: str) -> bool:
    """Whether a gold document is meant to teach a task; any document may that no corpus was named for."""
    tasks = _teaches(reference).get("tasks")
    return tasks is None or task in tasks


def corpus_name(reference: Doc) -> str:
    return str(_teaches(reference).get("corpus", ""))


def batch_words(reference: Doc) -> int:
    """How many words a training batch of the document's corpus should have; 0 = not said."""
    return int(_teaches(reference).get("batch_words", 0))


def _teaches(reference: Doc) -> Dict[str, Any]:
    settings: Dict[str, Any] = reference.user_data.get(TEACHES, {})
    return settings


def _check_names(tasks: Sequence[str], nlp: Language, corpus: str) -> None:
    """Raises if a corpus is listed with a task that no component has, not even outside its hierarchy."""
    names: Dict[str, None] = {}
    for name, component in nlp.components:
        if of_component := getattr(component, "tasks", None):
            configured = nlp.config["components"].get(name, {}).get("tasks") or {}
            names.update(dict.fromkeys([*of_component, *configured]))
    if unknown := [task for task in tasks if names and task not in names]:
        raise ValueError(
            f"The corpus '{corpus}' is listed with the tasks {unknown}, which no component has. "
            f"There are {list(names)}: correct the corpus's `tasks`."
        )


def _unannotated(reference: Doc, gold_sentences: bool) -> Doc:
    """The same tokens, with sentence starts if asked for, and with the document's plain user data (speakers,
    say), but without annotation.
    """
    starts: Optional[List[Any]] = None
    if gold_sentences and reference.has_annotation("SENT_START"):
        starts = [token.is_sent_start for token in reference]
    words, spaces = _tokens(reference)
    known = {key: value for key, value in reference.user_data.items() if type(key) is str and key != TEACHES}
    return Doc(reference.vocab, words=words, spaces=spaces, sent_starts=starts, user_data=known)


def _tokens(doc: Doc) -> Tuple[List[str], List[bool]]:
    return [token.text for token in doc], [bool(token.whitespace_) for token in doc]
