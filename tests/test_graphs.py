"""The graph of a corpus: each format is read again with a parser of its own, and holds what was written."""

import csv
import json
import re
import tracemalloc
from collections import Counter
from xml.etree import ElementTree

import pytest
import spacy
from hypothesis import given, settings
from hypothesis import strategies as st
from spacy.cli import app
from spacy.tokens import Doc, DocBin, Span
from typer.testing import CliRunner

from hmtl_spacy.annotations import Relation, set_clusters, set_mentions, set_relations
from hmtl_spacy.cli.graph import GraphFormat, Merge
from hmtl_spacy.data.writers.csv_tables import FORMULA
from hmtl_spacy.data.writers.jsonl import to_jsonl
from hmtl_spacy.entities import entity_graph
from hmtl_spacy.graphs import (
    GRAPH_FORMATS,
    MERGE_RULES,
    document_graphs,
    read_annotated,
    to_langchain,
    to_neo4j_graphrag,
    write_graph,
)
from hmtl_spacy.graphs.cypher import literal
from hmtl_spacy.graphs.neo4j import COLUMNS

VOCAB = spacy.blank("en").vocab
HOSTILE = [
    'quo"te',
    "back\\slash",
    "\\u0027 \\",
    "'); MATCH (n) DETACH DELETE n; //",
    "new\nline",
    "cr\rlf\r\n",
    "tab\tend",
    "nul\x00bell\x07",
    "=1+2;@SUM",
    "'tis",
    "<b>&]]>",
    "`tick`",
    "\u2028\x85",
    "\U0001f600 é",
    '"""',
    "a:b@c/d#e?f%20",
    "x" * 20_000,
]
# in IRIs nothing but ASCII is left, in names no more than letters
ATTRIBUTES = [*HOSTILE, "@type", "@id", "name", "mentions", "_:b", "id:e1", "http://x/y"]


def pair(first, second, label, relation, id=None, score=0.5):
    """A document of two words, each a mention, the first related to the second."""
    doc = Doc(VOCAB, words=[first, second], spaces=[True, False])
    set_mentions(doc, [Span(doc, 0, 1, label), Span(doc, 1, 2, label)], [0.25, 1.0])
    set_relations(doc, [Relation(doc[0:1], doc[1:2], relation, score)])
    if id is not None:
        doc.user_data["id"] = id
    return doc


def hostile():
    return [pair(text, "Bob", text, text, text) for text in ATTRIBUTES]


def save(path, docs):
    DocBin(docs=docs, store_user_data=True).to_disk(path)
    return path


def written(tmp_path, format, docs, merge=None):
    out = tmp_path / "out"
    return out, write_graph(save(tmp_path / "in.spacy", docs), out, format, merge)


def table(path):
    with path.open(encoding="utf8", newline="") as file:
        header, *rows = csv.reader(file)
    return [dict(zip(header, row, strict=True)) for row in rows]


def facts(docs, merge=None):
    """What the graph says, in the order of the documents."""
    for document in document_graphs(docs, merge):
        names = {node.id: node.name for node in document.nodes}
        for edge in document.edges:
            yield document.name, names[edge.head], edge.label, names[edge.tail], edge.score


def test_the_command_has_all_formats_and_rules():
    assert [one.value for one in GraphFormat] == list(GRAPH_FORMATS)
    assert [one.value for one in Merge] == list(MERGE_RULES)


# Ids and merging


def test_documents_with_one_id_stay_apart_and_none_takes_anothers():
    docs = [pair("Ann", "Bob", "PER", "SAW", id) for id in ("a", "a", "a;2", "", None, "6", "x" * 500)]
    graphs = list(document_graphs(docs))
    assert [graph.id for graph in graphs[:6]] == ["a", "a;2", "a%3B2", "4", "5", "6"]
    assert len(graphs[6].id) < 200 and graphs[6].name == "x" * 500
    ids = [id for graph in graphs for id in (graph.id, *(row.id for row in [*graph.nodes, *graph.edges]))]
    ids += [id for graph in graphs for id, _, _ in graph.mentions()]
    assert len(set(ids)) == len(ids)
    assert [graph.id for graph in document_graphs([pair("A", "B", "", "", "2"), pair("A", "B", "", "")])] == [
        "2",
        "2;2",
    ]


