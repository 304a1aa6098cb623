"""UIMA CAS, JSON or XMI: INCEpTION's named entities, spans, relations and chains."""

from collections import Counter
from functools import partial
from pathlib import Path
from typing import Any, FrozenSet, Hashable, Iterable, Iterator, List, Optional, Set, Union

from spacy.tokens import Doc
from spacy.vocab import Vocab

from .cas_files import TYPE_SYSTEM, load_cas
from .common import ConversionError
from .converter import Converter
from .folders import files_of
from .layout import lay_tokens
from .rules import TextRules, takes
from .standoff import Standoff
from .tokens import load_tokenizer
from .uima import ARGUMENTS, CHAIN, DKPRO, LINK, NAMED_ENTITY, SENTENCE, TOKEN, kind_of, preferred

ENDINGS = (".json", ".xmi", ".zip")
OWN = {"sofa", "begin", "end", *ARGUMENTS}


@takes(TextRules)
def cas_to_docs(
    path: Path,
    *,
    vocab: Optional[Vocab] = None,
    typesystem: Optional[Path] = None,
    dropped: Counter[str],
    rules: TextRules,
) -> Iterator[Doc]:
    """INCEpTION's UIMA CAS, JSON or XMI. Fills the layers that it has, of all four.

    The layer Named entity becomes entities, other layers of spans mentions, chains clusters.

    path: a .json or .xmi file, or the zip of one of them.
    vocab: the vocabulary of the documents.
    typesystem: file with the type system of XMI, by default TypeSystem.xml beside it.
    dropped: what couldn't be kept is counted here.
    YIELDS: the document.
    """
    yield from _read([path], path.parent, vocab, typesystem, dropped, rules)


@takes(TextRules)
def cas_folder_to_docs(
    path: Union[str, Path],
    *,
    pattern: str = "*",
    vocab: Optional[Vocab] = None,
    typesystem: Optional[Path] = None,
    dropped: Counter[str],
    rules: TextRules,
) -> Iterator[Doc]:
    """Convert all .json, .xmi and .zip files in or below a folder.

    path: the folder.
    pattern: what the names of the files are like.
    vocab, typesystem, dropped: as for a file.
    YIELDS: the documents.
    """
    files = [file for file in files_of(path, pattern) if file.suffix.lower() in ENDINGS]
    if not files:
        raise ConversionError(str(path), None, f"found no files that end in {', '.join(ENDINGS)}.")
    yield from _read(files, Path(path), vocab, typesystem, dropped, rules)


def _read(
    files: List[Path],
    folder: Path,
    vocab: Optional[Vocab],
    typesystem: Optional[Path],
    dropped: Counter[str],
    rules: TextRules,
) -> Iterator[Doc]:
    nlp = load_tokenizer(rules.lang, rules.model, vocab)
    layers = _layers((load_cas(file, typesystem)[1] for file in files), rules)
    for file in files:
        name, cas = load_cas(file, typesystem)
        text = cas.sofa_string or ""
        tokens, sentences = (_places(cas, type) for type in (TOKEN, SENTENCE))
        doc = lay_tokens(nlp.vocab, text, tokens, sentences) if tokens else nlp.tokenizer(text)
        doc.user_data["id"] = (file.parent.relative_to(folder) / name).as_posix()
        dropped["views beside the first (not read)"] += len(cas.views) - 1
        standoff = Standoff(doc, rules, partial(ConversionError, str(file), None), dropped)
        yield Reader(standoff, cas).annotate(layers)


def _places(cas: Any, type: str) -> List[Any]:
    if not cas.typesystem.contains_type(type):
        return []
    return [(row.begin, row.end) for row in cas.select(type) if row.begin < row.end]


def _features(type: Any) -> Set[str]:
    return {feature.name for feature in type.all_features}


