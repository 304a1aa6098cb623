"""Our own JSON lines: text with character offsets, each of the four layers optional.

    {"text": "Ada lives in Rome.", "entities": [{"start": 0, "end": 3, "label": "PER"}]}

Ends are exclusive. A missing key means *not annotated*, an empty list *annotated, none found*.
"""

from collections import Counter
from typing import Any, Iterable, Iterator, List, Optional

import spacy
from spacy.tokens import Doc
from spacy.vocab import Vocab

from ...annotations import ENTITIES, Relation, set_clusters, set_mentions, set_relations, write_layer
from ..layers import Scored
from .character_spans import CharacterSpans, Misaligned, check_misaligned
from .converter import Converter
from .records import Record, read_records, shorten
from .tokens import make_tokens

KEYS = ("id", "text", "tokens", "sentences", "entities", "mentions", "clusters", "relations", "meta")


def jsonl_to_docs(
    lines: Iterable[str],
    *,
    source: str = "<input>",
    vocab: Optional[Vocab] = None,
    lang: str = "en",
    model: Optional[str] = None,
    misaligned: Misaligned = "error",
    dropped: Optional[Counter[str]] = None,
) -> Iterator[Doc]:
    """Our own JSON lines, character offsets over raw text. Fills the layers that the file has.

    Each line is a document.

    lines: the decoded lines of the file.
    source: the name of the file, for messages.
    vocab: the vocabulary of the documents.
    lang: language whose tokenizer is used.
    model: pipeline whose tokenizer is used instead.
    misaligned: what to do with spans that aren't whole tokens.
    dropped: what couldn't be kept, or was changed, is counted here.
    YIELDS: the documents.
    """
    check_misaligned(misaligned)
    own = True if vocab is None else vocab  # True: spaCy makes one
    nlp = spacy.load(model, vocab=own) if model else spacy.blank(lang, vocab=own)
    dropped = Counter() if dropped is None else dropped
    for record in read_records(lines, source):
        _check_keys(record)
        doc = make_tokens(nlp, record)
        doc.user_data["id"] = record.id("id")
        if record.data.get("meta") is not None:
            doc.user_data["meta"] = record.data["meta"]
        _annotate(doc, record, CharacterSpans(doc, record, misaligned, dropped))
        yield doc


def _check_keys(record: Record) -> None:
    if unknown := [key for key in record.data if key not in KEYS]:
        found = f"found the key {unknown[0]!r}, expected some of {', '.join(KEYS)}"
        raise record.error(f"{found}. Put what else the file should hold under 'meta'.")


def _annotate(doc: Doc, record: Record, spans: CharacterSpans) -> None:
    mentions, entities = spans.labelled("mentions"), spans.labelled("entities")
    sentences, clusters, relations = (record.layer(key) for key in ("sentences", "clusters", "relations"))
    if sentences is not None:
        _set_sentences(doc, sentences, record, spans)
    if entities is not None:
        _set_entities(doc, entities, record)
    if mentions is not None:
        set_mentions(doc, [mention.span for mention in mentions], _scores(mentions))
    if clusters is not None:
        _set_clusters(doc, clusters, record, spans)
    if relations is not None:
        _set_relations(doc, relations, record, spans)


def _set_sentences(doc: Doc, sentences: List[Any], record: Record, spans: CharacterSpans) -> None:
    starts, position = {0}, 0
    for pair in sentences:
        offsets = (
            dict(zip(("start", "end"), pair, strict=True))
            if isinstance(pair, list) and len(pair) == 2
            else pair
        )
        span = spans.find(offsets, "sentences")
        if offsets["start"] < position or spans.text[position : offsets["start"]].strip():
            found = f"the sentence {shorten(pair)} doesn't follow the one that ends at {position}"
            raise record.error(f"{found}. Sentences come in order and leave out nothing but whitespace.")
        position = offsets["end"]
        starts.update([] if span is None else [span.start])
    if spans.text[position:].strip():
        raise record.error(f"the text after {position} is in no sentence. Leave 'sentences' out if unknown.")
    for token in doc:
        token.is_sent_start = token.i in starts


def _set_entities(doc: Doc, entities: List[Scored], record: Record) -> None:
    spans = [entity.span for entity in entities]
    ordered = sorted(spans)
    for entity, following in zip(ordered, ordered[1:], strict=False):
        if entity.end > following.start:
            found = f"the entities {entity.text!r} and {following.text!r} overlap"
            raise record.error(f"{found}. Put spans that overlap in 'mentions'.")
    doc.set_ents(spans, default="outside")
    if any(entity.score is not None for entity in entities):
        write_layer(doc, "entities", ENTITIES, spans, scores=_scores(entities))


def _scores(layer: List[Scored]) -> List[float]:
    return [1.0 if score is None else score for _, score in layer]


def _set_clusters(doc: Doc, clusters: List[Any], record: Record, spans: CharacterSpans) -> None:
    offsets, scores = [], {}
    for cluster in clusters:
        if not isinstance(cluster, list):
            raise record.error(f"found the cluster {shorten(cluster)}, expected a list of spans or ids.")
        mentions = [(spans.refer(value, "clusters"), record.score(value)) for value in cluster]
        links = {(span.start, span.end): score for span, score in mentions if span is not None}
        scores.update({pair: score for pair, score in links.items() if score is not None})
        offsets.append(list(links))
    taken = Counter(pair for cluster in offsets for pair in cluster)
    for (start, end), count in taken.items():
        if count > 1:
            found = f"{doc[start:end].text!r} is in {count} clusters"
            raise record.error(f"{found}. Leave it in one, or join the clusters.")
    set_clusters(doc, offsets, scores)


def _set_relations(doc: Doc, values: List[Any], record: Record, spans: CharacterSpans) -> None:
    relations = []
    for value in values:
        if not isinstance(value, dict) or "head" not in value or "tail" not in value:
            raise record.error(f"found the relation {shorten(value)}, expected head, tail and label.")
        head, tail = (spans.refer(value[key], "relations") for key in ("head", "tail"))
        label, score = record.label(value, "label"), record.score(value)
        if head is None or tail is None:
            spans.dropped["relations without an argument that was dropped"] += 1
        else:
            relations.append(Relation(head, tail, label, 1.0 if score is None else score))
    set_relations(doc, relations)


converter = Converter(
    jsonl_to_docs,
    example="mine.jsonl mine.spacy --misaligned expand",
    flags={"lang": "l"},
)
