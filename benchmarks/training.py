"""Updates and words per second in training, and the share of a step that isn't the network's."""

import time
from pathlib import Path
from typing import Dict, Iterator, List

from spacy.language import Language

from .measure import Case, Measurement, Work
from .pipelines import Setup, epoch, initialized, optimizer_of, update
from .report import Ratio

DOCUMENTS = 25
PROFILED = 5


def groups(setup: Setup) -> List[List[Case]]:
    settings = {"corpus": setup.pipelines.train, "documents": 2 if setup.tiny else DOCUMENTS}

    def case(what: str, name: str, **more: bool) -> Case:
        return Case(f"training {what}", train, {**settings, "name": name, **more})

    epochs = [
        case("hmtl, first epoch", "hmtl", forget=True),
        case("hmtl, later epoch", "hmtl"),
        case("static", "static"),
        case("finetune", "finetune"),
    ]
    profiles = [case(f"{name}, profiled", name, profile=True) for name in ("hmtl", "static")]
    return [epochs, profiles]


def ratios(measured: Dict[str, Measurement]) -> Iterator[Ratio]:
    ratio = measured["training hmtl, first epoch"].median / measured["training hmtl, later epoch"].median
    yield Ratio(5, "training hmtl: seconds of the first epoch over those of a later one", ratio, ">=", 8.0)
    for name in ("hmtl", "static"):
        share = 100 * measured[f"training {name}, profiled"].numbers["outside the network"]
        yield Ratio(
            5, f"training {name}, later epoch: optimiser and Python, of a step", share, "<=", 15.0, " %"
        )


def train(name: str, corpus: Path, documents: int, forget: bool = False, profile: bool = False) -> Work:
    """An epoch a pass. forget: frozen features before each, as in a first epoch; profile: some steps only."""
    nlp = initialized(name, corpus)
    batches, optimizer = epoch(nlp, documents), optimizer_of(nlp)
    words = sum(len(eg.predicted) for batch in batches() for eg in batch)

    def run():
        if forget:
            forget_features(nlp)
        updates = 0
        start = time.perf_counter()
        for batch in batches():
            update(nlp, batch, optimizer)
            updates += 1
        seconds = time.perf_counter() - start
        return {"seconds": seconds, "updates": float(updates), "updates/s": updates / seconds}

    def profiled():
        run()
        return profile_steps(nlp, list(batches())[:PROFILED], optimizer)

    return Work(profiled, 0) if profile else Work(run, words)


def forget_features(nlp: Language) -> None:
    for layer in nlp.get_pipe("hmtl").model.walk():
        for shim in layer.shims:
            if hasattr(shim, "cache"):
                shim.cache.forget()


def profile_steps(nlp: Language, batches: List, optimizer) -> Dict[str, float]:
    """Shares of the wall time of some updates.

    They come from torch's profiler, which slows what it measures; `slowdown` says how much.
    """
    from torch.profiler import ProfilerActivity, profile, record_function

    component = nlp.get_pipe("hmtl")
    finish_update = component.finish_update

    def marked(sgd) -> None:
        with record_function("optimiser"):
            finish_update(sgd)

    plain = _seconds(nlp, batches, optimizer)
    component.finish_update = marked
    with profile(activities=[ProfilerActivity.CPU]) as profiler:
        total = _seconds(nlp, batches, optimizer)
    del component.finish_update
    events = list(profiler.events())
    torch = covered([_range(event) for event in events if event.name.startswith(("aten::", "autograd::"))])
    stepping = covered([_range(event) for event in events if event.name == "optimiser"])
    both = overlap(torch, stepping) / total / 1e6
    optimiser = sum(end - start for start, end in stepping) / total / 1e6
    in_torch = sum(end - start for start, end in torch) / total / 1e6
    return {
        "outside torch": 1.0 - in_torch,
        "optimiser": optimiser,
        "outside the network": 1.0 - in_torch + both,
        "slowdown": total / plain,
        "seconds": plain,
    }


def covered(ranges: List) -> List:
    """Stretches of time that are inside at least one of the ranges, in order."""
    intervals: List[List[float]] = []
    for start, end in sorted(ranges):
        if intervals and start <= intervals[-1][1]:
            intervals[-1][1] = max(intervals[-1][1], end)
        else:
            intervals.append([start, end])
    return intervals


def overlap(some: List, others: List) -> float:
    """How long both go on. some, others: as `covered` gives them"""
    return sum(max(0.0, min(a[1], b[1]) - max(a[0], b[0])) for b in others for a in some)


def _range(event):
    return event.time_range.start, event.time_range.end


def _seconds(nlp: Language, batches: List, optimizer) -> float:
    start = time.perf_counter()
    for batch in batches:
        update(nlp, batch, optimizer)
    return time.perf_counter() - start
