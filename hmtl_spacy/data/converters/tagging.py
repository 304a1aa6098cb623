"""Tag schemes of column formats: tell IOB1, IOB2 and BILOU apart, turn tags into spans."""

import re
from collections import Counter
from typing import Iterable, List, Literal, NamedTuple, Optional, Tuple, get_args

from .common import ConversionError
from .repair import Repair, describe_repair

Scheme = Literal["iob1", "iob2", "bilou"]
SCHEMES = get_args(Scheme)
TAG = re.compile(r"[Oo]|[BILUESM]-.+")
BILOU_PREFIXES = {"E": "L", "S": "U"}  # BIOES and BMES name the same five


class TaggedToken(NamedTuple):
    """A token with its tag."""

    text: str
    tag: str
    line: int  # where it stands in the file, for messages


class _Tag(NamedTuple):
    prefix: str
    label: str


OUTSIDE = _Tag("O", "")
UNKNOWN = ("", "_")  # what stands where no tag does
NO_TAG = "tokens whose tag is _ or empty, left without annotation"
OUT_OF_PLACE = "tags that the scheme doesn't allow there, read as if it did"


def tags_to_spans(
    tokens: List[TaggedToken], scheme: Scheme, source: str, repair: Optional[Repair] = None
) -> List[Tuple[int, int, str]]:
    """Read the spans of one sentence. A tag that the scheme doesn't allow there is an error, or repaired: an
    entity begins wherever none of its label goes on.

    tokens: the tokens of the sentence.
    scheme: "iob1", "iob2" or "bilou".
    source: the name of the file, for messages.
    repair: what the option `repair` allows.
    RETURNS: start, end and label, ends exclusive.
    """
    repair = repair or Repair(False, source, Counter())
    spans: List[Tuple[int, int, str]] = []
    start = 0
    previous = OUTSIDE
    for i, token in enumerate(tokens):
        tag = _parse(token, source)
        if not _allowed(previous, tag, scheme):
            found = f"{token.tag!r} ({token.text!r}) after {_name(previous)}"
            repair.mend(token.line, f"{found} isn't {scheme.upper()}. {_advice(scheme)}", OUT_OF_PLACE)
        if _begins(previous, tag):
            start = i
        if tag != OUTSIDE:
            if start < i:
                spans.pop()
            spans.append((start, i + 1, tag.label))
        previous = tag
    if scheme == "bilou" and previous.prefix in ("B", "I"):
        found = f"the sentence ends inside {_name(previous)}"
        repair.mend(tokens[-1].line, f"{found}, which isn't BILOU. {_advice(scheme)}", OUT_OF_PLACE)
    return spans


def guess_scheme(sentences: Iterable[List[TaggedToken]], source: str, repair: bool = False) -> Scheme:
    """Tell the scheme from all tags of a file.

    L, U, E or S tags make it BILOU. Otherwise an entity that begins with I- makes it
    IOB1 and a B- that no scheme but IOB2 would write makes it IOB2; a file with both is an error.

    sentences: the sentences of the file.
    source: the name of the file, for messages.
    repair: whether tags of the rarer scheme will be repaired.
    RETURNS: "iob1", "iob2" or "bilou".
    """
    iob1: List[TaggedToken] = []
    iob2: List[TaggedToken] = []
    for tokens in sentences:
        previous = OUTSIDE
        for token in tokens:
            tag = _parse(token, source)
            if tag.prefix in ("L", "U"):
                return "bilou"
            if tag.label != previous.label and tag != OUTSIDE:
                (iob1 if tag.prefix == "I" else iob2).append(token)
            previous = tag
    if iob1 and iob2 and not repair:
        raise _mixed(iob1, iob2, source)
    return "iob1" if len(iob1) > len(iob2) else "iob2"


def is_tag(text: str) -> bool:
    """Whether it can be a tag of one of the schemes."""
    return TAG.fullmatch(text) is not None


def _mixed(iob1: List[TaggedToken], iob2: List[TaggedToken], source: str) -> ConversionError:
    """The error of a file that has tags of both schemes; it points to the first of those that are fewer."""
    rare, common, name = (iob2, iob1, "IOB1") if len(iob1) > len(iob2) else (iob1, iob2, "IOB2")
    advice = f"The file is mostly {name}: correct this tag"
    if len(iob1) == len(iob2):
        advice = f"The file has as many tags of IOB1 as of IOB2 ({len(iob1):,}): correct those of one"
    found = f"{rare[0].tag!r} ({rare[0].text!r}) begins an entity"
    other = f"{common[0].tag!r} in line {common[0].line} does too"
    repaired = describe_repair(OUT_OF_PLACE)
    return ConversionError(source, rare[0].line, f"{found}, {other}. {advice}. {repaired}")


def _parse(token: TaggedToken, source: str) -> _Tag:
    if token.tag in ("O", "o", *UNKNOWN):
        return OUTSIDE
    prefix, separator, label = token.tag.partition("-")
    prefix = BILOU_PREFIXES.get(prefix, prefix)
    if not separator or not label or prefix not in ("B", "I", "L", "U"):
        expected = "expected O or B-, I-, L-, U- and a label"
        advice = "Name the columns if the tag stands in another one."
        raise ConversionError(source, token.line, f"found tag {token.tag!r}, {expected}. {advice}")
    return _Tag(prefix, label)


def _begins(previous: _Tag, tag: _Tag) -> bool:
    return tag.prefix in ("B", "U") or tag.label != previous.label or previous.prefix in ("L", "U")


def _allowed(previous: _Tag, tag: _Tag, scheme: str) -> bool:
    same = tag.label == previous.label and tag != OUTSIDE
    if scheme == "iob1":
        return tag.prefix in ("O", "I") or (tag.prefix == "B" and same)
    if scheme == "iob2":
        return tag.prefix in ("O", "B") or (tag.prefix == "I" and same)
    inside = previous.prefix in ("B", "I")
    return same and tag.prefix in ("I", "L") if inside else tag.prefix in ("O", "B", "U")


def _name(tag: _Tag) -> str:
    return "O or the start of the sentence" if tag == OUTSIDE else f"'{tag.prefix}-{tag.label}'"


def _advice(scheme: str) -> str:
    others = " or ".join(name.upper() for name in SCHEMES if name != scheme)
    return f"Correct the tag, or name the scheme if the file is {others}."
