"""The page as one piece: style and script are in it, and its policy lets nothing else run or load."""

from base64 import b64encode
from hashlib import sha256
from html import escape
from importlib.resources import files
from string import Template
from typing import Sequence, Tuple

from ..visualize.page import assets
from .limits import Limits
from .schemas import Version


def build_page(version: Version, limits: Limits, further: Sequence[str] = ()) -> Tuple[str, str]:
    """The page, and the Content-Security-Policy to send with it.

    further: the names of the pipeline's layers beyond the four standard ones.
    """
    shared_style, shared_script = assets()
    style = shared_style + _read("page.css")
    script = shared_script + _read("page.js")
    names = (version.model.name, version.model.version, version.hmtl_spacy, version.spacy)
    model, model_version, package, spacy = map(escape, names)
    html = Template(_read("page.html")).substitute(
        style=style,
        script=script,
        model=f"{model} {model_version}",
        versions=f"hmtl_spacy {package} · spaCy {spacy}",
        limit=f"{limits.text:,}",
        further=escape(f" Further layers: {', '.join(further)}." if further else ""),
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