def test_nothing_is_merged_without_a_rule():
    docs = [pair("Ann", "Bob", "PER", "SAW", id) for id in "ab"]
    assert [node.id for graph in document_graphs(docs) for node in graph.nodes] == [
        "a/e1",
        "a/e2",
        "b/e1",
        "b/e2",
    ]


def test_names_and_types_are_merged_and_the_documents_are_known():
    docs = [pair("Ann", "Hull", "PER", "SAW", "a"), pair("Ann", "Hull", "GPE", "LIKES", "b")]
    docs.append(pair("Ann", "She", "PER", "SAW", "c"))
    by_both = list(document_graphs(docs, "name+type"))
    (ann, hull), (ann_gpe, _), (again, she) = (graph.nodes for graph in by_both)
    assert ann.id == again.id != ann_gpe.id and hull.id != by_both[1].nodes[1].id
    assert (ann.is_new, again.is_new) == (True, False)
    assert she.id == "c/e2", "a pronoun names nobody"
    assert by_both[2].edges[0].head == ann.id and by_both[2].edges[0].id == "c/r1"
    by_name = [graph.nodes[0].id for graph in document_graphs(docs, "name")]
    assert len(set(by_name)) == 1


def test_composed_characters_are_equal_and_entities_without_a_type_are_not_merged():
    docs = [pair("Zo\u00eb", "Bob", "PER", "SAW"), pair("Zoe\u0308", "Bob", "PER", "SAW")]
    first, second = document_graphs(docs, "name+type")
    assert first.nodes[0].id == second.nodes[0].id
    first, second = document_graphs([pair("Ann", "Bob", "", "SAW")] * 2, "name+type")
    assert first.nodes[0].id != second.nodes[0].id


def test_entities_of_one_document_that_are_merged_have_all_mentions():
    doc = pair("Ann", "Ann", "PER", "SAW", "a")
    [graph] = document_graphs([doc], "name+type")
    [ann] = graph.nodes
    assert [mention.start for mention in ann.mentions] == [0, 4]
    assert (graph.edges[0].head, graph.edges[0].tail) == (ann.id, ann.id)
    assert [id for id, _, _ in graph.mentions()] == ["a/m1", "a/m2"]


def test_an_unknown_rule_names_those_that_there_are():
    with pytest.raises(
        ValueError, match=r"Can't merge by 'magic': expected one of name\+type, name, or none"
    ):
        next(document_graphs([], "magic"))


# RDF


def rdf(path, format):
    graph = pytest.importorskip("rdflib").Graph()
    return graph.parse(path, format=format)


@pytest.mark.parametrize("merge", [None, "name+type"])
def test_turtle_and_json_ld_are_the_same_graph(tmp_path, merge):
    compare = pytest.importorskip("rdflib.compare")
    docs = [*hostile(), pair("Ann", "Bob", "", ""), *hostile()[:2]]
    turtle = rdf(written(tmp_path, "turtle", docs, merge)[0], "turtle")
    json_ld = rdf(written(tmp_path, "jsonld", docs, merge)[0], "json-ld")
    assert len(turtle) > 10 * len(docs)
    assert compare.isomorphic(turtle, json_ld)


@pytest.mark.parametrize("format, parser", [("turtle", "turtle"), ("jsonld", "json-ld")])
def test_rdf_holds_every_fact_and_offset(tmp_path, format, parser):
    docs = hostile()
    out, summary = written(tmp_path, format, docs)
    graph = rdf(out, parser)
    query = """
        PREFIX h: <urn:hmtl-spacy:> PREFIX rdf: <http://www.w3.org/1999/02/22-rdf-syntax-ns#>
        SELECT ?document ?head ?label ?tail ?score ?h ?t WHERE {
          ?r rdf:subject ?s ; rdf:predicate ?p ; rdf:object ?o ; h:label ?label ; h:score ?score ;
            h:document [ h:name ?document ] ; h:evidence [ h:head ?h ; h:tail ?t ] .
          ?s ?p ?o ; h:name ?head . ?o h:name ?tail }"""
    rows = list(graph.query(query))
    found = {tuple(value.toPython() for value in row[:5]) for row in rows}
    assert found == set(facts(docs)) and len(rows) == len(docs)
    texts = {doc.user_data["id"]: doc.text for doc in docs}
    for row in rows:
        spans = [slice(*(item.toPython() for item in graph.items(end))) for end in row[5:]]
        text = texts[str(row[0])]
        assert [text[span] for span in spans] == [text[: -len(" Bob")], "Bob"]
    assert summary.written["relations"] == len(docs) and not summary.changed


