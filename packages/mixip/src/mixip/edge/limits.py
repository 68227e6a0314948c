"""Refuses headers that are too long, before anything reads them."""

from mixip.edge.asgi import App, Receive, Scope, Send
from mixip.errors import Problem

MAX_HEADER_BYTES = 32 * 1024


def limit_headers(app: App) -> App:
    """Wrap an app so that a request with more than 32 KiB of headers is answered 431."""

    async def limited(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and sum(len(n) + len(v) for n, v in scope["headers"]) > MAX_HEADER_BYTES:
            raise Problem("header_too_large")
        await app(scope, receive, send)

    return limited
