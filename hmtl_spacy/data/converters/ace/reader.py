"""From ACE's characters to the layers of a `Doc`."""

from collections import Counter
from typing import Dict, Iterable, List, Optional, Set, Tuple

from spacy.pipeline import Sentencizer
from spacy.tokens import Doc, Span
from spacy.vocab import Vocab

from ....annotations import Relation, set_clusters, set_mentions, set_relations
from ..character_spans import MISALIGNED
from ..clusters import Offsets, resolve_clusters
from ..common import blank_english
from .alignment import Aligned, align_mentions, check_words
from .annotation import Annotation
from .source import read_source

SPANS = ("head", "extent")


class AceReader:
    """Reads documents of ACE 2005, as .sgm and .apf.xml.

    Sentences are those of spaCy's sentencizer, and elements and paragraphs begin new ones;
    boundaries inside of a mention are taken away.

    vocab: the vocabulary of the documents; by default all readers share one.
    mentions: "head" for heads in `doc.spans["mentions"]` and as arguments, "extent" for full mentions.
    clusters: likewise for the coreference clusters.
    singletons: keep clusters of one mention.
    misaligned: what to do with a mention that begins or ends inside a token: "expand" it to
        whole tokens, "drop" it or raise an "error".
    dropped: what couldn't be kept, or was changed, is counted here.
    """

    def __init__(
        self,
        *,
        vocab: Optional[Vocab] = None,
        mentions: str = "head",
        clusters: str = "extent",
        singletons: bool = False,
        misaligned: str = "expand",
        dropped: Optional[Counter] = None,
    ):
        for name, value in (("mentions", mentions), ("clusters", clusters)):
            if value not in SPANS:
                raise ValueError(f"{name} is {value!r}, expected 'head' or 'extent'.")
        if misaligned not in MISALIGNED:
            raise ValueError(f"misaligned is {misaligned!r}, expected one of {', '.join(MISALIGNED)}.")
        self.nlp = blank_english(vocab)
        self.sentencizer = Sentencizer()
        self.mentions, self.clusters, self.singletons = mentions, clusters, singletons
        self.misaligned = misaligned
        self.dropped = Counter() if dropped is None else dropped

    def read(
        self, lines: Iterable[str], annotation: Iterable[str], source: str, annotation_source: str
    ) -> Doc:
        """Read one document.

        lines: the decoded lines of the .sgm file.
        annotation: those of the .apf.xml file.
        source: the name of the first, for messages.
        annotation_source: that of the second.
        RETURNS: the document; named entities stay unannotated.
        """
        text = read_source(lines, source)
        found = Annotation(annotation, annotation_source, self.dropped)
        check_words(found, text, source, self.dropped)
        doc = self.nlp.make_doc(text.text)
        doc.user_data["id"] = found.id
        aligned = align_mentions(doc, found, text, self.misaligned, self.dropped)
        self._set_sentences(doc, set(text.breaks), aligned.values())
        spans = self._set_mentions(doc, aligned)
        groups: Dict[str, List[Offsets]] = {}
        for mention in aligned.values():
            groups.setdefault(mention.entity, []).append(getattr(mention, self.clusters))
        set_clusters(doc, resolve_clusters(groups.values(), self.singletons, self.dropped))
        self._set_relations(doc, found, spans)
        return doc

    def _set_sentences(self, doc: Doc, breaks: Set[int], mentions: Iterable[Aligned]) -> None:
        begins = [token.i for token in doc if token.idx in breaks]
        starts: Set[int] = set()
        for start, end in zip(begins, [*begins[1:], len(doc)]):
            [found] = self.sentencizer.predict([doc[start:end].as_doc()])
            starts.update(start + i for i, is_start in enumerate(found) if is_start)
        inside = {i for mention in mentions for start, end in mention[2:] for i in range(start + 1, end)}
        joined = starts & inside
        self.dropped["sentence boundaries inside of mentions (sentences joined)"] += len(joined)
        for token in doc:
            token.is_sent_start = token.i in starts and token.i not in joined

    def _set_mentions(self, doc: Doc, aligned: Dict[str, Aligned]) -> Dict[str, Span]:
        """Set the mentions; of those with one span, the first, which is longer, gives the type."""
        by_offsets: Dict[Offsets, Span] = {}
        spans: Dict[str, Span] = {}
        for id, mention in aligned.items():
            offsets = getattr(mention, self.mentions)
            spans[id] = by_offsets.setdefault(offsets, Span(doc, *offsets, mention.type))
        self.dropped[f"mentions with the same {self.mentions} as another"] += len(spans) - len(by_offsets)
        set_mentions(doc, sorted(by_offsets.values()))
        return spans

    def _set_relations(self, doc: Doc, found: Annotation, spans: Dict[str, Span]) -> None:
        relations: Dict[Tuple[Offsets, Offsets, str], Relation] = {}
        for relation in found.relations:
            if relation.head not in spans or relation.tail not in spans:
                self.dropped["relations of which an argument was left out"] += 1
                continue
            head, tail = spans[relation.head], spans[relation.tail]
            key = (head.start, head.end), (tail.start, tail.end), relation.label
            if key[0] == key[1]:
                self.dropped[f"relations between mentions with the same {self.mentions}"] += 1
            elif key in relations:
                self.dropped["relations named twice"] += 1
            else:
                relations[key] = Relation(head, tail, relation.label)
                across = head.sent.start != tail.sent.start
                self.dropped["relations across sentences (kept, but no model predicts them)"] += across
        set_relations(doc, relations.values())
