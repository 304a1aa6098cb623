"""Spans that documents have already, in use: of each level its own, the given ones, or both."""

import numpy
import pytest
import spacy
import srsly
from spacy.tokens import Doc, DocBin, Span, SpanGroup
from tiny import ANNOTATED, TINY_TASKS, layers, make_examples, make_pipeline, train

from hmtl_spacy.annotate import annotate as annotate_files
from hmtl_spacy.annotations import get_clusters, get_mentions, get_relations, set_mentions
from hmtl_spacy.evaluation.evaluate import evaluate

SPANS = {
    "@hmtl_tasks": "hmtl_spacy.SpanRelations.v1",
    **{
        key: TINY_TASKS["relations"][key] for key in ("hidden", "depth", "dropout", "scorer_hidden", "inputs")
    },
}
TEXTS = [text for text, *_ in ANNOTATED]
LEE = TEXTS[0]  # Ann Lee works for Acme Corp . She likes it .


@pytest.fixture(scope="module")
def stored():
    spacy.util.fix_random_seed(0)
    nlp = make_pipeline(tasks={**TINY_TASKS, "relations": SPANS})
    train(nlp, make_examples(nlp.vocab), steps=60)
    return nlp.config, nlp.to_bytes()


@pytest.fixture
def nlp(stored):
    return spacy.util.load_model_from_config(stored[0], auto_fill=False).from_bytes(stored[1])


def use(nlp, **spans):
    nlp.get_pipe("hmtl").cfg["spans"].update(spans)
    return nlp


def with_mentions(nlp, text, *mentions):
    doc = nlp.make_doc(text)
    doc.spans["mentions"] = [Span(doc, start, end, label=label) for start, end, label in mentions]
    return doc


def offsets(spans):
    return [(span.start, span.end, span.label_) for span in spans]


def pairs(doc):
    return {(head.start, head.end, tail.start, tail.end) for head, tail, *_ in get_relations(doc)}


def members(doc):
    return [[(span.start, span.end) for span in cluster] for cluster in get_clusters(doc)]


# Mentions


def test_given_mentions_stay_as_they_are_and_are_related(nlp):
    use(nlp, mentions="given")
    doc = nlp.make_doc(LEE)
    spans = [
        Span(doc, 4, 6, label="ORG", kb_id="Q1", span_id="x"),
        Span(doc, 0, 2, label="PER"),
        Span(doc, 0, 1, label="FIRST"),  # nested, and with a label that the level doesn't have
    ]
    doc.spans["mentions"] = SpanGroup(doc, name="mentions", spans=spans, attrs={"by": "hand"})
    nlp(doc)
    assert offsets(get_mentions(doc)) == [(4, 6, "ORG"), (0, 2, "PER"), (0, 1, "FIRST")]
    assert (doc.spans["mentions"][0].kb_id_, doc.spans["mentions"][0].id_) == ("Q1", "x")
    assert doc.spans["mentions"].attrs == {"by": "hand", "scores": [1.0] * 3, "layer": "mentions"}
    assert (0, 2, 4, 6) in pairs(doc)
    assert nlp.get_pipe("hmtl").tasks["mentions"].labels == ["LOC", "ORG", "PER"]


def test_relations_are_only_between_given_mentions(nlp):
    use(nlp, mentions="given").get_pipe("hmtl").cfg["thresholds"]["relations"] = 0.0
    doc = nlp(with_mentions(nlp, LEE, (0, 2, "PER"), (3, 4, "ORG"), (5, 6, "")))
    assert pairs(doc) == {(a, b, c, d) for a, b in SPOTS for c, d in SPOTS if (a, b) != (c, d)}
    assert not get_relations(nlp(with_mentions(nlp, LEE)))


SPOTS = [(0, 2), (3, 4), (5, 6)]


def test_labels_of_given_mentions_are_read(nlp):
    use(nlp, mentions="given").get_pipe("hmtl").cfg["thresholds"]["relations"] = 0.0
    scores = {}
    for label in ("ORG", "LOC", "FIRM", ""):
        doc = nlp(with_mentions(nlp, LEE, (0, 2, "PER"), (4, 6, label)))
        scores[label] = doc.spans["relations"].attrs["scores"]
    assert scores["FIRM"] == scores[""]  # unlabelled both
    assert scores["ORG"] != scores["LOC"] != scores[""] != scores["ORG"]


