"""Coreference: clusters of spans in `doc.spans["coref_clusters"]`."""

from functools import partial
from typing import Any, Dict, Iterable, List, Optional, Sequence, Tuple

import numpy
from spacy.tokens import Doc
from spacy.training import Example

from ..annotations import get_clusters, get_mentions, set_clusters
from ..calibration import Judgement
from ..data.teaching import open_mentions, singletons_known
from ..metrics import coref_scores, links, partition
from ..nn.clusters import Linking
from ..nn.span_ranking import OPEN, UNCHAINED, SpanRankingHead
from .base import Task, annotated_pairs, char_offsets, crosses_sentences, offset_rows
from .differences import Differences, Item, Offsets, differences
from .features import SPEAKERS, WORDS, speaker_ids, word_ids


class Coref(Task):
    """Clusters of coreferent mentions. Rows are start, end, cluster; `OPEN` or `UNCHAINED` in place of the
    cluster for gold mentions in none of which something isn't known.

    max_width: widest span that can be a mention, in tokens.
    spans_per_token: share of spans kept after pruning.
    max_antecedents: with how many of the kept spans before it a span is compared: with the nearest, or
    coarse_window: with those that a coarse score finds best among so many nearest ones; 0: no coarse score.
    scorer_hidden: width of the two feed-forward scorers.
    scorer_dropout: in the scorers.
    feature_width: width of the embeddings of distance, span width and string match.
    string_match: also tell the antecedent scorer whether the words are the same (not in the paper).
    speakers: also tell it whether the speakers are the same, by `doc.user_data["speakers"]`: a name per
        token, None where it is unknown.
    mention_weight: weight of the term that teaches which spans are in a cluster at all; without
        it the loss can fall to zero by pruning every gold mention.
    linking: "best": a span is linked if its best antecedent is likelier than none, or "total": if all of
        its antecedents together are.
    link_nested: whether a cluster may have a mention that lies within another of its mentions.
    singletons: whether clusters of one mention are predicted, and count when scoring, on both sides.
    clusters_key: the span group of all clustered mentions.
    numbered_groups: also write one group per cluster, as spacy-experimental does.
    """

    layer = "clusters"
    reasons = ("crosses a sentence", "too wide")
    takes_spans = True

    def __init__(
        self,
        *,
        max_width: int,
        spans_per_token: float,
        max_antecedents: int,
        coarse_window: int,
        scorer_hidden: int,
        scorer_dropout: float,
        feature_width: int,
        string_match: bool,
        speakers: bool,
        mention_weight: float,
        linking: Linking,
        link_nested: bool,
        singletons: bool,
        clusters_key: str,
        numbered_groups: bool,
        **settings: Any,
    ):
        super().__init__(**settings)
        self.max_width = max_width
        self.spans_per_token = spans_per_token
        self.max_antecedents = max_antecedents
        self.coarse_window = coarse_window
        self.singletons = singletons
        self.clusters_key = clusters_key
        self.numbered_groups = numbered_groups
        self.string_match = string_match
        self.speakers = speakers
        self._make_head = partial(
            SpanRankingHead,
            max_width=max_width,
            spans_per_token=spans_per_token,
            max_antecedents=max_antecedents,
            coarse_window=coarse_window,
            hidden=scorer_hidden,
            dropout=scorer_dropout,
            feature_width=feature_width,
            string_match=string_match,
            speakers=speakers,
            mention_weight=mention_weight,
            linking=linking,
            link_nested=link_nested,
            singletons=singletons,
        )

    @property
    def keys(self) -> Dict[str, Optional[str]]:
        return {"clusters": self.clusters_key}

    def build_head(self, nI: int, nX: int) -> SpanRankingHead:
        return self._make_head(nI, nX)

    def token_features(self, docs: Sequence[Doc]) -> Dict[str, numpy.ndarray]:
        features = {}
        if self.string_match:
            features[WORDS] = word_ids(docs)
        if self.speakers:
            features[SPEAKERS] = speaker_ids(docs)
        return features

    def has_gold(self, doc: Doc) -> bool:
        return get_clusters(doc, self.clusters_key) is not None

    @property
    def scored_group(self) -> str:
        return self.clusters_key

    @property
    def spans_from(self) -> Optional[str]:
        return next((name for name, task in self.below.items() if task.layer == "mentions"), None)

    def candidate_rows(self, doc: Doc) -> Optional[numpy.ndarray]:
        """The document's mentions."""
        mentions = get_mentions(doc)
        return None if mentions is None else offset_rows(mentions)

    def find_labels(self, docs: Iterable[Doc]) -> List[str]:
        return []

    def encode(self, doc: Doc) -> numpy.ndarray:
        clusters = get_clusters(doc, self.clusters_key) or []
        rows = [(span.start, span.end, i) for i, cluster in enumerate(clusters) for span in cluster]
        rows += [(s, e, UNCHAINED if unlinked else OPEN) for s, e, unlinked in open_mentions(doc)]
        return numpy.array(sorted(rows), dtype=numpy.int64).reshape(-1, 3)

    def unusable(self, rows: numpy.ndarray, sentence_of: numpy.ndarray) -> Dict[str, numpy.ndarray]:
        crossing = crosses_sentences(rows[:, 0], rows[:, 1], sentence_of)
        wide = rows[:, 1] - rows[:, 0] > self.max_width
        return dict(zip(self.reasons, (crossing, wide & ~crossing)))

    def out_of_reach(self, rows: numpy.ndarray) -> Dict[str, int]:
        """Links from mentions to the nearest ones before in their clusters that have more kept spans between
        them than a span is compared with, if spans are kept evenly: `spans_per_token` a token.
        """
        rows = rows[rows[:, 2] >= 0]
        ordered = rows[numpy.lexsort((rows[:, 1], rows[:, 0], rows[:, 2]))]
        same = ordered[1:, 2] == ordered[:-1, 2]
        distance = (ordered[1:, 0] - ordered[:-1, 0])[same] * self.spans_per_token  # in kept spans
        limit = "coarse_window" if self.coarse_window > self.max_antecedents else "max_antecedents"
        far = int((distance > getattr(self, limit)).sum())
        return {f"links farther than {limit}": far} if far else {}

    def annotate(self, doc: Doc, rows: numpy.ndarray, scores: numpy.ndarray) -> None:
        clusters: Dict[int, List[Offsets]] = {}
        for start, end, cluster in rows.tolist():
            clusters.setdefault(cluster, []).append((start, end))
        confidence = {(start, end): score for (start, end, _), score in zip(rows.tolist(), scores.tolist())}
        set_clusters(doc, clusters.values(), confidence, self.clusters_key, self.numbered_groups)

    def score(self, examples: List[Example]) -> Dict[str, Any]:
        pairs = annotated_pairs(self, examples)
        gold, predictions = zip(*(self.compared(*pair) for pair in pairs)) if pairs else ((), ())
        scores = coref_scores(gold, predictions, keep_singletons=self.singletons)
        return {"coref_f": scores["conll_f"], **{f"coref_{key}": value for key, value in scores.items()}}

    def differences(self, predicted: Doc, reference: Doc) -> Dict[str, Differences]:
        gold, clusters = (partition(side, self.singletons) for side in self.compared(predicted, reference))
        mentions = [{m: Item((m,)) for cluster in side for m in cluster} for side in (gold, clusters)]
        correct, missed = links(gold, clusters)
        _, spurious = links(clusters, gold)
        muc = Differences(*([Item(link) for link in sorted(side)] for side in (correct, missed, spurious)))
        return {"coref_mention": differences(*mentions), "coref_muc": muc}

    def judgements(self, predicted: Doc, reference: Doc) -> List[Judgement]:
        """Of each mention but the first of its cluster: whether it is in one gold cluster with one before."""
        gold, clusters = self.compared(predicted, reference)
        cluster_of = {span: number for number, cluster in enumerate(gold) for span in cluster}
        confidence = self.confidences(predicted)
        judged = []
        for first, *others in map(sorted, clusters):
            seen = {cluster_of.get(first)}  # gold clusters of the mentions before
            for span in others:
                number = cluster_of.get(span)
                if span in confidence:
                    judged.append((confidence[span], number is not None and number in seen))
                seen.add(number)
        return judged

    def score_weights(self) -> Dict[str, Optional[float]]:
        parts = ("muc_f", "b3_f", "ceafe_f", "lea_f", "mention_f")
        return {"coref_f": 1.0, **{f"coref_{part}": 0.0 for part in parts}}

    def compared(self, predicted: Doc, reference: Doc) -> Tuple[List[List[Offsets]], List[List[Offsets]]]:
        """Gold and predicted clusters as they are compared: without what the gold annotation leaves open."""
        gold, clusters = self._char_clusters(reference), self._char_clusters(predicted)
        left_open = {
            char_offsets(reference[s:e]) for s, e, unlinked in open_mentions(reference) if not unlinked
        }
        if left_open:
            clusters = [[span for span in cluster if span not in left_open] for cluster in clusters]
        if not singletons_known(reference):
            clusters = [cluster for cluster in clusters if len(cluster) > 1]
        return gold, clusters

    def _char_clusters(self, doc: Doc) -> List[List[Offsets]]:
        clusters = get_clusters(doc, self.clusters_key) or []
        return [[char_offsets(span) for span in cluster] for cluster in clusters]
