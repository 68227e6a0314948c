"""Refuses headers that are too long and addresses that cannot be, before anything reads them."""

from mixip.edge.asgi import App, Receive, Scope, Send
from mixip.errors import Problem

MAX_HEADER_BYTES = 32 * 1024


def limit_headers(app: App) -> App:
    """Wrap an app so that more than 32 KiB of headers are answered 431, and a NUL in the address 400."""

    async def limited(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and sum(len(n) + len(v) for n, v in scope["headers"]) > MAX_HEADER_BYTES:
            raise Problem("header_too_large")
        if scope["type"] == "http" and ("\0" in scope["path"] or b"%00" in scope["query_string"]):
            raise Problem("malformed_request")  # nothing has such a name, and PostgreSQL refuses even to look
        await app(scope, receive, send)

    return limited
