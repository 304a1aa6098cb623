"""Which trainings an experiment has."""

from dataclasses import dataclass, field, replace
from itertools import product
from pathlib import Path
from typing import Dict, List, Optional, Sequence, Tuple

ROOT = Path(__file__).resolve().parents[1]
CONFIGS = ROOT / "configs"
SETUPS = "ABCDEFGHIJKL"
EMBEDDINGS = ("full", "words_characters", "words")
GRIDS: Dict[str, List[Tuple[str, str]]] = {
    "ablation": [(setup, "full") for setup in SETUPS],
    "embeddings": [("A", embeddings) for embeddings in EMBEDDINGS],
    "speed": [(setup, "full") for setup in "ABCDE"],
}


@dataclass(frozen=True)
class Group:
    """Corpora that are learned together. test: which part is scored at the end."""

    overlays: Sequence[str]
    test: str = "test"


@dataclass(frozen=True)
class Size:
    """updates: for every corpus; if not given, the group's own, divided among its corpora.

    evaluations: how often the development parts are scored.
    words: at most so many of each part of each corpus; parts that aren't named are whole.
    batch: words of a batch, as a share of the group's.
    """

    updates: Optional[int]
    evaluations: int
    words: Dict[str, int] = field(default_factory=dict)
    batch: float = 1.0


GROUPS = {
    "science": Group(["science.cfg"]),
    "open": Group(["open.cfg"]),
    "smoke": Group(["hmtl_static.cfg", "smoke.cfg"], test="dev"),
}
SIZES = {
    "full": Size(None, 18),
    "reduced": Size(480, 12, {"train": 30_000, "dev": 7_000, "test": 15_000}, batch=0.5),
    "tiny": Size(10, 2),
}
SCORES = {
    "ner": "ents_f",
    "mentions": "spans_mentions_f",
    "relations": "rel_last_token_f",
    "coref": "coref_f",
}


@dataclass(frozen=True)
class Training:
    """One cell of an experiment; experiments that need the same one share it."""

    group: str
    setup: str
    embeddings: str
    size: str
    seed: int

    @property
    def name(self) -> str:
        return f"{self.size}/{self.group}/{self.setup}-{self.embeddings}/seed-{self.seed}"


@dataclass(frozen=True)
class Settings:
    """What all trainings share. corpus: folder of the corpora; work: of what is made on the way."""

    corpus: Path = Path("corpus")
    work: Path = Path("training/experiments")
    transformer: Optional[str] = None
    vectors: Optional[str] = None
    gpu_id: int = -1
    jobs: int = 1


def size_of(name: str) -> Size:
    """A size by name; "reduced-1500" is the reduced one with 1,500 updates for every corpus."""
    base, hyphen, updates = name.partition("-")
    if base not in SIZES or (hyphen and not updates.strip("0").isdecimal()):
        raise ValueError(
            f"There is no size '{name}': take one of {', '.join(SIZES)}, or reduced-1500 for 1,500 updates."
        )
    return replace(SIZES[base], updates=int(updates)) if updates else SIZES[base]


def trainings(
    experiment: str, groups: Sequence[str], size: str, seeds: Sequence[int], setups: Sequence[str] = SETUPS
) -> List[Training]:
    """All trainings of an experiment, a whole seed after the other."""
    cells = [(setup, embeddings) for setup, embeddings in GRIDS[experiment] if setup in setups]
    return [Training(group, *cell, size, seed) for seed, group, cell in product(seeds, groups, cells)]


def test_part(training: Training) -> str:
    return GROUPS[training.group].test
