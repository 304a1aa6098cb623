"""Documents from marked-up sentences, in the notation of the sample corpus (docs/formats/inline.md)."""

from hmtl_spacy.data.converters.inline import inline_to_docs


def marked(*lines, mentions="head", clusters="extent"):
    """A document with all four layers; lines that begin with > are relations."""
    header = ["# newdoc id = one", "# genre = news", "# split = test"]
    (doc,) = inline_to_docs([*header, *lines], mentions=mentions, clusters=clusters)
    return doc


def without_entities(doc):
    """The same without named entities, not even "none found"."""
    bare = type(doc)(
        doc.vocab,
        words=[token.text for token in doc],
        spaces=[bool(token.whitespace_) for token in doc],
        sent_starts=[bool(token.is_sent_start) for token in doc],
    )
    for key, group in doc.spans.items():
        bare.spans[key] = group.copy(doc=bare)
    return bare
