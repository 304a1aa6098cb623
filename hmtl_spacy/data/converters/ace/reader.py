"""From ACE's characters to the layers of a `Doc`."""

from collections import Counter
from typing import Dict, Iterable, List, Optional, Set, Tuple

from spacy.pipeline import Sentencizer
from spacy.tokens import Doc, Span
from spacy.vocab import Vocab

from ....annotations import Relation, set_clusters, set_mentions, set_relations
from ..character_spans import Misaligned, check_misaligned
from ..clusters import Offsets, Width, check_width, resolve_clusters
from ..common import Lines, blank_english
from .alignment import Aligned, align_mentions, check_words
from .annotation import Annotation
from .source import read_source


class AceReader:
    """Reads documents of ACE 2005, as .sgm and .apf.xml.

    Sentences are those of spaCy's sentencizer, and elements and paragraphs begin new ones;
    boundaries inside a mention are removed.

    vocab: the vocabulary of the documents; all readers share one if None.
    mentions: "head" for heads in `doc.spans["mentions"]` and as arguments, "extent" for full mentions.
    clusters: likewise for the coreference clusters.
    singletons: keep clusters of one mention.
    misaligned: what to do with a mention that begins or ends inside a token: "expand" it to
        whole tokens, "drop" it or raise an "error".
    dropped: what couldn't be kept, or was changed, is counted here.
    """

    def __init__(
        self,
        vocab: Optional[Vocab],
        mentions: Width,
        clusters: Width,
        singletons: bool,
        misaligned: Misaligned,
        dropped: Counter[str],
    ):
        check_width(mentions=mentions, clusters=clusters)
        check_misaligned(misaligned)
        self.nlp = blank_english(vocab)
        self.sentencizer = Sentencizer()
        self.mentions, self.clusters, self.singletons = mentions, clusters, singletons
        self.misaligned = misaligned
        self.dropped = dropped

    def read(self, source: Lines, annotation: Lines) -> Doc:
        """Read one document; named entities stay unannotated.

        source: the .sgm file.
        annotation: the .apf.xml file.
        """
        text = read_source(*source)
        annotated = Annotation(*annotation, self.dropped)
        check_words(annotated, text, source.source, self.dropped)
        doc = self.nlp.make_doc(text.text)
        doc.user_data["id"] = annotated.id
        aligned = align_mentions(doc, annotated, text, self.misaligned, self.dropped)
        self._set_sentences(doc, set(text.breaks), aligned.values())
        spans = self._set_mentions(doc, aligned)
        groups: Dict[str, List[Offsets]] = {}
        for mention in aligned.values():
            groups.setdefault(mention.entity, []).append(getattr(mention, self.clusters))
        set_clusters(doc, resolve_clusters(groups.values(), self.singletons, self.dropped))
        self._set_relations(doc, annotated, spans)
        return doc

    def _set_sentences(self, doc: Doc, breaks: Set[int], mentions: Iterable[Aligned]) -> None:
        begins = [token.i for token in doc if token.idx in breaks]
        starts: Set[int] = set()
        for start, end in zip(begins, [*begins[1:], len(doc)]):
            [begins_sentence] = self.sentencizer.predict([doc[start:end].as_doc()])
            starts.update(start + i for i, begins_here in enumerate(begins_sentence) if begins_here)
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
            spans[id] = by_offsets.setdefault(offsets, Span(doc, offsets[0], offsets[1], mention.type))
        self.dropped[f"mentions with the same {self.mentions} as another"] += len(spans) - len(by_offsets)
        set_mentions(doc, sorted(by_offsets.values()))
        return spans

    def _set_relations(self, doc: Doc, annotation: Annotation, spans: Dict[str, Span]) -> None:
        relations: Dict[Tuple[Offsets, Offsets, str], Relation] = {}
        for relation in annotation.relations:
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
