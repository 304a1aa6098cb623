"""The head of flat, typed spans (named entities, entity mentions): BILOU tags with a CRF."""

from typing import List, Tuple

import numpy
import torch
from torch import Tensor, nn

from .batch import TokenBatch
from .crf import CRF, partial_tags, spans_to_tags, tags_to_spans
from .dropout import Dropout
from .head import LabellingHead


class TaggingHead(nn.Module, LabellingHead):
    """Rows are start, end, label, in tokens of the document; ends exclusive.

    nI: width of the encoder's vectors.
    n_labels: number of span types.
    """

    def __init__(self, nI: int, n_labels: int, dropout: float):
        super().__init__()
        self.n_tags = 1 + 4 * n_labels
        self.dropout = Dropout(dropout)
        self.emit = nn.Linear(nI, self.n_tags)
        self.crf = CRF(n_labels)

    def loss(self, tokens: TokenBatch, gold: List[numpy.ndarray]) -> Tensor:
        """Negative log-likelihood, mean over sentences: of the gold tags, or of all that are possible where
        some of them aren't annotated.

        gold: rows per document, [n, 3]; without overlaps and within sentences.
        """
        layout, packing = tokens.layout, tokens.layout.packing
        order = packing.order.to(tokens.vectors.device)
        emissions = self.emit(self.dropout(tokens.vectors))[order]  # in packed order
        if tokens.unannotated is None:
            # the tags of flat tokens, then in packed order, as the emissions: [n_tokens]
            tags = [spans_to_tags(rows, n) for rows, n in zip(gold, layout.doc_lengths.tolist())]
            target = torch.from_numpy(numpy.concatenate(tags)).to(order.device)[order]
            log_p = self.crf.log_likelihood(emissions, target, packing)
        else:
            # [n_tokens, n_labels] per document
            parts = numpy.split(tokens.unannotated, layout.doc_starts[1:])
            sets = tokens.label_sets
            known = numpy.concatenate([partial_tags(*of_doc, sets) for of_doc in zip(gold, parts)])
            allowed = torch.from_numpy(known).to(order.device)[order]  # [n_tokens, n_tags]
            log_p = self.crf.marginal_log_likelihood(emissions, allowed, packing)
        return -log_p / len(layout.sentence_lengths)

    def decode(
        self, tokens: TokenBatch, threshold: float = 0.0
    ) -> Tuple[List[numpy.ndarray], List[numpy.ndarray]]:
        """RETURNS: rows [n, 3] and probabilities [n] per document; those below the threshold left out."""
        layout, packing = tokens.layout, tokens.layout.packing
        if not layout.n_tokens:
            rows = numpy.zeros((0, 3), dtype=numpy.int64)
            scores = numpy.zeros(0, dtype=numpy.float32)
        else:
            order = packing.order.to(tokens.vectors.device)
            emissions = self.emit(tokens.vectors)[order]  # [n_tokens, n_tags] in packed order
            tags = self.crf.viterbi(emissions, packing)
            rows = tags_to_spans(tags.cpu()[packing.inverse].numpy())
            # the packed positions of each span's first and last token, [n_spans]
            starts = packing.inverse[rows[:, 0]].to(order.device)
            ends = packing.inverse[rows[:, 1] - 1].to(order.device)
            scores = self.crf.span_probabilities(emissions, tags, packing, starts, ends).cpu().numpy()
            rows, scores = rows[scores >= threshold], scores[scores >= threshold]
        return layout.split_scored(rows, scores, columns=2)

    def label_distribution(self, tokens: TokenBatch) -> Tensor:
        """Tag probabilities of each token without its neighbours. [n_tokens, n_tags]"""
        emissions: Tensor = self.emit(tokens.vectors)
        return emissions.softmax(dim=1)
