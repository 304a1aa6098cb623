"""Annotate on a Ray cluster: how it is reached, and what its workers are given."""

import logging
import os
from contextlib import closing, contextmanager
from importlib.util import find_spec
from typing import Any, Generator, Iterable, Iterator, NamedTuple, Optional

from .batches import Annotator
from .inputs import Batch
from .processes import Done

INSTALL = 'pip install "hmtl-spacy[ray]"'


class Ray(NamedTuple):
    """Workers on a Ray cluster: `annotate(..., engine=Ray("auto", workers=8))`.

    address: of the cluster, "auto" for the one that this machine belongs to. By default the one in
        RAY_ADDRESS or on this machine; without any, Ray is started here and ended with the run.
    workers: how many processes annotate; by default as many as the cluster has room for at the start.
    cpus_per_worker: how many CPUs Ray reserves for a worker, and its number of threads.
    gpus_per_worker: how many GPUs, which may be a share of one; 0 for none.
    timeout: seconds that a batch may take. One that takes longer is done document by document, and
        a document that alone takes longer is skipped.
    model: what workers load the pipeline from, a path that all machines have or an installed package. By
        default they get the pipeline as it is here.
    """

    address: Optional[str] = None
    workers: Optional[int] = None
    cpus_per_worker: float = 1
    gpus_per_worker: float = 0
    timeout: Optional[float] = None
    model: Optional[str] = None

    def check(self) -> None:
        """ImportError where Ray isn't installed, ValueError for what can't work."""
        if find_spec("ray") is None:
            raise ImportError(f"The engine 'ray' needs Ray, which isn't installed: {INSTALL}")
        amounts = (self.workers or 0, self.cpus_per_worker, self.gpus_per_worker)
        if min(amounts) < 0 or self.workers == 0 or self.cpus_per_worker + self.gpus_per_worker <= 0:
            each = f"{self.cpus_per_worker} CPUs and {self.gpus_per_worker} GPUs"
            asked = "workers" if self.workers is None else f"{self.workers} workers"
            raise ValueError(f"Asked for {asked} with {each} each, expected 1 or more, with a CPU or a GPU.")
        if self.timeout is not None and self.timeout <= 0:
            raise ValueError(f"The timeout is {self.timeout} seconds, expected more than 0.")

    def run_batches(self, work: Annotator, batches: Iterable[Batch]) -> Generator[Done, None, None]:
        """Yield each batch without its items, in order, and what the workers made of it."""
        with _connected(self.address) as ray:
            from .ray_pool import Pool

            workers = self.workers or self._fitting(ray.cluster_resources())
            with closing(Pool(work, self, workers).run(batches)) as done:
                yield from done

    def _fitting(self, resources: Any) -> int:
        cpus, gpus = resources.get("CPU", 0), resources.get("GPU", 0)
        needs = ((cpus, self.cpus_per_worker), (gpus, self.gpus_per_worker))
        n = int(min(there / need for there, need in needs if need))
        if n < 1:
            wanted = f"{self.cpus_per_worker:g} CPUs and {self.gpus_per_worker:g} GPUs"
            found = f"a worker needs {wanted}, and the cluster has {cpus:g} and {gpus:g}"
            raise ValueError(
                f"Can't start workers: {found}. Ask for less, or say how many workers to wait for."
            )
        return n


@contextmanager
def _connected(address: Optional[str]) -> Iterator[Any]:
    """Ray, connected; a connection that is there already is used and kept."""
    import ray

    if ray.is_initialized():
        yield ray
        return
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")  # where Ray is started here, it reports to nobody
    try:
        ray.init(address=address, log_to_driver=False, logging_level=logging.ERROR)
    except ConnectionError as err:
        advice = "Start one with `ray start --head`, or omit the address to start Ray here"
        raise ConnectionError(f"Found no Ray cluster at {address}: {err}. {advice}.") from None
    try:
        yield ray
    finally:
        ray.shutdown()