def test_own_mentions_are_added_where_none_is_given(nlp):
    own = offsets(get_mentions(nlp(LEE)))
    assert own == [(0, 2, "PER"), (4, 6, "ORG"), (7, 8, "PER"), (9, 10, "ORG")]
    doc = use(nlp, mentions="both")(with_mentions(nlp, LEE, (5, 8, "ODD"), (2, 3, "ODD")))
    assert offsets(get_mentions(doc)) == [(5, 8, "ODD"), (2, 3, "ODD"), own[0], own[3]]
    scores = doc.spans["mentions"].attrs["scores"]
    assert scores[:2] == [1.0, 1.0] and all(0.0 < score < 1.0 for score in scores[2:])


def test_scores_of_given_mentions_are_kept(nlp):
    use(nlp, mentions="given")
    doc = nlp.make_doc(LEE)
    set_mentions(doc, [doc[0:2], doc[4:6]], scores=[0.25, 0.75])
    assert nlp(doc).spans["mentions"].attrs["scores"] == [0.25, 0.75]


# Entities


def test_given_entities_stay(nlp):
    doc = nlp.make_doc(LEE)
    doc.ents = [Span(doc, 3, 5, label="ODD", kb_id="Q2")]
    nlp_given = use(nlp, ner="given")
    nlp_given(doc)
    assert offsets(doc.ents) == [(3, 5, "ODD")] and doc.ents[0].kb_id_ == "Q2"
    doc = nlp.make_doc(LEE)
    doc.ents = [Span(doc, 3, 5, label="ODD")]
    use(nlp, ner="both")(doc)
    assert offsets(doc.ents) == [(0, 2, "PER"), (3, 5, "ODD")]
    assert offsets(doc.spans["ents"]) == [(0, 2, "PER")]  # those with scores
    doc = nlp.make_doc(LEE)
    doc.set_ents([], blocked=[doc[0:1]], default="outside")
    assert offsets(nlp(doc).ents) == [(4, 6, "ORG")]


def test_an_entity_ruler_before_the_component():
    tasks = {"ner": TINY_TASKS["ner"], "relations": {**SPANS, "inputs": ["ner"], "candidates_from": "ner"}}
    nlp = make_pipeline(hierarchy=["ner", "relations"], tasks=tasks, spans={"ner": "given"})
    examples = [eg for eg in make_examples(nlp.vocab) if eg.reference.ents]
    train(nlp, examples[:2], steps=5)  # so few that every pair has a probability above 0
    ruler = nlp.add_pipe("entity_ruler", before="hmtl")
    ruler.add_patterns([{"label": "PER", "pattern": "Ann Lee"}, {"label": "ORG", "pattern": "Acme"}])
    doc = nlp(LEE)
    assert offsets(doc.ents) == [(0, 2, "PER"), (4, 5, "ORG")]
    nlp.get_pipe("hmtl").cfg["thresholds"]["relations"] = 0.0
    assert pairs(nlp(LEE)) == {(0, 2, 4, 5), (4, 5, 0, 2)}


# Coreference


def test_given_mentions_are_what_is_linked(nlp):
    assert members(nlp(LEE)) == [[(0, 2), (7, 8)], [(4, 6), (9, 10)]]
    hmtl = use(nlp, coref="given", mentions="given").get_pipe("hmtl")
    assert members(nlp(with_mentions(nlp, LEE, (9, 10, ""), (4, 6, ""), (2, 3, "")))) == [[(4, 6), (9, 10)]]
    hmtl.tasks["coref"].singletons = hmtl.head("coref").singletons = True
    wide = with_mentions(nlp, LEE, (0, 7, ""), (2, 9, ""))  # wider than max_width, and across sentences
    assert sorted(span for cluster in members(nlp(wide)) for span in cluster) == [(0, 7), (2, 9)]
    assert members(nlp(with_mentions(nlp, LEE))) == []


