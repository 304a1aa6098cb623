"""`spacy hmtl graph DATA OUT`."""

from enum import Enum
from pathlib import Path
from typing import Annotated, Optional

from spacy.cli._util import Arg, Opt
from wasabi import msg

from .apps import hmtl_cli


class GraphFormat(str, Enum):
    turtle = "turtle"
    jsonld = "jsonld"
    neo4j = "neo4j"
    cypher = "cypher"
    graphml = "graphml"
    csv = "csv"


class Merge(str, Enum):
    name_and_type = "name+type"
    name = "name"


@hmtl_cli.command("graph")
def graph_cli(
    data_path: Annotated[
        Path, Arg(help="Annotated .spacy file or JSON lines, also as .gz, or a folder of them", exists=True)
    ],
    out_path: Annotated[Path, Arg(help="File to write; for neo4j and csv a folder")],
    format: Annotated[
        GraphFormat,
        Opt(
            "--format",
            "-f",
            help="RDF (turtle, jsonld), Neo4j (neo4j: tables to import; cypher: statements), graphml, csv",
        ),
    ],
    merge: Annotated[
        Optional[Merge],
        Opt("--merge", "-m", help="Which entities of different documents are one; none if not given"),
    ] = None,
    lang: Annotated[
        Optional[str], Opt("--lang", "-l", help="Language of the documents; English if not given")
    ] = None,
):
    """Write the entities of a corpus and the relations between them as a graph, in constant memory.

    Every mention, and the evidence of every relation, has its document and its character offsets.

    Example: python -m spacy hmtl graph annotated.jsonl graph.ttl --format turtle --merge name+type
    """
    from ..annotate.places import readable
    from ..graphs import write_graph

    try:
        summary = write_graph(data_path, out_path, format.value, merge and merge.value, lang)
    except (ValueError, ImportError, OSError) as err:  # ImportError: no such language
        msg.fail(readable(err), exits=1)
    written = ", ".join(f"{count:,} {what}" for what, count in summary.written.items())
    msg.good(written or "No documents", readable(out_path))
    for what, count in summary.changed.items():
        msg.warn(f"Left out or changed: {count:,} {what}")
