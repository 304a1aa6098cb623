"""Graphs as plain dictionaries in the field names of other libraries, which needn't be installed."""

from typing import Any, Dict, List

from .documents import DocumentGraph, Edge, Node
from .neo4j import evidence_of

NO_LABEL, NO_TYPE = "Entity", "RELATED"  # where there is no label: both libraries need one


def to_neo4j_graphrag(document: DocumentGraph) -> Dict[str, Any]:
    """A document in the fields of neo4j-graphrag's `Neo4jGraph`: `nodes` (id, label, properties) and
    `relationships` (start_node_id, end_node_id, type, properties), for `Neo4jWriter`.

    Source: neo4j_graphrag.experimental.components.types,
    https://neo4j.com/docs/neo4j-graphrag-python/current/types.html
    """
    nodes = [
        {"id": node.id, "label": node.label or NO_LABEL, "properties": _of_node(node, document)}
        for node in document.nodes
    ]
    relationships = [
        {
            "start_node_id": edge.head,
            "end_node_id": edge.tail,
            "type": edge.label or NO_TYPE,
            "properties": _of_edge(edge, document),
        }
        for edge in document.edges
    ]
    return {"nodes": nodes, "relationships": relationships}


def to_langchain(document: DocumentGraph) -> Dict[str, Any]:
    """A document in the fields of LangChain's `GraphDocument`: `nodes` (id, type, properties),
    `relationships` (source, target, type, properties) and `source`, a `Document` (page_content, metadata).

    Source: langchain_neo4j.graphs.graph_document,
    https://reference.langchain.com/python/langchain-neo4j/graphs/graph_document/GraphDocument
    """
    nodes: Dict[str, Dict[str, Any]] = {
        node.id: {"id": node.id, "type": node.label or NO_LABEL, "properties": _of_node(node, document)}
        for node in document.nodes
    }
    relationships = [
        {
            "source": nodes[edge.head],
            "target": nodes[edge.tail],
            "type": edge.label or NO_TYPE,
            "properties": _of_edge(edge, document),
        }
        for edge in document.edges
    ]
    source = {"page_content": document.text, "metadata": {"id": document.id, "name": document.name}}
    return {"nodes": list(nodes.values()), "relationships": relationships, "source": source}


def _of_node(node: Node, document: DocumentGraph) -> Dict[str, Any]:
    """Properties as databases have them: texts, numbers and lists of these."""
    fields: Dict[str, List[Any]] = {
        "mentions": [mention.text for mention in node.mentions],
        "starts": [mention.start for mention in node.mentions],
        "ends": [mention.end for mention in node.mentions],
    }
    return {"name": node.name, "document": document.id, **fields}


def _of_edge(edge: Edge, document: DocumentGraph) -> Dict[str, Any]:
    return {"id": edge.id, "score": edge.score, "document": document.id, **evidence_of(edge)}
