"""Readers: which corpus teaches which tasks."""

from itertools import islice
from pathlib import Path
from typing import Any, Callable, Dict, Iterable, Iterator, List, Optional, Sequence, Set, Tuple
from weakref import WeakSet

from spacy.language import Language
from spacy.tokens import Doc
from spacy.training import Example
from spacy.util import logger

from .label_rules import NO_RULES, LabelRules
from .lifting import lift_relations
from .relabelling import relabel
from .stored_docs import StoredDocs
from .teaching import TEACHES, teaches

Reader = Callable[[Language], Iterator[Example]]


def read_task_corpus(
    path: Optional[Path],
    tasks: Optional[Sequence[str]],
    batch_words: int,
    gold_sentences: bool,
    limit: int,
    rules: LabelRules = NO_RULES,
    lift: bool = False,
) -> Reader:
    """A reader of `.spacy` files whose examples know which tasks they teach.

    path: a file or a folder of files; null gives an empty corpus.
    tasks: the tasks that the corpus teaches; its gold for others is ignored. Null: all it has gold for.
    batch_words: fill a training batch of this corpus up to this many words; 0 = the batcher's own.
    gold_sentences: let the component see the corpus's sentence starts. If not, an
        annotating component such as the sentencizer has to set them, in training as in use.
    limit: use only the first documents; 0 = all.
    rules: how the corpus's labels relate to the pipeline's. All of its documents are read at once then, so
        that all labels without a rule are told.
    lift: whether relations are learned from every sentence with a mention of both entities.
    """
    teaches = {"corpus": Path(path).stem if path else "", "tasks": tasks, "batch_words": batch_words}
    docs = StoredDocs(Path(path)) if path else None
    relabelled: WeakSet[Doc] = WeakSet()  # of those that are kept

    def read(nlp: Language) -> Iterator[Example]:
        _check_names(tasks or (), nlp, str(path), "tasks")
        references: Iterable[Doc] = _references(nlp)
        if rules:
            _check_names([*rules.labels, *rules.unknown], nlp, str(path), "labels or unknown")
            references = list(references)
            new = [doc for doc in references if doc not in relabelled]
            relabelled.update(relabel(new, rules, nlp, f"The corpus '{path}'"))
        for reference in references:
            if lift:
                lift_relations(reference)
            yield Example(_unannotated(reference, gold_sentences), reference)

    def _references(nlp: Language) -> Iterator[Doc]:
        for reference in islice(docs.read(nlp.vocab) if docs else (), limit or None):
            if reference not in relabelled:
                reference.user_data[TEACHES] = dict(teaches)
            yield reference

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


def _check_names(tasks: Sequence[str], nlp: Language, corpus: str, setting: str) -> None:
    """Raises if a setting of a corpus names a task that no component has, not even outside its hierarchy."""
    names: Dict[str, None] = {}
    for name, component in nlp.components:
        if of_component := getattr(component, "tasks", None):
            configured = nlp.config["components"].get(name, {}).get("tasks") or {}
            names.update(dict.fromkeys([*of_component, *configured]))
    if unknown := [task for task in tasks if names and task not in names]:
        raise ValueError(
            f"The corpus '{corpus}' is listed with the tasks {unknown}, which no component has. "
            f"There are {list(names)}: correct the corpus's `{setting}`."
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
