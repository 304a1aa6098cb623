"""Docstrings as this project writes them, `name: meaning` one a line, as lists for mkdocstrings."""

import re
from configparser import ConfigParser
from pathlib import Path

import griffe

ENTRY = re.compile(r"(\*{0,2}\w+(?:, \w+)*): (?=\S)")
RESULTS = {"RETURNS", "YIELDS"}


class Meanings(griffe.Extension):
    """Makes a list of the lines of a docstring that explain parameters, attributes and results.

    The functions of configs, most of which docs/config.md explains, get their names in configs.
    """

    def __init__(self):
        self.registered = registered_names(Path(__file__).resolve().parents[2] / "setup.cfg")

    def on_object(self, *, obj, loader, **kwargs):
        if not (obj.is_function or obj.is_class):
            return
        text = with_lists(obj.docstring.value, names(obj) | RESULTS) if obj.docstring else ""
        if obj.path in self.registered:
            text = f"Registered as `{self.registered[obj.path]}`.\n\n{text}"
        if text:
            obj.docstring = griffe.Docstring(text, parent=obj)


def registered_names(path):
    """The names in configs of the functions that entry points of `setup.cfg` name."""
    setup = ConfigParser()
    setup.read(path, "utf8")
    lines = "\n".join(setup["options.entry_points"].values()).split("\n")
    pairs = (line.split(" = ") for line in lines if " = " in line)
    return {target.replace(":", "."): name for name, target in pairs}


def names(obj):
    """What the entries of a docstring may begin with."""
    known = {parameter.name for parameter in obj.parameters}
    return known | set(obj.members) if obj.is_class else known


def with_lists(text, known):
    """text: a docstring. known: the names that have entries."""
    lines, inside = [], False
    for line in text.splitlines():
        entry = ENTRY.match(line)
        if entry and set(re.findall(r"\w+", entry.group(1))) & known:
            name = entry.group(1).lower() if entry.group(1) in RESULTS else entry.group(1)
            lines += [*([] if inside else [""]), f"- **{name}**: {line[entry.end() :]}"]
            inside = True
        elif inside and not line.startswith(" "):
            lines += ["", line] if line else [""]
            inside = False
        else:
            lines.append(line)
    return "\n".join(lines)
