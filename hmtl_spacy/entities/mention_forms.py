"""Names, nominals and pronouns, and the mention that stands best for an entity."""

from enum import IntEnum
from typing import Callable, Iterable, Optional, Sequence, Tuple

from spacy.tokens import Span, Token

from ..annotations import Keys
from .heads import Heads
from .membership import Membership
from .words import CONJUNCTIONS, POSSESSIVE_MARKS, POSSESSIVES, is_determiner, is_name, is_pronoun

NUMBERS = {"CARDINAL", "ORDINAL", "QUANTITY", "PERCENT", "MONEY"}  # named entities that name nothing


class MentionForm(IntEnum):
    """The form of a mention, the least informative first."""

    PRONOUN = 0
    NOMINAL = 1
    NAME = 2


def form_of(span: Span, heads: Heads) -> MentionForm:
    """Whether a span is a pronoun, a nominal or a name."""
    if len(span) == 1 and is_pronoun(span[0]):
        return MentionForm.PRONOUN
    return MentionForm.NOMINAL if name_in(span, heads) is None else MentionForm.NAME


def name_in(span: Span, heads: Heads) -> Optional[Span]:
    """The name that heads a span: of *her cousin Hamish Sellar*, *Hamish Sellar*; None if there is none.

    A named entity at the head is a name, as are proper nouns if there are tags. Where neither is annotated
    capitalised words are, in English, unless a determiner or a possessive before them hints at a common noun.
    """
    head = heads(span)
    if head is None:
        return None
    token = span.doc[head]
    if is_pronoun(token) or token.ent_type_ in NUMBERS or not is_name(token):
        return None
    if token.ent_iob_ in ("B", "I"):
        return _stretch(span, head, lambda one, next: next.ent_iob_ == "I")
    name = _trimmed(_stretch(span, head, lambda one, next: _may_be_in_name(one) and _may_be_in_name(next)))
    return name if token.pos_ or not _may_be_common(name, span) else None


def main_mention(cluster: Sequence[Span], keys: Optional[Keys] = None) -> Span:
    """The mention that stands best for a cluster.

    Names come before nominals, nominals before pronouns. Of names the longest, with the least around it; of
    nominals the longest; then the first.

    keys: the document's span groups; found out from it if not given.
    """
    if not cluster:
        raise ValueError("Can't choose the main mention of an empty cluster: give it at least one span.")
    return best_mention(cluster, Membership(cluster[0].doc, keys).heads)


def best_mention(spans: Iterable[Span], heads: Heads) -> Span:
    """As `main_mention`, with heads that are known already."""

    def rank(span: Span) -> Tuple:
        form = form_of(span, heads)
        name = name_in(span, heads) if form == MentionForm.NAME else None
        length, rest = (len(span), 0) if name is None else (len(name), len(span) - len(name))
        return -form, -length, rest, span.start, span.end

    return min(spans, key=rank)


def starts_sentence(token: Token) -> bool:
    """Whether a token is the first of its sentence but for quotes and brackets."""
    doc, index = token.doc, token.i
    while index > 0 and not doc[index].is_sent_start:
        before = doc[index - 1]
        if not (before.is_quote or before.is_bracket or before.is_space):
            return token.is_sent_start is None and before.text in (".", "!", "?", "…")
        index -= 1
    return True


def _stretch(span: Span, head: int, joins: Callable[[Token, Token], bool]) -> Span:
    """The tokens around the head, inside the span, as long as each joins the next."""
    doc, start, end = span.doc, head, head + 1
    while start > span.start and joins(doc[start - 1], doc[start]):
        start -= 1
    while end < span.end and joins(doc[end - 1], doc[end]):
        end += 1
    return doc[start:end]


def _trimmed(name: Span) -> Span:
    """A stretch without what can't begin or end a name."""
    own = [token.i for token in name if is_name(token)]
    return name.doc[own[0] : own[-1] + 1]


def _may_be_in_name(token: Token) -> bool:
    return is_name(token) or token.is_space or token.lower_ in CONJUNCTIONS or token.pos_ == "CCONJ"


def _may_be_common(name: Span, span: Span) -> bool:
    """Whether only a capital makes it a name: "the company's President", "their new CEO"."""
    before = span.doc[span.start : name.start]
    if len(name) == 1 and len(before) and _is_possessive(before[-1]):
        return True
    upper = all(token.is_upper for token in name if is_name(token))
    return upper and any(is_determiner(token) or _is_possessive(token) for token in before)


def _is_possessive(token: Token) -> bool:
    return token.lower_ in POSSESSIVES | POSSESSIVE_MARKS
