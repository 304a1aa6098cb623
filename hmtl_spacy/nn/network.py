"""The hierarchy: levels of encoder and head, each reading the levels below."""

from typing import Callable, Dict, List, NamedTuple, Optional, Tuple

import numpy
import torch
from torch import Tensor, nn

from .batch import TokenBatch
from .encoder import Encoder, LabelEmbedding


class LevelSettings(NamedTuple):
    """inputs: the levels below whose encoders this one reads beside the shared embedding.
    label_embedding_width: width of the soft label embedding of each tagging level among the inputs; 0 = none.
    build_head: from the width of the encoder's vectors and of what it read to the head.
    """

    inputs: List[str]
    hidden: int
    depth: int
    dropout: float
    label_embedding_width: int
    build_head: Callable[[int, int], nn.Module]


class Level(nn.Module):
    def __init__(self, nI: int, settings: LevelSettings, label_widths: Dict[str, int]):
        super().__init__()
        self.inputs = list(settings.inputs)
        self.label_embeddings = nn.ModuleDict(
            {
                name: LabelEmbedding(n_tags, settings.label_embedding_width)
                for name, n_tags in label_widths.items()
            }
        )
        nX = nI + settings.label_embedding_width * len(label_widths)
        self.encoder = Encoder(nX, settings.hidden, settings.depth, settings.dropout)
        self.head = settings.build_head(self.encoder.nO, nX)


class Network(nn.Module):
    """All levels of a hierarchy over one shared embedding; every encoder runs once per batch.

    nI: width of the shared embedding.
    settings: the levels by name, lowest first.
    """

    def __init__(self, nI: int, settings: Dict[str, LevelSettings]):
        super().__init__()
        self.nI = nI
        self.levels = nn.ModuleDict()
        for name, level in settings.items():
            width = nI + sum(self.levels[below].encoder.nO for below in level.inputs)
            tags = {
                below: self.levels[below].head.n_tags
                for below in level.inputs
                if level.label_embedding_width and hasattr(self.levels[below].head, "n_tags")
            }
            self.levels[name] = Level(width, level, tags)

    def losses(self, tokens: TokenBatch, gold: Dict[str, List[Optional[numpy.ndarray]]]) -> Dict[str, Tensor]:
        """One loss for each task in `gold`; levels that none of them reads don't run.

        gold: rows per document. Documents that aren't annotated for a task have None there
            and don't take part in its loss.
        """
        encoded: Dict[str, TokenBatch] = {}
        losses = {}
        for name, rows in gold.items():
            level_tokens = self._encode(name, tokens, encoded)
            annotated = [i for i, of_doc in enumerate(rows) if of_doc is not None]
            if len(annotated) < len(rows):
                level_tokens = level_tokens.select_docs(annotated)
            if level_tokens.layout.n_tokens:
                losses[name] = self.levels[name].head.loss(level_tokens, [rows[i] for i in annotated])
            else:
                losses[name] = level_tokens.vectors.sum()
        return losses

    def decode(
        self,
        tokens: TokenBatch,
        thresholds: Dict[str, float],
        given: Optional[Dict[str, List[numpy.ndarray]]] = None,
        candidates_only: bool = False,
    ) -> Dict[str, Tuple[List[numpy.ndarray], List[numpy.ndarray]]]:
        """Rows and scores per document for each task.

        given: for tasks whose head takes them, the candidates per document, instead of its own.
        candidates_only: of these only such as are candidates of its own too.
        """
        encoded: Dict[str, TokenBatch] = {}
        found = {}
        for name, level in self.levels.items():
            taken = given is not None and name in given
            options = {"given": given[name], "candidates_only": candidates_only} if taken else {}
            found[name] = level.head.decode(self._encode(name, tokens, encoded), thresholds[name], **options)
        return found

    def _encode(self, name: str, tokens: TokenBatch, encoded: Dict[str, TokenBatch]) -> TokenBatch:
        """What a level's head reads. Long documents are encoded piece by piece, so that what an
        encoder reads is never there side by side for all tokens at once.
        """
        if name not in encoded:
            level = self.levels[name]
            parts = [tokens.vectors]
            for below in level.inputs:
                lower = self._encode(below, tokens, encoded)
                parts.append(lower.vectors)
                if below in level.label_embeddings:
                    distribution = self.levels[below].head.label_distribution(lower)
                    parts.append(level.label_embeddings[below](distribution))
            vectors = [
                level.encoder(_join([part[inside] for part in parts], dim=1), layout)
                for inside, layout in tokens.layout.chunks()
            ]
            reads_inputs = getattr(level.head, "reads_inputs", False)
            encoded[name] = tokens.with_vectors(_join(vectors, dim=0), tuple(parts) if reads_inputs else None)
        return encoded[name]


def _join(parts: List[Tensor], dim: int) -> Tensor:
    return parts[0] if len(parts) == 1 else torch.cat(parts, dim=dim)
