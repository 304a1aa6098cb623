"""Which candidate spans coreference keeps (Lee et al. 2017, section 5)."""

import numpy
import torch
from torch import Tensor

from .batch import Layout
from .spans import Candidates, PrunedSpans


def prune(layout: Layout, candidates: Candidates, scores: Tensor, spans_per_token: float) -> PrunedSpans:
    """Keep the best spans of each document: its length times `spans_per_token`, rounded up. Spans that
    cross may both stay, unlike in the paper.

    Documents of 3 and 1 tokens with 0.6 spans per token keep 2 spans and 1:

    >>> from .spans import enumerate_spans
    >>> layout = Layout([3, 1], [3, 1])
    >>> candidates = enumerate_spans(layout, max_width=2, device=torch.device("cpu"))
    >>> list(zip(candidates.starts.tolist(), candidates.ends.tolist()))
    [(0, 1), (1, 2), (2, 3), (3, 4), (0, 2), (1, 3)]
    >>> kept = prune(layout, candidates, torch.tensor([0.1, 0.9, 0.2, -3.0, 0.8, 0.3]), spans_per_token=0.6)

    These are (0, 2) and (1, 2) of the first, and (3, 4) of the second although its score is the
    lowest: documents don't compete.

    >>> kept.candidate.tolist(), kept.offsets
    ([4, 1, 3], [0, 2, 3])

    scores: mention scores of the candidates. [n_spans]
    """
    doc = torch.from_numpy(layout.doc_of).to(scores.device)[candidates.starts].cpu().numpy()  # [n_spans]
    starts, ends = candidates.starts.cpu().numpy(), candidates.ends.cpu().numpy()
    order = numpy.lexsort((-scores.detach().cpu().numpy(), doc))  # by document, then best first
    n_spans = numpy.bincount(doc, minlength=len(layout.doc_lengths))  # of each document
    first = numpy.concatenate(([0], numpy.cumsum(n_spans)))[:-1]  # [n_docs]
    rank = numpy.arange(len(order)) - numpy.repeat(first, n_spans)  # place within its document, [n_spans]
    quota = numpy.ceil(spans_per_token * layout.doc_lengths).astype(numpy.int64)  # [n_docs]
    chosen = order[rank < numpy.repeat(quota, n_spans)]  # [n_kept]
    chosen = chosen[numpy.lexsort((ends[chosen], starts[chosen]))]  # in document order
    per_doc = numpy.bincount(doc[chosen], minlength=len(layout.doc_lengths))
    index = torch.from_numpy(chosen).to(scores.device)
    offsets = numpy.concatenate(([0], numpy.cumsum(per_doc))).tolist()
    return PrunedSpans(index, candidates.starts[index], candidates.ends[index], scores[index], offsets)
