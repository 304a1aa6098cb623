"""Relations between entities of whole documents, scored as in DocRED (Yao et al. 2019, section 4)."""

from collections import Counter
from typing import Dict, FrozenSet, Hashable, Iterable, Optional, Set, Tuple

from spacy.tokens import Doc, Span

from ..entities.facts import Facts
from ..metrics import prf

NamedFact = Tuple[str, str, str]
Pairs = Iterable[Tuple[Doc, Doc]]


def entity_relation_scores(pairs: Pairs, seen: Optional[FrozenSet[NamedFact]] = None) -> Dict[str, float]:
    """Micro scores of facts: a head entity, a tail entity and a label, once a document.

    `rel_entity`: the entities are predicted too. One is the gold entity that has more than half of its
    mentions; a fact about one that is none is wrong. `rel_gold_entity`: what is predicted between mentions,
    between the gold entities of these mentions, which DocRED assumes to be known. Every gold fact counts for
    recall, whether a model could find it or not.

    pairs: predicted and gold documents.
    seen: facts of the training data (`named_facts`). `rel_gold_entity_ign` has a precision without the right
        facts that are among these, and the same recall, as DocRED's evaluation has for its "Ign F1".
    """
    gold = correct_seen = 0
    predicted: Counter[str] = Counter()
    right: Counter[str] = Counter()
    for document, reference in pairs:
        known, found = Facts(reference), Facts(document)
        gold += len(known.stated)
        given = {
            (_on(reference, head, known), _on(reference, tail, known), label)
            for head, tail, label, _ in found.relations
        }
        for name, facts in (("gold_entity", given), ("entity", _matched(found, known, reference))):
            predicted[name] += len(facts)
            right[name] += len(facts & known.stated)
        if seen:
            correct_seen += sum(not seen.isdisjoint(known.named(f)) for f in known.stated & given)
    scores: Dict[str, float] = {}
    for name in ("entity", "gold_entity"):
        scores.update(_named(f"rel_{name}", prf(right[name], predicted[name], right[name], gold)))
    if seen is not None:
        unseen, left = (counts["gold_entity"] - correct_seen for counts in (right, predicted))
        scores.update(_named("rel_gold_entity_ign", prf(unseen, left, right["gold_entity"], gold)))
    return scores


def named_facts(docs: Iterable[Doc]) -> FrozenSet[NamedFact]:
    """The facts of training data, with each mention of their heads and tails, but for pronouns."""
    of_docs = map(Facts, docs)
    return frozenset(named for facts in of_docs for fact in facts.stated for named in facts.named(fact))


def _matched(found: Facts, known: Facts, reference: Doc) -> Set[Tuple[Hashable, Hashable, str]]:
    """Predicted facts about gold entities, where the predicted ones are some."""
    gold: Dict[Hashable, Hashable] = {}
    for entity, spans in found.spans.items():
        votes = Counter(_on(reference, span, known) for span in spans)
        best, count = votes.most_common(1)[0]
        gold[entity] = best if best in known.spans and 2 * count > len(spans) else ("no entity", entity)
    return {(gold[head], gold[tail], label) for head, tail, label in found.stated}


def _on(reference: Doc, span: Span, known: Facts) -> Hashable:
    """The gold entity of the same characters; where no gold tokens have them, nothing equals it."""
    moved = reference.char_span(span.start_char, span.end_char)
    return ("no tokens", span.start_char, span.end_char) if moved is None else known.entity(moved)


def _named(name: str, scores: Dict[str, float]) -> Dict[str, float]:
    return {f"{name}_{key}": value for key, value in scores.items()}
