"""What was measured as tables, for people, and as plain data, for comparing releases."""

from dataclasses import asdict
from typing import Any, Dict, List, NamedTuple, Sequence, Tuple

from .measure import Measurement

CHANGE = 0.2


class Ratio(NamedTuple):
    """A measured ratio, or another number, beside its target.

    number: of the target. value: what was measured. sign: whether it is to be at least or at most `target`.
    """

    number: int
    what: str
    value: float
    sign: str
    target: float
    unit: str = ""

    @property
    def met(self) -> bool:
        return self.value >= self.target if self.sign == ">=" else self.value <= self.target


def whole(measured: Sequence[Measurement], ratios: Sequence[Ratio], about: Dict[str, Dict[str, Any]]) -> str:
    """Everything that is printed, as Markdown."""
    lines = [", ".join(f"{key} {value}" for key, value in part.items()) for part in about.values()]
    tables = (measurement_table(measured), split_table(measured), ratio_table(ratios))
    return "\n\n".join(filter(None, (*lines, *tables)))


def measurement_table(measured: Sequence[Measurement]) -> str:
    header = (
        "measured",
        "words/s",
        "words/CPU s",
        "seconds a pass (fastest to slowest)",
        "loaded MiB",
        "peak MiB",
    )
    rows = [
        (
            m.name,
            f"{m.words_per_second:.0f}" if m.words else "",
            f"{m.words_per_cpu_second:.0f}" if m.words and m.cpu_seconds else "",
            f"{m.median:.3g} ({min(m.seconds):.3g} to {max(m.seconds):.3g})",
            f"{m.loaded_mib:.0f}",
            f"{m.peak_mib:.0f}",
        )
        for m in measured
    ]
    return markdown(header, rows)


def split_table(measured: Sequence[Measurement]) -> str:
    """Where the time goes: per cent of the passes of each split that was measured."""
    splits = [(m.name, _shares(m)) for m in measured if _shares(m)]
    parts = list(dict.fromkeys(part for _, shares in splits for part in shares))
    rows = [(part, *(f"{100 * shares.get(part, 0.0):.1f}" for _, shares in splits)) for part in parts]
    return markdown(("% of the time", *(name for name, _ in splits)), rows) if splits else ""


def ratio_table(ratios: Sequence[Ratio]) -> str:
    header = ("number", "ratio", "measured", "target", "met")
    rows = [
        (
            str(r.number),
            r.what,
            f"{r.value:.2f}{r.unit}",
            f"{r.sign} {r.target:g}{r.unit}",
            "yes" if r.met else "NO",
        )
        for r in ratios
    ]
    return markdown(header, rows)


def changes(new: Dict[str, Any], old: Dict[str, Any]) -> List[str]:
    """What is a fifth or more faster, slower, bigger or smaller than in an older report."""
    before = {row["name"]: row for row in old["measurements"]}
    lines = []
    for row in new["measurements"]:
        for key, what in (("words_per_second", "words/s"), ("peak_mib", "peak MiB")):
            then, now = before.get(row["name"], {}).get(key), row[key]
            if then and now and round(abs(now / then - 1.0), 6) >= CHANGE:
                lines.append(
                    f"{row['name']}: {what} {then:.0f} -> {now:.0f} ({100 * (now / then - 1):+.0f} %)"
                )
    return lines


def to_json(measured: Sequence[Measurement], ratios: Sequence[Ratio], **about: Any) -> Dict[str, Any]:
    """about: the machine, the versions and the settings of the run."""
    measurements = [
        {
            **asdict(m),
            "median": m.median,
            "words_per_second": m.words_per_second if m.words else None,
            "words_per_cpu_second": m.words_per_cpu_second or None,
        }
        for m in measured
    ]
    return {**about, "measurements": measurements, "ratios": [{**r._asdict(), "met": r.met} for r in ratios]}


def markdown(header: Tuple[str, ...], rows: Sequence[Tuple[str, ...]]) -> str:
    widths = [max(map(len, column)) for column in zip(header, *rows)]
    lines = [header, tuple("-" * width for width in widths), *rows]
    return "\n".join(
        "| " + " | ".join(cell.ljust(n) for cell, n in zip(line, widths)) + " |" for line in lines
    )


def _shares(m: Measurement) -> Dict[str, float]:
    return {key[len("share of ") :]: value for key, value in m.numbers.items() if key.startswith("share of ")}
