"""Token vectors of a batch of documents: flat, in document order, with their lengths."""

from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Dict, Iterator, List, Optional, Sequence, Tuple

import numpy
import torch
from torch import Tensor

from .grids import Grids

TOKENS_AT_A_TIME = 8192  # of a long document: memory grows with this, not with the document


class Layout:
    """Where documents and sentences lie in a flat batch of tokens.

    doc_lengths: tokens per document; empty documents have length 0.
    sentence_lengths: tokens per sentence, over all documents; sentences are never
        empty and never cross a document.
    """

    def __init__(self, doc_lengths: List[int], sentence_lengths: List[int]):
        if sum(doc_lengths) != sum(sentence_lengths) or min(sentence_lengths, default=1) < 1:
            raise ValueError(
                f"Sentences of {sum(sentence_lengths)} tokens can't divide documents of {sum(doc_lengths)} "
                f"tokens. Give every token of every document to exactly one sentence."
            )
        self.doc_lengths = numpy.asarray(doc_lengths, dtype=numpy.int64)
        self.sentence_lengths = numpy.asarray(sentence_lengths, dtype=numpy.int64)

    @property
    def n_tokens(self) -> int:
        return int(self.doc_lengths.sum())

    @cached_property
    def doc_starts(self) -> numpy.ndarray:
        """First token of each document. [n_docs]"""
        return numpy.concatenate(([0], numpy.cumsum(self.doc_lengths)))[:-1]

    @cached_property
    def sentence_starts(self) -> numpy.ndarray:
        """First token of each sentence. [n_sentences]"""
        return numpy.concatenate(([0], numpy.cumsum(self.sentence_lengths)))[:-1]

    @cached_property
    def sentence_of(self) -> numpy.ndarray:
        """The sentence of each token. [n_tokens]"""
        return numpy.repeat(numpy.arange(len(self.sentence_lengths)), self.sentence_lengths)

    @cached_property
    def doc_of(self) -> numpy.ndarray:
        """The document of each token. [n_tokens]"""
        return numpy.repeat(numpy.arange(len(self.doc_lengths)), self.doc_lengths)

    @cached_property
    def n_sentences_of_doc(self) -> numpy.ndarray:
        """Sentences per document. [n_docs]"""
        return numpy.bincount(self.doc_of[self.sentence_starts], minlength=len(self.doc_lengths))

    @cached_property
    def packing(self) -> "Packing":
        """Sentences step by step; see `Packing`."""
        return Packing(self.sentence_lengths, self.sentence_starts)

    @cached_property
    def grids(self) -> Tuple[Grids, Grids]:
        """Sentences side by side, to be read forwards and backwards; see `Grids`."""
        lengths, starts = self.sentence_lengths, self.sentence_starts
        return Grids(lengths, starts, reverse=False), Grids(lengths, starts, reverse=True)

    def chunks(self, max_tokens: Optional[int] = None) -> Iterator[Tuple[slice, "Layout"]]:
        """Divide the batch between sentences. A batch that is small enough is one chunk, itself.

        >>> layout = Layout([5, 0, 9], [2, 3, 1, 6, 2])
        >>> [(inside.start, inside.stop) for inside, _ in layout.chunks(max_tokens=5)]
        [(0, 5), (5, 6), (6, 12), (12, 14)]

        max_tokens: a chunk has more only if it is one sentence; `TOKENS_AT_A_TIME` if not given.
        YIELDS: a chunk's tokens, and where its sentences lie in them, as one document.
        """
        max_tokens = max_tokens or TOKENS_AT_A_TIME
        if self.n_tokens <= max_tokens:
            yield slice(0, self.n_tokens), self
            return
        ends = numpy.cumsum(self.sentence_lengths)  # [n_sentences]
        first = 0  # sentence of the chunk
        while first < len(ends):
            start = ends[first] - self.sentence_lengths[first]
            last = max(first + 1, int(numpy.searchsorted(ends, start + max_tokens, side="right")))
            inside = slice(int(start), int(ends[last - 1]))
            lengths = self.sentence_lengths[first:last].tolist()
            yield inside, Layout([inside.stop - inside.start], lengths)
            first = last

    def split_docs(self, rows: numpy.ndarray, columns: int) -> List[numpy.ndarray]:
        """Divide rows of flat token offsets by document and make the offsets relative to it.

        >>> rows = numpy.array([[1, 3, 7], [3, 4, 8]])
        >>> [of_doc.tolist() for of_doc in Layout([3, 2], [3, 2]).split_docs(rows, columns=2)]
        [[[1, 3, 7]], [[0, 1, 8]]]

        rows: [n_rows, n_columns], the first `columns` of which are token offsets; the
            first column decides the document. Rows must be sorted by it.
        """
        docs = self.doc_of[rows[:, 0]] if len(rows) else numpy.zeros(0, dtype=numpy.int64)  # [n_rows]
        rows = rows.copy()
        rows[:, :columns] -= self.doc_starts[docs][:, None]
        bounds = numpy.searchsorted(docs, numpy.arange(len(self.doc_lengths) + 1))  # [n_docs + 1]
        return [rows[start:end] for start, end in zip(bounds[:-1], bounds[1:])]

    def join_docs(self, rows: Sequence[numpy.ndarray], columns: int) -> numpy.ndarray:
        """The reverse of `split_docs`: the rows of all documents in turn, with flat token offsets."""
        joined: numpy.ndarray = numpy.concatenate(rows)
        starts = numpy.repeat(self.doc_starts, [len(of_doc) for of_doc in rows])
        joined[:, :columns] += starts[:, None]
        return joined

    def split_scored(
        self, rows: numpy.ndarray, scores: numpy.ndarray, columns: int
    ) -> Tuple[List[numpy.ndarray], List[numpy.ndarray]]:
        """The same for rows with a score each. [n_rows]"""
        bounds = numpy.searchsorted(rows[:, 0], self.doc_starts)[1:]
        return self.split_docs(rows, columns), numpy.split(scores, bounds)