def test_given_mentions_survive_pruning(nlp):
    hmtl = use(nlp, coref="both", mentions="given").get_pipe("hmtl")
    assert members(nlp(with_mentions(nlp, LEE))) == [[(0, 2), (7, 8)], [(4, 6), (9, 10)]]
    hmtl.head("coref").spans_per_token = 1e-9  # one span is kept
    assert members(nlp(with_mentions(nlp, LEE))) == []
    given = with_mentions(nlp, LEE, (4, 6, ""), (9, 10, ""), (0, 2, ""), (7, 8, ""))
    assert members(nlp(given)) == [[(0, 2), (7, 8)], [(4, 6), (9, 10)]]


def test_own_spans_are_no_mentions_for_being_beside_given_ones(nlp):
    hmtl = use(nlp, coref="both", mentions="given").get_pipe("hmtl")
    hmtl.tasks["coref"].singletons = hmtl.head("coref").singletons = True
    own = members(nlp(with_mentions(nlp, LEE)))
    with_odd = members(nlp(with_mentions(nlp, LEE, (2, 3, ""))))
    assert sorted(with_odd) == sorted([*own, [(2, 3)]])


@pytest.mark.parametrize("mode", ["own", "both"])
def test_coreference_links_mentions_as_the_level_below_leaves_them(nlp, mode):
    nlp.get_pipe("hmtl").head("coref").spans_per_token = 1e-9
    doc = use(nlp, coref="given", mentions=mode)(with_mentions(nlp, LEE, (0, 2, "PER")))
    assert members(doc) == [[(0, 2), (7, 8)], [(4, 6), (9, 10)]]


def test_coreference_alone_links_the_mentions_of_documents():
    nlp = make_pipeline(hierarchy=["coref"], tasks={"coref": {**TINY_TASKS["coref"], "inputs": []}})
    train(nlp, make_examples(nlp.vocab), steps=60)
    hmtl = use(nlp, coref="given").get_pipe("hmtl")
    assert members(nlp(with_mentions(nlp, LEE, (9, 10, ""), (4, 6, ""), (2, 3, "")))) == [[(4, 6), (9, 10)]]
    with pytest.raises(ValueError, match="'coref' works on given spans alone"):
        nlp(LEE)
    expected = members(use(nlp, coref="own")(LEE))
    assert members(use(nlp, coref="both")(LEE)) == expected
    assert hmtl.cfg["spans"] == {"coref": "both"}


# Documents without any


@pytest.mark.parametrize("level", ["ner", "mentions"])
def test_documents_without_given_spans(nlp, level):
    expected = layers(nlp(LEE))
    assert layers(use(nlp, **{level: "both"})(LEE)) == expected
    use(nlp, **{level: "given"})
    with pytest.raises(ValueError, match=f"'{level}' works on given spans.* but 1 of 1 documents .*both"):
        nlp(LEE)
    assert not nlp("").spans["relations"]


def test_one_that_lacks_them_fails_alone(nlp):
    failed = []
    nlp.set_error_handler(lambda name, proc, docs, error: failed.extend(doc.text for doc in docs))
    docs = [with_mentions(nlp, TEXTS[0], (0, 2, "PER")), nlp.make_doc(TEXTS[1]), with_mentions(nlp, TEXTS[2])]
    done = list(use(nlp, mentions="given").pipe(docs))
    assert [doc.text for doc in done] == [TEXTS[0], TEXTS[2]] and failed == [TEXTS[1]]


# Settings


def test_the_setting_is_stored_and_may_be_changed(nlp, stored, tmp_path):
    hmtl = nlp.get_pipe("hmtl")
    assert hmtl.cfg["spans"] == {"ner": "own", "mentions": "own", "coref": "own"}
    use(nlp, mentions="given").to_disk(tmp_path)
    again = spacy.load(tmp_path)
    assert again.get_pipe("hmtl").cfg["spans"] == {"ner": "own", "mentions": "given", "coref": "own"}
    doc = again(with_mentions(again, LEE, (2, 3, "ODD")))
    assert offsets(get_mentions(doc)) == [(2, 3, "ODD")]


def test_pipelines_of_before_have_the_default(stored):
    config = stored[0].copy()
    del config["components"]["hmtl"]["spans"]
    nlp = spacy.util.load_model_from_config(config, auto_fill=False).from_bytes(stored[1])
    hmtl = nlp.get_pipe("hmtl")
    del hmtl.cfg["spans"]
    nlp = spacy.util.load_model_from_config(config, auto_fill=False).from_bytes(nlp.to_bytes())
    assert nlp.get_pipe("hmtl").cfg["spans"] == {"ner": "own", "mentions": "own", "coref": "own"}


