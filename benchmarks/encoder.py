"""The bare transformer on the same texts: the limit for a pipeline that stands on it."""

import re
from functools import partial
from typing import Dict, Iterator, List

from hmtl_spacy.side_by_side import SideBySide

from .measure import Case, Measurement, Work
from .pipelines import Setup, config_of
from .report import Ratio
from .texts import count_words

WINDOW = 254
PIPES = (("float32", 32), ("float32", 256), ("bfloat16", 256))
SENTENCE_END = re.compile(r"(?<=[.!?])\s+")


def groups(setup: Setup) -> List[List[Case]]:
    from .pipe import piped

    texts = {"texts": setup.texts.all}
    path = setup.pipelines.path("hmtl")
    bare = [
        Case(
            f"encoder, {name}, {pieces} pieces" + (", side by side" if threads > 1 else ""),
            bare_encoder,
            {**texts, "packed": packed, "pieces": pieces, "threads": threads},
        )
        for name, packed, sizes in (("packed", True, (1024,)), ("by sentence", False, (512, 1024, 8192)))
        for pieces in sizes
        for threads in ((1, 2) if pieces <= 1024 else (1,))
    ]
    pipes = [
        Case(
            f"hmtl, {precision}, batch {n}, beside encoder",
            piped,
            {**texts, "path": path, "batch_size": n, "precision": precision},
        )
        for precision, n in PIPES
    ]
    return [bare + pipes]


def ratios(measured: Dict[str, Measurement]) -> Iterator[Ratio]:
    limit = max((m for name, m in measured.items() if name.startswith("encoder")), key=_speed)
    for precision, n in PIPES:
        name = f"hmtl, {precision}, batch {n}"
        ratio = measured[f"{name}, beside encoder"].words_per_second / limit.words_per_second
        yield Ratio(1, f"{name}: words/s over those of {limit.name}", ratio, ">=", 0.85)


def bare_encoder(texts: List[str], packed: bool, pieces: int, threads: int, folder: str = "") -> Work:
    """Tokenise, sort by length, run.

    folder: the transformer; that of configs/hmtl.cfg if not given.
    packed: fill windows with sentences; pieces: of a batch, with padding; threads: batches at a time, each on
        one thread of torch, or one on all of them.
    """
    import torch
    from torch.nn.utils.rnn import pad_sequence
    from transformers import AutoModel, AutoTokenizer

    folder = folder or transformer_folder()
    tokenizer, model = AutoTokenizer.from_pretrained(folder), AutoModel.from_pretrained(folder).eval()

    @torch.inference_mode()
    def forward(batch: List[List[int]]) -> None:
        ids = pad_sequence([torch.tensor(row) for row in batch], True, tokenizer.pad_token_id or 0)
        lengths = torch.tensor([len(row) for row in batch])
        model(input_ids=ids, attention_mask=(torch.arange(ids.shape[1]) < lengths[:, None]).long())

    def run():
        rows = windows(tokenizer, texts, packed)
        rows.sort(key=len, reverse=True)
        with SideBySide(threads) as side_by_side:
            pieces_of_work = [side_by_side.add(partial(forward, batch)) for batch in batches(rows, pieces)]
            for piece in pieces_of_work:
                piece.result()
        return {"pieces": float(sum(map(len, rows)))}

    return Work(run, count_words(texts))


def windows(tokenizer, texts: List[str], packed: bool) -> List[List[int]]:
    """Piece ids with special tokens: of each sentence, or of as many sentences of a text as fit a window."""
    sentences = [SENTENCE_END.split(text) for text in texts]
    flat = [sentence for of_text in sentences for sentence in of_text]
    encoded = iter(tokenizer(flat, add_special_tokens=False, verbose=False)["input_ids"])
    rows: List[List[int]] = []
    for of_text in sentences:
        row: List[int] = []
        for _ in of_text:
            ids = next(encoded)
            if row and (not packed or len(row) + len(ids) > WINDOW):
                rows.append(row)
                row = []
            row = row + ids
            while len(row) > WINDOW:
                rows.append(row[:WINDOW])
                row = row[WINDOW:]
        if row:
            rows.append(row)
    return [tokenizer.build_inputs_with_special_tokens(row) for row in rows]


def batches(rows: List[List[int]], pieces: int) -> Iterator[List[List[int]]]:
    """Rows, longest first, at most so many pieces at a time, with padding."""
    batch: List[List[int]] = []
    for row in rows:
        if batch and (len(batch) + 1) * len(batch[0]) > pieces:
            yield batch
            batch = []
        batch.append(row)
    if batch:
        yield batch


def transformer_folder() -> str:
    """Where the transformer of configs/hmtl.cfg is."""
    from hmtl_spacy.embedding.transformer import resolve

    return resolve(config_of("hmtl").interpolate()["paths"]["transformer"])


def _speed(measurement: Measurement) -> float:
    return measurement.words_per_second
