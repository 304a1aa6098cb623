"""Word vectors, fine-tuned: static vectors plus a learned offset for every training word."""

from typing import Optional

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from .dropout import Dropout

NOTHING, UNKNOWN = 0, 1  # rows of the table of offsets


class WordEmbedding(nn.Module):
    """Static vectors plus a table of offsets, one for each training word.

    Row 0 adds nothing (words that have a static vector but weren't in the training data), row 1
    stands for words that have neither, the rest are training words.

    n_words: rows besides these two; nO: width of the vectors.
    word_dropout: how often, in training, a word is taken for one that was never seen.
    """

    def __init__(self, n_words: int, nO: int, dropout: float, word_dropout: float):
        super().__init__()
        self.offsets = nn.Embedding(n_words + 2, nO, padding_idx=NOTHING, sparse=True)
        self.dropout = Dropout(dropout)
        self.word_dropout = word_dropout

    def initialize(self, static: Tensor, has_static: Tensor) -> None:
        """Zero offsets for words with a static vector, random ones of the same spread for others.

        static: vectors of the training words, [n_words, nO]; has_static: bool, [n_words]
        """
        spread = float(static[has_static].std()) if bool(has_static.any()) else 1.0 / static.shape[1] ** 0.5
        nn.init.normal_(self.offsets.weight, std=spread)
        self.offsets.weight.data[NOTHING] = 0.0
        self.offsets.weight.data[2:][has_static] = 0.0  # these begin at their static vector

    def forward(self, rows: Tensor, word_of_token: Tensor, static: Optional[Tensor]) -> Tensor:
        """rows: the offset row of each distinct word. [n_words]
        static: their static vectors, zeros where there is none, [n_words, nO]; None without vectors.
        word_of_token: [n_tokens]
        RETURNS: [n_tokens, nO]
        """
        if self.training and self.word_dropout:
            # what each word would be had training never shown it: [n_words]
            unseen = torch.full_like(rows, UNKNOWN)
            if static is not None:
                unseen = torch.where(static.any(dim=1), NOTHING, UNKNOWN)
            rows = torch.where(torch.rand(len(rows), device=rows.device) < self.word_dropout, unseen, rows)
        vectors: Tensor = self.offsets(rows)  # [n_words, nO]
        if static is not None:
            vectors = vectors + static
        of_tokens: Tensor = self.dropout(F.embedding(word_of_token, vectors))
        return of_tokens
