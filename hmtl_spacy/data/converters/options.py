"""The options of a converter, read from its functions: what the command line makes its own options of."""

import inspect
import re
from collections.abc import Sequence
from pathlib import Path
from types import NoneType, UnionType
from typing import (
    Any,
    Callable,
    Dict,
    Iterator,
    List,
    Literal,
    NamedTuple,
    Optional,
    Tuple,
    Union,
    get_args,
    get_origin,
    get_type_hints,
)

from .common import Lines
from .converter import Converter

TYPES = (bool, int, float, str, Path, Lines)
GIVEN = ("source", "vocab", "dropped")  # what all converters are given
ENTRY = re.compile(r"(\w+): +(.*)")


class Option(NamedTuple):
    """A keyword option of a converter.

    type: one of `TYPES`. choices: the values that are allowed, none if all are. several: whether the
    option is a list of such values. for_folders: whether files don't have it.
    """

    name: str
    type: type
    choices: Tuple[str, ...]
    several: bool
    default: Any
    help: str
    for_folders: bool


def options_of(converter: Converter) -> List[Option]:
    """The options of a converter, those that only folders have last."""
    options = list(_options(converter.read, for_folders=False))
    if converter.read_folder is not None:
        names = {option.name for option in options}
        of_folders = _options(converter.read_folder, for_folders=True)
        options.extend(option for option in of_folders if option.name not in names)
    return options


def first_paragraph(function: Callable[..., Any]) -> str:
    """What a docstring begins with, on one line; empty if there is none."""
    return " ".join((inspect.getdoc(function) or "").partition("\n\n")[0].split())


def _options(function: Callable[..., Any], for_folders: bool) -> Iterator[Option]:
    hints, meanings = get_type_hints(function), _meanings(function)
    for name, parameter in inspect.signature(function).parameters.items():
        if parameter.kind is not parameter.KEYWORD_ONLY or name in GIVEN:
            continue
        value = _value(hints.get(name))
        if value is not None:
            yield Option(name, *value, parameter.default, meanings.get(name, ""), for_folders)


def _value(hint: Any) -> Optional[Tuple[type, Tuple[str, ...], bool]]:
    """Type, choices, and whether there are several; None for what can't be written on a command line."""
    origin, args = get_origin(hint), get_args(hint)
    if origin in (Union, UnionType):
        without_none = [arg for arg in args if arg is not NoneType]
        return _value(without_none[0]) if len(without_none) == 1 else None
    if origin is Literal and all(isinstance(choice, str) for choice in args):
        return str, args, False
    if origin in (list, Sequence):
        item = _value(args[0])
        return None if item is None or item[2] else (item[0], item[1], True)
    return (hint, (), False) if hint in TYPES else None


def _meanings(function: Callable[..., Any]) -> Dict[str, str]:
    """The lines `name: meaning` of a docstring; those that go on are indented."""
    meanings: Dict[str, str] = {}
    name = ""
    for line in (inspect.getdoc(function) or "").splitlines():
        entry = ENTRY.match(line)
        if entry is not None:
            name, meanings[entry[1]] = entry[1], entry[2]
        elif name and line.startswith(" "):
            meanings[name] += f" {line.strip()}"
        else:
            name = ""
    return meanings
