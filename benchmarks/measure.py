"""Measuring: every case in a process of its own, those that are compared in turn, pass by pass."""

import multiprocessing
import os
import time
import traceback
from dataclasses import dataclass, field
from statistics import median
from typing import Any, Callable, Dict, List, NamedTuple

from tqdm import tqdm

from .machine import peak_mib, resident_mib

THREADS = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS", "RAYON_NUM_THREADS")
OF_A_PASS = ("seconds", "cpu_seconds", "peak_mib")  # what isn't among its numbers


class Work(NamedTuple):
    """run: one pass. The numbers it returns are kept; `seconds` among them stands for the time of the pass.
    words: how many words a pass reads.
    """

    run: Callable[[], Dict[str, float]]
    words: int


class Case(NamedTuple):
    """prepare: called with the settings in the process of the case, loads what is needed."""

    name: str
    prepare: Callable[..., Work]
    settings: Dict[str, Any] = {}


@dataclass
class Measurement:
    """first: seconds of the first pass, which warms up; seconds: of the passes that count.
    loaded_mib, peak_mib: resident memory before the first pass, and the most there was.
    numbers: medians of what the passes returned.
    cpu_seconds: of all threads of the process in the passes that count.
    """

    name: str
    words: int
    first: float
    seconds: List[float]
    loaded_mib: float
    peak_mib: float
    numbers: Dict[str, float] = field(default_factory=dict)
    cpu_seconds: List[float] = field(default_factory=list)

    @property
    def median(self) -> float:
        return median(self.seconds)

    @property
    def words_per_second(self) -> float:
        return self.words / self.median

    @property
    def words_per_cpu_second(self) -> float:
        """What holds also where other processes want the cores; 0.0 if it wasn't measured."""
        seconds = median(self.cpu_seconds) if self.cpu_seconds else 0.0
        return self.words / seconds if seconds else 0.0


def in_turn(cases: List[Case], passes: int, threads: int) -> Dict[str, Measurement]:
    """Measure cases that are compared: one pass of each, then the next pass of each, and so on."""
    workers = [Worker(case, threads) for case in cases]
    try:
        bar = tqdm(total=(passes + 1) * len(workers), unit=" passes", leave=False, disable=None)
        for _ in range(passes + 1):
            for worker in workers:
                bar.set_description(worker.case.name)
                worker.run_pass()
                bar.update()
        bar.close()
        return {worker.case.name: worker.measurement() for worker in workers}
    finally:
        for worker in workers:
            worker.stop()


class Worker:
    """The process of a case, as seen from outside. It idles between its passes."""

    def __init__(self, case: Case, threads: int):
        self.case = case
        self.passes: List[Dict[str, float]] = []
        os.environ.update(dict.fromkeys(THREADS, str(threads)))
        context = multiprocessing.get_context("spawn")
        self.connection, theirs = context.Pipe()
        self.process = context.Process(target=_serve, args=(theirs, case))
        self.process.start()
        theirs.close()
        self.loaded = self._receive()

    def run_pass(self) -> None:
        self.connection.send(True)
        self.passes.append(self._receive())

    def measurement(self) -> Measurement:
        first, *others = self.passes
        seconds = [other["seconds"] for other in others]
        peak = max(each["peak_mib"] for each in self.passes)
        numbers = {key: median(other[key] for other in others) for key in first if key not in OF_A_PASS}
        words, loaded = int(self.loaded["words"]), self.loaded["loaded_mib"]
        cpu = [other["cpu_seconds"] for other in others]
        return Measurement(self.case.name, words, first["seconds"], seconds, loaded, peak, numbers, cpu)

    def stop(self) -> None:
        self.connection.close()
        self.process.join()

    def _receive(self) -> Dict[str, float]:
        try:
            answer = self.connection.recv()
        except EOFError:
            answer = "Its process ended."
        if isinstance(answer, str):
            raise RuntimeError(f"The case '{self.case.name}' failed: {answer}")
        return answer


def _serve(connection: Any, case: Case) -> None:
    """Load a case, then run a pass whenever one is asked for, until the other side hangs up."""
    try:
        work = case.prepare(**case.settings)
        connection.send({"words": float(work.words), "loaded_mib": resident_mib()})
        while connection.recv():
            start, cpu_start = time.perf_counter(), time.process_time()
            numbers = work.run()
            seconds, cpu = time.perf_counter() - start, time.process_time() - cpu_start
            connection.send({"seconds": seconds, **numbers, "cpu_seconds": cpu, "peak_mib": peak_mib()})
    except EOFError:
        pass
    except Exception:
        connection.send(traceback.format_exc())
