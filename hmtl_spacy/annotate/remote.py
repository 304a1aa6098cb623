"""A pipeline on its way to another machine, and the worker there that annotates with it."""

import sys
from importlib import import_module
from importlib.metadata import PackageNotFoundError, version
from typing import Any, Dict, List, NamedTuple, Optional

import spacy
from spacy.language import Language
from spacy.util import load_model_from_config
from thinc.api import require_gpu
from thinc.compat import torch

from .batches import Annotator, BatchResult
from .documents import Fields
from .inputs import Item
from .models import describe_model

PACKAGES = ("hmtl-spacy", "spacy", "thinc", "torch")  # what scores may depend on


class Parcel(NamedTuple):
    """What a worker needs to annotate as the driver would.

    source: what to load the pipeline from; None for `config` and `content`.
    model: what distinguishes the pipeline from others.
    modules: where its components are, since a worker imports what it has to.
    max_length: isn't part of a stored pipeline.
    kind, format, fields: as for `Annotator`.
    """

    source: Optional[str]
    config: Any
    content: bytes
    model: Dict[str, Any]
    modules: List[str]
    max_length: int
    versions: Dict[str, str]
    kind: str
    format: str
    fields: Fields


def pack(work: Annotator, source: Optional[str] = None) -> Parcel:
    """source: what the worker loads the pipeline from instead of getting it."""
    nlp = work.nlp
    modules = sorted({pipe.__module__ for _, pipe in nlp.pipeline if pipe.__module__ != "__main__"})
    return Parcel(
        source,
        None if source else nlp.config,
        b"" if source else nlp.to_bytes(),
        describe_model(nlp, files=bool(source)),
        modules,
        nlp.max_length,
        _versions(),
        work.kind,
        work.format,
        work.fields,
    )


def unpack(parcel: Parcel) -> Annotator:
    """RuntimeError: what is installed here, or the pipeline, isn't the driver's."""
    _compare("the packages", parcel.versions, _versions(), "Install the same versions on all machines")
    for module in parcel.modules:
        import_module(module)
    nlp = _load(parcel)
    found = describe_model(nlp, files=bool(parcel.source))
    advice = f"Put the same one at {parcel.source} on all machines" if parcel.source else "Report this"
    _compare("the pipeline", parcel.model, found, advice)
    nlp.max_length = parcel.max_length
    return Annotator(nlp, parcel.kind, parcel.format, parcel.fields)


class Worker:
    """An actor: first `begin`, then any number of batches."""

    def begin(self, parcel: Parcel, n_threads: int, gpu: bool) -> str:
        """Load the pipeline. RETURNS: the id of the node."""
        import ray

        if torch is not None:
            torch.set_num_threads(n_threads)
        if gpu:
            require_gpu()
        self.work = unpack(parcel)
        return ray.get_runtime_context().get_node_id()

    def annotate(self, items: List[Item]) -> BatchResult:
        return self.work(items)


def _load(parcel: Parcel) -> Language:
    if parcel.source:
        return spacy.load(parcel.source)
    return load_model_from_config(parcel.config, auto_fill=False).from_bytes(parcel.content)


def _versions() -> Dict[str, str]:
    """Without the part after "+", which says what torch was built for."""
    found = {"Python": f"{sys.version_info.major}.{sys.version_info.minor}"}
    for name in PACKAGES:
        try:
            found[name] = version(name).partition("+")[0]
        except PackageNotFoundError:
            found[name] = "not installed"
    return found


def _compare(what: str, there: Dict[str, Any], here: Dict[str, Any], advice: str) -> None:
    differences = [
        f"{key} {value} there, {here[key]} here" for key, value in there.items() if value != here[key]
    ]
    if differences:
        raise RuntimeError(
            f"{what} of this worker aren't those of the driver: {'; '.join(differences)}. {advice}."
        )
