"""One level of the hierarchy, an encoder and a head, and what it passes up."""

from functools import cached_property
from typing import Callable, Dict, List, NamedTuple, Optional

import numpy
import torch
from torch import Tensor, nn

from .batch import CandidateSpans, TokenBatch
from .crossing import nested_beside
from .encoder import Encoder, LabelEmbedding
from .head import Decoded, Head, LabellingHead, NestingHead, Rows, apart_from


class LevelSettings(NamedTuple):
    """What a level is built from.

    inputs: the levels below whose encoders this one reads beside the shared embedding.
    hidden, depth, dropout: of its encoder; `hidden` is the width of one direction.
    label_embedding_width: of the soft label embedding of each tagging level among the inputs; 0 for none.
    build_head: from the width of the encoder's vectors and of what it read to the head.
    """

    inputs: List[str]
    hidden: int
    depth: int
    dropout: float
    label_embedding_width: int
    build_head: Callable[[int, int], Head]


class Level(nn.Module):
    """An encoder and a head.

    nI: width of the shared embedding and of all lower encoders that this one reads.
    n_tags: number of tags of each level below whose label distribution it reads too.
    """

    head: Head

    def __init__(self, name: str, nI: int, settings: LevelSettings, n_tags: Dict[str, int]):
        super().__init__()
        self.inputs = list(settings.inputs)
        width = settings.label_embedding_width
        self.label_embeddings = nn.ModuleDict(
            {below: LabelEmbedding(n, width) for below, n in n_tags.items()}
        )
        nX = nI + width * len(n_tags)
        self.encoder = Encoder(nX, settings.hidden, settings.depth, settings.dropout)
        head = settings.build_head(self.encoder.nO, nX)
        if not isinstance(head, Head):
            raise TypeError(
                f"The level '{name}' has a {type(head).__name__}, which isn't a head. Let it inherit from "
                f"hmtl_spacy.nn.head.Head, which says what a head must have."
            )
        self.head = head


class LevelOutput:
    """What a level passes up to the levels above it. Labels and rows are computed when first asked for.

    tokens: the batch, with the vectors of the level's encoder. [n_tokens, nO]
    threshold: from which probability something is predicted.
    given: spans that the level passes up in place of its own, or before those of its own that don't overlap
        them, or if the head's spans may nest don't cross them; for a level whose head takes no candidates.
    """

    def __init__(
        self, level: Level, tokens: TokenBatch, threshold: float, given: Optional[CandidateSpans] = None
    ):
        self.head = level.head
        self.tokens = tokens
        self.threshold = threshold
        self.given = given

    @cached_property
    def label_distribution(self) -> Tensor:
        """The head's tag probabilities, which only heads that tag have. [n_tokens, n_tags]"""
        if not isinstance(self.head, LabellingHead):
            raise TypeError(f"{type(self.head).__name__} has no label distribution: no LabellingHead.")
        return self.head.label_distribution(self.tokens)

    @cached_property
    def decoded(self) -> Decoded:
        """Predicted rows and their scores, per document; given spans aren't among them."""
        if self.given is not None and not self.given.own:
            rows = [of_doc[:0] for of_doc in self.given.rows]
            return rows, [numpy.zeros(0, dtype=numpy.float32) for _ in rows]
        with torch.no_grad():
            decoded = self.head.decode(self.tokens, self.threshold)
        if self.given is None:
            return decoded
        is_apart = nested_beside if isinstance(self.head, NestingHead) else apart_from
        apart = [is_apart(*of_doc) for of_doc in zip(self.given.rows, decoded[0])]
        rows, scores = ([of_doc[kept] for of_doc, kept in zip(part, apart)] for part in decoded)
        return rows, scores

    @property
    def rows(self) -> Rows:
        """What the level passes up: given rows, then predicted ones."""
        if self.given is None:
            return self.decoded[0]
        return [numpy.concatenate(of_doc) for of_doc in zip(self.given.rows, self.decoded[0])]
