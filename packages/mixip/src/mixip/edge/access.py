"""Deny by default. Litestar runs these before each handler; a route that anyone may call says `public=True` itself."""

import hmac
from typing import Any, TypeGuard

from litestar import Request
from litestar.connection import ASGIConnection
from litestar.handlers.base import BaseRouteHandler

from mixip.edge.asgi import Scope
from mixip.edge.caller import caller_of
from mixip.edge.cross_origin import SAFE_METHODS, came_from_our_page
from mixip.errors import Problem

CSRF_HEADER = "x-csrf-token"
CSRF_FIELD = "csrf_token"
KEPT_FORM = "mixip_kept_form"
_NEVER_KEPT = frozenset({CSRF_FIELD, "password"})


async def require_caller(connection: ASGIConnection[Any, Any, Any, Any], handler: BaseRouteHandler) -> None:
    """Refuse anonymous requests, unless the route says that it is public."""
    if not handler.opt.get("public") and caller_of(connection) is None:
        await _keep_form(connection, handler)
        raise Problem("not_signed_in")


async def require_csrf(connection: ASGIConnection[Any, Any, Any, Any], handler: BaseRouteHandler) -> None:
    """Refuse a state-changing request that used the session cookie and lacks the session's CSRF token.

    The token is the header X-CSRF-Token, or the field `csrf_token` of a form.
    """
    scope: Scope = connection.scope
    method = scope["method"]
    caller = caller_of(connection)
    if method in SAFE_METHODS or caller is None or caller.via != "cookie":
        return
    token = connection.headers.get(CSRF_HEADER)
    if token is None and _is_form(connection):
        token = str((await connection.form()).get(CSRF_FIELD, ""))
    if not hmac.compare_digest((token or "").encode(), caller.csrf.encode()):
        await _keep_form(connection, handler)
        raise Problem("csrf_failed")


def _is_form(connection: ASGIConnection[Any, Any, Any, Any]) -> TypeGuard[Request[Any, Any, Any]]:
    if not isinstance(connection, Request) or connection.method != "POST":
        return False
    return connection.content_type[0] == "application/x-www-form-urlencoded"


async def _keep_form(connection: ASGIConnection[Any, Any, Any, Any], handler: BaseRouteHandler) -> None:
    """Hand what was typed to the page of the refusal, which offers to send it again.

    Only where the route says `repeatable=True` (a consent, for one, has to be read again by whoever is signed in now),
    and only when the browser itself says that the form came from our own page: the offer holds a fresh token.
    """
    if handler.opt.get("repeatable") and _is_form(connection) and came_from_our_page(connection.scope):
        fields = (await connection.form()).multi_items()
        connection.scope["state"][KEPT_FORM] = [(k, str(v)) for k, v in fields if k not in _NEVER_KEPT]
