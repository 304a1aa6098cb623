"""`spacy hmtl serve`."""

from typing import Annotated, List, Optional

from spacy.cli._util import Opt, setup_gpu
from wasabi import msg

from .apps import hmtl_cli
from .options import Gpu, Model

LOCAL = ("127.0.0.1", "localhost", "::1")
LOCAL_NAMES = ["127.0.0.1", "localhost", "[::1]"]


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
    limit_text: Annotated[int, Opt("--limit-text", min=1, help="Characters per text")] = 50_000,
    limit_texts: Annotated[int, Opt("--limit-texts", min=1, help="Texts per request")] = 64,
    limit_body: Annotated[int, Opt("--limit-body", min=1, help="Bytes per request")] = 1_000_000,
    limit_seconds: Annotated[float, Opt("--limit-seconds", help="How long a request may take")] = 30.0,
    limit_queue: Annotated[
        int, Opt("--limit-queue", min=1, help="Texts of all requests that may wait")
    ] = 1_024,
    limit_together: Annotated[
        int, Opt("--limit-together", min=1, help="Characters annotated in one call")
    ] = 20_000,
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
        import uvicorn
    except ImportError as err:
        msg.fail(f"Can't serve without {err.name}", 'Install it: pip install "hmtl-spacy[serve]"', exits=1)
    from spacy.util import load_model

    from ..serve import Limits
    from ..serve.app import create_app

    if threads is not None:
        _set_threads(threads)
    setup_gpu(use_gpu, silent=True)
    hosts = allow_host or (LOCAL_NAMES if host in LOCAL else ["*"])
    try:
        limits = Limits(limit_text, limit_texts, limit_body, limit_seconds, limit_queue, limit_together)
        app = create_app(load_model(model), limits, hosts)
    except (ValueError, OSError) as err:
        msg.fail(str(err), exits=1)
    if host not in LOCAL:
        msg.warn(f"Other machines can reach this server at {host}: anyone there can send it texts.")
    wait = int(limits.seconds) + 1
    uvicorn.run(app, host=host, port=port, server_header=False, timeout_graceful_shutdown=wait)


def _set_threads(threads: int) -> None:
    import torch

    torch.set_num_threads(threads)
