"""Documents through the network: in batches, which are done side by side."""

from collections import deque
from functools import partial
from itertools import islice
from typing import Any, Callable, Deque, Dict, Iterable, Iterator, List, Mapping, Optional, Tuple, Union

import numpy
import torch
from spacy.tokens import Doc
from thinc.api import Model

from .model import decode, fill_features, is_fine_tuned, network_of
from .nn.batch import CandidateSpans
from .nn.head import Decoded
from .side_by_side import Piece, SideBySide, batches_of_words

BATCH_WORDS = 2048  # few enough for the cores to share what `nlp.pipe` takes at a time
GPU_BATCH_WORDS = 8192
ALONE_WORDS = 8192  # memory is for one longer document at a time

Predictions = Dict[str, Tuple[List[numpy.ndarray], List[numpy.ndarray]]]


class Prediction:
    """Documents whose rows and scores are being predicted.

    Which documents are together in a batch doesn't depend on how many cores there are, nor do the numbers.

    thresholds: by task, as for `decode`.
    candidates: spans of these documents, by task.
    side_by_side: does the batches.
    """

    def __init__(
        self,
        model: Model[Any, Any],
        docs: List[Doc],
        thresholds: Dict[str, float],
        candidates: Mapping[str, CandidateSpans],
        side_by_side: SideBySide,
    ):
        self.tasks = list(network_of(model).levels)
        self.pieces: List[Piece[Dict[str, Decoded]]] = []
        fill_features(model, docs)  # batches side by side only read them
        n_done = 0
        words = BATCH_WORDS if model.ops.device_type == "cpu" else GPU_BATCH_WORDS
        for batch in batches_of_words(docs, words):
            inside = list(range(n_done, n_done + len(batch)))
            of_batch = {name: spans.select_docs(inside) for name, spans in candidates.items()}
            n_done += len(batch)
            work = partial(decode, model, batch, thresholds, of_batch)
            self.pieces.append(side_by_side.add(work, alone=sum(map(len, batch)) > ALONE_WORDS))

    def result(self) -> Predictions:
        """Rows and scores of every task, per document."""
        predictions: Predictions = {name: ([], []) for name in self.tasks}
        for piece in self.pieces:
            for name, (rows, scores) in piece.result().items():
                predictions[name][0].extend(rows)
                predictions[name][1].extend(scores)
        return predictions


class Failed:
    """Documents that can't be predicted: `result` says why."""

    def __init__(self, error: Exception):
        self.pieces: List[Piece[Any]] = []
        self.error = error

    def result(self) -> Predictions:
        raise self.error


def predict_ahead(
    stream: Iterable[List[Doc]], begin: Callable[[List[Doc]], Prediction], n: int
) -> Iterator[Tuple[List[Doc], Union[Prediction, Failed]]]:
    """YIELDS: documents in turn and their prediction, when so many are begun that `n` threads aren't idle.

    If the stream fails, what came before is yielded first.
    """
    waiting: Deque[Tuple[List[Doc], Union[Prediction, Failed]]] = deque()
    try:
        for docs in stream:
            waiting.append((docs, _begun(begin, docs)))
            while waiting and (n == 1 or _pieces(islice(waiting, 1, None)) >= n):
                yield waiting.popleft()
    except Exception:
        yield from waiting
        raise
    yield from waiting


def _begun(begin: Callable[[List[Doc]], Prediction], docs: List[Doc]) -> Union[Prediction, Failed]:
    try:
        return begin(docs)
    except Exception as error:
        return Failed(error)


def _pieces(waiting: Iterable[Tuple[List[Doc], Union[Prediction, Failed]]]) -> int:
    return sum(len(prediction.pieces) for _, prediction in waiting)


def threads_for(model: Model[Any, Any], threads: Optional[int]) -> int:
    """How many batches to do at a time. One on a GPU, and where a transformer may be between two updates.

    threads: as set; null for as many as torch uses, which is one for each core.
    """
    if model.ops.device_type != "cpu" or is_fine_tuned(model):
        return 1
    return threads or torch.get_num_threads()