def test_a_single_graph_loses_nothing_as_rdf():
    rdflib = pytest.importorskip("rdflib")
    doc = pair("Ann", "Bob", "P:1 x", "@id", score=1.0)
    set_clusters(doc, [])
    data = entity_graph(doc).to_json()
    graph = rdflib.Graph().parse(data=data, format="json-ld")
    ours = rdflib.Namespace("urn:hmtl-spacy:")
    (head,), (tail,) = ([*graph.subjects(ours.name, rdflib.Literal(name))] for name in ("Ann", "Bob"))
    assert (head, ours["relation:%40id"], tail) in graph
    assert (head, rdflib.RDF.type, ours["type:P%3A1%20x"]) in graph
    statement = graph.value(predicate=rdflib.RDF.subject, object=head)
    assert graph.value(statement, rdflib.RDF.predicate) == ours["relation:%40id"]
    assert graph.value(statement, ours.score) == rdflib.Literal(1.0), "a double, though it is whole"
    evidence = graph.value(statement, ours.evidence)
    for name, expected in (("head", [0, 3]), ("tail", [4, 7])):
        items = graph.items(graph.value(evidence, ours[name]))
        assert [item.toPython() for item in items] == expected
    assert {value.toPython() for value in graph.objects(predicate=ours.label)} == {"P:1 x", "@id"}


# Tables


def bare(cell):
    return cell.removeprefix("'") if FORMULA.match(cell) else cell


def test_csv_reads_back_and_has_no_formulas(tmp_path):
    docs = hostile()
    out, summary = written(tmp_path, "csv", docs)
    tables = {path.stem: table(path) for path in out.iterdir()}
    for rows in tables.values():
        assert not [
            cell for row in rows for cell in row.values() if cell.startswith(("=", "+", "@", "\t", "-"))
        ]
    names = {row["id"]: bare(row["name"]) for row in tables["nodes"]}
    documents = {row["id"]: bare(row["name"]) for row in tables["documents"]}
    found = {
        (documents[row["document"]], names[row["source"]], bare(row["label"]), names[row["target"]], 0.5)
        for row in tables["edges"]
    }
    assert found == set(facts(docs))
    texts = {doc.user_data["id"]: doc.text for doc in docs}
    for row in tables["mentions"]:
        assert texts[documents[row["document"]]][int(row["start"]) : int(row["end"])] == bare(row["text"])
    assert {row["edge"] for row in tables["evidence"]} == {row["id"] for row in tables["edges"]}
    [(what, count)] = summary.changed.items()
    texts = [text for text in ATTRIBUTES if text[0] in "=+-@"]
    each = 8  # the names of a document and a node, a mention, the labels of two nodes, two mentions, an edge
    assert "formula" in what and count == each * len(texts) and len(texts) == 3


def test_the_import_of_neo4j_is_whole(tmp_path):
    docs = [*hostile(), pair("Ann", "Bob", "", "")]
    out, summary = written(tmp_path, "neo4j", docs, "name+type")
    tables = {path.stem: table(path) for path in out.iterdir()}
    assert {name: tuple(rows[0]) for name, rows in tables.items()} == COLUMNS
    nodes = {row["id:ID"] for name in ("documents", "entities", "mentions") for row in tables[name]}
    assert len(nodes) == sum(len(tables[name]) for name in ("documents", "entities", "mentions"))
    for row in [*tables["links"], *tables["relations"]]:
        assert {row[":START_ID"], row[":END_ID"]} <= nodes
    names = {row["id:ID"]: row["name"] for row in [*tables["documents"], *tables["entities"]]}
    found = {
        (names[row["document"]], names[row[":START_ID"]], row["label"], names[row[":END_ID"]], 0.5)
        for row in tables["relations"]
    }
    assert found == set(facts(docs))
    labels = [part for row in tables["entities"] for part in row[":LABEL"].split(";")]
    assert set(Counter(labels)) >= {"Entity", "quo_te", "_tick_"} and "" not in labels
    assert tables["relations"][-1][":TYPE"] == "RELATED" and tables["entities"][-1][":LABEL"] == "Entity"
    assert (
        tables["relations"][0]["head_ends:long[]"] == "6"
        and tables["relations"][0]["scores:double[]"] == "0.5"
    )
    assert sum(summary.changed.values()) > 10


