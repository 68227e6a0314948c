"""Deny by default. Litestar runs these before each handler; a route that anyone may call says `public=True` itself."""

import hmac
from typing import Any

from litestar import Request
from litestar.connection import ASGIConnection
from litestar.handlers.base import BaseRouteHandler

from mixip.edge.asgi import Scope
from mixip.edge.caller import caller_of
from mixip.edge.cross_origin import SAFE_METHODS
from mixip.errors import Problem

CSRF_HEADER = "x-csrf-token"
CSRF_FIELD = "csrf_token"


async def require_caller(connection: ASGIConnection[Any, Any, Any, Any], handler: BaseRouteHandler) -> None:
    """Refuse anonymous requests, unless the route says that it is public."""
    if not handler.opt.get("public") and caller_of(connection) is None:
        raise Problem("not_signed_in")


async def require_csrf(connection: ASGIConnection[Any, Any, Any, Any], _: BaseRouteHandler) -> None:
    """Refuse a state-changing request that used the session cookie and lacks the session's CSRF token.

    The token is the header X-CSRF-Token, or the field `csrf_token` of a form.
    """
    scope: Scope = connection.scope
    method = scope["method"]
    caller = caller_of(connection)
    if method in SAFE_METHODS or caller is None or caller.via != "cookie":
        return
    token = connection.headers.get(CSRF_HEADER)
    if token is None and method == "POST" and isinstance(connection, Request):
        content_type = connection.content_type[0]
        if content_type == "application/x-www-form-urlencoded":
            token = str((await connection.form()).get(CSRF_FIELD, ""))
    if not hmac.compare_digest((token or "").encode(), caller.csrf.encode()):
        raise Problem("csrf_failed")
