"""ACE's mentions, which count characters, in the tokens of a `Doc`."""

import html
from collections import Counter
from typing import Dict, List, NamedTuple, Optional

from spacy.tokens import Doc, Span

from ..clusters import Offsets
from ..common import ConversionError
from .annotation import Annotation, CharSeq, EntityMention
from .source import SourceText


class Aligned(NamedTuple):
    """A mention in tokens."""

    entity: str
    type: str
    extent: Offsets
    head: Offsets


def check_words(annotation: Annotation, text: SourceText, source: str, dropped: Counter[str]) -> None:
    """Compare the words that both files have at the mentions' offsets.

    If those of most mentions differ, the files don't belong together, which is an error.

    annotation: the .apf.xml file.
    text: the .sgm file.
    source: its name, for messages.
    dropped: how many mentions differ is counted here.
    """
    different: List[CharSeq] = []
    for mention in annotation.mentions.values():
        spans = (mention.extent, mention.head)
        for span in spans:
            if span.end > len(text.raw):
                ends = f"{span.text!r} ends at {span.end - 1}, but {source} has {len(text.raw)} characters"
                message = f"{ends} without its tags. Do the files belong together?"
                raise ConversionError(annotation.source, span.line, message)
        different.extend([span for span in spans if not _same_words(text, span)][:1])
    if 2 * len(different) > len(annotation.mentions):
        span = different[0]
        there = text.readable(span.start, span.end)
        message = f"found {there!r} at {span.start} in {source}, expected {span.text!r}"
        raise ConversionError(annotation.source, span.line, f"{message}. Do the files belong together?")
    dropped["mentions whose words differ in the two files (kept where the offsets say)"] += len(different)


def _same_words(text: SourceText, span: CharSeq) -> bool:
    texts = (text.readable(span.start, span.end), html.unescape(span.text))
    in_source, in_annotation = ("".join(words.split()) for words in texts)
    return in_source == in_annotation


def align_mentions(
    doc: Doc, annotation: Annotation, text: SourceText, misaligned: str, dropped: Counter[str]
) -> Dict[str, Aligned]:
    """Find the tokens of all mentions.

    doc: the tokens of `text.text`.
    annotation: the .apf.xml file.
    text: the .sgm file.
    misaligned: what to do with mentions that aren't whole tokens: "error", "drop" or "expand".
    dropped: what is dropped or expanded is counted here.
    RETURNS: the mentions by id, in the order of the text, longer ones first.
    """
    aligned: Dict[str, Aligned] = {}
    for id, mention in annotation.mentions.items():
        places = (text.span(span.start, span.end) for span in (mention.extent, mention.head))
        pairs = [place for place in places if place is not None]
        if len(pairs) < 2:
            dropped["mentions outside of the text (in the file's header, or white space)"] += 1
            continue
        spans = [doc.char_span(start, end) for start, end in pairs]
        if None in spans:
            if misaligned == "error":
                raise _misaligned(doc, annotation, mention, pairs, spans)
            if misaligned == "drop":
                dropped["mentions that aren't whole tokens"] += 1
                continue
            dropped["mentions expanded to whole tokens"] += 1
            spans = [doc.char_span(start, end, alignment_mode="expand") for start, end in pairs]
        extent, head = ((span.start, span.end) for span in spans if span is not None)
        aligned[id] = Aligned(mention.entity, mention.type, extent, head)
    return dict(sorted(aligned.items(), key=lambda item: (item[1].extent[0], -item[1].extent[1])))


def _misaligned(
    doc: Doc,
    annotation: Annotation,
    mention: EntityMention,
    pairs: List[Offsets],
    spans: List[Optional[Span]],
) -> ConversionError:
    place = spans.index(None)
    span = (mention.extent, mention.head)[place]
    start, end = pairs[place]
    tokens = [token.text for token in doc.char_span(start, end, alignment_mode="expand") or ()]
    message = f"{span.text!r} isn't made of whole tokens; the tokens there are {tokens}"
    return ConversionError(
        annotation.source, span.line, f"{message}. Have such mentions dropped or expanded."
    )
