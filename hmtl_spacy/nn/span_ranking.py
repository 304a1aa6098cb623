"""The coreference head: span ranking (Lee et al. 2017).

Candidate spans are scored as mentions, the best are kept, and each kept span picks one of the kept
spans before it as its antecedent, or none.
"""

from typing import List, Optional, Sequence, Tuple

import numpy
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from .antecedents import AntecedentScorer, Pairs
from .batch import CandidateSpans, Layout, TokenBatch
from .clusters import Linking, Links, best_links, follow_links, no_links
from .dropout import Dropout
from .head import Head
from .nesting import part_nested
from .pruning import join_spans, prune
from .spans import Candidates, HeadAttention, PrunedSpans, attend, attended_sums, enumerate_spans

SPANS_AT_A_TIME = 2048
# in place of the cluster of a gold mention: it may be in any; it has no antecedent, but may be a singleton
OPEN, UNCHAINED = -1, -2


class SpanRankingHead(nn.Module, Head):
    """Clusters of coreferent mentions.

    Rows are start, end, cluster, in tokens of the document; ends exclusive. Gold rows may have `OPEN` or
    `UNCHAINED` in place of the cluster.

    A span is represented by [first token ; last token ; width ; attended sum of its tokens]
    (Lee et al. 2017, section 4), the first two from the encoder, the sum over what the encoder read.

    nI: width of the encoder's vectors; nX: width of what the encoder read, over which a
        span's head attention goes.
    max_width: widest candidate span, in tokens.
    spans_per_token: share of spans kept after pruning, per token of the document.
    max_antecedents: each span is compared with so many kept spans before it: the nearest, or
    coarse_window: those with the best coarse scores of so many nearest ones; 0: without a coarse score.
    hidden: width of both feed-forward scorers and of the projected spans.
    feature_width: width of the embeddings of widths, distances and matches.
    string_match: whether antecedents are also scored by whether the words are the same.
    mention_weight: weight of the mention term, see `loss`. Without it pruning can learn to drop every
        gold mention, which makes the ranking loss zero.
    linking: when a span is linked to its most probable antecedent, see `best_links`.
    link_nested: whether a cluster may have a mention that lies within another of its mentions.
    singletons: whether `decode` makes clusters of one of spans that it takes for mentions and doesn't link.
    """

    reads_inputs = True
    takes_candidates = True

    def __init__(
        self,
        nI: int,
        nX: int,
        *,
        max_width: int,
        spans_per_token: float,
        max_antecedents: int,
        coarse_window: int,
        hidden: int,
        dropout: float,
        feature_width: int,
        string_match: bool,
        speakers: bool,
        mention_weight: float,
        linking: Linking,
        link_nested: bool,
        singletons: bool,
    ):
        super().__init__()
        self.max_width = max_width
        self.spans_per_token = spans_per_token
        self.mention_weight = mention_weight
        self.linking = linking
        self.link_nested = link_nested
        self.singletons = singletons
        self.attention = HeadAttention(nI)
        self.width = nn.Embedding(max_width + 1, feature_width)
        self.dropout = Dropout(dropout)
        self.from_start = nn.Linear(nI, hidden)
        self.from_end = nn.Linear(nI, hidden, bias=False)
        self.from_head = nn.Linear(nX, hidden, bias=False)
        self.from_width = nn.Linear(feature_width, hidden, bias=False)
        self.mention = nn.Sequential(nn.Linear(hidden, hidden), nn.ReLU(inplace=True), Dropout(dropout))
        self.mention_score = nn.Linear(hidden, 1)
        self.project = nn.Linear(2 * nI + nX + feature_width, hidden)
        self.antecedents = AntecedentScorer(
            hidden, hidden, max_antecedents, coarse_window, dropout, feature_width, string_match, speakers
        )

    def loss(self, tokens: TokenBatch, gold: List[numpy.ndarray]) -> Tensor:
        """Negative marginal log-likelihood of the gold antecedents (Lee et al. 2017, section 6), plus the
        mention term: the binary cross-entropy of "is in a cluster" over all candidates. Each document's
        loss is divided by its number of sentences; mean over documents. Spans that are `OPEN` or
        `UNCHAINED` have no mention term; `OPEN` ones are no antecedents, and need none.

        gold: rows per document, [n, 3]; spans no wider than max_width and within sentences.
        """
        layout = tokens.layout
        candidates, scores, weights = self.score_spans(tokens)
        clusters = self._clusters(layout, candidates, gold)  # [n_spans], 0 = in no cluster, below = open
        per_sentence = self._per_sentence(layout, tokens.vectors.device)  # [n_docs]
        doc_of = torch.from_numpy(layout.doc_of).to(clusters.device)[candidates.starts]  # [n_spans]
        mention = F.binary_cross_entropy_with_logits(scores, (clusters > 0).float(), reduction="none")
        mention = mention.masked_fill(clusters < 0, 0.0)
        loss = self.mention_weight * (mention * per_sentence[doc_of]).sum()
        kept = prune(layout, candidates, scores, self.spans_per_token)
        pairs: Optional[Pairs] = self.antecedents(tokens, kept, self.represent(tokens, kept, weights))
        if pairs is None:
            return loss / len(gold)
        own = clusters[kept.candidate]  # [n_kept]
        same = (own[pairs.antecedent] == own[:, None]) & (own > 0)[:, None] & pairs.exists  # [n_kept, n]
        # a span in no cluster, or the first of one, has the dummy as its gold antecedent
        dummy = ~same.any(dim=1, keepdim=True)
        positive = torch.cat([dummy, same], dim=1)
        # whether a span that is open is the antecedent isn't known: it doesn't compete. [n_kept, 1 + n]
        unknown = F.pad(own[pairs.antecedent] == OPEN, (1, 0))
        log_p = pairs.scores.masked_fill(unknown, -torch.inf).log_softmax(dim=1)  # [n_kept, 1 + n]
        ranking = -log_p.masked_fill(~positive, -torch.inf).logsumexp(dim=1)
        ranking = ranking.masked_fill(own == OPEN, 0.0)
        return (loss + (ranking * per_sentence[doc_of[kept.candidate]]).sum()) / len(gold)

    @torch.no_grad()
    def decode(
        self,
        tokens: TokenBatch,
        threshold: float = 0.0,
    ) -> Tuple[List[numpy.ndarray], List[numpy.ndarray]]:
        """Link spans to their antecedents: `tokens.candidates`, which may be of any width, or else the
        candidates of the head's own.

        threshold: a span's best link is made if its probability is at least that.
        RETURNS: rows [n, 3] and the probability of each mention's link [n], per document; where a cluster
            has one mention, that of being a mention.
        """
        layout = tokens.layout
        if not layout.n_tokens:
            empty = numpy.zeros((0, 3), dtype=numpy.int64)
            return [empty for _ in layout.doc_lengths], [
                empty[:, 0].astype(numpy.float32) for _ in layout.doc_lengths
            ]
        kept, given, weights = self.kept_spans(tokens)
        spans = torch.stack([kept.starts, kept.ends], dim=1).cpu().numpy()
        links = self.link(tokens, kept, spans, weights, threshold)
        mention = None
        if self.singletons:  # given spans are mentions, whatever the scorer takes them for
            mention = kept.scores.sigmoid().cpu().numpy()
            mention = numpy.where(given, mention.clip(min=0.5), mention)
        rows, confidences = follow_links(spans, links, mention)
        return layout.split_scored(rows, confidences, columns=2)

    def link(
        self, tokens: TokenBatch, kept: PrunedSpans, spans: numpy.ndarray, weights: Tensor, threshold: float
    ) -> Links:
        """The antecedents of kept spans.

        spans: their offsets, [n_kept, 2]; weights: of tokens, [n_tokens, 1].
        """
        pairs = None
        if len(spans):
            pairs = self.antecedents(tokens, kept, self.represent(tokens, kept, weights))
        if pairs is None:
            return no_links(len(spans))
        probability = pairs.scores.softmax(dim=1)  # [n_kept, 1 + n]
        links = best_links(pairs.antecedent, probability, threshold, self.linking)
        if self.link_nested:
            return links
        return part_nested(links, spans, pairs.antecedent, probability, threshold)

    def kept_spans(self, tokens: TokenBatch) -> Tuple[PrunedSpans, numpy.ndarray, Tensor]:
        """The spans that are linked: given ones, those of the head's own that pruning leaves, or both.

        RETURNS: the spans, which of them were given [n_kept], the tokens' attention weights [n_tokens, 1].
        """
        given = tokens.candidates
        if given is not None and not given.own:
            kept, weights = self.score_given(tokens, given)
            return kept, numpy.ones(len(kept.starts), dtype=bool), weights
        candidates, scores, weights = self.score_spans(tokens)
        own = prune(tokens.layout, candidates, scores, self.spans_per_token)
        if given is None:
            return own, numpy.zeros(len(own.starts), dtype=bool), weights
        return *join_spans(self.score_given(tokens, given)[0], own, tokens.layout), weights

    def score_spans(self, tokens: TokenBatch) -> Tuple[Candidates, Tensor, Tensor]:
        """Mention scores of all candidate spans.

        The first layer of the scorer is linear in [start ; end ; width ; head], so each part is
        projected once per token and only summed per span: the same numbers for less work.

        RETURNS: the candidates, their scores [n_spans], the tokens' attention weights [n_tokens, 1].
        """
        candidates = enumerate_spans(tokens.layout, self.max_width, tokens.vectors.device)
        weights = self.attention(tokens.vectors, tokens.layout)
        of_chunks = []
        for inside, layout in tokens.layout.chunks():
            inputs = [block[inside] for block in tokens.read]
            of_chunks.append(self._score_chunk(tokens.vectors[inside], inputs, weights[inside], layout))
        # candidates are by width: the chunks' scores for width 1 first, then those for width 2, ...
        scores = [scores for of_width in zip(*of_chunks) for scores in of_width]
        return candidates, torch.cat(scores), weights

    def _score_chunk(
        self, vectors: Tensor, inputs: Sequence[Tensor], weights: Tensor, layout: Layout
    ) -> List[Tensor]:
        """The scores of a chunk's candidates of width 1, 2, ..., each by start. [n_spans of that width] each

        vectors: [n_tokens, nI]; inputs: blocks, nX wide together; weights: [n_tokens, 1].
        """
        candidates = enumerate_spans(layout, self.max_width, vectors.device)
        from_start, from_end = self.from_start(vectors), self.from_end(vectors)  # [n_tokens, hidden]
        from_width = self.from_width(self.width.weight)  # [max_width + 1, hidden]
        # the attended sum of projected tokens is the projection of the attended sum
        sums = attended_sums(weights, self._project_heads(inputs), candidates)
        scores = []
        for width, hidden in enumerate(sums, start=1):
            starts = candidates.of_width(width)
            hidden += F.embedding(starts, from_start)
            hidden += F.embedding(starts + width - 1, from_end)
            hidden += from_width[width]
            hidden = self.mention(self.dropout(hidden.relu_()))
            scores.append(self.mention_score(hidden)[:, 0])
        return scores

    def score_given(self, tokens: TokenBatch, given: CandidateSpans) -> Tuple[PrunedSpans, Tensor]:
        """Mention scores of spans from elsewhere, all of them or those that pruning leaves, and the tokens'
        attention weights. [n_tokens, 1]
        """
        vectors = tokens.vectors
        rows = [numpy.unique(spans[:, :2], axis=0) for spans in given.rows]
        if given.prune:
            rows = self._own_candidates(tokens.layout, rows)
        offsets = numpy.concatenate(([0], numpy.cumsum([len(spans) for spans in rows]))).tolist()
        flat = tokens.layout.join_docs(rows, columns=2)
        starts, ends = torch.from_numpy(flat).to(vectors.device).unbind(dim=1)  # [n_spans] each
        weights = self.attention(vectors, tokens.layout)
        if not len(flat):
            return PrunedSpans(starts, starts, ends, vectors.new_zeros(0), offsets), weights
        hidden = self.from_start(vectors)[starts] + self.from_end(vectors)[ends - 1]  # [n_spans, hidden]
        hidden = hidden + self.from_width(self.width.weight)[(ends - starts).clamp(max=self.max_width)]
        projected = [self._project_heads(tokens.read)]
        parts = zip(starts.split(SPANS_AT_A_TIME), ends.split(SPANS_AT_A_TIME))
        hidden = hidden + torch.cat([attend(weights, projected, *part)[0] for part in parts])
        scores = self.mention_score(self.mention(self.dropout(hidden.relu())))[:, 0]
        if given.prune:
            return prune(tokens.layout, Candidates(starts, ends, []), scores, self.spans_per_token), weights
        index = torch.arange(len(flat), device=starts.device)
        return PrunedSpans(index, starts, ends, scores, offsets), weights

    def represent(self, tokens: TokenBatch, kept: PrunedSpans, weights: Tensor) -> Tuple[Tensor, Tensor]:
        """Projected vectors [n_kept, hidden] and head tokens [n_kept] of kept spans."""
        inputs = tokens.read
        projected, heads = [], []
        # some spans at a time, since a span's tokens are gathered: [n_spans, widest, nX]
        for starts, ends in zip(kept.starts.split(SPANS_AT_A_TIME), kept.ends.split(SPANS_AT_A_TIME)):
            attended, head_tokens = attend(weights, inputs, starts, ends)
            width = self.width((ends - starts).clamp(max=self.max_width))
            start, end = F.embedding(starts, tokens.vectors), F.embedding(ends - 1, tokens.vectors)
            projected.append(self.project(self.dropout(torch.cat([start, end, width, attended], dim=1))))
            heads.append(head_tokens)
        return torch.cat(projected), torch.cat(heads)

    def _own_candidates(self, layout: Layout, given: List[numpy.ndarray]) -> List[numpy.ndarray]:
        """The given spans that are no wider than max_width and within a sentence."""
        own = []
        for spans, doc_start in zip(given, layout.doc_starts.tolist()):
            starts, ends = spans[:, 0] + doc_start, spans[:, 1] + doc_start
            inside = layout.sentence_of[starts] == layout.sentence_of[ends - 1]
            own.append(spans[inside & (ends - starts <= self.max_width)])
        return own

    def _project_heads(self, inputs: Sequence[Tensor]) -> Tensor:
        """What tokens contribute to mention scores as heads of spans. [n_tokens, hidden]"""
        # block by block of the weights, so that the inputs are never concatenated for a whole document
        weights = self.from_head.weight.split([block.shape[1] for block in inputs], dim=1)
        projected = (F.linear(block, weight) for block, weight in zip(inputs, weights))
        return sum(projected, start=self.from_head.weight.new_zeros(()))

    def _clusters(self, layout: Layout, candidates: Candidates, gold: List[numpy.ndarray]) -> Tensor:
        """The gold cluster of every candidate, numbered from 1 over the whole batch; 0 for none; `OPEN` and
        `UNCHAINED` as they are. [n_spans]
        """
        firsts = numpy.concatenate(([0], numpy.cumsum(candidates.counts)))  # the first span of each width
        starts = candidates.starts.cpu().numpy()
        clusters = numpy.zeros(len(starts), dtype=numpy.int64)
        used = 1
        for rows, doc_start in zip(gold, layout.doc_starts.tolist()):
            for start, end, cluster in rows.tolist():
                low, high = firsts[end - start - 1], firsts[end - start]  # the spans of its width, by start
                clusters[low + numpy.searchsorted(starts[low:high], doc_start + start)] = (
                    used + cluster if cluster >= 0 else cluster
                )
            used += int(rows[:, 2].max()) + 1 if len(rows) else 0
        return torch.from_numpy(clusters).to(candidates.starts.device)

    def _per_sentence(self, layout: Layout, device: torch.device) -> Tensor:
        """What a document's loss is multiplied by: one over its number of sentences. [n_docs]"""
        return 1.0 / torch.from_numpy(layout.n_sentences_of_doc.clip(min=1)).to(device)
