"""`spacy hmtl convert FORMAT`."""

from collections import Counter
from enum import Enum
from pathlib import Path
from typing import Annotated, Any, List, Optional

from spacy.cli._util import Arg, Opt
from wasabi import msg

from .apps import convert_cli

InPath = Annotated[Path, Arg(help="File to convert", exists=True, dir_okay=False)]
InPaths = Annotated[Path, Arg(help="File to convert, or a folder of .txt files", exists=True)]
OutPath = Annotated[Path, Arg(help="Where to write the .spacy file", dir_okay=False)]
Singletons = Annotated[bool, Opt("--singletons", help="Keep coreference clusters of one mention")]
Unescape = Annotated[bool, Opt(help="Write brackets and quotes for -LRB-, `` and so on")]


class Scheme(str, Enum):
    iob1 = "iob1"
    iob2 = "iob2"
    bilou = "bilou"


class SpanKind(str, Enum):
    head = "head"
    extent = "extent"


class Split(str, Enum):
    train = "train"
    dev = "dev"
    test = "test"


class Stage(str, Enum):
    timex2norm = "timex2norm"
    adj = "adj"


class Misaligned(str, Enum):
    error = "error"
    drop = "drop"
    expand = "expand"


@convert_cli.command("iob")
def convert_iob_cli(
    in_path: InPath,
    out_path: OutPath,
    scheme: Annotated[
        Optional[Scheme], Opt("--scheme", "-s", help="Tag scheme; told from the tags if not given")
    ] = None,
    token_column: Annotated[Optional[int], Opt(help="From 1, or from the end with -1")] = None,
    tag_column: Annotated[Optional[int], Opt(help="From 1, or from the end with -1")] = None,
    drop: Annotated[Optional[List[str]], Opt("--drop", help="Label to read as O; can be repeated")] = None,
    sentences_per_doc: Annotated[
        Optional[int],
        Opt(
            "--sentences-per-doc",
            "-n",
            min=1,
            help="Cut documents; otherwise only files without any are, at 10",
        ),
    ] = None,
):
    """Columns with IOB1, IOB2 or BILOU tags: UNER, CoNLL-2003 and alike. Fills doc.ents.

    Example: python -m spacy hmtl convert iob train.iob2 train.spacy --drop OTH
    """
    options = {"token_column": token_column, "tag_column": tag_column, "sentences_per_doc": sentences_per_doc}
    _convert("iob", in_path, out_path, scheme=scheme and scheme.value, drop=drop or [], **options)


@convert_cli.command("conllu")
def convert_conllu_cli(
    in_path: InPath,
    out_path: OutPath,
    mentions: Annotated[
        SpanKind, Opt("--mentions", "-m", help="Typed heads or full extents as mentions")
    ] = SpanKind.head,
    clusters: Annotated[
        SpanKind, Opt("--clusters", "-c", help="Heads or full extents in the clusters")
    ] = SpanKind.extent,
    singletons: Singletons = False,
):
    """CoNLL-U with GUM's Entity= annotation. Fills mentions and coreference clusters.

    Example: python -m spacy hmtl convert conllu en_gum-ud-train.conllu train.spacy --clusters head
    """
    spans = {"mentions": mentions.value, "clusters": clusters.value}
    _convert("conllu", in_path, out_path, singletons=singletons, **spans)


@convert_cli.command("conll04")
def convert_conll04_cli(
    in_path: InPath,
    out_path: OutPath,
    ents: Annotated[bool, Opt("--ents", help="Write the entities to doc.ents too")] = False,
    exclude: Annotated[
        Optional[Path],
        Opt(
            "--exclude", "-x", exists=True, dir_okay=False, help="Leave out sentences that this file has too"
        ),
    ] = None,
):
    """CoNLL04 as Bekoulis et al. distribute it. Fills mentions and relations.

    Example: python -m spacy hmtl convert conll04 test.txt test_noleak.spacy --exclude train.txt
    """
    from ..data.converters.common import read_lines

    other = {"exclude": read_lines(exclude), "exclude_source": str(exclude)} if exclude else {}
    _convert("conll04", in_path, out_path, ents=ents, **other)


@convert_cli.command("conll2012")
def convert_conll2012_cli(
    in_path: Annotated[Path, Arg(help="File to convert, or a folder of *gold_conll files", exists=True)],
    out_path: OutPath,
    unescape: Unescape = True,
    singletons: Singletons = False,
):
    """OntoNotes 5 as *_gold_conll (CoNLL-2012). Fills doc.ents and coreference clusters.

    Example: python -m spacy hmtl convert conll2012 conll-2012/v4/data/train/data/english train.spacy
    """
    _convert("conll2012", in_path, out_path, unescape=unescape, singletons=singletons)


