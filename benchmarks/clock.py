"""Where the time of a pipeline goes: clocks around its functions, each without what runs inside it."""

import time
from functools import wraps
from typing import Any, Callable, Dict, List

from spacy.language import Language

from hmtl_spacy import prediction


class Clock:
    """Seconds by part; what no part accounts for is under "other"."""

    def __init__(self) -> None:
        self.seconds: Dict[str, float] = {}
        self.running: List[str] = []
        self.since = 0.0

    def time(self, owner: Any, name: str, part: str) -> None:
        """Count the time inside a function of an object for a part, from now on."""
        setattr(owner, name, self.timed(getattr(owner, name), part))

    def timed(self, function: Callable, part: str) -> Callable:
        self.seconds.setdefault(part, 0.0)

        @wraps(function)
        def call(*args: Any, **kwargs: Any) -> Any:
            self._switch()
            self.running.append(part)
            try:
                return function(*args, **kwargs)
            finally:
                self._switch()
                self.running.pop()

        return call

    def _switch(self) -> None:
        """Give the time since the last switch to the innermost part that runs."""
        now = time.perf_counter()
        if self.running:
            self.seconds[self.running[-1]] += now - self.since
        self.since = now

    def shares(self, total: float) -> Dict[str, float]:
        """The share of each part in so many seconds; starts again from zero."""
        shares = {f"share of {part}": seconds / total for part, seconds in self.seconds.items()}
        shares["share of other"] = 1.0 - sum(shares.values())
        self.seconds = dict.fromkeys(self.seconds, 0.0)
        return shares


def watch(nlp: Language) -> Clock:
    """Put clocks around the parts of a pipeline with the component."""
    clock, component = Clock(), nlp.get_pipe("hmtl")
    clock.time(nlp, "make_doc", "tokenising")
    clock.time(nlp.get_pipe("sentencizer"), "predict", "sentences")
    clock.time(nlp.get_pipe("sentencizer"), "set_annotations", "sentences")
    component.threads = 1  # the clock is for one thread
    clock.time(prediction, "decode", "layout and copies")
    for layer in component.model.walk():
        if layer.name == "hmtl-embedding":
            layer._func = clock.timed(layer._func, "embedding: joining")
        elif layer is not component.model:
            layer._func = clock.timed(layer._func, layer.name.replace("hmtl-", "embedding: "))
        if layer.name == "hmtl-transformer":
            shim = layer.shims[0]
            transformer = shim.inference.copy_of(shim._model)  # what inference runs
            transformer.forward = clock.timed(transformer.forward, "transformer itself")
    for name, level in component.model.shims[0].network.levels.items():
        clock.time(level.encoder, "forward", f"encoder of {name}")
        clock.time(level.head, "decode", f"decoding {name}")
    for name, task in component.tasks.items():
        clock.time(task, "annotate", f"writing {name}")
    return clock
