"""What a mention is in its sentence: possessive, definite, in apposition."""

from typing import List

from spacy.tokens import Span, Token

from .words import AFTER_HEAD, ARTICLES, CONJUNCTIONS, COPULAS, DEFINITE, PLURALS, POSSESSIVES, is_english

BETWEEN = {",", "(", "-", "–", "—", ":"}
# words that follow "her" where it is an object: "told her that", "gave her some", "saw her again"
AFTER_OBJECT = (
    (AFTER_HEAD - {"like", "past", "inside", "outside", "near"})
    | ARTICLES
    | CONJUNCTIONS
    | DEFINITE
    | set(
        "some any no all both me him us them out away back again then there here now today yesterday".split()
    )
    | set("tomorrow tonight home too either soon later alone so more go be know feel".split())
)


def is_possessive(span: Span) -> bool:
    """Whether an English pronoun is a possessive; of "her" by tag, else by what follows it."""
    token = span[0]
    if len(span) > 1 or not is_english(span.doc) or token.lower_ not in POSSESSIVES:
        return False
    return token.lower_ != "her" or _is_possessive_her(token)


def possessive_of(text: str, pronoun: Token, mark: str, is_name: bool) -> str:
    """A phrase as a possessive: "the workers'" for "their", "the Alps'" for "its", "James's" for "his".

    mark: what follows a phrase that doesn't end in "s".
    """
    short = pronoun.lower_ in PLURALS or (is_name and pronoun.lower_ == "its")
    return text + (mark[:1] if short and text.endswith("s") else mark)


def is_definite(span: Span) -> bool:
    """Whether a nominal refers back by its form; in other languages than English any may."""
    return not is_english(span.doc) or span[0].lower_ in DEFINITE


def is_apposed(one: Span, other: Span) -> bool:
    """Whether nothing but a comma, a dash or a bracket is between two spans of one sentence."""
    between = _between(one, other)
    return len(between) == 1 and between[0].text in BETWEEN


def is_predicate(one: Span, other: Span) -> bool:
    """Whether nothing but a form of "to be" is between two spans of one sentence."""
    between = _between(one, other)
    return 0 < len(between) <= 3 and all(_is_copula(token) for token in between)


def _between(one: Span, other: Span) -> List[Token]:
    """The tokens between two spans, none if they overlap or are in different sentences."""
    first, second = sorted((one, other), key=lambda span: span.start)
    if second.start <= first.end or any(
        token.is_sent_start for token in one.doc[first.end : second.start + 1]
    ):
        return []
    return list(one.doc[first.end : second.start])


def _is_copula(token: Token) -> bool:
    if token.pos_:
        return token.pos_ == "AUX"
    return is_english(token.doc) and token.lower_ in COPULAS


def _is_possessive_her(token: Token) -> bool:
    if token.tag_ or token.morph.get("Case", []) or token.morph.get("Poss", []):
        return token.tag_ == "PRP$" or "Yes" in token.morph.get("Poss", [])
    following = token.doc[token.i + 1] if token.i + 1 < len(token.doc) else None
    if following is None or following.is_sent_start or not following.text[0].isalnum():
        return False
    return following.lower_ not in AFTER_OBJECT
