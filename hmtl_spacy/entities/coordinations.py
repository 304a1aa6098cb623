"""Whether a phrase names several things: "Tom Reed and his wife Ann", but not "the oil and gas company"."""

from typing import List, Optional, Tuple

from spacy.tokens import Span, Token

from .words import ARTICLES, CONJUNCTIONS, follows_head, is_determiner, is_english, is_name, is_pronoun

Offsets = Tuple[int, int]


def joins_mentions(span: Span, parts: List[Offsets]) -> bool:
    """Whether a conjunction stands between mentions.

    parts: the mentions inside the span.
    """
    index = _conjunction(span)
    if index is None or not any(start > index for start, _ in parts):
        return False
    return any(end <= index and all(map(_is_filler, span.doc[end:index])) for _, end in parts)


def looks_joined(span: Span) -> bool:
    """Whether a phrase is a coordination by its parse, else by its words.

    These tell by a name or pronoun before the conjunction (*Tom* and friends), or by what begins anew behind
    it (the workers and *their* boss). All else may be about one thing: the black and white cat.
    """
    index = _conjunction(span)
    if index is None:
        return False
    if span.doc.has_annotation("DEP"):
        conjuncts = (token for token in span.root.rights if token.dep_ == "conj" and token.i < span.end)
        return any(_are_apart(span.root, token) for token in conjuncts)
    before = [token for token in span.doc[span.start : index] if not _is_filler(token)]
    after = next((token for token in span.doc[index + 1 : span.end] if not token.is_space), None)
    if after is None or not before:
        return False
    if _begins_anew(after):
        return True
    if all(map(is_determiner, before)) or _has_apposition(span.doc[span.start : index]):
        return False
    return is_name(before[-1]) or is_pronoun(before[-1]) or is_determiner(after)


def in_name(token: Token, span: Span) -> bool:
    """Whether a token continues a named entity, which nothing can interrupt."""
    return token.i > span.start and token.ent_iob_ == "I"


def _conjunction(span: Span) -> Optional[int]:
    """The first conjunction, unless anything but commas follows the head before it."""
    for token in span[1:]:
        if in_name(token, span):
            continue
        if token.lower_ in CONJUNCTIONS or token.pos_ == "CCONJ":
            return token.i
        if token.text != "," and follows_head(token, token.i):
            return None
    return None


def _is_filler(token: Token) -> bool:
    return token.text == "," or token.is_space


def _begins_anew(token: Token) -> bool:
    """Whether a name or a pronoun begins; "the owner and CEO" may be one person."""
    if is_determiner(token):
        return False
    return is_pronoun(token) or (is_name(token) and not (token.is_upper and not token.ent_type_))


def _has_apposition(span: Span) -> bool:
    """Whether something is said of a name: "Ann Lee, a lawyer and a mother"."""
    return is_english(span.doc) and any(
        comma.text == "," and is_name(name) and article.lower_ in ARTICLES
        for name, comma, article in zip(span, span[1:], span[2:])
    )


def _are_apart(one: Token, other: Token) -> bool:
    """Whether two tokens, in this order, aren't of one named entity."""
    return any(token.ent_iob_ != "I" for token in one.doc[one.i + 1 : other.i + 1])