def test_a_mention_without_a_score_has_an_empty_cell_and_arrays_are_joined(tmp_path):
    doc = Doc(VOCAB, words="Ann , she saw Bob".split())
    doc.spans["mentions"] = [Span(doc, 0, 1, "PER"), Span(doc, 2, 3, "PER"), Span(doc, 4, 5, "PER")]
    set_clusters(doc, [[(0, 1), (2, 3)]])
    doc.spans["coref_clusters"].attrs.pop("scores")
    set_relations(doc, [Relation(doc[2:3], doc[4:5], "SAW", 0.5), Relation(doc[0:1], doc[4:5], "SAW", 1.0)])
    out, _ = written(tmp_path, "neo4j", [doc])
    assert (
        '"Mention"' in (out / "mentions.csv").read_text()
        and ',,"Mention"' in (out / "mentions.csv").read_text()
    )
    [row] = table(out / "relations.csv")
    assert row["head_starts:long[]"] == "6;0" and row["scores:double[]"] == "0.5;1.0"


# Cypher


def read_cypher(text):
    """A literal as Neo4j reads it: \\uXXXX first, even behind a backslash, then the other escapes."""
    text = re.sub(r"\\u([0-9a-fA-F]{4})", lambda match: chr(int(match[1], 16)), text)
    assert text[0] == text[-1] == "'"
    body, out, at = text[1:-1], [], 0
    while at < len(body):
        assert body[at] != "'", "the text ends too early"
        if body[at] == "\\":
            out.append({"n": "\n", "r": "\r", "t": "\t", "'": "'", "\\": "\\"}[body[at + 1]])
            at += 1
        else:
            out.append(body[at])
        at += 1
    return "".join(out)


def read_cypher_in_turn(text):
    """The same as the openCypher grammar has it: all escapes from left to right."""
    out = re.sub(
        r"\\(?:u([0-9a-fA-F]{4})|(.))",
        lambda match: (
            chr(int(match[1], 16)) if match[1] else {"n": "\n", "r": "\r", "t": "\t"}.get(match[2], match[2])
        ),
        text[1:-1],
        flags=re.DOTALL,
    )
    assert not re.search(r"(?<!\\)(?:\\\\)*'", text[1:-1])
    return out


@given(
    st.text(alphabet=st.sampled_from("\\u0027'\n\r\tab`\x00\x1f\u2028"), max_size=30) | st.text(max_size=10)
)
@settings(max_examples=300)
def test_a_text_in_cypher_is_the_text(text):
    assert read_cypher_in_turn(literal(text)) == text
    assert read_cypher(literal(text)) == text


def test_cypher_merges_everything_and_labels_are_names(tmp_path):
    docs = hostile()
    out, _ = written(tmp_path, "cypher", docs)
    lines = out.read_text(encoding="utf8").split("\n")
    assert lines[-1] == "" and all(line.endswith(";") for line in lines[:-1])
    bodies = [re.sub(r"'(?:[^'\\]|\\.)*'", "''", line) for line in lines[3:-1]]
    for body in bodies:
        assert body.count("`") % 2 == 0 and not re.search("`[^`]*[\\\\'\x00-\x1f][^`]*`", body)
        code = re.sub("`[^`]*`", "`", body)
        assert code.count(";") == 1 and not re.search(r"CREATE|DELETE|//|MERGE \(\w+\)(?!-)", code)
    assert len(bodies) == 4 * len(docs)
    assert [line for line in lines if "MERGE (h)-[r:`quo_te` {id: row.id}]->(t)" in line]


# GraphML


