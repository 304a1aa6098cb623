"""Pages that need no other files, and elements with their style and script."""

from html import escape
from importlib.resources import files
from typing import Tuple


def assets() -> Tuple[str, str]:
    """The style, and the script, which gives the page a function `hmtl.start(element)`.

    The script starts what is already on the page. Call the function for documents that are added later,
    with `innerHTML` say, where the browser runs no script; calling it twice is harmless.
    """
    style, *scripts = (
        files(__package__).joinpath(name).read_text("utf-8")
        for name in ("style.css", "layout.js", "arrows.js", "script.js")
    )
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
    return (
        f'<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{escape(title)}</title>\n"
        f'</head>\n<body class="hmtl-page">\n{with_assets(body)}\n</body>\n</html>\n'
    )
