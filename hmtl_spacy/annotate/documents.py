"""From an item of the input to a `Doc` with its tokens, its id and what came with it."""

from collections import Counter
from typing import Callable, Dict, NamedTuple

from spacy.language import Language
from spacy.tokens import Doc

from ..data.converters.common import ConversionError, decode
from ..data.converters.records import parse_record, shorten
from ..data.converters.tokens import make_tokens
from .inputs import Item


class Fields(NamedTuple):
    """The keys of a JSON line that hold the text, the document's id and what is copied to the output."""

    text: str = "text"
    id: str = "id"
    meta: str = "meta"


FIELDS = Fields()


def make_doc(nlp: Language, item: Item, kind: str, fields: Fields, lost: Counter) -> Doc:
    """Parse an item and tokenize its text.

    kind: the suffix of the file.
    lost: what isn't used is counted here.
    """
    if item.error:
        raise ConversionError(item.source, item.number, item.error)
    doc = MAKERS[kind](nlp, item, fields, lost)
    doc.user_data.setdefault("id", item.name)
    return doc


def _of_text(nlp: Language, item: Item, fields: Fields, lost: Counter) -> Doc:
    if item.number is not None:
        return nlp.tokenizer(decode(item.payload, item.source, item.number).rstrip("\r\n"))
    try:
        return nlp.tokenizer(item.payload.decode("utf-8-sig"))
    except UnicodeDecodeError as err:
        line = item.payload.count(b"\n", 0, err.start) + 1
        found = f"byte {item.payload[err.start]:#04x} isn't UTF-8 ({err.reason})"
        raise ConversionError(item.source, line, f"{found}. Save the file as UTF-8.") from None


def _of_json(nlp: Language, item: Item, fields: Fields, lost: Counter) -> Doc:
    assert item.number is not None, "JSON is read line by line"
    record = parse_record(decode(item.payload, item.source, item.number), item.source, item.number)
    doc = make_tokens(nlp, record, fields.text)
    id, meta = (record.data.get(key) for key in (fields.id, fields.meta))
    if id is not None:
        if type(id) not in (str, int, float):
            raise record.error(f"found {fields.id!r}: {shorten(id)}, expected a string or a number.")
        doc.user_data["id"] = str(id)
    if meta is not None:
        doc.user_data["meta"] = meta
    used = f"{fields.text}, tokens, {fields.id} and {fields.meta}"
    lost[f"values of other keys of JSON lines than {used}"] += len(record.data.keys() - {*fields, "tokens"})
    return doc


def _of_doc(nlp: Language, item: Item, fields: Fields, lost: Counter) -> Doc:
    words, spaces, starts, user_data, more = item.payload
    lost["documents whose own annotation isn't taken over, but for sentences"] += more
    return Doc(nlp.vocab, words=words, spaces=spaces, sent_starts=starts, user_data=user_data)


MAKERS: Dict[str, Callable[[Language, Item, Fields, Counter], Doc]] = {
    ".txt": _of_text,
    ".jsonl": _of_json,
    ".spacy": _of_doc,
}
