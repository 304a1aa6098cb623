"""Word pieces of documents, and how a transformer gets them: padded, between special tokens."""

import json
from typing import Any, Dict, List, Optional, Tuple

import numpy
from spacy.attrs import ORTH
from spacy.tokens import Doc
from tokenizers import Tokenizer

from ..nn.windows import Window
from ..storage import DamagedPipeline, Stored

SHAPES = 8  # windows are padded to multiples of it, so that oneDNN meets a shape that it has prepared again


def sentence_starts(doc: Doc) -> numpy.ndarray:
    """Whether a sentence may begin at each token; if none is marked, none does. [n_tokens]"""
    starts: numpy.ndarray = doc.to_array("SENT_START").reshape(-1) == 1
    return starts


class WordPieces:
    """Word pieces of single words, remembered by word: tokenizers see a word without its neighbours.

    before, after: the pieces that a transformer wants around those of a text; padding: the one that fills up.
    limit: windows aren't padded to more pieces than this for the sake of their shape.
    """

    TEXTS = ("tokenizer", "special_pieces")

    def __init__(
        self, tokenizer: Tokenizer, *, before: List[int], after: List[int], padding: int, limit: Optional[int]
    ):
        tokenizer.no_padding()
        tokenizer.no_truncation()
        self.tokenizer = tokenizer
        self.before, self.after, self.padding = before, after, padding
        self.limit = limit or SHAPES
        self.known: Dict[int, List[int]] = {}

    @classmethod
    def of(cls, tokenizer: Any, limit: Optional[int]) -> "WordPieces":
        """Those of a fast tokenizer of transformers."""
        backend: Tokenizer = tokenizer.backend_tokenizer
        backend.no_padding()
        backend.no_truncation()
        probe = backend.encode(["a"], is_pretokenized=True)
        of_word = [place for place, word in enumerate(probe.word_ids) if word is not None]
        if not of_word:
            raise ValueError(
                "The transformer's tokenizer has no piece for the word 'a', not even one for unknown words. "
                "Choose another transformer."
            )
        return cls(
            backend,
            before=probe.ids[: of_word[0]],
            after=probe.ids[of_word[-1] + 1 :],
            padding=tokenizer.pad_token_id or 0,
            limit=limit,
        )

    def to_texts(self) -> Dict[str, str]:
        """What is stored: `tokenizer.json`, and the special pieces."""
        special = {"before": self.before, "after": self.after, "padding": [self.padding]}
        return {"tokenizer": self.tokenizer.to_str(), "special_pieces": json.dumps(special)}

    @classmethod
    def from_texts(cls, stored: Stored, limit: Optional[int]) -> "WordPieces":
        """From what `to_texts` gave."""
        special = stored.json("special_pieces")
        try:
            before, after, (padding,) = special["before"], special["after"], special["padding"]
            if not all(type(piece) is int and piece >= 0 for piece in [*before, *after, padding]):
                raise ValueError(f"the special pieces are {special}")
            tokenizer = Tokenizer.from_str(stored.texts["tokenizer"])
        except Exception as error:  # tokenizers raises nothing more specific
            raise DamagedPipeline(f"its tokenizer can't be read ({error})") from error
        return cls(tokenizer, before=before, after=after, padding=padding, limit=limit)

    def of_doc(self, doc: Doc) -> List[List[int]]:
        """The piece ids of each token; none for white space."""
        orths = [int(orth) for orth in doc.to_array([ORTH]).reshape(-1)]
        if len(self.known) > 500_000:
            self.known = {}  # and not cleared, since other threads may be reading it
        known = self.known
        new = list({orth for orth in orths if orth not in known})
        if new:
            words = [[doc.vocab.strings[orth]] for orth in new]
            encoded = self.tokenizer.encode_batch(words, is_pretokenized=True, add_special_tokens=False)
            known.update(zip(new, (pieces.ids for pieces in encoded)))
        return [known[orth] for orth in orths]

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