@convert_cli.command("ace")
def convert_ace_cli(
    in_path: Annotated[Path, Arg(help="Folder with .sgm and .apf.xml files", exists=True, file_okay=False)],
    out_path: OutPath,
    files: Annotated[
        Optional[Path],
        Opt("--files", "-f", exists=True, dir_okay=False, help="List of the documents to convert"),
    ] = None,
    stage: Annotated[
        Optional[Stage], Opt("--stage", help="Folders to read; timex2norm if there are any, else adj")
    ] = None,
    mentions: Annotated[
        SpanKind, Opt("--mentions", "-m", help="Typed heads or full extents as mentions")
    ] = SpanKind.head,
    clusters: Annotated[
        SpanKind, Opt("--clusters", "-c", help="Heads or full extents in the clusters")
    ] = SpanKind.extent,
    singletons: Singletons = False,
    misaligned: Annotated[
        Misaligned, Opt("--misaligned", help="What to do with mentions that aren't whole tokens")
    ] = Misaligned.expand,
):
    """ACE 2005 as .sgm and .apf.xml. Fills mentions, relations and coreference clusters.

    Example: python -m spacy hmtl convert ace ace_2005_td_v7/data/English test.spacy --files test_list
    """
    from ..data.converters.common import read_lines

    listed = {"files": read_lines(files), "files_source": str(files)} if files else {}
    spans = {"mentions": mentions.value, "clusters": clusters.value, "misaligned": misaligned.value}
    _convert("ace", in_path, out_path, stage=stage and stage.value, singletons=singletons, **spans, **listed)


@convert_cli.command("dygie")
def convert_dygie_cli(
    in_path: InPath,
    out_path: OutPath,
    unescape: Unescape = True,
    singletons: Singletons = False,
):
    """DyGIE-style JSON lines (SciERC). Fills mentions, relations and coreference clusters.

    Example: python -m spacy hmtl convert dygie train.json train.spacy
    """
    _convert("dygie", in_path, out_path, unescape=unescape, singletons=singletons)


@convert_cli.command("jsonl")
def convert_jsonl_cli(
    in_path: InPath,
    out_path: OutPath,
    lang: Annotated[str, Opt("--lang", "-l", help="Language whose tokenizer is used")] = "en",
    model: Annotated[Optional[str], Opt(help="Pipeline whose tokenizer is used instead")] = None,
    misaligned: Annotated[
        Misaligned, Opt("--misaligned", help="What to do with spans that aren't whole tokens")
    ] = Misaligned.error,
):
    """Our own JSON lines, character offsets over raw text. Fills the layers that the file has.

    Example: python -m spacy hmtl convert jsonl mine.jsonl mine.spacy --misaligned expand
    """
    _convert("jsonl", in_path, out_path, lang=lang, model=model, misaligned=misaligned.value)


@convert_cli.command("inline")
def convert_inline_cli(
    in_path: InPaths,
    out_path: OutPath,
    split: Annotated[
        Optional[Split], Opt("--split", "-s", help="Only the documents of one split; all are checked")
    ] = None,
    mentions: Annotated[
        SpanKind, Opt("--mentions", "-m", help="Typed heads or full extents as mentions")
    ] = SpanKind.head,
    clusters: Annotated[
        SpanKind, Opt("--clusters", "-c", help="Heads or full extents in the clusters")
    ] = SpanKind.extent,
    singletons: Singletons = False,
):
    """Prose marked up by hand with all four layers: the format of assets/sample.

    Example: python -m spacy hmtl convert inline assets/sample train.spacy --split train
    """
    spans = {"mentions": mentions.value, "clusters": clusters.value}
    _convert("inline", in_path, out_path, split=split and split.value, singletons=singletons, **spans)


def _convert(format: str, in_path: Path, out_path: Path, **options: Any) -> None:
    from ..data.converters import ConversionError, convert

    if out_path.suffix != ".spacy":
        msg.fail(f"The output is {out_path}, expected a name that ends in .spacy", exits=1)
    dropped: Counter = Counter()
    try:
        written = convert(format, in_path, out_path, dropped=dropped, progress=True, **options)
    except (ConversionError, ImportError, OSError) as err:  # the latter two: no such language or pipeline
        msg.fail(str(err), exits=1)
    msg.good(", ".join(f"{count:,} {what}" for what, count in written.items() if count), out_path)
    for what, count in dropped.items():
        if count:
            msg.warn(f"Changed or left out: {count:,} {what}")
