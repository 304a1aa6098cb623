"""Our own JSON lines: text with character offsets, each of the four layers optional.

    {"text": "Ada lives in Rome.", "entities": [{"start": 0, "end": 3, "label": "PER"}]}

Ends are exclusive. A missing key means *not annotated*, an empty list *annotated, none found*.
"""

from collections import Counter
from typing import Any, Dict, Iterable, Iterator, List, Literal, Optional, Tuple, get_args

from spacy.language import Language
from spacy.tokens import Doc, Span
from spacy.vocab import Vocab

from ...annotations import ENTITIES, Relation, set_clusters, set_mentions, set_relations, write_layer
from ..layers import Scored, size
from .character_spans import CharacterSpans, Misaligned, check_misaligned
from .clusters import Offsets
from .converter import Converter
from .records import Record, read_records, shorten
from .tokens import load_tokenizer, make_tokens

KEYS = ("id", "text", "tokens", "sentences", "entities", "mentions", "clusters", "relations", "meta")
RELATION_KEYS = ("head", "tail", "label", "score")
Further = Literal["error", "ignore"]


def jsonl_to_docs(
    lines: Iterable[str],
    *,
    source: str = "<input>",
    vocab: Optional[Vocab] = None,
    lang: str = "en",
    model: Optional[str] = None,
    misaligned: Misaligned = "error",
    further: Further = "error",
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
    further: what to do with other keys of a line, such as the layers of tasks beyond the four.
    dropped: what couldn't be kept, or was changed, is counted here.
    YIELDS: the documents.
    """
    check_misaligned(misaligned)
    if further not in get_args(Further):
        raise ValueError(f"further is {further!r}, expected one of {', '.join(get_args(Further))}.")
    nlp = load_tokenizer(lang, model, vocab)
    dropped = Counter() if dropped is None else dropped
    for record in read_records(lines, source):
        _check_keys(record, further, dropped)
        yield record_to_doc(record, nlp, misaligned, dropped)


def record_to_doc(record: Record, nlp: Language, misaligned: Misaligned, dropped: Counter[str]) -> Doc:
    """A document of the keys that are read.

    nlp: the pipeline whose tokenizer is used where there are no tokens.
    """
    doc = make_tokens(nlp, record)
    doc.user_data["id"] = record.id("id")
    if (meta := record.meta("meta")) is not None:
        doc.user_data["meta"] = meta
    _annotate(doc, record, CharacterSpans(doc, record, misaligned, dropped))
    return doc


def _check_keys(record: Record, further: Further, dropped: Counter[str]) -> None:
    if further == "ignore":
        for key in [key for key in record.data if key not in KEYS]:
            dropped[f"items of {key!r}, a key that isn't read"] += size(record.data[key])
    else:
        advice = (
            "Put what else the file should hold under 'meta', or ignore further layers (--further ignore)."
        )
        record.check_keys(record.data, KEYS, "", advice)


def _annotate(doc: Doc, record: Record, spans: CharacterSpans) -> None:
    mentions, entities = spans.labelled("mentions"), spans.labelled("entities")
    sentences, clusters, relations = (record.layer(key) for key in ("sentences", "clusters", "relations"))
    if sentences is not None:
        _set_sentences(doc, sentences, record, spans)
    if entities is not None:
        _set_entities(doc, entities, record, spans)
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
        record.check_keys(offsets, ("start", "end", "text"), " in 'sentences'", "A sentence is [start, end].")
        if offsets["start"] < position or spans.text[position : offsets["start"]].strip():
            found = f"the sentence {shorten(pair)} doesn't follow the one that ends at {position}"
            raise record.error(f"{found}. Sentences come in order and leave out nothing but whitespace.")
        position = offsets["end"]
        if span is not None:
            spans.lose(
                "sentences that expanding joined", int(span.start in starts and pair is not sentences[0])
            )
            starts.add(span.start)
    if spans.text[position:].strip():
        raise record.error(f"the text after {position} is in no sentence. Leave 'sentences' out if unknown.")
    for token in doc:
        token.is_sent_start = token.i in starts


def _set_entities(doc: Doc, entities: List[Scored], record: Record, spans: CharacterSpans) -> None:
    kept: List[Scored] = []
    for entity in sorted(entities, key=lambda entity: entity.span):
        if kept and kept[-1].span.end > entity.span.start:
            before, here = (
                spans.were_moved(_offsets(row.span), layer="entities") for row in (kept[-1], entity)
            )
            if not before and not here:
                found = f"the entities {kept[-1].span.text!r} and {entity.span.text!r} overlap"
                raise record.error(f"{found}. Put spans that overlap in 'mentions'.")
            spans.lose("entities that expanding made overlap with another")
            if here:
                continue
            kept.pop()
        kept.append(entity)
    doc.set_ents([entity.span for entity in kept], default="outside")
    if any(entity.score is not None for entity in kept):
        write_layer(doc, "entities", ENTITIES, [entity.span for entity in kept], scores=_scores(kept))


def _scores(layer: List[Scored]) -> List[float]:
    return [1.0 if score is None else score for _, score in layer]


def _set_clusters(doc: Doc, clusters: List[Any], record: Record, spans: CharacterSpans) -> None:
    links: List[Dict[Offsets, Optional[float]]] = []
    for cluster in clusters:
        if not isinstance(cluster, list):
            raise record.error(f"found the cluster {shorten(cluster)}, expected a list of spans or ids.")
        rows = [(spans.refer(value, "clusters"), record.score(value)) for value in cluster]
        there = [(_offsets(span), score) for span, score in rows if span is not None]
        links.append(dict(there))
        spans.lose("mentions named twice in a cluster", len(there) - len(links[-1]))
    _make_disjoint(links, doc, record, spans)
    for cluster, kept in zip(clusters, links, strict=True):
        spans.lose("clusters left with one mention", int(len(kept) == 1 < len(cluster)))
        spans.lose("clusters without mentions", int(not kept))
    scores = {place: score for kept in links for place, score in kept.items() if score is not None}
    set_clusters(doc, links, scores)


def _make_disjoint(
    links: List[Dict[Offsets, Optional[float]]], doc: Doc, record: Record, spans: CharacterSpans
) -> None:
    """A span in two clusters is an error, unless expanding has put it there: then it stays in the first, of
    those with several mentions if there are any.
    """
    counts = Counter(place for cluster in links for place in cluster)
    for place, count in counts.items():
        if count == 1:
            continue
        if not spans.were_moved(place):
            found = f"{doc[slice(*place)].text!r} is in {count} clusters"
            raise record.error(f"{found}. Leave it in one, or join the clusters.")
        holders = sorted((cluster for cluster in links if place in cluster), key=lambda held: len(held) == 1)
        for cluster in holders[1:]:
            del cluster[place]
            spans.lose("mentions that expanding put into a second cluster")


def _set_relations(doc: Doc, values: List[Any], record: Record, spans: CharacterSpans) -> None:
    relations: Dict[Tuple[Offsets, Offsets, str], Relation] = {}
    for value in values:
        if not isinstance(value, dict) or "head" not in value or "tail" not in value:
            raise record.error(f"found the relation {shorten(value)}, expected head, tail and label.")
        head, tail = (spans.refer(value[key], "relations") for key in ("head", "tail"))
        label, score = record.label(value, "label"), record.score(value)
        record.check_keys(
            value, RELATION_KEYS, " in 'relations'", "A relation goes from its head to its tail."
        )
        if head is None or tail is None:
            spans.lose("relations without an argument that was dropped")
            continue
        places = _offsets(head), _offsets(tail)
        if places[0] == places[1] and value["head"] != value["tail"] and spans.were_moved(places[0]):
            spans.lose("relations whose arguments expanding made the same")
        elif (*places, label) in relations:
            spans.lose("duplicates in 'relations'")
        else:
            relations[(*places, label)] = Relation(head, tail, label, 1.0 if score is None else score)
    set_relations(doc, relations.values())


def _offsets(span: Span) -> Offsets:
    return span.start, span.end


converter = Converter(
    jsonl_to_docs,
    example="mine.jsonl mine.spacy --misaligned expand",
    flags={"lang": "l"},
)