class Packing:
    """Sentences sorted by length, longest first, and read step by step: the order of
    torch's `PackedSequence`, which needs no padding and no mask.

    Sentences of 3, 1 and 2 tokens lie flat as A0 A1 A2 B0 C0 C1 (tokens 0 to 5). Sorted by length
    they are A, C, B. Step 0 reads the first token of each, step 1 the second of A and C, step 2
    the third of A:

        step               0             1         2
        packed position    0   1   2     3   4     5
        token              A0  C0  B0    A1  C1    A2

    >>> packing = Layout([4, 2], [3, 1, 2]).packing
    >>> packing.order.tolist(), packing.sizes
    ([0, 4, 3, 1, 5, 2], [3, 2, 1])
    >>> packing.inverse.tolist()
    [0, 3, 5, 2, 1, 4]

    Read backwards a sentence has as many tokens, so it takes part in the same steps: what a backward pass
    reads at each packed position is `mirror`. A0 and A2 change places, C0 and C1, A1 and B0 stay.

    >>> packing.mirror.tolist()
    [5, 4, 2, 3, 1, 0]
    >>> packing.last.tolist(), packing.previous.tolist()  # A2 C1 B0; before A1, C1, A2 come A0, C0, A1
    ([5, 4, 2], [0, 1, 3])

    order: the flat token at each packed position. [n_tokens]
    inverse: the packed position of each flat token. [n_tokens]
    mirror: for each packed position that of the token as far from its sentence's other end. [n_tokens]
    sizes: how many sentences have a token at each step. [n_steps]
    sentences: in packed order. [n_sentences]
    last: the packed position of the last token of each, in packed order. [n_sentences]
    """

    def __init__(self, lengths: numpy.ndarray, starts: numpy.ndarray):
        self.sentences = numpy.argsort(-lengths, kind="stable")
        rank = numpy.empty_like(self.sentences)  # the place of each sentence in packed order
        rank[self.sentences] = numpy.arange(len(lengths))
        step = numpy.arange(int(lengths.sum())) - numpy.repeat(starts, lengths)  # of each flat token
        order = numpy.lexsort((numpy.repeat(rank, lengths), step))
        inverse = numpy.empty_like(order)
        inverse[order] = numpy.arange(len(order))
        self.sizes: List[int] = numpy.bincount(step).tolist() if len(step) else []
        self.order = torch.from_numpy(order)
        self.inverse = torch.from_numpy(inverse)
        # start + (start + length - 1) - token: the same sentence, counted from its other end
        reverse = numpy.repeat(2 * starts + lengths - 1, lengths) - numpy.arange(len(order))
        self.mirror = torch.from_numpy(inverse[reverse[order]])
        self.last = torch.from_numpy(inverse[(starts + lengths - 1)[self.sentences]])

    @cached_property
    def batch_sizes(self) -> Tensor:
        """`sizes` as torch's `PackedSequence` wants them. [n_steps]"""
        return torch.tensor(self.sizes, dtype=torch.int64)

    @cached_property
    def previous(self) -> Tensor:
        """The packed position of the token before, for every position after the first step.
        [n_tokens - n_sentences]
        """
        sizes = numpy.asarray(self.sizes)
        starts = numpy.concatenate(([0], numpy.cumsum(sizes)))  # the first position of each step
        # sentences are sorted by length, so those that go on are the first of the step before
        return torch.from_numpy(
            numpy.concatenate([numpy.arange(n) + start for n, start in zip(sizes[1:], starts)])
            if len(sizes) > 1
            else numpy.zeros(0, dtype=numpy.int64)
        )


