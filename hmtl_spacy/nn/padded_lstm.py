"""A bidirectional LSTM over sentences side by side: the way it trains fastest on a CPU.

Torch runs a whole layer in one call of oneDNN, forwards and backwards, if its input is padded;
what is packed it runs step by step, which takes twice as long in training. The numbers are the same.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from .batch import Layout
from .grids import Grids


def padded_lstm(lstm: nn.LSTM, vectors: Tensor, layout: Layout, dropout: nn.Module) -> Tensor:
    """[n_tokens, nI] -> [n_tokens, 2 * hidden]; every sentence is read on its own.

    dropout: on the input of every layer.
    """
    # every layer writes its output back flat: dropout and the other direction read it that way
    for layer in range(lstm.num_layers):
        vectors = dropout(vectors)
        ways = zip(layout.grids, (f"l{layer}", f"l{layer}_reverse"))
        vectors = torch.cat([_one_way(lstm, name, vectors, grids) for grids, name in ways], dim=1)
    return vectors


def _one_way(lstm: nn.LSTM, name: str, vectors: Tensor, grids: Grids) -> Tensor:
    """One layer in one direction. [n_tokens, nX] -> [n_tokens, hidden]

    name: of the layer's weights: "l0", "l0_reverse", "l1", ...
    """
    weights = [getattr(lstm, f"{kind}_{name}") for kind in ("weight_ih", "weight_hh", "bias_ih", "bias_hh")]
    # a row of zeros is what cells without a token read
    cells = F.embedding(grids.read, F.pad(vectors, (0, 0, 0, 1)))  # [n_cells, nX]
    outputs = []
    for grid, shape in zip(cells.split([steps * n for steps, n in grids.shapes]), grids.shapes):
        zeros = vectors.new_zeros((1, shape[1], lstm.hidden_size))  # first state: [1, n_sentences, hidden]
        # arguments after the weights: has biases, layers, dropout, training, bidirectional, batch first
        output = torch.lstm(
            grid.view(*shape, -1), [zeros, zeros], weights, True, 1, 0.0, lstm.training, False, False
        )[0]
        outputs.append(output.reshape(-1, lstm.hidden_size))  # [n_cells of this grid, hidden]
    return F.embedding(grids.write, torch.cat(outputs))
