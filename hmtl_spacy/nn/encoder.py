"""The encoder of a level: a bidirectional LSTM over sentences."""

import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import PackedSequence

from .batch import Layout
from .dropout import Dropout
from .padded_lstm import padded_lstm


class Encoder(nn.Module):
    """Bidirectional LSTM; every sentence is read on its own and keeps no state.

    nI: width of the input vectors.
    hidden: width of one direction, so the output is 2 * hidden wide.
    depth: number of layers.
    dropout: on the input and between layers.
    """

    def __init__(self, nI: int, hidden: int, depth: int, dropout: float):
        super().__init__()
        self.nO = 2 * hidden
        self.dropout = Dropout(dropout)
        self.lstm = nn.LSTM(
            nI, hidden, num_layers=depth, bidirectional=True, dropout=dropout if depth > 1 else 0.0
        )
        for name, parameter in self.lstm.named_parameters():
            # four gates lie one below the other: each is initialised as the matrix that it is
            if "weight_hh" in name:
                for gate in parameter.data.chunk(4):
                    nn.init.orthogonal_(gate)
            elif "weight_ih" in name:
                for gate in parameter.data.chunk(4):
                    nn.init.xavier_uniform_(gate)

    def forward(self, vectors: Tensor, layout: Layout) -> Tensor:
        """[n_tokens, nI] -> [n_tokens, 2 * hidden], forwards and backwards side by side."""
        if not len(vectors):
            return vectors.new_zeros((0, self.nO))
        if vectors.device.type == "cpu" and torch.is_grad_enabled():  # padded is faster only there
            return padded_lstm(self.lstm, vectors, layout, self.dropout)
        packing = layout.packing
        data = self.dropout(vectors)[packing.order.to(vectors.device)]  # [n_tokens, nI] in packed order
        output: PackedSequence = self.lstm(PackedSequence(data, packing.batch_sizes))[0]
        return output.data[packing.inverse.to(vectors.device)]


class LabelEmbedding(nn.Module):
    """A soft label embedding: the lower level's label distribution times a table (not in the paper).

    The distribution is detached, so that an upper task doesn't change what a lower head says.
    """

    def __init__(self, n_labels: int, width: int):
        super().__init__()
        self.project = nn.Linear(n_labels, width, bias=False)

    def forward(self, distribution: Tensor) -> Tensor:
        """distribution: [n_tokens, n_labels] -> [n_tokens, width]"""
        embedded: Tensor = self.project(distribution.detach())
        return embedded
