"""Refuses state-changing requests from other sites, before any cookie is read.

Sec-Fetch-Site (Fetch Metadata) says where a request came from in every current browser; Origin does for older ones. A
request with neither did not come from a browser's page: a program sent it, and it can hold no ambient session that the
CSRF token does not protect.
"""

from mixip.edge.address import origin_of
from mixip.edge.asgi import App, Receive, Scope, Send
from mixip.edge.headers import values
from mixip.errors import Problem

SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})


def came_from_elsewhere(scope: Scope) -> bool:
    """Whether a browser sent this on behalf of another origin (`null` is another origin).

    A browser sends each of the two headers once or not at all; sent twice, nothing tells which of them is true.
    """
    sites = values(scope, b"sec-fetch-site")
    origins = values(scope, b"origin")
    if len(sites) > 1 or len(origins) > 1:
        return True
    if sites:
        return sites[0] not in {b"same-origin", b"none"}
    return bool(origins) and origins[0] != origin_of(scope).encode()


def came_from_our_page(scope: Scope) -> bool:
    """Whether the browser says that a page of this platform sent this; without its word it is not known."""
    said = values(scope, b"sec-fetch-site") == [b"same-origin"] or bool(values(scope, b"origin"))
    return said and not came_from_elsewhere(scope)


def refuse_cross_origin(app: App) -> App:
    """Wrap an app so that an unsafe request from another origin is answered 403."""

    async def checked(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["method"] not in SAFE_METHODS and came_from_elsewhere(scope):
            raise Problem("cross_origin")
        await app(scope, receive, send)

    return checked
