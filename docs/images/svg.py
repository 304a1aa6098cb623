"""What the pictures of lines share: colours in light and dark, words, and the file around them."""

from html import escape
from typing import Sequence

STYLE = """
  svg { --paper: #ffffff; --ink: #1f2328; --faint: #59636e; --grid: #d8dee4;
        --first: #1f6fb4; --second: #b35a00 }
  @media (prefers-color-scheme: dark) {
    svg { --paper: #0d1117; --ink: #e6edf3; --faint: #9198a1; --grid: #30363d;
          --first: #6cb0f0; --second: #f0a050 }
  }
  text { font: 12px system-ui, -apple-system, "Segoe UI", Helvetica, Arial, sans-serif; fill: var(--ink) }
  .axis { fill: var(--faint) } .paper { fill: var(--paper) } .grid { stroke: var(--grid) }
  polyline { fill: none; stroke-width: 2 } .DASHED { stroke-dasharray: 6 4 }
  .of0 { stroke: var(--first) } .of1 { stroke: var(--second) }
"""


def text(x: float, y: float, words: str, anchor: str, kind: str) -> str:
    return f'<text class="{kind}" x="{x}" y="{y}" text-anchor="{anchor}">{escape(words)}</text>'


def picture(width: int, height: int, title: str, dashed: str, parts: Sequence[str]) -> str:
    """A whole file. dashed: the class of lines that are."""
    body = "\n".join([f'<rect class="paper" width="{width}" height="{height}"/>', *parts])
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" role="img" '
        f'aria-label="{title}">\n<style>{STYLE.replace("DASHED", dashed)}</style>\n{body}\n</svg>\n'
    )
