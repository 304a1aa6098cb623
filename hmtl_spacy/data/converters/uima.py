"""Names of UIMA's types as INCEpTION and WebAnno use them: which of their layers is which of ours."""

from typing import Sequence

DKPRO = "de.tudarmstadt.ukp.dkpro.core.api."
NAMED_ENTITY = f"{DKPRO}ner.type.NamedEntity"
CHAIN, LINK = f"{DKPRO}coref.type.CoreferenceChain", f"{DKPRO}coref.type.CoreferenceLink"
TOKEN, SENTENCE = (f"{DKPRO}segmentation.type.{name}" for name in ("Token", "Sentence"))
ARGUMENTS = {"Governor", "Dependent"}  # the features of a relation: its source and its target
FEATURES = ("label", "value")  # in which a layer's label is, if it has one of them


def kind_of(type: str) -> str:
    """The layer of ours that a layer of spans is: "entities", "mentions", or none for what isn't annotated by
    hand as either (lemmas, parts of speech, a document's metadata).
    """
    if type == NAMED_ENTITY:
        return "entities"
    return "" if type.startswith((DKPRO, "uima.", "de.tudarmstadt.ukp.clarin.")) else "mentions"


def preferred(features: Sequence[str]) -> int:
    """Which feature of a layer has the label: the one with such a name, else the first."""
    return next((i for i, feature in enumerate(features) if feature in FEATURES), 0)
