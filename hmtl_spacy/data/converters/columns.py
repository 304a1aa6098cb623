"""Rows of named columns as documents: tokens with tags, text with spans, relations between them, clusters."""

import json
from collections import Counter
from dataclasses import dataclass
from typing import Dict, Iterator, List, Optional, Sequence, Tuple

from spacy.language import Language
from spacy.tokens import Doc
from spacy.vocab import Vocab

from ..arrow import COLUMNS
from .arrow_files import Row, RowFile
from .common import ConversionError
from .jsonl import record_to_doc
from .row_reader import RowReader, Unit, label_of, objects, tag_list
from .rules import TextRules
from .tagging import Scheme, TaggedToken, guess_scheme
from .tokens import load_tokenizer

# What a column is called, by what it holds, the first that there is
NAMES: Dict[str, Tuple[str, ...]] = {
    "id": ("id", "doc_id", "document_id"),
    "text": ("text",),
    "tokens": ("tokens", "words"),
    "tags": ("ner_tags", "ner", "tags"),
    "entities": ("entities",),
    "mentions": ("mentions", "spans"),
    "clusters": ("clusters", "coreferences"),
    "relations": ("relations",),
}


@dataclass(frozen=True)
class ColumnRules(TextRules):
    """The same for rows of named columns. An empty name means that no column is read.

    id_column: column of the document's name; by default `id`, `doc_id` or `document_id`.
    text_column: column of the text; by default `text`.
    tokens_column: column of the tokens, or of the tokens of each sentence; by default `tokens` or `words`.
    tags_column: column of a tag for each token; by default `ner_tags`, `ner` or `tags`.
    entities_column: column of spans that are named entities; by default `entities`.
    mentions_column: column of spans that are mentions; by default `mentions` or `spans`.
    clusters_column: column of coreference clusters; by default `clusters` or `coreferences`.
    relations_column: column of relations; by default `relations`.
    offsets: what the offsets of spans count; by default characters where there is a text, else tokens.
    scheme: scheme of the tags; by default found out from all of them.
    tag_names: names of tags that are numbers, separated by commas, where the file doesn't have them.
    """

    id_column: Optional[str] = None
    text_column: Optional[str] = None
    tokens_column: Optional[str] = None
    tags_column: Optional[str] = None
    entities_column: Optional[str] = None
    mentions_column: Optional[str] = None
    clusters_column: Optional[str] = None
    relations_column: Optional[str] = None
    offsets: Unit = "auto"
    scheme: Optional[Scheme] = None
    tag_names: Optional[str] = None

    def columns(self, file: RowFile) -> Dict[str, str]:
        """The names of the columns of a file by what they hold."""
        found = {}
        for what, usual in NAMES.items():
            given = getattr(self, f"{what}_column")
            if given and given not in file.names:
                there = ", ".join(file.names)
                advice = f"Name another one (--{what}-column)"
                raise ConversionError(
                    str(file.path), None, f"found no column {given!r}, only {there}. {advice}."
                )
            name = given if given is not None else next((name for name in usual if name in file.names), "")
            if name:
                found[what] = name
        if not {"text", "tokens"} & found.keys():
            there = ", ".join(file.names)
            advice = "Name the column of the text or of the tokens (--text-column, --tokens-column)"
            raise ConversionError(
                str(file.path), None, f"found no text or tokens, only the columns {there}. {advice}."
            )
        return found


def rows_to_docs(
    files: Sequence[RowFile], vocab: Optional[Vocab], rules: ColumnRules, dropped: "Counter[str]"
) -> Iterator[Doc]:
    """The documents of several files, row by row.

    files: of one data set: tags are of one scheme.
    vocab: the vocabulary of the documents.
    dropped: what couldn't be kept is counted here.
    YIELDS: the documents.
    """
    nlp = load_tokenizer(rules.lang, rules.model, vocab)
    columns = [rules.columns(file) for file in files]
    tag_names = [name.strip() for name in (rules.tag_names or "").split(",")]
    scheme = rules.scheme or _guess(files, columns, tag_names)
    has_coref = rules.has_coref or _has_coref(files, columns, rules)
    for file, named in zip(files, columns, strict=True):
        prefix = f"{file.path.stem}_" if len(files) > 1 else ""
        is_own = set(file.names) == set(COLUMNS)
        for name in () if is_own else file.names:
            dropped[f"columns that aren't read: {name!r}"] += name not in named.values()
        for row in file.rows(file.names if is_own else list(named.values())):
            if is_own:
                yield _of_own(row, nlp, rules, dropped)
                continue
            row = row.replaced({what: row.data[name] for what, name in named.items()})
            doc = RowReader(row, nlp, rules, rules.offsets, dropped).annotate(scheme, has_coref, tag_names)
            doc.user_data["id"] = row.id("id") if row.data.get("id") is not None else f"{prefix}{row.number}"
            yield doc


def _of_own(row: Row, nlp: Language, rules: ColumnRules, dropped: "Counter[str]") -> Doc:
    """A row as our writer has it: with scores, and sentences."""
    data = {key: value for key, value in row.data.items() if value is not None}
    if "meta" in data:
        data["meta"] = json.loads(data["meta"])
    return record_to_doc(row.replaced(data), nlp, rules.misaligned, dropped)


def _guess(files: Sequence[RowFile], columns: List[Dict[str, str]], tag_names: List[str]) -> Scheme:
    def sentences() -> Iterator[List[TaggedToken]]:
        for file, named in zip(files, columns, strict=True):
            for row in file.rows([named["tags"]]) if "tags" in named else ():
                tags = tag_list(row, row.data[named["tags"]], tag_names)
                yield [TaggedToken("", tag, row.number) for tag in tags]

    return guess_scheme(sentences(), str(files[0].path))


def _has_coref(files: Sequence[RowFile], columns: List[Dict[str, str]], rules: ColumnRules) -> bool:
    return any(
        rules.is_coref(str(label_of(value)))
        for file, named in zip(files, columns, strict=True)
        if "relations" in named
        for row in file.rows([named["relations"]])
        for value in objects(row.data[named["relations"]]) or ()
    )
