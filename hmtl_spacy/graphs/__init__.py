"""The entities and relations of a corpus as one graph, in the formats of databases and tools."""

from .dictionaries import to_langchain, to_neo4j_graphrag
from .documents import DocumentGraph, Edge, Node, document_graphs
from .identity import MERGE_RULES
from .reading import read_annotated
from .run import GRAPH_FORMATS, write_graph

__all__ = [
    "GRAPH_FORMATS",
    "MERGE_RULES",
    "DocumentGraph",
    "Edge",
    "Node",
    "document_graphs",
    "read_annotated",
    "to_langchain",
    "to_neo4j_graphrag",
    "write_graph",
]
