"""Refuses state-changing requests from other sites, before any cookie is read.

Sec-Fetch-Site (Fetch Metadata) says where a request came from in every current browser; Origin does for older ones. A
request with neither did not come from a browser's page: a program sent it, and it can hold no ambient session that the
CSRF token does not protect.
"""

from mixip.edge.address import origin_of
from mixip.edge.asgi import App, Receive, Scope, Send
from mixip.edge.headers import header
from mixip.errors import Problem

SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})


def came_from_elsewhere(scope: Scope) -> bool:
    """Whether a browser sent this on behalf of another origin (`null` is another origin)."""
    site = header(scope, b"sec-fetch-site")
    if site is not None:
        return site not in {"same-origin", "none"}
    origins = [value for key, value in scope["headers"] if key == b"origin"]
    return bool(origins) and origins != [origin_of(scope).encode()]


def refuse_cross_origin(app: App) -> App:
    """Wrap an app so that an unsafe request from another origin is answered 403."""

    async def checked(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["method"] not in SAFE_METHODS and came_from_elsewhere(scope):
            raise Problem("cross_origin")
        await app(scope, receive, send)

    return checked
