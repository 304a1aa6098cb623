"""The hierarchy: levels of encoder and head, each reading the levels below."""

from dataclasses import replace
from typing import Dict, List, Mapping, Optional, cast

import numpy
import torch
from torch import Tensor, nn

from .batch import CandidateSpans, TokenBatch
from .head import Decoded, LabellingHead, join_rows
from .level import Level, LevelOutput, LevelSettings

Gold = Mapping[str, List[Optional[numpy.ndarray]]]
Candidates = Mapping[str, CandidateSpans]
Arrays = Mapping[str, numpy.ndarray]


class Network(nn.Module):
    """All levels of a hierarchy over one shared embedding; every encoder runs once per batch.

    nI: width of the shared embedding.
    settings: the levels by name, lowest first.
    """

    def __init__(self, nI: int, settings: Dict[str, LevelSettings]):
        super().__init__()
        self.nI = nI
        self.levels = nn.ModuleDict()
        for name, of_level in settings.items():
            width = nI + sum(self.level(below).encoder.nO for below in of_level.inputs)
            level = Level(name, width, of_level, self._tags_read(of_level))
            _check_source(name, level, list(self.levels), list(settings))
            self.levels[name] = level

    def level(self, name: str) -> Level:
        return cast(Level, self.levels[name])

    def losses(
        self,
        tokens: TokenBatch,
        gold: Gold,
        thresholds: Mapping[str, float],
        candidates: Optional[Candidates] = None,
        unannotated: Optional[Arrays] = None,
        label_sets: Optional[Arrays] = None,
    ) -> Dict[str, Tensor]:
        """One loss for each task in `gold`; levels that none of them reads don't run.

        gold: rows per document. Documents that aren't annotated for a task have None there
            and don't take part in its loss.
        thresholds: by task, for the rows of levels that a head above takes its candidates from.
        candidates: as in `decode`.
        unannotated, label_sets: by task, see `TokenBatch`, for tasks of whose annotation something is open in
            the batch.
        """
        ascent = Ascent(self, tokens, thresholds, candidates or {}, gold)
        losses: Dict[str, Tensor] = {}
        for name, rows in gold.items():
            level_tokens = ascent.head_tokens(name)
            level_tokens = replace(
                level_tokens,
                unannotated=(unannotated or {}).get(name),
                label_sets=(label_sets or {}).get(name),
            )
            annotated = [i for i, of_doc in enumerate(rows) if of_doc is not None]
            if len(annotated) < len(rows):
                level_tokens = level_tokens.select_docs(annotated)
            if level_tokens.layout.n_tokens:
                of_docs = [of_doc for of_doc in rows if of_doc is not None]
                losses[name] = self.level(name).head.loss(level_tokens, of_docs)
            else:
                losses[name] = level_tokens.vectors.sum()
        return losses

    def decode(
        self,
        tokens: TokenBatch,
        thresholds: Mapping[str, float],
        candidates: Optional[Candidates] = None,
    ) -> Dict[str, Decoded]:
        """Rows and scores per document for each task.

        candidates: spans, by the name of the task whose head scores them instead of its own candidates, or
            of those that it would get from a level below; for a head that takes none, what its level passes
            up in place of what it predicts, or beside it.
        """
        ascent = Ascent(self, tokens, thresholds, candidates or {})
        return {name: ascent.output(name).decoded for name in self.levels}

    def _tags_read(self, settings: LevelSettings) -> Dict[str, int]:
        """The number of tags of each input whose label distribution the level reads."""
        heads = {below: self.level(below).head for below in settings.inputs if settings.label_embedding_width}
        return {below: head.n_tags for below, head in heads.items() if isinstance(head, LabellingHead)}


class Ascent:
    """A batch on its way up the hierarchy: each level that is asked for runs once.

    gold: in training, the rows that are joined to those that levels pass up as candidates.
    """

    def __init__(
        self,
        network: Network,
        tokens: TokenBatch,
        thresholds: Mapping[str, float],
        candidates: Candidates,
        gold: Optional[Gold] = None,
    ):
        self.network = network
        self.tokens = tokens
        self.thresholds = thresholds
        self.given = candidates
        self.gold: Gold = gold or {}
        self.encoded: Dict[str, TokenBatch] = {}
        self.outputs: Dict[str, LevelOutput] = {}

    def output(self, name: str) -> LevelOutput:
        """What a level passes up: vectors, labels, rows."""
        if name not in self.outputs:
            level = self.network.level(name)
            passed = None if level.head.takes_candidates else self.given.get(name)
            self.outputs[name] = LevelOutput(level, self.head_tokens(name), self.thresholds[name], passed)
        return self.outputs[name]

    def head_tokens(self, name: str) -> TokenBatch:
        """What a level's head reads: its encoder's vectors, and the candidates that others have for it."""
        encoded = self.encode(name)
        given = self.given.get(name)
        if given is not None and given.level is None:
            return replace(encoded, candidates=given)
        source = given.level if given is not None else self.network.level(name).head.candidates_from
        if source is None:
            return encoded
        if source not in self.network.levels:
            raise ValueError(
                f"The level '{name}' takes its candidates from '{source}', which isn't in the hierarchy "
                f"{list(self.network.levels)}, and was given none. Give it candidates."
            )
        rows = self.output(source).rows
        known = self.gold.get(source, [None] * len(rows))
        joined = [p if g is None else join_rows(g, p) for g, p in zip(known, rows)]
        return replace(encoded, candidates=CandidateSpans(joined, own=given is not None and given.own))

    def encode(self, name: str) -> TokenBatch:
        """The vectors of a level's encoder. Long documents are encoded chunk by chunk, so that what an
        encoder reads is never concatenated for the whole document.
        """
        if name not in self.encoded:
            level = self.network.level(name)
            parts = [self.tokens.vectors]  # [n_tokens, width of each]
            for below in level.inputs:
                parts.append(self.encode(below).vectors)
                if below in level.label_embeddings:
                    distribution = self.output(below).label_distribution  # [n_tokens, n_tags]
                    parts.append(level.label_embeddings[below](distribution))
            vectors = [
                level.encoder(_join([part[inside] for part in parts], dim=1), layout)
                for inside, layout in self.tokens.layout.chunks()
            ]
            inputs = tuple(parts) if level.head.reads_inputs else None
            self.encoded[name] = replace(self.tokens, vectors=_join(vectors, dim=0), inputs=inputs)
        return self.encoded[name]


def _check_source(name: str, level: Level, below: List[str], hierarchy: List[str]) -> None:
    """A level whose candidates come from another needs that one below it, if it is there at all."""
    source = level.head.candidates_from
    if source in hierarchy and source not in below:
        raise ValueError(
            f"The level '{name}' takes its candidates from '{source}', which isn't below it in the hierarchy "
            f"{hierarchy}. Put '{source}' before '{name}'."
        )


def _join(parts: List[Tensor], dim: int) -> Tensor:
    return parts[0] if len(parts) == 1 else torch.cat(parts, dim=dim)
