"""The graph of a corpus, written to files."""

from collections import Counter
from contextlib import ExitStack
from pathlib import Path
from typing import IO, Callable, Dict, Iterable, Iterator, NamedTuple, Optional, Sequence, Tuple

from ..annotate.outputs import written_whole
from ..annotate.places import check_apart, readable
from .cypher import write_cypher
from .documents import DocumentGraph, document_graphs
from .graphml import write_graphml
from .json_ld import write_json_ld
from .neo4j import FILES as IMPORT
from .neo4j import write_import
from .reading import read_annotated
from .tables import FILES as TABLES
from .tables import write_tables
from .turtle import write_turtle

Write = Callable[[Sequence[IO[str]], Iterable[DocumentGraph], "Counter[str]"], None]


class GraphFormat(NamedTuple):
    """A format: what writes it, and its files in a folder, none if it is one file."""

    write: Write
    files: Tuple[str, ...] = ()


GRAPH_FORMATS: Dict[str, GraphFormat] = {
    "turtle": GraphFormat(write_turtle),
    "jsonld": GraphFormat(write_json_ld),
    "neo4j": GraphFormat(write_import, IMPORT),
    "cypher": GraphFormat(write_cypher),
    "graphml": GraphFormat(write_graphml),
    "csv": GraphFormat(write_tables, TABLES),
}


class Summary(NamedTuple):
    """What was written, and what was left out or changed, by what it is."""

    written: "Counter[str]"
    changed: "Counter[str]"


def write_graph(
    data: Path, out: Path, format: str, merge: Optional[str] = None, lang: Optional[str] = None
) -> Summary:
    """Write the entity graph of a corpus; memory is that of the largest document, or .spacy file.

    data: annotated documents, as `read_annotated` reads them.
    out: a file, or for the formats of several files a folder. Files are there whole or not at all.
    format: a key of `GRAPH_FORMATS`.
    merge: which entities of different documents are one, a key of `MERGE_RULES`; by default none are.
    lang: the language of the documents, English by default.
    """
    if format not in GRAPH_FORMATS:
        raise ValueError(f"Can't write {format!r}: expected one of {', '.join(GRAPH_FORMATS)}.")
    written: Counter[str] = Counter()
    changed: Counter[str] = Counter()
    write, names = GRAPH_FORMATS[format]
    paths = [out / name for name in names] if names else [out]
    _check_places(data, out, paths, bool(names))
    with ExitStack() as stack:
        parts = [stack.enter_context(written_whole(path)) for path in paths]
        files = [stack.enter_context(part.open("w", encoding="utf-8", newline="")) for part in parts]
        graphs = document_graphs(read_annotated(data, changed, lang), merge)
        write(files, _counted(graphs, written), changed)
    return Summary(+written, +changed)


def _check_places(data: Path, out: Path, paths: Sequence[Path], folder: bool) -> None:
    if folder and out.exists() and not out.is_dir():
        raise ValueError(f"Can't write the files of this format to {readable(out)}: expected a folder.")
    if not folder and out.is_dir():
        raise ValueError(f"Can't write {readable(out)}: it is a folder, expected the name of a file.")
    for path in paths:
        check_apart(data, [data], path)
        path.parent.mkdir(parents=True, exist_ok=True)


def _counted(graphs: Iterable[DocumentGraph], written: "Counter[str]") -> Iterator[DocumentGraph]:
    for graph in graphs:
        written["documents"] += 1
        written["entities"] += sum(node.is_new for node in graph.nodes)
        written["mentions"] += sum(len(node.mentions) for node in graph.nodes)
        written["relations"] += len(graph.edges)
        yield graph
