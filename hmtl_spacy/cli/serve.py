"""`spacy hmtl serve`."""

from functools import partial
from typing import Annotated, Any, Callable, List, Optional

from spacy.cli._util import Opt, setup_gpu
from spacy.language import Language
from spacy.util import load_model
from wasabi import msg

from .apps import hmtl_cli
from .options import Gpu, Model

LOCAL = ("127.0.0.1", "localhost", "::1")
LOCAL_NAMES = ["127.0.0.1", "localhost", "[::1]"]


def _limit(name: str, what: str) -> Any:
    return Opt(f"--limit-{name}", min=1, help=what)


@hmtl_cli.command("serve")
def serve_cli(
    model: Model,
    host: Annotated[
        str, Opt("--host", help="Address to listen on; 0.0.0.0 takes requests from other machines")
    ] = "127.0.0.1",
    port: Annotated[int, Opt("--port", "-p", min=0, max=65535, help="Port; 0 for any free one")] = 8000,
    allow_host: Annotated[
        Optional[List[str]],
        Opt("--allow-host", help="Host name that requests may use; can be repeated"),
    ] = None,
    limit_text: Annotated[int, _limit("text", "Characters per text")] = 50_000,
    limit_texts: Annotated[int, _limit("texts", "Texts per request")] = 64,
    limit_body: Annotated[int, _limit("body", "Bytes per request")] = 1_000_000,
    limit_seconds: Annotated[float, Opt("--limit-seconds", help="How long a request may take")] = 30.0,
    limit_queue: Annotated[int, _limit("queue", "Texts of all requests that may wait")] = 1_024,
    limit_together: Annotated[int, _limit("together", "Characters annotated in one call")] = 20_000,
    limit_unbroken: Annotated[int, _limit("unbroken", "Characters without white space between them")] = 1_000,
    limit_call: Annotated[
        Optional[float],
        Opt("--limit-call", help="How long one call may take; a third of --limit-seconds if not given"),
    ] = None,
    threads: Annotated[
        Optional[int], Opt("--threads", min=1, help="Threads of torch; its own default if not given")
    ] = None,
    use_gpu: Gpu = -1,
):
    """Serve a page where you type a text and see its layers, and a JSON API.

    Example: python -m spacy hmtl serve training/model-best --port 8080
    """
    try:
        import fastapi  # noqa: F401
        import uvicorn  # noqa: F401
    except ImportError as err:
        msg.fail(f"Can't serve without {err.name}", 'Install it: pip install "hmtl-spacy[serve]"', exits=1)
    from ..serve import Limits

    sizes = (limit_text, limit_texts, limit_body, limit_seconds, limit_queue, limit_together, limit_unbroken)
    try:
        limits = Limits(*sizes, limit_call)
    except ValueError as err:
        msg.fail(str(err), exits=1)
    hosts = allow_host or (LOCAL_NAMES if host in LOCAL else ["*"])
    if host not in LOCAL:
        msg.warn(f"Other machines can reach this server at {host}: anyone there can send it texts.")
    _serve(partial(_load, model, threads, use_gpu), limits, host, port, hosts)


def _serve(load: Callable[[], Language], *options: Any) -> None:
    from ..serve.process import Died, Failed, Overran, PipelineProcess
    from ..serve.server import serve

    try:
        pipeline = PipelineProcess(load)
    except (Failed, Died, Overran) as err:
        msg.fail(str(err), exits=1)
    try:
        serve(pipeline, *options)
    except ValueError as err:
        msg.fail(str(err), exits=1)
    finally:
        pipeline.close()


def _load(model: str, threads: Optional[int], use_gpu: int) -> Language:
    """The pipeline, in its process."""
    if threads is not None:
        import torch

        torch.set_num_threads(threads)
    setup_gpu(use_gpu, silent=True)
    return load_model(model)
