"""One document in the form of every tool: nested spans, two relations on a pair, one across sentences."""

import json
from collections import Counter

import spacy
from spacy.tokens import DocBin, Span

from hmtl_spacy.annotations import Relation, set_clusters, set_mentions, set_relations
from hmtl_spacy.data.converters.spacy_rel import REL
from hmtl_spacy.data.layers import read_layers
from hmtl_spacy.data.writers import get_writer

SENTENCES = [["🙂", "Ann", "Lee", "runs", "Acme", "."], ["She", "sold", "it", "."]]
TEXT = "🙂 Ann Lee runs Acme. She sold it."
SPANS = {"a": (1, 3, "PER"), "b": (2, 3, "NAME"), "c": (4, 5, "ORG"), "d": (6, 7, "PER")}
OFFSETS = {"a": (2, 9), "b": (6, 9), "c": (15, 19), "d": (21, 24)}  # in characters
RELATIONS = [("a", "c", "WORK"), ("a", "c", "OWN"), ("d", "c", "SELL")]
NLP = spacy.blank("en")


def document(empty=False):
    doc = NLP.tokenizer("" if empty else TEXT)
    spans = {} if empty else {key: Span(doc, *place) for key, place in SPANS.items()}
    for token in doc:
        token.is_sent_start = token.i in (0, 6)
    set_mentions(doc, spans.values())
    set_clusters(doc, [] if empty else [[(1, 3), (6, 7)]])
    relations = [Relation(spans[head], spans[tail], label) for head, tail, label in _relations(empty)]
    set_relations(doc, relations)
    doc.user_data["id"] = "a"
    return doc


def written(format, name):
    """What our own writer makes."""

    def make(folder, empty):
        writer, lost = get_writer(format), Counter()
        doc = document(empty)
        part = writer.write(doc, read_layers(doc), lost)
        (folder / name).write_bytes(b"" if part is None else writer.join([part]))

    return make


def brat(folder, empty):
    rows = [f"T{key}\t{label} {start} {end}\t{TEXT[start:end]}" for key, start, end, label in _spans(empty)]
    rows += [f"R{i}\t{r} Arg1:T{h} Arg2:T{t}" for i, (h, t, r) in enumerate(_relations(empty))]
    rows += [] if empty else ["*\tEquiv Ta Td"]
    (folder / "a.txt").write_text("" if empty else TEXT, "utf8")
    (folder / "a.ann").write_text("".join(f"{row}\n" for row in rows), "utf8")


def docred(folder, empty):
    def mention(key):
        start, end, label = SPANS[key]
        sentence = int(start > 5)
        place = [start - 6 * sentence, end - 6 * sentence]
        return {"name": key, "pos": place, "sent_id": sentence, "type": label}

    entities = [] if empty else [[mention("a"), mention("d")], [mention("c")], [mention("b")]]
    labels = [] if empty else [{"h": 0, "t": 1, "r": label, "evidence": [0]} for label in ("WORK", "OWN")]
    data = {"title": "a", "sents": [] if empty else SENTENCES, "vertexSet": entities, "labels": labels}
    (folder / "in.json").write_text(json.dumps([data], ensure_ascii=False), "utf8")


def crossre(folder, empty):
    ner = [] if empty else [[start, end - 1, label] for start, end, label in list(SPANS.values())[:3]]
    relations = [] if empty else [[1, 2, 4, 4, label, "", False, False] for label in ("WORK", "OWN")]
    data = {
        "doc_key": "a",
        "sentence": [] if empty else SENTENCES[0],
        "ner": ner,
        "relations": relations,
    }
    (folder / "in.jsonl").write_text(json.dumps(data, ensure_ascii=False) + "\n", "utf8")


def bioc(folder, empty):
    rows = []
    for key, start, end, label in _spans(empty):
        infons = f'<infon key="type">{label}</infon><infon key="identifier">{IDENTIFIERS[key]}</infon>'
        place = f'<location offset="{start}" length="{end - start}"/><text>{TEXT[start:end]}</text>'
        rows.append(f'<annotation id="{key}">{infons}{place}</annotation>')
    for head, tail, label in _relations(empty):
        nodes = f'<node refid="{head}" role="head"/><node refid="{tail}" role="tail"/>'
        rows.append(f'<relation id="{label}"><infon key="type">{label}</infon>{nodes}</relation>')
    passage = f"<passage><offset>0</offset><text>{'' if empty else TEXT}</text>\n{''.join(rows)}</passage>"
    xml = f"<collection>\n<document><id>a</id>\n{passage}\n</document></collection>\n"
    (folder / "in.xml").write_text(xml, "utf8")


