"""Rows of Apache Arrow, as Parquet and `datasets` store them: the library, and the form of our own rows."""

from typing import Any

EXTRA = "Install the extra: pip install 'hmtl-spacy[parquet]'"
COLUMNS = (
    "id",
    "text",
    "tokens",
    "sentences",
    "entities",
    "mentions",
    "clusters",
    "relations",
    "meta",
)


def load_pyarrow() -> Any:
    """The module `pyarrow`, with what reads and writes its files."""
    try:
        import pyarrow
        import pyarrow.ipc
        import pyarrow.parquet
    except ImportError:
        raise ImportError(f"Parquet is read and written with the library pyarrow. {EXTRA}") from None
    return pyarrow


def make_schema() -> Any:
    """The columns of a document: null is a layer that isn't annotated, an empty list one with nothing in it.

    Offsets are characters, ends exclusive; `meta` is JSON. Types are given, since pyarrow can't tell what an
    empty list holds.
    """
    arrow = load_pyarrow()
    bounds = [("start", arrow.int32()), ("end", arrow.int32())]
    score = ("score", arrow.float64())
    text, place = arrow.string(), arrow.struct(bounds)
    labelled = arrow.list_(arrow.struct([*bounds, ("label", text), score]))
    relation = arrow.struct([("head", place), ("tail", place), ("label", text), score])
    types = (
        text,
        text,
        arrow.list_(text),
        arrow.list_(place),
        labelled,
        labelled,
        arrow.list_(arrow.list_(arrow.struct([*bounds, score]))),
        arrow.list_(relation),
        text,
    )
    return arrow.schema(list(zip(COLUMNS, types, strict=True)))
