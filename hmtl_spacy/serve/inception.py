"""An external recommender for INCEpTION, version 1 of its protocol: suggestions are given, training isn't."""

import asyncio
import json
from typing import Any, Dict, Iterator, List, NamedTuple, Optional

from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse
from pydantic import BaseModel

from ..data.converters.cas_files import TYPE_SYSTEM, parse_cas
from ..data.converters.common import ConversionError
from ..data.converters.uima import ARGUMENTS, kind_of
from .asking import annotate_texts
from .limits import Limits
from .pipeline import About
from .reading import check_texts, read_body, refuse

AT = "/inception"
PREDICTED = "inception_internal_predicted"  # the feature that tells suggestions from annotation
EXPECTED = (
    'Send {"metadata": {"layer": "...", "feature": "..."}, "document": {"xmi": "..."}, "typeSystem": "..."}.'
)
NO_TRAINING = (
    "This server predicts and doesn't train. Switch off 'Trainable' in the recommender's settings. To learn "
    "from corrected documents, export them, then: python -m spacy hmtl convert cas --help"
)


class Metadata(BaseModel):
    """What is to be suggested."""

    layer: str
    feature: str


class Document(BaseModel):
    """The document."""

    xmi: str


class Prediction(BaseModel):
    """A request for suggestions."""

    metadata: Metadata
    document: Document
    typeSystem: str


class Target(NamedTuple):
    """The layer and the feature that get suggestions.

    kind: "entities", "mentions" or "relations".
    type: dkpro-cassis' type of the layer.
    features: the names of its features.
    """

    kind: str
    type: Any
    feature: str
    features: List[str]

    def add(self, cas: Any, row: Dict[str, Any], **features: Any) -> None:
        if row.get("score") is not None and f"{self.feature}_score" in self.features:
            features[f"{self.feature}_score"] = row["score"]
        cas.add(self.type(**{PREDICTED: True, self.feature: row["label"], **features}))


def add_inception(app: FastAPI, about: About, limits: Limits) -> None:
    """Add the recommender's addresses, below `/inception`."""

    @app.post(f"{AT}/predict", include_in_schema=False)
    async def predict(request: Request) -> JSONResponse:
        query = await read_body(request, limits, Prediction, EXPECTED)
        cas = await asyncio.to_thread(_read_cas, query)
        target = _find_target(cas, query.metadata)
        text = cas.sofa_string or ""
        check_texts([text], limits, about.by_space)
        (answer,) = await annotate_texts(request.app.state.worker, [text], False, limits)
        return JSONResponse({"document": await asyncio.to_thread(_suggest, cas, target, json.loads(answer))})

    @app.post(f"{AT}/train", include_in_schema=False)
    async def train() -> None:
        refuse(501, NO_TRAINING)


def _read_cas(query: Prediction) -> Any:
    try:
        return parse_cas(query.document.xmi.encode(), query.typeSystem.encode(), "document.xmi")
    except ConversionError as err:
        refuse(422, str(err))
    except ImportError as err:
        refuse(501, str(err))


def _find_target(cas: Any, asked: Metadata) -> Target:
    layer, feature = asked.layer[:200], asked.feature[:80]
    if not cas.typesystem.contains_type(asked.layer):
        refuse(422, f"Asked for the layer {layer}, which isn't in {TYPE_SYSTEM}.")
    type = cas.typesystem.get_type(asked.layer)
    features = [one.name for one in type.all_features]
    kind = kind_of(asked.layer)
    if kind and set(features) >= ARGUMENTS:
        kind = "relations"
    if not kind or not {"begin", "end"} <= set(features):
        others = "named entities, and the project's own layers of spans and relations"
        refuse(422, f"Asked for the layer {layer}; there are suggestions for {others}.")
    for name in (asked.feature, PREDICTED):
        if name not in features:
            refuse(422, f"Asked for the feature {feature} of {layer}, which lacks the feature {name[:80]}.")
    return Target(kind, type, asked.feature, features)


def _suggest(cas: Any, target: Target, doc: Dict[str, Any]) -> str:
    """Add the pipeline's annotation as suggestions. RETURNS: the CAS as XMI."""
    if target.kind == "relations":
        for row, head, tail in _ends(cas, target, _layer(doc, "relations")):
            features = {"Governor": head, "Dependent": tail}
            target.add(cas, row, begin=tail.begin, end=tail.end, **features)
    else:
        # a layer of the project's own has the named entities of a pipeline without mentions
        kind = "entities" if "mentions" not in doc else target.kind
        for row in _layer(doc, kind):
            target.add(cas, row, begin=row["start"], end=row["end"])
    return str(cas.to_xmi())


def _layer(doc: Dict[str, Any], kind: str) -> List[Dict[str, Any]]:
    if kind not in doc:
        refuse(422, f"Asked for {kind}, which the pipeline doesn't have.")
    rows: List[Dict[str, Any]] = doc[kind]
    return rows


def _ends(cas: Any, target: Target, rows: List[Dict[str, Any]]) -> Iterator[Any]:
    """Relations whose head and tail are annotated: INCEpTION suggests none between others.

    YIELDS: a relation, and the annotations that it connects.
    """
    range = target.type.get_feature("Governor").rangeType.name
    spans = {
        (span.begin, span.end): span for span in cas.select(range) if not getattr(span, PREDICTED, False)
    }
    for row in rows:
        head, tail = (_at(spans, row[end]) for end in ("head", "tail"))
        if head is not None and tail is not None:
            yield row, head, tail


def _at(spans: Dict[Any, Any], place: Dict[str, int]) -> Optional[Any]:
    return spans.get((place["start"], place["end"]))
