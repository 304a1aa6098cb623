"""The web application: its addresses and its answers."""

import asyncio
from contextlib import asynccontextmanager
from functools import partial
from typing import List, NoReturn, Optional, Sequence, Union

from fastapi import FastAPI, Request
from fastapi.responses import HTMLResponse, JSONResponse, Response
from spacy.language import Language
from starlette.middleware.trustedhost import TrustedHostMiddleware

from .. import __version__
from .limits import Limits
from .page import build_page
from .pipeline import About, AnyPipeline, Pipeline
from .process import Died, Failed, Overran
from .reading import read_query, refuse
from .schemas import Health, Problem, Query, Version, answer_models
from .worker import Busy, Worker

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
        docs = await _annotate(request.app.state.worker, query, limits)
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


async def _annotate(worker: Worker, query: Query, limits: Limits) -> List[bytes]:
    try:
        futures = worker.submit(query.all_texts, query.html)
    except Busy:
        message = f"{worker.waiting():,} texts are waiting, the limit is {limits.queue:,}. Try again later."
        refuse(503, message, **{"Retry-After": str(round(limits.seconds) or 1)})
    results = asyncio.gather(*map(asyncio.wrap_future, futures), return_exceptions=True)
    try:
        answers = await asyncio.wait_for(results, limits.seconds)  # cancels what has not begun
    except asyncio.TimeoutError:
        refuse(504, f"Not done within {limits.seconds:g} seconds. Send less at once, or try again later.")
    docs: List[bytes] = []
    for number, answer in enumerate(answers, start=1):
        if isinstance(answer, BaseException):
            _refuse_failure(answer, f"text {number} of {len(answers)}")
        docs.append(answer)
    return docs


def _refuse_failure(err: BaseException, text: str) -> NoReturn:
    if isinstance(err, (Overran, TimeoutError)):
        refuse(504, f"Not done with {text} in time. {err} Send less at once, or try again later.")
    if isinstance(err, Died):
        refuse(500, f"Failed on {text}. {err} It is started again; the server's log says more.")
    kind = err.kind if isinstance(err, Failed) else type(err).__name__
    refuse(500, f"The pipeline failed on {text} with {kind}. The server's log says more.")
