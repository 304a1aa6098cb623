"""Word pieces of documents, and how a transformer gets them: padded, between special tokens."""

from typing import Any, Dict, List, Optional, Tuple

import numpy
from spacy.attrs import ORTH
from spacy.tokens import Doc

from ..nn.windows import Window

SHAPES = 8  # windows are padded to multiples of it, so that oneDNN meets a shape that it has prepared again


def sentence_starts(doc: Doc) -> numpy.ndarray:
    """Whether a sentence may begin at each token; if none is marked, none does. [n_tokens]"""
    starts: numpy.ndarray = doc.to_array("SENT_START").reshape(-1) == 1
    return starts


class WordPieces:
    """Word pieces of single words, remembered by word: tokenizers see a word without its neighbours.

    limit: windows aren't padded to more pieces than this for the sake of their shape.
    """

    def __init__(self, tokenizer: Any, limit: int):
        self.tokenizer = tokenizer
        self.limit = limit
        self.known: Dict[int, List[int]] = {}
        probe = tokenizer.build_inputs_with_special_tokens([-1])
        middle = probe.index(-1)
        self.before, self.after = probe[:middle], probe[middle + 1 :]
        self.padding = tokenizer.pad_token_id or 0

    @classmethod
    def for_shim(cls, shim: Any) -> "WordPieces":
        """Those of a transformer's tokenizer, the same for as long as the tokenizer is."""
        tokenizer = shim._hfmodel.tokenizer
        pieces: Optional[WordPieces] = shim.__dict__.get("_pieces")
        if pieces is None or pieces.tokenizer is not tokenizer:
            limit = getattr(shim._model.config, "max_position_embeddings", None)
            pieces = shim._pieces = cls(tokenizer, limit or SHAPES)
        return pieces

    def of_doc(self, doc: Doc) -> List[List[int]]:
        """The piece ids of each token; none for white space."""
        orths = [int(orth) for orth in doc.to_array([ORTH]).reshape(-1)]
        new = list({orth for orth in orths if orth not in self.known})
        if new:
            if len(self.known) > 500_000:
                self.known.clear()
                new = list(set(orths))
            words = [[doc.vocab.strings[orth]] for orth in new]
            encoded = self.tokenizer(words, is_split_into_words=True, add_special_tokens=False)
            self.known.update(zip(new, encoded["input_ids"]))
        return [self.known[orth] for orth in orths]

    def pad(self, windows: List[Window]) -> Tuple[numpy.ndarray, numpy.ndarray, numpy.ndarray]:
        """Piece ids and attention mask, [n_windows, longest], and the places of the
        tokens' pieces in them when flattened. [n_pieces]
        """
        lengths = [len(window.pieces) for window in windows]
        longest = max(lengths) + len(self.before) + len(self.after)
        longest = max(longest, min(longest + -longest % SHAPES, self.limit))
        ids = numpy.full((len(windows), longest), self.padding, dtype=numpy.int64)
        mask = numpy.zeros((len(windows), longest), dtype=numpy.int64)
        places = []
        for row, (window, length) in enumerate(zip(windows, lengths)):
            begin, end = len(self.before), len(self.before) + length
            ids[row, :begin], ids[row, begin:end] = self.before, window.pieces
            ids[row, end : end + len(self.after)] = self.after
            mask[row, : end + len(self.after)] = 1
            places.append(numpy.arange(row * longest + begin, row * longest + end))
        return ids, mask, numpy.concatenate(places)
