"""Configs made from a base and small files that hold only what differs."""

import re
from pathlib import Path
from typing import Iterable, List, Set

from spacy.util import load_config
from thinc.api import Config


def merge_configs(base: Path, overlays: Iterable[Path]) -> Config:
    """Lay configs over a base, one after the other.

    A section of an overlay changes the values it names and keeps the others, unless it names
    another registered function, which replaces the section; null removes one.

    base: a whole config.
    overlays: configs that hold only what differs.
    """
    config = load_config(base, interpolate=False)
    for overlay in overlays:
        config = config.merge(Config().from_str(_with_parents(overlay.read_text("utf8")), interpolate=False))
    return config


def _with_parents(text: str) -> str:
    """Add the empty headings of parent sections, which a config needs and an overlay may omit."""
    seen: Set[str] = set()
    lines: List[str] = []
    for line in text.splitlines():
        if heading := re.match(r"\[([^\]]+)\]", line):
            parts = heading.group(1).split(".")
            parents = [".".join(parts[:depth]) for depth in range(1, len(parts))]
            lines.extend(f"[{parent}]\n" for parent in parents if parent not in seen)
            seen.update(parents, [heading.group(1)])
        lines.append(line)
    return "\n".join(lines)