def pubtator(folder, empty):
    title, abstract = ("", "") if empty else ("🙂 Ann Lee runs Acme.", "She sold it.")
    rows = [f"1|t|{title}", f"1|a|{abstract}"]
    for key, start, end, label in _spans(empty):
        rows.append(f"1\t{start}\t{end}\t{TEXT[start:end]}\t{label}\t{IDENTIFIERS[key]}")
    rows += [] if empty else [f"1\t{label}\tE1\tE3" for label in ("WORK", "OWN")]
    (folder / "in.txt").write_text("\n".join(rows) + "\n\n", "utf8")


def booknlp(folder, empty):
    head = "paragraph_ID sentence_ID token_ID_within_document word byte_onset byte_offset".split()
    rows, position = ["\t".join(head)], 0
    for i, token in enumerate(() if empty else document()):
        end = position + len(token.text)
        rows.append(f"0\t{int(i > 5)}\t{i}\t{token.text}\t{position}\t{end}")
        position = end + len(token.whitespace_)
    (folder / "in.tokens").write_text("".join(f"{row}\n" for row in rows), "utf8")
    rows = ["COREF\tstart_token\tend_token\tprop\tcat\ttext"]
    for key, (start, end, label) in {} if empty else SPANS.items():
        rows.append(f"{IDENTIFIERS[key][1]}\t{start}\t{end - 1}\tPROP\t{label}\t{TEXT[slice(*OFFSETS[key])]}")
    (folder / "in.entities").write_text("".join(f"{row}\n" for row in rows), "utf8")


def webanno(folder, empty):
    span, coref = "custom.Span|label", "de.tudarmstadt.ukp.dkpro.core.api.coref.type.CoreferenceLink"
    layers = [f"#T_SP={span}", f"#T_CH={coref}|referenceRelation|referenceType"]
    layers += ["#T_RL=custom.Relation|label|BT_custom.Span"]
    cells = {
        1: ("PER[1]", "*->1-1[9]", "*[9]", "_", "_"),
        2: ("PER[1]|NAME[2]", "*->1-1[9]", "*[9]", "_", "_"),
        4: ("ORG", "_", "_", "WORK|OWN|SELL", "1-2[1_0]|1-2[1_0]|2-1"),
        6: ("PER", "*->1-2", "*", "_", "_"),
    }
    rows, unit = [f"#FORMAT=WebAnno TSV 3.3\n{chr(10).join(layers)}\n\n"], 0
    for number, words in enumerate(() if empty else SENTENCES, start=1):
        rows.append(f"\n#Text={TEXT[:20] if number == 1 else TEXT[21:]}\n")
        for i, word in enumerate(words):
            end = unit + len(word.encode("utf-16-le")) // 2
            columns = cells.get(i + 6 * (number - 1), ("_",) * 5)
            rows.append("\t".join([f"{number}-{i + 1}", f"{unit}-{end}", word, *columns, "\n"]))
            unit = end + (words[i + 1 : i + 2] != ["."])
    (folder / "in.tsv").write_text("".join(rows), "utf8")


def spacy_rel(folder, empty):
    doc = document(empty)
    doc.user_data.pop("id", None)
    doc.spans.clear()
    if not empty:
        ents = [Span(doc, *SPANS[key]) for key in ("a", "c", "d")]
        doc.set_ents(ents, default="outside")
        doc.user_data[REL] = {(1, 4): {"WORK": 0.9, "OWN": 0.8}, (6, 4): {"SELL": 1.0, "WORK": 0.1}}
    DocBin(docs=[doc], store_user_data=True).to_disk(folder / "in.spacy")


IDENTIFIERS = {"a": "E1", "d": "E1", "b": "E2", "c": "E3"}


def _spans(empty):
    return [] if empty else [(key, *OFFSETS[key], SPANS[key][2]) for key in SPANS]


def _relations(empty):
    return [] if empty else RELATIONS