class Reader:
    """Reads the layers of a CAS.

    standoff: to which they are added.
    """

    def __init__(self, standoff: Standoff, cas: Any):
        self.standoff = standoff
        self.cas = cas
        self.dropped = standoff.dropped

    def annotate(self, layers: FrozenSet[str]) -> Doc:
        """Write all layers, once."""
        relations, chains, linked = [], [], set()
        for row in self.cas.select_all_fs():
            features = _features(row.type)
            if features >= ARGUMENTS:
                relations.append(row)
            elif "first" in features:
                chains.append(row)
            elif "next" in features:
                linked.add(id(row))
            elif row.type.name not in (TOKEN, SENTENCE) and features >= {"begin", "end"}:
                self._add_span(row, features)
        for chain in chains:
            linked.difference_update(self._add_chain(chain))
        self.dropped["links of chains that no chain begins with (not read)"] += len(linked)
        for relation in relations:
            self._add_relation(relation)
        return self.standoff.annotate(layers)

    def _add_span(self, row: Any, features: Iterable[str]) -> None:
        kind, name = kind_of(row.type.name), _short(row)
        if not kind:
            if not row.type.name.startswith("uima."):
                self.dropped[f"annotations of the layer {name}"] += 1
            self.standoff.leave_out(id(row))
            return
        label = _label(row, features)
        self.dropped["spans without a value, labelled as their layer"] += not label
        self._check(row)
        names = (name, row.type.name)
        self.standoff.span(id(row), [(row.begin, row.end)], label or name, names, kind)

    def _check(self, row: Any) -> None:
        if row.begin is None or row.end is None:
            raise self.standoff.error(f"found an annotation of {row.type.name} without begin or end.")

    def _add_chain(self, chain: Any) -> List[Hashable]:
        """Add a chain. RETURNS: the ids of its links."""
        ids: List[Hashable] = []
        link = chain.first
        while link is not None and id(link) not in ids:
            self._check(link)
            self.standoff.argument(id(link), [(link.begin, link.end)])
            ids.append(id(link))
            link = link.next
        self.standoff.entity(id(chain), ids)
        return ids

    def _add_relation(self, row: Any) -> None:
        if not kind_of(row.type.name):
            self.dropped[f"relations of the layer {_short(row)}"] += 1
            return
        if row.Governor is None or row.Dependent is None:
            self.dropped["relations without one of their arguments"] += 1
            return
        for end in (row.Governor, row.Dependent):  # one that isn't in the index
            self.standoff.leave_out(id(end))
        label = _label(row, _features(row.type))
        self.dropped["relations without a value, labelled as their layer"] += not label
        self.standoff.relation(id(row.Governor), id(row.Dependent), label or _short(row))


def _short(row: Any) -> str:
    return str(row.type.name).rpartition(".")[2]


def _label(row: Any, features: Iterable[str]) -> str:
    """The value of the feature that has the label, of those that are strings."""
    values = {name: row[name] for name in sorted(features) if name not in OWN}
    strings = [name for name, value in values.items() if isinstance(value, str)]
    return values[strings[preferred(strings)]] if strings else ""


def _layers(documents: Iterable[Any], rules: TextRules) -> FrozenSet[str]:
    """The layers that any document uses, or that its type system has, unless that lists layers which nobody
    uses: INCEpTION's whole one has all that are built in.
    """
    found: Set[str] = {"clusters"} if rules.has_coref else set()
    for cas in documents:
        types = [type for type in cas.typesystem.get_types() if not type.name.startswith("uima.")]
        used = {row.type.name for row in cas.select_all_fs()}
        others = {type.name for type in types if type.name.startswith(DKPRO)}
        others -= {NAMED_ENTITY, CHAIN, LINK, TOKEN, SENTENCE}
        is_whole = any("metadata" not in name and name not in used for name in others)
        for type in types:
            features, kind = _features(type), kind_of(type.name)
            if is_whole and type.name not in used and type.name.startswith(DKPRO):
                continue
            if "first" in features:
                found.add("clusters")
            elif features >= ARGUMENTS and kind:
                found.add("relations")
            elif kind and features >= {"begin", "end"} and "next" not in features:
                found.add(kind)
        if len(found) == 4:
            break
    return frozenset(found)


converter = Converter(
    cas_to_docs,
    cas_folder_to_docs,
    input=f"A .json or .xmi file, with {TYPE_SYSTEM} beside it, a zip of them, or a folder of such files",
    example="curated.json train.spacy",
    paths=True,
)
