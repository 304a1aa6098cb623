"""A linear-chain conditional random field over BILOU tags, without padding (Lafferty et al. 2001).

The score of a sentence's tags y is start[y_0] + sum of emissions[t, y_t] + sum of transitions[y_{t-1}, y_t]
+ end[y_n]; their probability is exp(score) / Z, Z being the sum over all sequences of tags.

Tags: O is 0; label k has B, I, L, U at 1 + 4k .. 4 + 4k. Forbidden transitions have
probability zero in training and in decoding. Positions are in packed order (see
`batch.Packing`), so step t is a block of rows and sentences drop out as they end.
"""

from typing import Optional, Tuple

import numpy
import torch
from torch import Tensor, nn
from torch.autograd.function import BackwardCFunction, FunctionCtx
from torch.nn import functional as F

from .batch import Packing
from .forward_backward import forward_backward

FORBIDDEN = -1e4  # its exp is 0.0; minus infinity would make gradients nan
COLUMNS = 32


def bilou_constraints(n_labels: int) -> Tuple[Tensor, Tensor, Tensor]:
    """Which tags may follow which, begin a sentence and end one.

    >>> allowed, start, end = bilou_constraints(1)  # O, B, I, L, U
    >>> allowed.int().tolist()  # from row to column: O, L, U are followed by O, B, U; B and I by I, L
    [[1, 1, 0, 0, 1], [0, 0, 1, 1, 0], [0, 0, 1, 1, 0], [1, 1, 0, 0, 1], [1, 1, 0, 0, 1]]
    >>> start.int().tolist(), end.int().tolist()
    ([1, 1, 0, 0, 1], [1, 0, 0, 1, 1])

    RETURNS: transitions [n_tags, n_tags], start and end [n_tags], all bool.
    """
    n_tags = 1 + 4 * n_labels
    tags = torch.arange(n_tags)
    kind = torch.where(tags == 0, 4, (tags - 1) % 4)  # 0..4: B, I, L, U, O
    label = torch.where(tags == 0, -1, (tags - 1) // 4)
    opens = (kind == 0) | (kind == 3) | (kind == 4)
    closes = (kind == 2) | (kind == 3) | (kind == 4)
    inside = (kind == 0) | (kind == 1)
    continues = (kind == 1) | (kind == 2)
    same = label[:, None] == label[None, :]  # [n_tags, n_tags]
    allowed = (closes[:, None] & opens[None, :]) | (inside[:, None] & continues[None, :] & same)
    return allowed, opens, closes


class CRF(nn.Module):
    """Scores of BILOU tags that follow each other, and what follows from them.

    n_labels: number of span types, so that there are 1 + 4 * n_labels tags.
    """

    # buffers, by name and not by torch's annotations
    allowed: Tensor
    may_start: Tensor
    may_end: Tensor

    def __init__(self, n_labels: int):
        super().__init__()
        allowed, start, end = bilou_constraints(n_labels)
        n_tags = len(start)
        self.transitions = nn.Parameter(torch.zeros(n_tags, n_tags))
        self.start = nn.Parameter(torch.zeros(n_tags))
        self.end = nn.Parameter(torch.zeros(n_tags))
        self.register_buffer("allowed", allowed, persistent=False)
        self.register_buffer("may_start", start, persistent=False)
        self.register_buffer("may_end", end, persistent=False)

    def weights(self) -> Tuple[Tensor, Tensor, Tensor]:
        """Transitions [n_tags, n_tags], start and end scores [n_tags], constraints applied."""
        return (
            self.transitions.masked_fill(~self.allowed, FORBIDDEN),
            self.start.masked_fill(~self.may_start, FORBIDDEN),
            self.end.masked_fill(~self.may_end, FORBIDDEN),
        )

    def log_likelihood(self, emissions: Tensor, tags: Tensor, packing: Packing) -> Tensor:
        """Log probability of the tags, summed over sentences: their score minus log Z. []

        emissions: [n_tokens, n_tags] in packed order; tags: [n_tokens] in packed order.
        """
        transitions, start, end = self.weights()
        n_first = packing.sizes[0]
        score = emissions.gather(1, tags[:, None]).sum()
        score = score + start[tags[:n_first]].sum() + end[tags[packing.last.to(tags.device)]].sum()
        before = tags[packing.previous.to(tags.device)]  # [n_tokens - n_sentences]
        score = score + transitions[before, tags[n_first:]].sum()
        return score - log_partition(emissions, transitions, start, end, packing)

    def marginal_log_likelihood(self, emissions: Tensor, allowed: Tensor, packing: Packing) -> Tensor:
        """Log probability that all tags are allowed ones, summed over sentences: log Z over the sequences
        of allowed tags, less log Z over all (Tsuboi et al. 2008, section 3; Greenberg et al. 2018). []

        emissions: [n_tokens, n_tags] in packed order; allowed: bool, the same. Of each sentence at least
            one sequence must be allowed.
        """
        # in double precision, for the difference of two large numbers
        scores, transitions, start, end = (x.double() for x in (emissions, *self.weights()))
        # tags that are on no allowed sequence would be likely up to where they lead nowhere
        possible = self.on_sequences(allowed, packing)
        restricted = scores.masked_fill(~possible, -torch.inf)
        log_p = log_partition(restricted, transitions, start, end, packing)
        return (log_p - log_partition(scores, transitions, start, end, packing)).to(emissions.dtype)

    @torch.no_grad()
    def on_sequences(self, allowed: Tensor, packing: Packing) -> Tensor:
        """Which tags are on a sequence of allowed ones that may follow each other, from the sentence's
        beginning to its end.

        allowed: bool [n_tokens, n_tags] in packed order.
        RETURNS: bool, the same; True at least once for every token, else there is an error.
        """
        mirror = packing.mirror.to(allowed.device)
        both = torch.stack([allowed, allowed[mirror]])  # [2, n_tokens, n_tags]; from both ends at once
        moves = torch.stack([self.allowed, self.allowed.T]).double()
        state = torch.stack([self.may_start, self.may_end])[:, None]  # [2, 1, n_tags]
        reached = torch.empty_like(both)
        for step, (here, rows) in enumerate(
            zip(both.split(packing.sizes, dim=1), reached.split(packing.sizes, dim=1))
        ):
            if step:
                state = torch.bmm(state[:, : here.shape[1]].double(), moves) > 0
            state = torch.logical_and(state, here, out=rows)
        possible = reached[0] & reached[1][mirror]
        if not possible.any(dim=1).all():
            token = int(packing.order[(~possible.any(dim=1)).nonzero().cpu()[0, 0]])
            raise ValueError(
                f"The partial annotation contradicts itself: no sequence of BILOU tags is allowed for the "
                f"sentence of token {token} of the batch. Spans must begin, go on and end within a sentence, "
                f"and each token needs a tag that may be there: allow more of them."
            )
        return possible

    @torch.no_grad()
    def viterbi(self, emissions: Tensor, packing: Packing) -> Tensor:
        """The best tags of every sentence (Rabiner 1989, section III.B). [n_tokens] in packed order

        On the way forwards only the best score of every tag is kept, not where it came from; on
        the way back that is asked for the one tag that was chosen.

        emissions: [n_tokens, n_tags] in packed order.
        """
        transitions, start, end = self.weights()
        n_tags = len(start)
        # whole vectors of a processor's widest kind are added and compared faster
        spare = -n_tags % COLUMNS
        emissions, start = F.pad(emissions, (0, spare)), F.pad(start, (0, spare), value=FORBIDDEN)
        onward = F.pad(transitions, (0, spare), value=FORBIDDEN)
        best = torch.empty_like(emissions)  # [n_tokens, n_tags + spare]: the best score up to each tag
        state = start
        for step, (rows, scores) in enumerate(zip(best.split(packing.sizes), emissions.split(packing.sizes))):
            if step:
                # [n_sentences, from, 1] + [from, to], the maximum over from
                state = (state[: len(rows), :n_tags, None] + onward).amax(dim=1)
            state = torch.add(state, scores, out=rows)
        best = best[:, :n_tags]
        tags = torch.empty(len(emissions), dtype=torch.int64, device=emissions.device)
        last = packing.last.to(tags.device)
        tags[last] = (best[last] + end).argmax(dim=1)
        backward = transitions.T.contiguous()  # [to, from]
        offset = len(tags)  # where the step's rows begin
        for size, before in zip(reversed(packing.sizes[1:]), reversed(packing.sizes[:-1])):
            offset -= size
            # the sentences of this step are the first `size` of the step before
            reached = best[offset - before : offset - before + size] + backward[tags[offset : offset + size]]
            tags[offset - before : offset - before + size] = reached.argmax(dim=1)
        return tags

    @torch.no_grad()
    def span_probabilities(
        self, emissions: Tensor, tags: Tensor, packing: Packing, starts: Tensor, ends: Tensor
    ) -> Tensor:
        """Probability of the tags of whole spans, exactly, by forward-backward (see there for l and M):

            p(y_s .. y_e) = forward_s[y_s] * P * backward_e[y_e] / Z
            P = product of M[y_{t-1}, y_t] * l_t[y_t] over s < t <= e

        In logarithms the product is a difference of cumulative sums along the sentence. Each row's
        scale is divided out of its step, and Z on the scale of row e is the evidence there.

        emissions, tags: in packed order. starts, ends: the *packed* positions of the first
            and last tokens of the spans. [n_spans]
        RETURNS: [n_spans]
        """
        transitions, start, end = self.weights()
        messages = forward_backward(emissions, transitions, start, end, packing)
        order, inverse = (index.to(tags.device) for index in (packing.order, packing.inverse))
        first = packing.sizes[0]
        # log of M * l along the tags, on the scale of the forward rows. [n_tokens]
        steps = emissions.gather(1, tags[:, None])[:, 0].double() - messages.scale.log() - messages.top
        steps[first:] += transitions[tags[packing.previous.to(tags.device)], tags[first:]]
        path = steps[inverse].cumsum(0)[order]  # summed over flat tokens: a span is within a sentence
        log_p = messages.forward[starts, tags[starts]].log() + path[ends] - path[starts]
        log_p += (messages.backward[ends, tags[ends]] / messages.evidence[ends]).log()
        return log_p.exp().clamp(max=1.0).float()


def log_partition(
    emissions: Tensor, transitions: Tensor, start: Tensor, end: Tensor, packing: Packing
) -> Tensor:
    """Log partition function, log Z, summed over sentences; see `LogPartition`. []"""
    log_z: Tensor = LogPartition.apply(  # type: ignore[no-untyped-call]  # of torch, without annotations
        emissions, transitions, start, end, packing
    )
    return log_z


class LogPartition(torch.autograd.Function):
    """Log partition function, log Z, summed over sentences.

    Its gradient is known without automatic differentiation: of emissions[t, y] it is p(y_t = y), of
    transitions[a, b] how often a is expected right before b.
    """

    @staticmethod
    def forward(
        ctx: FunctionCtx, emissions: Tensor, transitions: Tensor, start: Tensor, end: Tensor, packing: Packing
    ) -> Tensor:
        """[n_tokens, n_tags] in packed order, [n_tags, n_tags], [n_tags] twice -> []"""
        messages = forward_backward(emissions, transitions, start, end, packing)
        first = packing.sizes[0]
        last = packing.last.to(emissions.device)
        # p(y_t), [n_tokens, n_tags]
        marginals = (messages.forward * messages.backward).div_(messages.evidence[:, None])
        # p(y_{t-1}, y_t) = forward_{t-1} M (l_t * backward_t) / evidence, summed over t, M applied below
        before = messages.forward[packing.previous.to(emissions.device)]
        before = before.div_((messages.scale * messages.evidence)[first:, None])
        pairs = before.T @ (messages.likelihood * messages.backward)[first:]  # [n_tags, n_tags]
        ctx.save_for_backward(
            marginals.to(emissions.dtype),
            (pairs * transitions.double().exp()).to(transitions.dtype),
            marginals[:first].sum(0).to(start.dtype),
            marginals[last].sum(0).to(end.dtype),
        )
        # all that rows were divided by, and what is left at the last token
        log_z = messages.scale.log().sum() + messages.top.sum() + messages.evidence[last].log().sum()
        return log_z.to(emissions.dtype)

    @staticmethod
    def backward(ctx: BackwardCFunction, gradient: Tensor) -> Tuple[Optional[Tensor], ...]:
        """gradient: of log Z, [] -> of the arguments of `forward`, none of the packing."""
        return (*(gradient * saved for saved in ctx.saved_tensors), None)


def spans_to_tags(rows: numpy.ndarray, n_tokens: int) -> numpy.ndarray:
    """BILOU tags of spans that don't overlap. rows: [n, 3] of start, end, label -> [n_tokens]

    >>> spans_to_tags(numpy.array([[0, 1, 0], [2, 5, 1]]), 6).tolist()  # U0 O B1 I1 L1 O
    [4, 0, 5, 6, 7, 0]
    """
    tags = numpy.zeros(n_tokens, dtype=numpy.int64)
    for start, end, label in rows.tolist():
        base = 1 + 4 * label  # the label's B; I, L and U follow
        if end - start == 1:
            tags[start] = base + 3
        else:
            tags[start + 1 : end - 1] = base + 1
            tags[start], tags[end - 1] = base, base + 2
    return tags


def partial_tags(
    rows: numpy.ndarray, unannotated: numpy.ndarray, label_sets: Optional[numpy.ndarray] = None
) -> numpy.ndarray:
    """The BILOU tags that partial annotation allows. [n_tokens, n_tags], bool

    A span's tokens have its tags; where several spans have the same offsets, or a span has one label of a
    set, those of one label: I and L follow only B or I of the same. Other tokens are outside, or have any tag
    of a label that isn't annotated there, and so may those of a span that may be none.

    rows: [n, 3] of start, end, label, spans that don't overlap unless their offsets are equal.
    unannotated: which labels may occur at a token without a row that says so. bool [n_tokens, n_labels]
    label_sets: what rows of the label n_labels + k may be: none, each label. bool [n_sets, 1 + n_labels]

    >>> unknown = numpy.array([[False, False], [True, False]])
    >>> partial_tags(numpy.zeros((0, 3), dtype=int), unknown).astype(int).tolist()
    [[1, 0, 0, 0, 0, 0, 0, 0, 0], [1, 1, 1, 1, 1, 0, 0, 0, 0]]
    """
    n_tokens, n_labels = unannotated.shape
    outside = numpy.ones((n_tokens, 1), dtype=bool)
    allowed = numpy.concatenate([outside, numpy.repeat(unannotated, 4, axis=1)], axis=1)
    choices = numpy.eye(n_labels, 1 + n_labels, k=1, dtype=bool)  # of each label only itself
    if label_sets is not None:
        choices = numpy.concatenate([choices, label_sets])
    optional, which = numpy.split(choices[rows[:, 2]], [1], axis=1)  # [n, 1], [n, n_labels]
    for start, end in rows[~optional[:, 0], :2].tolist():
        allowed[start:end] = False
    for i, label in zip(*which.nonzero()):
        start, end = rows[i, :2]
        tags = spans_to_tags(numpy.array([[0, end - start, label]]), end - start)
        allowed[numpy.arange(start, end), tags] = True
    return allowed


def tags_to_spans(tags: numpy.ndarray) -> numpy.ndarray:
    """The spans of valid BILOU tags. [n_tokens] -> [n, 3] of start, end, label, by start"""
    kind = (tags - 1) % 4
    starts = numpy.flatnonzero((tags > 0) & ((kind == 0) | (kind == 3)))
    ends = numpy.flatnonzero((tags > 0) & ((kind == 2) | (kind == 3))) + 1
    return numpy.stack([starts, ends, (tags[starts] - 1) // 4], axis=1)
