"""Makes sentences.md, what a pipeline finds in thirty sentences: `python docs/sentences.py MODEL`."""

import sys
from pathlib import Path
from typing import Iterable, Iterator, List, Sequence, Tuple

import spacy
from spacy.tokens import Doc, Span

from hmtl_spacy.annotations import get_clusters, get_mentions, get_relations

SENTENCES = Path(__file__).resolve().parents[1] / "assets" / "english" / "sentences.tsv"
PAGE = Path(__file__).with_suffix(".md")
MARK = "<!-- made by docs/sentences.py -->"


def read_sentences(path: Path = SENTENCES) -> List[Tuple[str, str]]:
    """The kind and the text of each sentence."""
    lines = path.read_text("utf8").splitlines()
    return [(kind, text) for kind, text in (line.split("\t") for line in lines)]


def filled(page: str, sentences: Sequence[Tuple[str, str]], docs: Iterable[Doc]) -> str:
    """The page with what was found after its mark."""
    introduction, mark, _ = page.partition(MARK)
    if not mark:
        raise ValueError(f"{PAGE.name} has no line {MARK}.")
    return "\n".join([introduction + mark, *_body(sentences, docs)]) + "\n"


def _body(sentences: Sequence[Tuple[str, str]], docs: Iterable[Doc]) -> Iterator[str]:
    heading = ""
    for (kind, text), doc in zip(sentences, docs, strict=True):
        if kind != heading:
            heading = kind
            yield f"\n## {kind.capitalize()}"
        yield f"\n> {_escaped(text)}\n"
        yield from layers(doc)


def layers(doc: Doc) -> List[str]:
    """What was found in a sentence, a list item for each layer."""
    clusters = [" = ".join(map(_text, cluster)) for cluster in get_clusters(doc) or []]
    relations = [f"{_text(r.head)} *{r.label}* {_text(r.tail)}" for r in get_relations(doc) or []]
    return [
        _item("entities", [_labelled(ent) for ent in doc.ents]),
        _item("mentions", [_labelled(span) for span in get_mentions(doc) or []]),
        _item("coreference", clusters),
        _item("relations", relations),
    ]


def _item(name: str, found: Sequence[str]) -> str:
    return f"- {name}: {'; '.join(found) or 'none'}"


def _labelled(span: Span) -> str:
    return f"{_text(span)} `{span.label_}`"


def _text(span: Span) -> str:
    return f"**{_escaped(span.text)}**"


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace("*", "\\*").replace("_", "\\_").replace("#", "\\#")


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("python docs/sentences.py MODEL")
    pairs = read_sentences()
    found = spacy.load(sys.argv[1]).pipe(text for _, text in pairs)
    PAGE.write_text(filled(PAGE.read_text("utf8"), pairs, found), "utf8")
