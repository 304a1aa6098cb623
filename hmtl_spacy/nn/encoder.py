"""The encoder of a level: a bidirectional LSTM over sentences."""

import torch
from torch import nn
from torch.nn.utils.rnn import PackedSequence

from .batch import TokenBatch


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
        self.dropout = nn.Dropout(dropout)
        self.lstm = nn.LSTM(
            nI, hidden, num_layers=depth, bidirectional=True, dropout=dropout if depth > 1 else 0.0
        )
        for name, parameter in self.lstm.named_parameters():
            if "weight_hh" in name:
                for gate in parameter.data.chunk(4):
                    nn.init.orthogonal_(gate)
            elif "weight_ih" in name:
                for gate in parameter.data.chunk(4):
                    nn.init.xavier_uniform_(gate)

    def forward(self, tokens: TokenBatch) -> TokenBatch:
        """tokens.vectors: [n_tokens, nI]; the result's: [n_tokens, 2 * hidden]"""
        inputs = tokens.vectors
        if not len(inputs):
            return tokens.with_vectors(inputs.new_zeros((0, self.nO)), inputs)
        packing = tokens.layout.packing
        data = self.dropout(inputs)[packing.order.to(inputs.device)]
        output, _ = self.lstm(PackedSequence(data, packing.batch_sizes))
        return tokens.with_vectors(output.data[packing.inverse.to(inputs.device)], inputs)


class LabelEmbedding(nn.Module):
    """A soft label embedding: the lower level's label distribution times an embedding table.

    The distribution is detached, so that an upper task doesn't change what a lower head says.
    """

    def __init__(self, n_labels: int, width: int):
        super().__init__()
        self.project = nn.Linear(n_labels, width, bias=False)

    def forward(self, distribution: torch.Tensor) -> torch.Tensor:
        """distribution: [n_tokens, n_labels] -> [n_tokens, width]"""
        return self.project(distribution.detach())
