"""`spacy hmtl annotate MODEL IN OUT`."""

from pathlib import Path
from typing import Annotated, Optional

from spacy.cli._util import Arg, Opt, setup_gpu

from .apps import hmtl_cli
from .options import Gpu, Model
from .ray_options import (
    Address,
    CpusPerWorker,
    Engine,
    GpusPerWorker,
    Timeout,
    WorkerModel,
    Workers,
    engine_of,
)
from .runs import FORMATS, OUT_HELP, report, reported

IN_HELP = (
    ".txt, .jsonl or .spacy file, also as .gz; a folder of files of one kind; or - for standard input (JSON"
    " lines, or text with --lines), which can't be resumed"
)
InPath = Annotated[Path, Arg(help=IN_HELP)]
OutPath = Annotated[Path, Arg(help=OUT_HELP)]
Processes = Annotated[
    int, Opt("--n-process", "-n", min=-1, help="Processes of one thread each, on a CPU; -1 for one per core")
]
Part = Annotated[
    Optional[str], Opt("--part", "-p", help="Slice of the input, as 2/8; `spacy hmtl join` puts all together")
]


@hmtl_cli.command("annotate")
def annotate_cli(
    model: Model,
    in_path: InPath,
    out_path: OutPath,
    format: Annotated[
        Optional[str],
        Opt("--format", "-f", help=f"Format of the output: {FORMATS}; by default that of its name"),
    ] = None,
    lines: Annotated[
        bool, Opt("--lines", "-l", help="Each line of a .txt file is a document, not each file")
    ] = False,
    text_key: Annotated[str, Opt("--text-key", help="Key of the text in JSON lines")] = "text",
    id_key: Annotated[str, Opt("--id-key", help="Key of the document's id in JSON lines")] = "id",
    meta_key: Annotated[str, Opt("--meta-key", help="Key of what JSON lines keep")] = "meta",
    batch_size: Annotated[int, Opt("--batch-size", "-b", min=1, help="Documents per batch at most")] = 64,
    n_process: Processes = 1,
    use_gpu: Gpu = -1,
    engine: Engine = "local",
    address: Address = None,
    workers: Workers = None,
    cpus_per_worker: CpusPerWorker = 1,
    gpus_per_worker: GpusPerWorker = 0,
    timeout: Timeout = None,
    worker_model: WorkerModel = None,
    part: Part = None,
    overwrite: Annotated[bool, Opt("--overwrite", "-o", help="Replace an output, finished or not")] = False,
    strict: Annotated[
        bool, Opt("--strict", help="Exit with 1 if any document was skipped, after all others are done")
    ] = False,
):
    """Annotate any amount of text. After an interruption the same command resumes where it stopped.

    With - as input or output there is nothing to resume; messages and progress go to standard error.

    Example: python -m spacy hmtl annotate training/model-best texts.jsonl annotated.jsonl --n-process 2

    Example: python -m spacy hmtl annotate training/model-best texts.jsonl out.jsonl --engine ray
    """
    from spacy.util import load_model

    from ..annotate import Fields, annotate

    setup_gpu(use_gpu, silent=True)
    ray = (address, workers, cpus_per_worker, gpus_per_worker, timeout, worker_model)
    with reported(in_path, out_path):
        summary = annotate(
            load_model(model),
            in_path,
            out_path,
            format=format,
            lines=lines,
            fields=Fields(text_key, id_key, meta_key),
            batch_size=batch_size,
            n_process=n_process,
            engine=engine_of(engine, *ray),
            part=part,
            overwrite=overwrite,
            progress=True,
        )
    report(summary, out_path, strict)