def test_graphml_reads_back(tmp_path):
    docs = hostile()
    out, summary = written(tmp_path, "graphml", docs)
    space = {"g": "http://graphml.graphdrawing.org/xmlns"}
    root = ElementTree.parse(out).getroot()
    keys = {key.get("id"): key.get("attr.name") for key in root.findall("g:key", space)}

    def values(element):
        return {keys[data.get("key")]: data.text or "" for data in element.findall("g:data", space)}

    nodes = {node.get("id"): values(node) for node in root.iterfind("g:graph/g:node", space)}
    edges = [(e.get("source"), e.get("target"), values(e)) for e in root.iterfind("g:graph/g:edge", space)]
    found = {
        (row["document"], nodes[head]["name"], row["label"], nodes[tail]["name"], float(row["score"]))
        for head, tail, row in edges
        if row["kind"] == "relation"
    }
    clean = re.compile("[\x00\x07]")
    expected = {
        tuple(clean.sub("\ufffd", x) if isinstance(x, str) else x for x in fact) for fact in facts(docs)
    }
    assert found == expected
    mentions = [json.loads(row["evidence"]) for _, _, row in edges if row["kind"] == "mentioned in"]
    assert len(mentions) == 2 * len(docs) and all(one["start"] < one["end"] for [one] in mentions)
    assert list(summary.changed) == ["characters that XML can't hold, written as U+FFFD"]


def test_networkx_reads_the_graphml(tmp_path):
    networkx = pytest.importorskip("networkx")
    out, _ = written(tmp_path, "graphml", [pair("Ann", "Bob", "PER", "SAW", "a")] * 2, "name+type")
    graph = networkx.read_graphml(out, force_multigraph=True)
    assert sorted(values["name"] for _, values in graph.nodes(data=True)) == ["Ann", "Bob", "a", "a"]
    assert graph.number_of_edges() == 2 + 4


# Dictionaries


def test_dictionaries_have_the_fields_of_both_libraries():
    doc = pair("Ann", "Bob", "PER", "SAW", "a")
    [graph] = document_graphs([doc])
    data = to_neo4j_graphrag(graph)
    ann = {"name": "Ann", "document": "a", "mentions": ["Ann"], "starts": [0], "ends": [3]}
    assert data["nodes"][0] == {"id": "a/e1", "label": "PER", "properties": ann}
    [relation] = data["relationships"]
    assert set(relation) == {"start_node_id", "end_node_id", "type", "properties"}
    assert (relation["start_node_id"], relation["type"], relation["end_node_id"]) == ("a/e1", "SAW", "a/e2")
    assert relation["properties"]["tail_starts"] == [4] and relation["properties"]["scores"] == [0.5]
    data = to_langchain(graph)
    assert set(data) == {"nodes", "relationships", "source"}
    assert data["source"] == {"page_content": "Ann Bob", "metadata": {"id": "a", "name": "a"}}
    assert data["nodes"][1]["type"] == "PER" and data["relationships"][0]["source"] == data["nodes"][0]
    json.dumps(data)
    [unlabelled] = document_graphs([pair("Ann", "Bob", "", "")])
    assert (
        to_langchain(unlabelled)["nodes"][0]["type"]
        and to_neo4j_graphrag(unlabelled)["relationships"][0]["type"]
    )


# Reading, and the command


def lines(path, n_docs):
    doc = pair("Ann", "Bob", "PER", "SAW")
    with path.open("w", encoding="utf8") as file:
        for number in range(n_docs):
            words = {"Ann": f"Ann{number}", "Bob": f"Bob{number}"}
            one = pair(words["Ann"], words["Bob"], "PER", "SAW", f"d{number}")
            file.write(json.dumps(to_jsonl(one)) + "\n")
    return path, doc


@pytest.mark.parametrize("format", GRAPH_FORMATS)
def test_json_lines_and_spacy_files_give_the_same(tmp_path, format):
    docs = [doc for doc in hostile() if "\x00" not in doc.text] + [pair("Ann", "her", "PER", "IS")]
    assert [entity.mentions[0].form for entity in entity_graph(docs[-1]).entities] == ["name", "pronoun"]
    path = tmp_path / "in.jsonl"
    path.write_text("".join(json.dumps(to_jsonl(doc)) + "\n" for doc in docs), encoding="utf8")
    out = tmp_path / "of_lines"
    write_graph(path, out, format, "name+type")
    other, _ = written(tmp_path, format, docs, "name+type")
    files = (
        zip(sorted(out.iterdir()), sorted(other.iterdir()), strict=True) if out.is_dir() else [(out, other)]
    )
    assert all(one.read_bytes() == two.read_bytes() for one, two in files)


