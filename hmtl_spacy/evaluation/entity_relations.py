"""Relations between entities of whole documents, scored as in DocRED (Yao et al. 2019, section 4)."""

from collections import Counter
from typing import Dict, FrozenSet, Hashable, Iterable, Optional, Set, Tuple

from spacy.tokens import Doc, Span

from ..data.converters.nearest import sentence_numbers
from ..data.evidence import get_evidence
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

    `rel_evidence`, if a gold document has evidence: the sentences of the mentions between which a fact is
    predicted, against those that support it; of facts that are wrong, all are wrong.
    """
    gold = correct_seen = 0
    evidence = _Evidence()
    predicted: Counter[str] = Counter()
    right: Counter[str] = Counter()
    for document, reference in pairs:
        known, found = Facts(reference), Facts(document)
        gold += len(known.stated)
        evidence.add(found, known, reference)
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
    if evidence.annotated:
        counts = evidence.right, evidence.predicted, evidence.right, evidence.gold
        scores.update(_named("rel_evidence", prf(*counts)))
    return scores


class _Evidence:
    """Counts sentences of predicted and gold evidence, by fact."""

    def __init__(self) -> None:
        self.annotated = False
        self.right = self.predicted = self.gold = 0

    def add(self, found: Facts, known: Facts, reference: Doc) -> None:
        rows = get_evidence(reference)
        self.annotated |= rows is not None
        gold: Dict[Hashable, Set[int]] = {}
        for row in rows or ():
            a, b = (known.entity(reference[start:end]) for start, end in (row.head, row.tail))
            gold.setdefault((a, b, row.label), set()).update(row.sentences)
        numbers = sentence_numbers(reference)
        predicted: Dict[Hashable, Set[int]] = {}
        for head, tail, label, _ in found.relations:
            fact = _on(reference, head, known), _on(reference, tail, known), label
            moved = (reference.char_span(one.start_char, one.end_char) for one in (head, tail))
            stated = {numbers[one.start] for one in moved if one is not None}
            predicted.setdefault(fact, set()).update(stated)
        self.gold += sum(map(len, gold.values()))
        self.predicted += sum(map(len, predicted.values()))
        self.right += sum(len(stated & gold.get(fact, set())) for fact, stated in predicted.items())


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
