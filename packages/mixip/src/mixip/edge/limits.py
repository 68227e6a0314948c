"""Refuses headers that are too long and addresses that cannot be, before anything reads them."""

from mixip.edge.asgi import App, Receive, Scope, Send
from mixip.errors import Problem

MAX_HEADER_BYTES = 32 * 1024  # of what the guard let through: cookies that others planted shut nobody out
MOST_COOKIES = 1000  # browsers hold 180 or a few hundred for a site; sorting out a megabyte of more takes long
_FLOOD = "mixip.flood"


def drop_floods(app: App) -> App:
    """Wrap an app, the outermost there is, so that nothing has to sort out more than 1,000 cookies: they are gone,
    and `limit_headers` refuses the request further in, where a refusal becomes an answer."""

    async def sparing(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            scope.setdefault("state", {})  # before anything copies the scope, so that all layers share it
            crumbs = [value for name, value in scope["headers"] if name == b"cookie"]
            if len(crumbs) + sum(value.count(b";") for value in crumbs) > MOST_COOKIES:
                scope = {**scope, "headers": [pair for pair in scope["headers"] if pair[0] != b"cookie"], _FLOOD: True}
        await app(scope, receive, send)

    return sparing


def limit_headers(app: App) -> App:
    """Wrap an app so that more than 32 KiB of headers are answered 431, and a NUL in the address 400."""

    async def limited(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and (
            scope.get(_FLOOD) or sum(len(n) + len(v) for n, v in scope["headers"]) > MAX_HEADER_BYTES
        ):
            raise Problem("header_too_large")
        if scope["type"] == "http" and ("\0" in scope["path"] or b"%00" in scope["query_string"]):
            raise Problem("malformed_request")  # nothing has such a name, and PostgreSQL refuses even to look
        await app(scope, receive, send)

    return limited
