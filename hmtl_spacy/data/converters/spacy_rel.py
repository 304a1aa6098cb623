"""The .spacy files of spaCy's tutorial on relations: `doc.ents`, and scores of all pairs in `doc._.rel`."""

from collections import Counter
from functools import partial
from pathlib import Path
from typing import Any, Dict, FrozenSet, Iterator, List, Optional

from spacy.tokens import Doc
from spacy.vocab import Vocab

from ...annotations import has_entities
from ..stored_docs import read_stored
from ..vocabulary import vocabulary
from .common import ConversionError
from .converter import Converter
from .records import shorten
from .rules import Rules, takes
from .standoff import Standoff

REL: Any = ("._.", "rel", None, None)  # where `doc._.rel` is in `doc.user_data`


@takes(Rules)
def spacy_rel_to_docs(
    path: Path, *, vocab: Optional[Vocab] = None, rules: Rules, threshold: float = 0.5, dropped: Counter[str]
) -> Iterator[Doc]:
    """The .spacy files of spaCy's relation tutorial. Fills entities, mentions and relations.

    Named entities are mentions too. Documents without `doc._.rel` have no layer of relations.

    path: the file.
    vocab: the vocabulary of the documents.
    rules: which layer an entity belongs to, by its label.
    threshold: the score from which a pair has a relation.
    dropped: what couldn't be kept is counted here.
    YIELDS: the documents.
    """
    docs = _read(path, vocabulary(vocab))
    has_coref = rules.has_coref or any(
        rules.is_coref(str(label))
        for doc in docs
        for scores in (doc.user_data.get(REL) or {}).values()
        for label, score in scores.items()
        if score >= threshold
    )
    for number, doc in enumerate(docs, start=1):
        doc.user_data.setdefault("id", str(number))
        layers = {"entities", "mentions"} if has_entities(doc) else set()
        pairs = doc.user_data.pop(REL, None)
        annotation = Standoff(doc, rules, partial(_error, path, number), dropped)
        starts = _add_entities(annotation, rules)
        if pairs is not None:
            layers |= {"relations", "clusters"} if has_coref else {"relations"}
            _relate(annotation, pairs, starts, threshold, dropped)
        yield annotation.annotate(layers)


def _read(path: Path, vocab: Vocab) -> List[Doc]:
    """All documents of a file, whose `rel` is what it should be."""
    docs = list(read_stored(path, vocab))
    for number, doc in enumerate(docs, start=1):
        if not _is_rel(doc.user_data.get(REL, {})):
            found = f"found doc._.rel: {shorten(doc.user_data[REL])}"
            raise _error(path, number, f"{found}, expected {{(start, start): {{label: score}}}}.")
    return docs


def _is_rel(pairs: Any) -> bool:
    return isinstance(pairs, dict) and all(
        isinstance(pair, tuple)
        and len(pair) == 2
        and isinstance(scores, dict)
        and all(isinstance(score, (int, float)) for score in scores.values())
        for pair, scores in pairs.items()
    )


def _error(path: Path, number: int, message: str) -> ConversionError:
    return ConversionError(str(path), None, f"document {number}: {message}")


def _add_entities(annotation: Standoff, rules: Rules) -> FrozenSet[Any]:
    """RETURNS: the tokens with which entities begin, which are their ids."""
    by_default = ("mentions",) if rules.entities or rules.mentions else ("entities", "mentions")
    for ent in annotation.doc.ents:
        for layer in by_default:
            annotation.tokens(ent.start, (ent.start, ent.end), ent.label_, default=layer)
    return frozenset(ent.start for ent in annotation.doc.ents)


def _relate(
    annotation: Standoff,
    pairs: Dict[Any, Dict[str, float]],
    starts: FrozenSet[Any],
    threshold: float,
    dropped: Counter[str],
) -> None:
    for (head, tail), scores in pairs.items():
        found = [label for label, score in scores.items() if score >= threshold]
        if not {head, tail} <= starts:
            dropped["relations of a token that begins no entity"] += len(found)
            continue
        for label in found:
            annotation.relation(head, tail, label)


converter = Converter(
    spacy_rel_to_docs, example="tutorial/train.spacy train.spacy --threshold 0.5", paths=True
)
