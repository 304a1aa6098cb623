"""The options of a converter as those of a command, and back."""

import inspect
from enum import Enum
from pathlib import Path
from typing import Any, Callable, Dict, List, Optional

from spacy.cli._util import Arg, Opt

from ..data.converters.common import Lines, read_lines
from ..data.converters.converter import Converter
from ..data.converters.options import Option


def add_signature(command: Callable[..., None], converter: Converter, options: List[Option]) -> None:
    """Give a function the signature of which typer makes its arguments and options."""
    folders = converter.read_folder is not None
    kind = inspect.Parameter.KEYWORD_ONLY
    in_path = Arg(..., help=converter.input, exists=True, dir_okay=folders)
    out_path = Arg(..., help="The .spacy file to write, or, without a suffix, a folder of them")
    parameters = [
        inspect.Parameter("in_path", kind, annotation=Path, default=in_path),
        inspect.Parameter("out_path", kind, annotation=Path, default=out_path),
    ]
    for option in options:
        default = _option(option, converter.flags.get(option.name))
        parameters.append(inspect.Parameter(option.name, kind, annotation=_type(option), default=default))
    command.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]  # typer reads it
    command.__annotations__ = {parameter.name: parameter.annotation for parameter in parameters}


def given(options: List[Option], values: Dict[str, Any], is_folder: bool) -> Dict[str, Any]:
    """The values of the command line as the converter takes them."""
    converted = {}
    for option in options:
        value = values[option.name]
        if value in (None, [], option.default):
            continue
        if option.for_folders and not is_folder:
            raise ValueError(f"{_flag(option)} is an option for folders, but the input is a file")
        converted[option.name] = [_given(item) for item in value] if option.several else _given(value)
        if option.type is Lines:
            converted[option.name] = Lines(read_lines(value), str(value))
    return converted


def _given(value: Any) -> Any:
    return value.value if isinstance(value, Enum) else value


def _flag(option: Option) -> str:
    return f"--{option.name.replace('_', '-')}"


def _option(option: Option, short: Optional[str]) -> Any:
    flag = _flag(option)
    if option.type is bool and option.default:
        flag = f"{flag}/--no-{flag[2:]}"
    is_file = option.type is Lines
    help = option.help[:1].upper() + option.help[1:].rstrip(".")
    return Opt(
        _default(option),
        flag,
        *([f"-{short}"] if short else []),
        help=help,
        exists=is_file,
        dir_okay=not is_file,
    )


def _default(option: Option) -> Any:
    if option.default is inspect.Parameter.empty:
        return ...  # required
    if option.several:
        return list(option.default or ()) or None
    return option.default


def _type(option: Option) -> Any:
    value: Any = Path if option.type is Lines else option.type
    if option.choices:  # older typers know no Literal
        make_enum: Any = Enum
        value = make_enum(option.name, {choice: choice for choice in option.choices}, type=str)
    if option.several:
        value = List[value]
    return Optional[value] if option.default in (None, (), []) else value
