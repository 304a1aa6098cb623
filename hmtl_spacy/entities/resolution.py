"""The text with main mentions in place of anaphors."""

from typing import Dict, FrozenSet, List, NamedTuple, Optional, Tuple

from spacy.tokens import Doc, Span, Token

from ..annotations import Keys
from .membership import Membership
from .mention_forms import MentionForm, best_mention, form_of, name_in, starts_sentence
from .phrases import is_apposed, is_definite, is_possessive, is_predicate, possessive_of
from .words import DETERMINERS, POSSESSIVE_MARKS, is_english, is_replaceable

MAX_DEPTH = 4  # phrases put into phrases: "her cousin's dog's vet"


class Anaphor(NamedTuple):
    """A span that the main mention of its cluster replaces.

    around: the clusters of the spans around it.
    """

    span: Span
    cluster: int
    around: FrozenSet[int]


def resolve(doc: Doc, *, nominals: bool = False, speakers: bool = False, keys: Optional[Keys] = None) -> str:
    """The text of a document with the main mention of each cluster in place of its pronouns.

    A name goes in without what stands around it in the main mention; anaphors within what goes in are
    replaced too; possessives become possessives ("Ann's"). What stays as it is: names, appositions and
    predicates, reflexive and relative pronouns, an anaphor inside another mention of its own
    cluster, and whatever has no cluster or one of pronouns only. Everything between stays exactly as it is.

    nominals: also replace definite nominals ("the firm").
    speakers: also replace pronouns of the first and the second person.
    keys: the document's span groups; found out from it if not given.
    RETURNS: The text; that of the document where coreference isn't annotated.
    """
    return Resolver(doc, Membership(doc, keys), nominals, speakers).text()


class Resolver:
    """Replaces anaphors in one document; what to replace is decided once."""

    def __init__(self, doc: Doc, members: Membership, nominals: bool, speakers: bool):
        self.doc, self.members, self.heads = doc, members, members.heads
        self.mains = [best_mention(cluster, self.heads) for cluster in members.clusters]
        self.mark = "’s" if "’" in doc.text and "'" not in doc.text else "'s"
        self.covering = _covering(members.clusters)
        self.anaphors: Dict[int, List[Anaphor]] = {}  # by first token, the longest first
        for number, cluster in enumerate(members.clusters):
            if form_of(self.mains[number], self.heads) == MentionForm.PRONOUN:
                continue
            for span in cluster:
                if self._is_replaced(span, number, nominals, speakers):
                    anaphor = Anaphor(span, number, self._around(span))
                    self.anaphors.setdefault(span.start, []).append(anaphor)
        for anaphors in self.anaphors.values():
            anaphors.sort(key=lambda anaphor: -len(anaphor.span))

    def text(self) -> str:
        return self._resolved(self.doc[:], frozenset(), depth=0)

    def _is_replaced(self, span: Span, number: int, nominals: bool, speakers: bool) -> bool:
        cluster, main = self.members.clusters[number], self.mains[number]
        form = form_of(span, self.heads)
        if form == MentionForm.NAME or span == main or any(_overlaps(span, other) for other in cluster):
            return False
        if form == MentionForm.PRONOUN:
            return is_replaceable(span[0], speakers) and not is_predicate(span, main)
        tied = any(is_apposed(span, other) or is_predicate(span, other) for other in cluster)
        return nominals and is_definite(span) and not tied

    def _around(self, span: Span) -> FrozenSet[int]:
        covering = self.covering.get(span.start, ())
        return frozenset(number for number, other in covering if other != span and span.end <= other.end)

    def _resolved(self, span: Span, active: FrozenSet[int], depth: int) -> str:
        """The text of a span with its anaphors replaced, except those of active clusters.

        depth: how many phrases the span is put into; if into any, what begins it loses a capital
            that it owes to its place.
        """
        parts, index = [], span.start
        while index < span.end:
            anaphor = self._anaphor(index, span, active) if depth < MAX_DEPTH else None
            token = self.doc[index]
            moved = depth > 0 and index == span.start
            if anaphor is None:
                decapitalise = moved and _owes_capital(token)
                parts.append(_lower_first(token.text) if decapitalise else token.text)
                index += 1
            else:
                parts.append(self._replacement(anaphor, active, depth, moved))
                index = anaphor.span.end
            parts.append(self.doc[index - 1].whitespace_)
        return "".join(parts)

    def _anaphor(self, index: int, span: Span, active: FrozenSet[int]) -> Optional[Anaphor]:
        for anaphor in self.anaphors.get(index, ()):
            if anaphor.span.end <= span.end and anaphor.cluster not in active:
                return anaphor
        return None

    def _replacement(self, anaphor: Anaphor, active: FrozenSet[int], depth: int, moved: bool) -> str:
        main = self.mains[anaphor.cluster]
        name = name_in(main, self.heads)
        phrase = name or main
        if len(phrase) > 1 and phrase[-1].lower_ in POSSESSIVE_MARKS:
            phrase = phrase[:-1]
        active = active | anaphor.around | {anaphor.cluster}
        text = " ".join(self._resolved(phrase, active, depth + 1).split())
        first, last = anaphor.span[0], anaphor.span[-1]
        if is_possessive(anaphor.span):
            text = possessive_of(text, first, self.mark, name is not None)
        elif len(anaphor.span) > 1 and last.lower_ in POSSESSIVE_MARKS:
            text += last.text
        capital = first.text[:1].isupper() and (first.lower_ != "i" or starts_sentence(first))
        return text[:1].upper() + text[1:] if capital and not moved else text


def _covering(clusters: List[List[Span]]) -> Dict[int, List[Tuple[int, Span]]]:
    """Per token the spans that have it, each with the number of its cluster."""
    covering: Dict[int, List[Tuple[int, Span]]] = {}
    for number, cluster in enumerate(clusters):
        for span in cluster:
            for index in range(span.start, span.end):
                covering.setdefault(index, []).append((number, span))
    return covering


def _overlaps(span: Span, other: Span) -> bool:
    """Whether two different spans overlap."""
    return span != other and span.start < other.end and other.start < span.end


def _owes_capital(token: Token) -> bool:
    """Whether a word is capitalised only for its place; of bare nouns, only tags can tell."""
    if not token.text[:1].isupper() or token.text[1:] != token.lower_[1:] or token.lower_ == "i":
        return False
    if token.ent_iob_ in ("B", "I"):
        return token.lower_ in DETERMINERS and starts_sentence(token)
    if token.pos_:
        return token.pos_ in ("DET", "PRON") or (token.pos_ == "NOUN" and is_english(token.doc))
    return is_english(token.doc) and token.lower_ in DETERMINERS


def _lower_first(text: str) -> str:
    return text[:1].lower() + text[1:]
