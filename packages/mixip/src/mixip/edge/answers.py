"""Turns a refusal or a fault into an answer: problem details for programs, a page for people."""

import json
import logging
from contextlib import suppress
from typing import Any, NoReturn
from urllib.parse import quote

from litestar import Litestar, Request
from litestar.concurrency import sync_to_thread
from litestar.exceptions import HTTPException, MethodNotAllowedException, SerializationException
from litestar.response.base import ASGIResponse
from sqlalchemy.exc import OperationalError

from mixip.db import new_id
from mixip.edge.access import KEPT_FORM
from mixip.edge.asgi import App, Message, Receive, Scope, Send
from mixip.edge.headers import is_api
from mixip.edge.pages import render
from mixip.edge.responses import respond, see_other
from mixip.errors import Problem

log = logging.getLogger("mixip")

_BY_STATUS = {
    400: "malformed_request",
    401: "not_signed_in",
    404: "not_found",
    405: "method_not_allowed",
    413: "body_too_large",
    503: "unavailable",
}
_REQUEST_ID = "mixip_request_id"


def as_problem(error: Exception) -> Problem:
    """The row of the table for any exception. What is not expected becomes `internal_error`."""
    if isinstance(error, Problem):
        return error
    if isinstance(error, HTTPException):
        if isinstance(error.__cause__, SerializationException):
            return Problem("malformed_json")
        return Problem(_BY_STATUS.get(error.status_code, "internal_error"))
    if isinstance(error, RecursionError) and "deserializing" in str(error):
        return Problem("malformed_json")
    if isinstance(error, OSError) and error.errno in _NO_SPACE:
        return Problem("storage_full")
    if isinstance(error, OperationalError) and "full" in str(error.orig):
        return Problem("storage_full")
    return Problem("internal_error")


_NO_SPACE = {28, 122}  # ENOSPC, EDQUOT


def answer(scope: Scope, error: Exception) -> ASGIResponse:
    """The response to an exception. Faults are logged with the request id, which is all that the answer discloses."""
    problem = as_problem(error)
    kind = problem.kind
    request_id = scope["state"].get(_REQUEST_ID, "-")
    if kind.status == 500:
        log.error("request failed", exc_info=error, extra={"request_id": request_id, "path": scope["path"]})
    if kind.code == "not_signed_in" and scope["method"] in {"GET", "HEAD"} and not is_api(scope):
        return _to_sign_in(scope)
    told = {
        "type": f"/help/errors#{kind.code}",
        "title": kind.title,
        "status": kind.status,
        "detail": problem.detail,
        "code": kind.code,
        "action": kind.action,
        "request_id": request_id,
    }
    headers = dict(problem.headers)
    if kind.status == 401:
        headers["www-authenticate"] = 'Bearer realm="Mix-IP"'
    if is_api(scope):
        body, media_type = json.dumps({**told, **problem.extra}).encode(), "application/problem+json"
    else:
        shown = {**told, "kept": scope["state"].get(KEPT_FORM), "sign_in": _sign_in_address(scope)}
        body, media_type = render(scope, "errors/error.html", shown), "text/html"
    return respond(body, media_type, status=kind.status, headers=headers)


def _to_sign_in(scope: Scope) -> ASGIResponse:
    query = scope["query_string"].decode("latin-1")
    here = scope["path"] + (f"?{query}" if query else "")
    return see_other(f"/sign-in?next={quote(here, safe='')}")


def _sign_in_address(scope: Scope) -> str:
    """Where the page of a refusal leads to sign in: and back here, if this is an address that can be opened."""
    app: Litestar | None = scope.get("litestar_app")  # absent when the request did not come as far as a handler
    with suppress(HTTPException):
        if app is not None:
            app.asgi_router.handle_routing(path=scope["path"], method="GET")
            return f"/sign-in?next={quote(scope['path'], safe='')}"
    return "/sign-in"


def raise_further(request: Request[Any, Any, Any], error: Exception) -> NoReturn:
    """Litestar's exception handler: leaves every exception to `answer_exceptions`, the one place that answers."""
    if isinstance(error, MethodNotAllowedException):
        raise Problem("method_not_allowed", headers={"allow": ", ".join(_allowed(request))}) from None
    raise error


def _allowed(request: Request[Any, Any, Any]) -> list[str]:
    """The methods that the address takes."""
    allowed = ["OPTIONS"]
    for method in ("GET", "POST", "PUT", "DELETE"):
        with suppress(HTTPException):
            request.app.asgi_router.handle_routing(path=request.scope["path"], method=method)
            allowed.append(method)
    return allowed


def answer_exceptions(app: App, *, secure: bool) -> App:
    """Wrap the layers above the handlers: gives each request an id, and answers what those layers raise.

    `secure`: the platform is reached by https only, and browsers are told to keep to it (RFC 6797).
    """
    promised = [(b"strict-transport-security", b"max-age=31536000")] if secure else []

    async def answered(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await app(scope, receive, send)
            return
        scope.setdefault("state", {})[_REQUEST_ID] = request_id = new_id()
        started = False

        async def send_with_id(message: Message) -> None:
            nonlocal started
            if message["type"] == "http.response.start":
                started = True
                message["headers"] = [*message["headers"], (b"x-request-id", request_id.encode()), *promised]
            await send(message)

        try:
            await app(scope, receive, send_with_id)
        except Exception as error:
            if started:
                raise
            # A page asks the ledger when there is something to tell, so it is made where it may wait.
            response = answer(scope, error) if is_api(scope) else await sync_to_thread(answer, scope, error)
            await response(scope, receive, send_with_id)

    return answered
