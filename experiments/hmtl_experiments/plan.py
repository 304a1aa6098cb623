"""Which trainings an experiment consists of."""

from dataclasses import dataclass, field, replace
from itertools import product
from pathlib import Path
from typing import Dict, List, Optional, Sequence, Tuple

ROOT = Path(__file__).resolve().parents[1]  # the folder of the experiments
CONFIGS = ROOT / "configs"
SHARED_CONFIGS = ROOT.parent / "configs"
SETUPS = "ABCDEFGHIJKL"
EMBEDDINGS = ("full", "words_characters", "words")
GRIDS: Dict[str, List[Tuple[str, str]]] = {
    "ablation": [(setup, "full") for setup in SETUPS],
    "embeddings": [("A", embeddings) for embeddings in EMBEDDINGS],
    "speed": [(setup, "full") for setup in "ABCDE"],
}


@dataclass(frozen=True)
class Group:
    """Corpora that are learned together.

    overlays: configs, each laid over the one before.
    test: the split that is scored at the end.
    """

    overlays: Sequence[Path]
    test: str = "test"


@dataclass(frozen=True)
class Size:
    """How much is trained and scored.

    updates: for each corpus; if not given, the group's own number, divided among its corpora.
    evaluations: how often the development splits are scored.
    words: the most that are taken from each split of each corpus; splits that aren't named are used whole.
    batch: words per batch, as a share of the group's.
    """

    updates: Optional[int]
    evaluations: int
    words: Dict[str, int] = field(default_factory=dict)
    batch: float = 1.0


GROUPS = {
    "science": Group([CONFIGS / "groups/science.cfg"]),
    "open": Group([CONFIGS / "groups/open.cfg"]),
    "smoke": Group([SHARED_CONFIGS / "hmtl_static.cfg", SHARED_CONFIGS / "smoke.cfg"], test="dev"),
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
    """One cell of an experiment; experiments that need the same cell share it."""

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
    """What all trainings share.

    corpus: folder of the converted corpora.
    work: folder for configs, logs and results.
    transformer, vectors: what the configs' paths are set to; None for the default transformer and no vectors.
    gpu_id: -1 for the CPU.
    jobs: how many trainings run at once.
    """

    corpus: Path = Path("../corpus")
    work: Path = Path("training")
    transformer: Optional[str] = None
    vectors: Optional[str] = None
    gpu_id: int = -1
    jobs: int = 1


def size_of(name: str) -> Size:
    """Look up a size by name; "reduced-1500" is the reduced one with 1,500 updates for each corpus."""
    base, hyphen, updates = name.partition("-")
    if base not in SIZES or (hyphen and not updates.strip("0").isdecimal()):
        raise ValueError(
            f"There is no size '{name}': use one of {', '.join(SIZES)}, or reduced-1500 for 1,500 updates."
        )
    return replace(SIZES[base], updates=int(updates)) if updates else SIZES[base]


def trainings(
    experiment: str, groups: Sequence[str], size: str, seeds: Sequence[int], setups: Sequence[str] = SETUPS
) -> List[Training]:
    """List all trainings of an experiment, seed by seed."""
    cells = [(setup, embeddings) for setup, embeddings in GRIDS[experiment] if setup in setups]
    return [Training(group, *cell, size, seed) for seed, group, cell in product(seeds, groups, cells)]


def test_split(training: Training) -> str:
    """Name the split that is scored at the end."""
    return GROUPS[training.group].test
