"""`spacy hmtl convert FORMAT`: a command for each registered converter, made from the converter itself."""

from collections import Counter
from pathlib import Path
from typing import Any, Callable, Dict, List, Optional

import typer
from typer.core import TyperGroup
from wasabi import msg

from .apps import hmtl_cli

EXAMPLE = "Example: python -m spacy hmtl convert"


class Formats(TyperGroup):
    """A group whose commands are the registered formats; a format's module is imported when it is asked for.

    A converter that can't be loaded is listed with the reason, and the others work.
    """

    def list_commands(self, ctx: Any) -> List[str]:
        from ..registry import converters, registered

        return registered(converters)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        if cmd_name not in self.list_commands(ctx):
            return None
        try:
            return _make_command(cmd_name)
        except Exception as err:  # of a package that isn't ours
            return _make_broken_command(cmd_name, err)


convert_cli = typer.Typer(
    name="convert",
    cls=Formats,
    help="Convert annotated data to spaCy's .spacy format. Each format has its own options.\n\n"
    f"{EXAMPLE} iob train.iob2 corpus/train.spacy --drop OTH",
    no_args_is_help=True,
)
hmtl_cli.add_typer(convert_cli)


def _make_command(format: str) -> Any:
    from ..data.converters import get_converter
    from ..data.converters.options import first_paragraph, options_of
    from .converter_options import add_signature, given

    converter = get_converter(format)
    options = options_of(converter)

    def run(in_path: Path, out_path: Path, **values: Any) -> None:
        try:
            _convert(format, in_path, out_path, **given(options, values, in_path.is_dir()))
        except (ValueError, ImportError, OSError) as err:  # the latter two: no such language or pipeline
            msg.fail(str(err), exits=1)

    add_signature(run, converter, options)
    example = f"{EXAMPLE} {format} {converter.example}" if converter.example else ""
    return _as_command(format, run, f"{first_paragraph(converter.read)}\n\n{example}")


def _make_broken_command(format: str, err: Exception) -> Any:
    reason = f"{type(err).__name__}: {err}"

    def run() -> None:
        msg.fail(f"The converter '{format}' can't be loaded", reason, exits=1)

    any_arguments = {"ignore_unknown_options": True, "allow_extra_args": True}
    return _as_command(format, run, f"Can't be loaded ({reason})", any_arguments)


def _as_command(
    name: str, function: Callable[..., None], help: str, settings: Optional[Dict[str, Any]] = None
) -> Any:
    app = typer.Typer(add_completion=False, rich_markup_mode=None)  # as spaCy's
    app.command(name, help=help, context_settings=settings)(function)
    return typer.main.get_command(app)


def _convert(format: str, in_path: Path, out_path: Path, **options: Any) -> None:
    from ..data.converters import convert
    from ..data.converters.shards import check_folder

    if out_path.suffix != ".spacy":
        check_folder(out_path)
    dropped: Counter[str] = Counter()
    written = convert(format, in_path, out_path, dropped=dropped, progress=True, **options)
    msg.good(", ".join(f"{count:,} {what}" for what, count in written.items() if count), out_path)
    for what, count in dropped.items():
        if count:
            msg.warn(f"Changed or left out: {count:,} {what}")
