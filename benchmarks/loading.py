"""How long it takes to load a pipeline and to import the package, each time in a fresh process."""

import subprocess
import sys
from typing import Dict, Iterator, List

from .encoder import transformer_folder
from .measure import Case, Measurement, Work
from .pipelines import Setup
from .report import Ratio

IMPORTS = (
    "import spacy, torch, transformers, spacy_transformers, "
    "hmtl_spacy.component, hmtl_spacy.embedding.transformer"
)
TRANSFORMER = """
from transformers import AutoModel, AutoTokenizer
AutoTokenizer.from_pretrained({path!r}), AutoModel.from_pretrained({path!r})
"""
PIPELINE = "import spacy; spacy.load({path!r})"
PACKAGE = "import hmtl_spacy, hmtl_spacy.factories"
TIMED = """
{before}
import time
start = time.perf_counter()
{what}
print(time.perf_counter() - start)
"""


def groups(setup: Setup) -> List[List[Case]]:
    transformer = TRANSFORMER.format(path=transformer_folder())
    pipelines = {n: PIPELINE.format(path=str(setup.pipelines.path(n))) for n in ("hmtl", "static")}
    cases = []
    for how, before in (("", IMPORTS), (", with imports", "")):
        cases.append(
            [
                Case(f"loading the transformer{how}", fresh, {"what": transformer, "before": before}),
                *(
                    Case(f"loading {name}{how}", fresh, {"what": pipeline, "before": before})
                    for name, pipeline in pipelines.items()
                ),
            ]
        )
    return [*cases, [Case("importing hmtl_spacy", fresh, {"what": PACKAGE, "before": "import spacy"})]]


def ratios(measured: Dict[str, Measurement]) -> Iterator[Ratio]:
    for how in ("", ", with imports"):
        ratio = measured[f"loading hmtl{how}"].median / measured[f"loading the transformer{how}"].median
        yield Ratio(6, f"loading hmtl{how}: seconds over those of the transformer", ratio, "<=", 2.0)
    milliseconds = 1000 * measured["importing hmtl_spacy"].median
    yield Ratio(6, "importing hmtl_spacy, with what spaCy reads of it", milliseconds, "<=", 50.0, " ms")


def fresh(what: str, before: str) -> Work:
    """Run statements in a new process. before: what is there already and isn't timed."""

    def run():
        code = TIMED.format(what=what, before=before)
        done = subprocess.run([sys.executable, "-W", "ignore", "-c", code], capture_output=True, text=True)
        if done.returncode:
            raise RuntimeError(f"This failed in a process of its own: {what}\n{done.stderr}")
        return {"seconds": float(done.stdout.split()[-1])}

    return Work(run, 0)
