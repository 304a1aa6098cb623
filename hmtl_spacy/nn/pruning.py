"""Which candidate spans coreference keeps (Lee et al. 2017, section 5)."""

from typing import Tuple

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


def join_spans(given: PrunedSpans, own: PrunedSpans, layout: Layout) -> Tuple[PrunedSpans, numpy.ndarray]:
    """Given spans, and such own ones as aren't among them. Candidates are numbered as those of each.

    RETURNS: the spans, and which of them were given. [n_kept]
    """
    candidate, starts, ends, scores = (torch.cat(parts) for parts in zip(given[:4], own[:4]))
    is_given = numpy.arange(len(starts)) < len(given.starts)
    flat_starts, flat_ends = starts.cpu().numpy(), ends.cpu().numpy()
    # in document order; of equal spans the given one comes first
    order = numpy.lexsort((~is_given, flat_ends, flat_starts))
    offsets = numpy.stack([flat_starts, flat_ends], axis=1)[order]
    first = (numpy.diff(offsets, axis=0, prepend=-1) != 0).any(axis=1)
    order = order[first]
    per_doc = numpy.bincount(layout.doc_of[flat_starts[order]], minlength=len(layout.doc_lengths))
    index = torch.from_numpy(order).to(starts.device)
    bounds = numpy.concatenate(([0], numpy.cumsum(per_doc))).tolist()
    kept = PrunedSpans(candidate[index], starts[index], ends[index], scores[index], bounds)
    return kept, is_given[order]
