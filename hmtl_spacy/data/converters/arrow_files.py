"""Files of Arrow rows, Parquet or the stream form of `datasets`: their rows, labels by name."""

import json
from pathlib import Path
from typing import Any, Dict, Iterator, List, Optional, Sequence

from ..arrow import load_pyarrow
from .common import ConversionError
from .json_items import Item

BATCH = 64  # rows in memory, beside what the library keeps of a row group
HUB = b"huggingface"  # where `datasets` stores what its columns mean


class Row(Item):
    """A row of a file, with its number, from 1, in messages."""

    def error(self, message: str) -> ConversionError:
        return ConversionError(self.source, None, f"row {self.number}: {message}")

    def replaced(self, data: Dict[str, Any]) -> "Row":
        return Row(data, self.source, self.line, self.number)


class RowFile:
    """A file of rows.

    path: a .parquet file, or an .arrow file as `datasets` writes it.
    names: its columns.
    features: what `datasets` says of each column, for the names of labels; nothing of other files.
    """

    def __init__(self, path: Path, features: Optional[Dict[str, Any]] = None):
        self.path = path
        self.arrow = load_pyarrow()
        if not path.is_file():
            raise ConversionError(str(path), None, "no such file; name an existing file to convert.")
        try:
            with self._open() as opened:
                schema = opened.schema_arrow if self._is_parquet else opened.schema
        except (self.arrow.ArrowException, OSError) as err:
            raise self._broken(err) from None
        self.names: List[str] = list(schema.names)
        stored = json.loads((schema.metadata or {}).get(HUB, b"{}"))
        self.features = features or stored.get("info", {}).get("features") or {}

    def rows(self, columns: Sequence[str]) -> Iterator[Row]:
        """The rows in turn, with the values of some columns; labels that are numbers as their names."""
        number = 0
        try:
            with self._open() as opened:
                for batch in self._batches(opened, list(columns)):
                    for data in batch.to_pylist():
                        number += 1
                        named = {name: decode(data[name], self.features.get(name)) for name in columns}
                        yield Row(named, str(self.path), 0, number)
        except (self.arrow.ArrowException, OSError) as err:
            raise self._broken(err) from None

    @property
    def _is_parquet(self) -> bool:
        return self.path.suffix.lower() != ".arrow"

    def _open(self) -> Any:
        if self._is_parquet:
            return self.arrow.parquet.ParquetFile(self.path)
        return self.arrow.ipc.open_stream(self.arrow.memory_map(str(self.path)))

    def _batches(self, opened: Any, columns: List[str]) -> Iterator[Any]:
        if self._is_parquet:
            yield from opened.iter_batches(BATCH, columns=columns)
            return
        for batch in opened:
            for start in range(0, batch.num_rows, BATCH):
                yield batch.select(columns).slice(start, BATCH)

    def _broken(self, err: Exception) -> ConversionError:
        kind = "Parquet file" if self._is_parquet else "file of `datasets`"
        reason = str(err).rstrip(".").splitlines()[0]
        return ConversionError(str(self.path), None, f"not a {kind} that can be read, or cut off: {reason}.")


def decode(value: Any, feature: Any) -> Any:
    """A value with the names of labels for their numbers.

    feature: what `datasets` says of the column, None if nothing.
    """
    if value is None or not feature:
        return value
    kind = feature.get("_type") if isinstance(feature, dict) else None
    if kind == "ClassLabel" and isinstance(value, int):
        names = feature["names"]
        return names[value] if 0 <= value < len(names) else None  # -1: no label
    inner = feature[0] if isinstance(feature, list) else feature.get("feature") if kind else None
    if isinstance(value, list):
        return [decode(item, inner) for item in value]
    if isinstance(value, dict):
        if inner:  # a sequence of objects, stored as an object of lists
            return {key: [decode(item, inner.get(key)) for item in items] for key, items in value.items()}
        return {key: decode(item, feature.get(key)) for key, item in value.items()}
    return value
