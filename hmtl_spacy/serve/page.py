"""The page as one piece: style and script are in it, and its policy lets nothing else run or load."""

from base64 import b64encode
from hashlib import sha256
from importlib.resources import files
from typing import Sequence, Tuple

from markupsafe import Markup

from ..visualize.page import assets
from ..visualize.templates import template
from .limits import Limits
from .schemas import Version

SCRIPTS = ("address.js", "page.js")


def build_page(version: Version, limits: Limits, further: Sequence[str] = ()) -> Tuple[str, str]:
    """The page, and the Content-Security-Policy to send with it. `page.html` has its elements.

    further: the names of the pipeline's layers beyond the four standard ones.
    """
    shared_style, shared_script = assets()
    style = shared_style + _read("page.css")
    script = f"{shared_script}(() => {{\n{''.join(map(_read, SCRIPTS))}}})();\n"
    html = template("page.html", __package__).render(
        style=Markup(style),
        script=Markup(script),
        model=f"{version.model.name} {version.model.version}",
        versions=f"hmtl_spacy {version.hmtl_spacy} · spaCy {version.spacy}",
        limit=limits.text,
        further=further,
    )
    return html, _policy(style, script)


def _policy(style: str, script: str) -> str:
    """Only these two run, and the page contacts only this server."""
    allowed = {
        "default-src": "'none'",
        "style-src": _hash(style),
        "script-src": _hash(script),
        "connect-src": "'self'",
        "img-src": "data:",
        "base-uri": "'none'",
        "form-action": "'none'",
        "frame-ancestors": "'none'",
    }
    return "; ".join(f"{what} {where}" for what, where in allowed.items())


def _hash(text: str) -> str:
    return f"'sha256-{b64encode(sha256(text.encode()).digest()).decode()}'"


def _read(name: str) -> str:
    return files(__package__).joinpath(name).read_text("utf-8")
