"""Pages that need no other files, and elements with their style and script."""

from importlib.resources import files
from typing import Tuple

from markupsafe import Markup

from .templates import template

SOURCES = ("style.css", "marks.js", "layout.js", "arrows.js", "graph.js", "script.js")


def assets() -> Tuple[str, str]:
    """The style, and the script, which gives the page two functions.

    The script starts what is already on the page. Call `hmtl.start(element)` for documents that are added
    later, with `innerHTML` say, where the browser runs no script; calling it twice is harmless. Call
    `hmtl.update(root)` after pressing buttons of layers (`aria-pressed`) by script; `root` is the element of
    class `hmtl`.
    """
    style, *scripts = (files(__package__).joinpath(name).read_text("utf-8") for name in SOURCES)
    body = "\n".join(scripts)
    return style, f"(() => {{\n{body}}})();\n"


def with_assets(body: str) -> str:
    """`body` with its style and script."""
    style, script = assets()
    return f"<style>\n{style}</style>\n{element_of(body)}\n<script>\n{script}</script>"


def element_of(body: str) -> str:
    """The element that style and script look for."""
    return f'<div class="hmtl">\n{body}\n</div>'


def page_of(body: str, title: str) -> str:
    """A whole page, with no script, font or image from elsewhere."""
    return template("page.html").render(title=title, body=Markup(with_assets(body)))
