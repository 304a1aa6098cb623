"""A `Doc` as CorefUD lays it out: CoNLL-U with mentions and clusters as brackets in `Entity=`."""

import re
from collections import Counter
from hashlib import blake2b
from typing import Dict, List, Optional, Tuple

from spacy.tokens import Doc

from ..layers import Layers, lose_further, lose_unannotated
from .words import CROSSING, Words, lose_scores, nested
from .writer import Writer

FIELDS = "eid-etype-head-other"
SPECIAL = re.compile(r"[%()|=,\s-]")  # in a type: signs of brackets, fields and columns
BREAKS = re.compile(r"[\t\n\r]")
Offsets = Tuple[int, int]


def doc_to_conllu(doc: Doc, layers: Layers, lost: "Counter[str]") -> Optional[str]:
    """A document from `# newdoc` to the blank line after its last sentence; None if it has no words.

    A mention in no cluster is an entity of its own. Heads are left out: a Doc doesn't have them.

    doc: the document.
    layers: what it has.
    lost: what the format can't hold is counted here.
    RETURNS: the lines.
    """
    words = Words(doc, layers, lost)
    if not words.texts:
        lost["documents without words"] += 1
        return None
    lost["named entities"] += len(layers.entities or ())
    lost["relations"] += len(layers.relations or ())
    lose_further(layers, lost)
    lose_unannotated(layers, ("mentions", "clusters"), lost)
    lose_scores([layers.mentions, *(layers.clusters or ())], lost)
    id = BREAKS.sub("_", str(doc.user_data.get("id", "document")))
    brackets = _brackets(words, _entities(words, layers, lost), id)
    spaced = [bool(token.whitespace_) or _before_space(doc, token.i) for token in doc if not token.is_space]
    lines = [f"# newdoc id = {id}", f"# global.Entity = {FIELDS}"]
    for number, (start, end) in enumerate(words.sentences, start=1):
        texts = [BREAKS.sub("_", text) for text in words.texts[start:end]]
        lost["words with tabs or line breaks, which became _"] += texts != words.texts[start:end]
        pieces = [text + " " * spaced[i] for i, text in enumerate(texts, start=start)]
        lines += [f"# sent_id = {id}-s{number}", f"# text = {''.join(pieces).rstrip()}"]
        for i, text in enumerate(texts, start=start):
            misc = [f"Entity={brackets[i]}"] if i in brackets else []
            misc += [] if spaced[i] else ["SpaceAfter=No"]
            place = ["0", "root"] if i == start else ["1", "dep"]
            columns = [str(i - start + 1), text, "_", "_", "_", "_", *place, "_", "|".join(misc) or "_"]
            lines.append("\t".join(columns))
        lines.append("")
    return "\n".join([*lines, ""])


def _before_space(doc: Doc, i: int) -> bool:
    return i + 1 < len(doc) and doc[i + 1].is_space


def _entities(words: Words, layers: Layers, lost: "Counter[str]") -> List[Dict[Offsets, str]]:
    """The mentions of each entity, in words, with their types, empty for those that only a cluster has."""
    types: Dict[Offsets, str] = {}
    for span, _ in layers.mentions or ():
        offsets = words.offsets(span)
        if offsets is None or not _in_sentence(words, offsets):
            lost["mentions across sentences or of nothing but white space"] += 1
        elif types.setdefault(offsets, span.label_) != span.label_:
            lost["further labels of a mention"] += 1
    entities, clustered = [], set()
    for cluster in layers.clusters or ():
        spans = [words.offsets(span) for span, _ in cluster]
        kept = nested(spans)
        lost[CROSSING] += len(spans) - len(kept)
        inside = [offsets for offsets in kept if _in_sentence(words, offsets)]
        lost["coreference mentions across sentences"] += len(kept) - len(inside)
        entities.append({offsets: types.get(offsets, "") for offsets in inside})
        clustered.update(inside)
    return [*entities, *({offsets: type} for offsets, type in types.items() if offsets not in clustered)]


def _in_sentence(words: Words, offsets: Offsets) -> bool:
    return words.sentence(offsets[0]) == words.sentence(offsets[1] - 1)


def _brackets(words: Words, entities: List[Dict[Offsets, str]], id: str) -> Dict[int, str]:
    """The brackets of each word: what closes there, the shortest first, then what opens, the longest first.
    (The other way round, "(e1-person" and "e2)" would be one.)

    Ids of entities differ between documents, as CorefUD wants it.
    """
    prefix = blake2b(id.encode("utf-8", "surrogatepass"), digest_size=4).hexdigest()
    mentions = [
        (start, end, f"{prefix}e{number}", type)
        for number, entity in enumerate(entities, start=1)
        for (start, end), type in entity.items()
    ]
    opening: Dict[int, List[str]] = {}
    closing: Dict[int, List[str]] = {}
    for start, end, eid, type in sorted(mentions, key=lambda mention: (mention[0], -mention[1])):
        fields = f"({eid}-{SPECIAL.sub(_escape, type)}" if type else f"({eid}"
        opening.setdefault(start, []).append(fields + ")" * (end == start + 1))
        if end > start + 1:
            closing.setdefault(end - 1, []).insert(0, f"{eid})")
    return {i: "".join(closing.get(i, []) + opening.get(i, [])) for i in {*opening, *closing}}


def _escape(match: "re.Match[str]") -> str:
    return "".join(f"%{byte:02X}" for byte in match[0].encode())


writer = Writer(doc_to_conllu, (".conllu",))