@pytest.mark.parametrize(
    "spans, message",
    [
        ({"mentions": "mine"}, r"mentions is 'mine'. Set it to one of own, given, both"),
        (
            {"relations": "given"},
            r"'given' for 'relations', but .* \['ner', 'mentions', 'coref'\].*below",
        ),
        ({"mention": "given"}, r"'given' for 'mention', but the levels"),
        ({"mention": "own"}, r"'own' for 'mention', but the levels"),
    ],
)
def test_settings_that_mean_nothing(nlp, spans, message):
    with pytest.raises(ValueError, match=message):
        make_pipeline(spans=spans)
    use(nlp, **spans)
    with pytest.raises(ValueError, match=message):
        nlp(LEE)


# Everywhere

GIVEN = [
    [(0, 2, "PER"), (4, 6, "ORG"), (9, 10, "")],
    [(0, 2, "PER"), (4, 5, "LOC"), (3, 5, "ODD")],
    [(8, 9, "LOC"), (5, 6, "PER")],
    [],
]
MODES = [
    {"mentions": "given", "coref": "both", "ner": "both"},
    {"mentions": "both", "coref": "given", "ner": "both"},
    {"mentions": "own", "coref": "both", "ner": "both"},
]


def docs_with_spans(nlp):
    docs = [with_mentions(nlp, text, *given) for text, given in zip(TEXTS, GIVEN)]
    docs[0].ents = [Span(docs[0], 5, 6, label="ODD")]
    return [docs[0], Doc(nlp.vocab), *docs[1:]]


def everything(doc):
    scores = {key: group.attrs.get("scores") for key, group in doc.spans.items()}
    return layers(doc), offsets(get_mentions(doc)), scores


@pytest.mark.parametrize("modes", MODES, ids=str)
@pytest.mark.parametrize("batch_size", [2, 5])
def test_batches_of_any_size_are_as_one_text_alone(nlp, modes, batch_size):
    use(nlp, **modes)
    alone = [nlp(doc) for doc in docs_with_spans(nlp)]
    together = list(nlp.pipe(docs_with_spans(nlp), batch_size=batch_size))
    for one, of_batch in zip(alone, together, strict=True):
        assert everything(one)[:2] == everything(of_batch)[:2]
        for key, scores in everything(one)[2].items():
            numpy.testing.assert_allclose(
                scores or [], of_batch.spans[key].attrs.get("scores") or [], atol=1e-6
            )


@pytest.mark.parametrize("modes", MODES, ids=str)
def test_twice_is_as_once(nlp, modes):
    use(nlp, **modes)
    for doc in docs_with_spans(nlp):
        once = everything(nlp(doc))
        assert everything(nlp(doc)) == once


def test_files_are_annotated_over_what_a_component_finds(nlp, tmp_path):
    ruler = nlp.add_pipe("span_ruler", config={"spans_key": "mentions"}, before="hmtl")
    ruler.add_patterns([{"label": "PER", "pattern": "Ann"}, {"label": "ORG", "pattern": "Corp"}])
    use(nlp, mentions="given")
    srsly.write_jsonl(tmp_path / "in.jsonl", [{"text": text} for text in TEXTS])
    annotate_files(nlp, tmp_path / "in.jsonl", tmp_path / "out.jsonl")
    found = [
        [(m["start_token"], m["end_token"], m["label"]) for m in line["mentions"]]
        for line in srsly.read_jsonl(tmp_path / "out.jsonl")
    ]
    assert found == [[(0, 1, "PER"), (5, 6, "ORG")], [], [(2, 3, "PER")], []]


def test_gold_mentions_of_an_evaluation_come_first(nlp, tmp_path):
    path = tmp_path / "dev.spacy"
    DocBin(docs=[eg.reference for eg in make_examples(nlp.vocab)]).to_disk(path)
    use(nlp, coref="both", mentions="both")
    for gold_mentions in (None, "any"):
        result = evaluate(nlp, path, gold_mentions=gold_mentions)
        key = f"coref_gm_{gold_mentions}_mention_p" if gold_mentions else "coref_mention_p"
        assert result.tasks["coref"].scores[key] == 1.0
