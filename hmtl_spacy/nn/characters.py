"""Character CNN: a word's vector from its characters alone."""

from typing import List

import numpy
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from .dropout import Dropout

N_CHARACTERS = 1024  # rows of the embedding table
MAX_LENGTH = 32  # characters that are read of a word


def character_ids(word: str) -> List[int]:
    """Characters as rows of the embedding table, padded by one 0 on either side.

    >>> character_ids("aé中")  # 中 is code point 20013
    [0, 97, 233, 557, 0]

    Code points under 512 have a row each; others share the rest. Words of more than 32
    characters keep their first and last 16.
    """
    if len(word) > MAX_LENGTH:
        word = word[: MAX_LENGTH // 2] + word[-MAX_LENGTH // 2 :]
    codes = (ord(character) for character in word)
    return [0, *(code if 0 < code < 512 else 512 + code % 512 for code in codes), 0]


class CharacterCNN(nn.Module):
    """Convolution over three characters, ReLU, maximum over positions (Sanh et al. 2019, section 2.1).

    nM: width of a character embedding. nO: number of filters, the width of a word's vector.
    """

    def __init__(self, nM: int, nO: int, dropout: float):
        super().__init__()
        self.embed = nn.Embedding(N_CHARACTERS, nM, padding_idx=0)
        nn.init.xavier_uniform_(self.embed.weight)
        self.embed.weight.data[0] = 0.0  # padding stays zero
        self.convolve = nn.Conv1d(nM, nO, kernel_size=3)
        self.dropout = Dropout(dropout)

    def forward(self, ids: Tensor, lengths: Tensor, word_of_token: Tensor) -> Tensor:
        """ids: [n_words, longest + 2], the distinct words of a batch, 0 where there is no character.
        lengths: characters per word, at least 1. [n_words]
        word_of_token: [n_tokens]
        RETURNS: [n_tokens, nO]; what follows a word's last character never changes its vector.
        """
        characters = self.embed(ids)  # [n_words, longest + 2, nM]
        # every character with its neighbours: [n_words, longest, 3 * nM]
        threes = torch.cat([characters[:, :-2], characters[:, 1:-1], characters[:, 2:]], dim=2)
        # as a product of matrices: convolutions are prepared anew for every number and length of words
        weights = self.convolve.weight.transpose(1, 2).flatten(1)
        windows = F.linear(threes, weights, self.convolve.bias)  # [n_words, longest, nO]
        beyond = torch.arange(windows.shape[1], device=ids.device)[None, :] >= lengths[:, None]
        # after the ReLU zero is the minimum, so what is masked never is the maximum
        words = windows.relu().masked_fill(beyond[:, :, None], 0.0).amax(dim=1)  # [n_words, nO]
        vectors: Tensor = self.dropout(F.embedding(word_of_token, words))
        return vectors


def pad_words(words: List[List[int]]) -> numpy.ndarray:
    """The ids of words as one array, padded with 0. [n_words, longest]"""
    longest = max(map(len, words))
    return numpy.array([word + [0] * (longest - len(word)) for word in words], dtype=numpy.int64)