def test_memory_does_not_grow_with_the_corpus(tmp_path):
    few, many = (lines(tmp_path / f"{n}.jsonl", n)[0] for n in (300, 3000))
    write_graph(few, tmp_path / "warm", "turtle", "name+type")
    peaks = []
    for path in (few, many):
        tracemalloc.start()
        write_graph(path, tmp_path / "out", "turtle", "name+type")
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[1] - peaks[0] < 2700 * 400, "less than the graphs of the documents"


def test_the_command(tmp_path):
    data = save(tmp_path / "in.spacy", [pair("Ann", "Bob", "PER", "SAW", "a")] * 2)
    out = tmp_path / "new" / "graph.ttl"
    result = CliRunner().invoke(
        app, ["hmtl", "graph", str(data), str(out), "--format", "turtle", "-m", "name"]
    )
    assert result.exit_code == 0, result.output
    assert "2 documents, 2 entities, 4 mentions, 2 relations" in result.output and out.exists()
    (tmp_path / "in.txt").write_text("Ann saw Bob.")
    for arguments, message in (
        ((tmp_path / "in.txt", tmp_path / "x"), "it has .txt files, expected .spacy files or JSON lines"),
        ((data, data), "the same file as the input"),
        ((data, tmp_path), "it is a folder, expected the name of a file"),
    ):
        result = CliRunner().invoke(app, ["hmtl", "graph", *map(str, arguments), "--format", "turtle"])
        assert result.exit_code == 1 and message in " ".join(result.output.split()), result.output


def test_the_language_of_the_documents(tmp_path):
    """English pronouns are none in another language."""
    doc, path = pair("She", "Rome", "PER", "LIVE_IN"), tmp_path / "in.jsonl"
    path.write_text(json.dumps(to_jsonl(doc)))
    DocBin(docs=[doc], store_user_data=True).to_disk(tmp_path / "in.spacy")
    for name in ("in.jsonl", "in.spacy"):
        forms = {}
        for lang in (None, "en", "de"):
            docs = read_annotated(tmp_path / name, Counter(), lang)
            doc = next(docs)  # it can be used until the next one is asked for
            forms[lang] = [one.form for entity in entity_graph(doc).entities for one in entity.mentions]
        assert forms[None] == forms["en"] and "pronoun" in forms["en"]
        assert doc.lang_ == "de" and "pronoun" not in forms["de"]
    arguments = [path, tmp_path / "out.ttl", "--lang", "zzz"]
    result = CliRunner().invoke(app, ["hmtl", "graph", *map(str, arguments), "--format", "turtle"])
    assert result.exit_code == 1 and "zzz" in result.output


def test_damaged_input_leaves_no_file(tmp_path):
    path, _ = lines(tmp_path / "in.jsonl", 3)
    path.write_text(path.read_text() + '{"text": 3}\n')
    with pytest.raises(ValueError, match=r"in\.jsonl:4: found 'text': 3, expected a string"):
        write_graph(path, tmp_path / "out", "csv")
    assert list((tmp_path / "out").iterdir()) == []
    (tmp_path / "bad.spacy").write_bytes(b"no")
    with pytest.raises(ValueError, match=r"bad\.spacy: it is cut short, damaged, or not a \.spacy file"):
        write_graph(tmp_path / "bad.spacy", tmp_path / "out.ttl", "turtle")
    with pytest.raises(ValueError, match="Can't write 'magic': expected one of turtle"):
        write_graph(path, tmp_path / "out", "magic")
    (tmp_path / "file").write_text("")
    with pytest.raises(ValueError, match="expected a folder"):
        write_graph(path, tmp_path / "file", "neo4j")


@pytest.mark.parametrize("format", GRAPH_FORMATS)
def test_an_empty_corpus_and_empty_documents_are_graphs(tmp_path, format):
    for docs in ([], [Doc(VOCAB)], [spacy.blank("en")("Nothing annotated.")]):
        out, summary = written(tmp_path, format, docs)
        assert summary.written["documents"] == len(docs) and not summary.written["entities"]
        if format in ("turtle", "jsonld"):
            assert len(rdf(out, {"jsonld": "json-ld"}.get(format, format))) == 2 * len(docs)
        if format == "graphml":
            ElementTree.parse(out)
