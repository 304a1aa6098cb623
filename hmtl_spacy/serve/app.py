"""The web application: its addresses and its answers."""

import asyncio
from contextlib import asynccontextmanager
from functools import partial
from typing import Optional, Sequence, Union

from fastapi import FastAPI, Request
from fastapi.responses import HTMLResponse, JSONResponse, Response
from spacy.language import Language
from starlette.middleware.trustedhost import TrustedHostMiddleware

from .. import __version__
from .asking import annotate_texts
from .inception import add_inception
from .labelstudio import add_labelstudio
from .limits import Limits
from .page import build_page
from .pipeline import About, AnyPipeline, Pipeline
from .reading import read_query
from .schemas import Health, Problem, Query, Version, answer_models
from .worker import Worker

HEADERS = {"X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer", "Cache-Control": "no-store"}
REFUSALS = {
    400: "Not JSON in UTF-8, or nested too deeply",
    408: "The body took too long to arrive",
    413: "A text, a run without white space, the number of texts or the body is over its limit",
    415: "Another content type than application/json",
    422: "JSON of another shape",
    500: "The pipeline failed on a text, or its process ended",
    503: "Too many texts are waiting; Retry-After says after how many seconds to try again",
    504: "The time limit has passed",
}


def create_app(
    pipeline: Union[Language, AnyPipeline], limits: Optional[Limits] = None, hosts: Sequence[str] = ("*",)
) -> FastAPI:
    """Serve a pipeline.

    pipeline: a loaded one, which runs in a thread of this process; or a `PipelineProcess`, which nothing that
        it does can hold up the server. It is closed when the application ends.
    hosts: the host names that requests may name; "*" for all.
    """
    limits = limits or Limits()
    if isinstance(pipeline, Language):
        pipeline = Pipeline(pipeline)
    about = pipeline.about
    if limits.text > about.max_length:
        raise ValueError(
            f"Can't take texts of {limits.text:,} characters: the pipeline's max_length is "
            f"{about.max_length:,}. Lower the limit, or raise nlp.max_length."
        )
    app = FastAPI(
        title="hmtl_spacy",
        version=__version__,
        description="Named entities, mentions, coreference and relations.",
        docs_url=None,  # FastAPI's pages load scripts from elsewhere
        redoc_url=None,
        lifespan=partial(_with_worker, pipeline, limits),
    )
    app.add_middleware(TrustedHostMiddleware, allowed_hosts=list(hosts), www_redirect=False)
    app.middleware("http")(_add_headers)
    _add_page(app, about, limits)
    _add_api(app, about, limits)
    add_inception(app, about, limits)
    add_labelstudio(app, about, limits)
    return app


@asynccontextmanager
async def _with_worker(pipeline: AnyPipeline, limits: Limits, app: FastAPI):
    app.state.worker = Worker(pipeline, limits)
    yield
    await asyncio.to_thread(app.state.worker.close, limits.seconds)


async def _add_headers(request: Request, call_next):
    response = await call_next(request)
    response.headers.update(HEADERS)
    return response


def _add_page(app: FastAPI, about: About, limits: Limits) -> None:
    html, policy = build_page(about.version, limits, about.further)

    @app.get("/", include_in_schema=False)
    async def page() -> HTMLResponse:
        return HTMLResponse(html, headers={"Content-Security-Policy": policy})


def _add_api(app: FastAPI, about: About, limits: Limits) -> None:
    one_document, documents = answer_models(about.further)
    body = {"required": True, "content": {"application/json": {"schema": Query.model_json_schema()}}}

    @app.post(
        "/api/annotate",
        summary="Annotate one text or several",
        openapi_extra={"requestBody": body},
        response_model=Union[one_document, documents],
        responses={code: {"model": Problem, "description": what} for code, what in REFUSALS.items()},
    )
    async def annotate(request: Request) -> Response:
        """`{"text": ...}` is answered with a document, `{"texts": [...]}` with `{"docs": [...]}`."""
        query = await read_query(request, limits, about.by_space)
        docs = await annotate_texts(request.app.state.worker, query.all_texts, query.html, limits)
        one = "text" in query.model_fields_set
        body = docs[0] if one else b'{"docs":[' + b",".join(docs) + b"]}"
        return Response(body, media_type="application/json")

    @app.get("/api/health", response_model=Health, responses={503: {"model": Health}})
    async def health(request: Request) -> JSONResponse:
        """Whether texts are accepted, and how many are waiting."""
        worker = request.app.state.worker
        alive = worker.is_alive()
        state = {"status": "ok" if alive else "stopped", "waiting": worker.waiting()}
        return JSONResponse(state, 200 if alive else 503)

    @app.get("/api/version")
    async def versions() -> Version:
        """The versions of the package and spaCy, and the pipeline."""
        return about.version
