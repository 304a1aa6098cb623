"""`spacy hmtl train CONFIG --output DIR --resume`."""

from pathlib import Path
from typing import Annotated, Optional

import typer
from spacy.cli._util import Arg, Opt, import_code, parse_config_overrides, setup_gpu, show_validation_error
from wasabi import msg

from .apps import hmtl_cli
from .options import Gpu


@hmtl_cli.command("train", context_settings={"allow_extra_args": True, "ignore_unknown_options": True})
def train_cli(
    ctx: typer.Context,
    config_path: Annotated[Path, Arg(help="Config file", exists=True, allow_dash=True)],
    output_path: Annotated[
        Path, Opt("--output", "-o", help="Folder for model-best and model-last", file_okay=False)
    ],
    resume: Annotated[
        bool, Opt("--resume", help="Go on with a training that was interrupted; if there is none, begin")
    ] = False,
    code_path: Annotated[
        Optional[Path], Opt("--code", "-c", help="Python file to import, for what it registers", exists=True)
    ] = None,
    verbose: Annotated[bool, Opt("--verbose", "-V", "-VV", help="Say more")] = False,
    use_gpu: Gpu = -1,
):
    """Train as `spacy train` does, with the same result, and resume what was interrupted.

    After each evaluation, the state of the training is stored in DIR/resume, until it is finished. Options
    such as --training.max_epochs 3 override settings of the config.

    Example: python -m spacy hmtl train configs/hmtl.cfg -o training --resume --paths.train train.spacy
    """
    import logging

    from spacy.util import load_config, logger

    from ..annotate.locks import Held
    from ..training.errors import CantResume, CantStore
    from ..training.run import train

    if verbose:
        logger.setLevel(logging.DEBUG)
    overrides = parse_config_overrides(ctx.args)
    import_code(code_path)
    setup_gpu(use_gpu)
    with show_validation_error(config_path):
        config = load_config(config_path, overrides=overrides, interpolate=False)
    try:
        with show_validation_error(config_path, hint_fill=False):
            train(config, output_path, resume=resume, use_gpu=use_gpu, code_path=code_path)
    except (CantResume, CantStore, Held) as error:
        msg.fail(str(error), exits=1)
