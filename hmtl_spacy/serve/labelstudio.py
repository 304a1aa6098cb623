"""A machine learning backend for Label Studio: its requests for predictions are answered, training isn't."""

import json
from collections import Counter
from functools import partial
from typing import Any, Dict, List, Set

from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict, Field
from spacy.tokens import Doc
from spacy.util import logger

from ..data.converters.common import ConversionError
from ..data.converters.labelstudio.config import Config, parse_config
from ..data.layers import Layers
from ..data.writers.labelstudio import predict
from .asking import annotate_texts
from .limits import Limits
from .pipeline import About
from .reading import check_texts, read_body, refuse

AT = "/labelstudio"
NO_TRAINING = (
    "This server predicts and doesn't train. Export the annotation as JSON, then: "
    "python -m spacy hmtl convert labelstudio --help"
)


class Task(BaseModel):
    """A task: its data have the text."""

    data: Dict[str, Any]


class Tasks(BaseModel):
    """A request for predictions, and the project's labelling configuration."""

    tasks: List[Task]
    label_config: str


class Setup(BaseModel):
    """What Label Studio sends when a backend is connected."""

    model_config = ConfigDict(populate_by_name=True)

    label_config: str = Field(alias="schema")


class Event(BaseModel):
    """Something that happened in Label Studio."""

    action: str


def add_labelstudio(app: FastAPI, about: About, limits: Limits) -> None:
    """Add the backend's addresses, below `/labelstudio`."""
    version = about.version.model
    model_version = f"{version.name} {version.version}"
    reported: Set[str] = set()  # kinds of loss, which a log needs once

    @app.get(f"{AT}/health", include_in_schema=False)
    @app.get(AT, include_in_schema=False)
    async def health(request: Request) -> JSONResponse:
        alive = request.app.state.worker.is_alive()
        state = {"status": "UP" if alive else "DOWN", "model_class": version.name}
        return JSONResponse(state, 200 if alive else 503)

    @app.post(f"{AT}/setup", include_in_schema=False)
    async def setup(request: Request) -> JSONResponse:
        query = await read_body(
            request, limits, Setup, 'Send {"project": ..., "schema": "<View>...</View>"}.'
        )
        _read_config(query.label_config)
        return JSONResponse({"model_version": model_version})

    @app.post(f"{AT}/predict", include_in_schema=False)
    async def predictions(request: Request) -> JSONResponse:
        expected = 'Send {"tasks": [{"data": {"text": "..."}}], "label_config": "<View>...</View>"}.'
        query = await read_body(request, limits, Tasks, expected)
        config = _read_config(query.label_config)
        texts = [_text_of(task, config, number) for number, task in enumerate(query.tasks, start=1)]
        check_texts(texts, limits, about.by_space)
        form = partial(describe, config=config)
        answers = await annotate_texts(request.app.state.worker, texts, form, limits)
        results = []
        for answer in map(json.loads, answers):
            results.append({**answer["prediction"], "model_version": model_version})
            _report(answer["lost"], reported)
        return JSONResponse({"results": results, "model_version": model_version})

    @app.post(f"{AT}/train", include_in_schema=False)
    async def train() -> None:
        refuse(501, NO_TRAINING)

    @app.post(f"{AT}/webhook", include_in_schema=False)
    async def webhook(request: Request) -> JSONResponse:
        """Label Studio tells its backends of each annotation, and to train in the same way."""
        event = await read_body(request, limits, Event, 'Send {"action": "..."}.')
        if event.action == "START_TRAINING":
            refuse(501, NO_TRAINING)
        return JSONResponse({"detail": "Nothing is learned from events: this server predicts."})


def describe(doc: Doc, layers: Layers, config: Config) -> bytes:
    """A document's prediction, and what the project has no place for, as JSON."""
    lost: Counter[str] = Counter()
    return json.dumps({"prediction": predict(doc, layers, lost, config), "lost": +lost}).encode()


def _read_config(xml: str) -> Config:
    try:
        config = parse_config(xml.encode("utf-8"), "the labelling configuration")
    except ConversionError as err:
        refuse(422, str(err))
    if config.text_key is None:
        found = f"Found {len(config.texts)} texts in the labelling configuration"
        refuse(422, f'{found}, expected one: <Text name="text" value="$text"/>.')
    name = config.texts[0][0]
    mine = tuple(control for control in config.controls if control.to_name == name)
    if not mine:
        refuse(422, f"Found no <Labels> for the text {name[:80]!r} in the labelling configuration.")
    return config._replace(controls=mine)


def _text_of(task: Task, config: Config, number: int) -> str:
    key = str(config.text_key)
    text = task.data.get(key)
    if not isinstance(text, str):
        keys = ", ".join(map(repr, sorted(task.data)))[:200]
        refuse(422, f"Found no text in task {number}: its data have {keys}, and the configuration {key!r}.")
    return text


def _report(lost: Dict[str, int], reported: Set[str]) -> None:
    """Log what predictions leave out, each kind once: their names are the pipeline's labels and no more."""
    new = lost.keys() - reported
    reported.update(new)
    for what in sorted(new):
        logger.warning("Left out of predictions for Label Studio (told once): %s", what)
