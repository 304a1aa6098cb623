"""Options of `annotate` that say where it is done: here, or by workers on a Ray cluster."""

from typing import Annotated, Any, Optional

from spacy.cli._util import Opt

Engine = Annotated[str, Opt("--engine", "-e", help="local, or ray: workers on a Ray cluster")]
Address = Annotated[
    Optional[str],
    Opt("--address", help="Ray: the cluster, auto for this machine's; without any, Ray is started here"),
]
Workers = Annotated[
    Optional[int], Opt("--workers", help="Ray: processes that annotate; by default as many as fit")
]
CpusPerWorker = Annotated[float, Opt("--cpus-per-worker", help="Ray: CPUs, and threads, of each")]
GpusPerWorker = Annotated[float, Opt("--gpus-per-worker", help="Ray: GPUs of each, or a share")]
Timeout = Annotated[
    Optional[float],
    Opt("--timeout", help="Ray: seconds for a batch, then for each of its documents, until it is skipped"),
]
WorkerModel = Annotated[
    Optional[str],
    Opt("--worker-model", help="Ray: path or package that workers load, instead of getting the pipeline"),
]


def engine_of(engine: str, *options: Any) -> Any:
    """What `annotate` takes. options: Ray's, in the order of its fields."""
    from ..annotate import Ray

    ray = Ray(*options)
    if engine == "ray":
        return ray
    if ray != Ray():
        raise ValueError(f"The engine is {engine}, but there are options of Ray's: add --engine ray.")
    return engine