@dataclass
class CandidateSpans:
    """Spans from elsewhere, which a head scores instead of candidates of its own, or a level passes up.

    rows: per document, [n, 2] or wider: start, end, and what else the rows of their level have.
    prune: treat them as the head's own candidates: leave out those that it couldn't have proposed, and
        prune the rest (gold mentions as Sanh et al. 2019 evaluate with them). If not, all are scored.
    own: the level's own spans count too.
    level: of the hierarchy, whose rows these are once it has run; `rows` are empty then.
    """

    rows: List[numpy.ndarray]
    prune: bool = False
    own: bool = False
    level: Optional[str] = None

    def select_docs(self, docs: List[int]) -> "CandidateSpans":
        return replace(self, rows=[self.rows[i] for i in docs])


@dataclass
class TokenBatch:
    """The tokens of a batch of documents, as the embedding and the levels pass them up.

    vectors: [n_tokens, width]
    inputs: what the level's encoder read, in parts that are nX wide together, [n_tokens, width] each;
        only for heads with `reads_inputs`.
    candidates: spans for the level's head, if others have any for it.
    features: by name an integer per token, equal where tokens have the same word, speaker ...;
        0 where it is unknown. int64 [n_tokens] each
    unannotated: in training, for heads that learn from partial annotation: which labels may occur at a
        token without a gold row that says so. bool [n_tokens, n_labels]; None where all is annotated
    label_sets: gold rows of the label n_labels + k have one of the labels of set k: whether they may have
        none, then which labels. bool [n_sets, 1 + n_labels]; None where all is annotated
    """

    vectors: Tensor
    layout: Layout
    inputs: Optional[Tuple[Tensor, ...]] = None
    candidates: Optional[CandidateSpans] = None
    features: Dict[str, numpy.ndarray] = field(default_factory=dict, repr=False)
    unannotated: Optional[numpy.ndarray] = None
    label_sets: Optional[numpy.ndarray] = None

    @property
    def read(self) -> Tuple[Tensor, ...]:
        """What the level's encoder read, in parts, [n_tokens, width] each."""
        if self.inputs is None:
            raise ValueError(
                "The head reads what its encoder read, but the tokens come without it. Set `inputs` of the "
                "TokenBatch to the encoder's input, as one part or more (a head asks with `reads_inputs`)."
            )
        return self.inputs

    def select_docs(self, docs: List[int]) -> "TokenBatch":
        """The tokens of some of the documents, in the same order."""
        layout = self.layout
        keep = numpy.isin(layout.doc_of, docs)  # [n_tokens]
        chosen = Layout(
            layout.doc_lengths[docs].tolist(),
            layout.sentence_lengths[keep[layout.sentence_starts]].tolist(),
        )
        index = torch.from_numpy(numpy.flatnonzero(keep)).to(self.vectors.device)
        return TokenBatch(
            vectors=self.vectors[index],
            layout=chosen,
            inputs=None if self.inputs is None else tuple(part[index] for part in self.inputs),
            candidates=None if self.candidates is None else self.candidates.select_docs(docs),
            features={name: ids[keep] for name, ids in self.features.items()},
            unannotated=None if self.unannotated is None else self.unannotated[keep],
            label_sets=self.label_sets,
        )
