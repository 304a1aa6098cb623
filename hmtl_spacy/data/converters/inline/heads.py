"""Which tokens of a mention are its head where no asterisks say it."""

from typing import List, Optional, Tuple

from spacy.tokens import Doc, Span

from .ace import NAMES
from .markup import Bracket

ARTICLES = {"a", "an", "the"}
# never heads: determiners, possessive marks, and the prepositions before what is nested
LIGHT = {
    *ARTICLES,
    *"'s ’s ' ’".split(),
    *"this that these those all both some any no every each another such".split(),
    *"of in at from for with on by to".split(),
}


def default_head(
    doc: Doc, span: Span, bracket: Bracket, type: str, inner: List[Tuple[Bracket, Span]]
) -> Optional[Span]:
    """The head of a mention without asterisks, or None if it isn't clear.

    A name is its own head, without its article. A mention around one name has that for its head:
    `[Mayor [Ana Ruiz](PERSON)](ruiz)`. Else it is the only token left when nested brackets,
    determiners, prepositions and possessive marks are taken away, or if none is left the only bracket
    in it that is no mention: `[the [two](CARDINAL) of [them](men)](pair)`.

    doc: the document.
    span: the mention's extent.
    bracket: the mention as it was marked.
    type: the type of its entity.
    inner: the brackets directly in it.
    RETURNS: the head.
    """
    if len(span) == 1:
        return span
    if bracket.label:
        return without_article(span)
    labelled = [(nested.label, found) for nested, found in inner if nested.entity is None]
    names = [found for label, found in labelled if label in NAMES[type]]
    if names:
        return without_article(names[0]) if len(names) == 1 else None
    covered = {token.i for _, found in inner for token in found}
    left = [token.i for token in span if token.i not in covered and token.lower_ not in LIGHT]
    if not left and len(labelled) == 1:
        return labelled[0][1]
    return doc[left[0] : left[0] + 1] if len(left) == 1 else None


def without_article(span: Span) -> Span:
    """A name without the article that it begins with."""
    return span[1:] if len(span) > 1 and span[0].lower_ in ARTICLES else span
