"""The guard for ASGI applications: the outermost layer, in front of everything that reads or sets a cookie."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any, TypeAlias

from strictly_necessary._findings import GuardError
from strictly_necessary._guard.checkpoint import Checkpoint, Mode, Reporter
from strictly_necessary._guard.serving import Answer, Serving
from strictly_necessary._guard.watch import Watch
from strictly_necessary.browser import LONGEST_REPORT, REPORT_PATH
from strictly_necessary.declaration import Declaration

Scope: TypeAlias = MutableMapping[str, Any]
Message: TypeAlias = MutableMapping[str, Any]
Receive: TypeAlias = Callable[[], Awaitable[Message]]
Send: TypeAlias = Callable[[Message], Awaitable[None]]
Application: TypeAlias = Callable[[Any, Any, Any], Awaitable[None]]
"""Frameworks type their scopes and messages each in their own way, so any will do."""

__all__ = ["Guard", "Mode", "nonce"]

_NONCE = "strictly_necessary.nonce"
_PAGES = frozenset({"http.response.start", "websocket.http.response.start"})
_BEGINNINGS = _PAGES | {"websocket.accept"}
_DESTINATION = b"sec-fetch-dest"
_DESTINATION_LENGTH = len(_DESTINATION)
_COOKIE_LENGTH = len(b"cookie")
_REPORT_SECONDS = 5.0


class Guard:
    """Lets only declared cookies in and out, and adds the security headers of the declaration.

    - `enforce` (production): what is not declared is removed, and reported.
    - `raise` (development and tests): as `enforce`, and what the application sends against its declaration raises
      `GuardError`, in the application, and once more when that has caught it. Only an answer of 500 or more may follow.
    - `report` (a first look at an existing site): nothing is changed; the CSP goes out as report-only.

    `on_finding` is called with each finding; without it, each is logged once. What a browser sends never raises. With
    `nonces`, the CSP allows inline scripts and styles that carry `nonce(scope)`, a new one for each response.

    The guard answers at its own addresses below `/.well-known/cookie-`, such as the browser guard, and refuses workers
    that the browser guard has not started; without `browser_guard` it does neither.
    """

    def __init__(
        self,
        app: Application,
        declaration: Declaration,
        *,
        mode: Mode = "enforce",
        on_finding: Reporter | None = None,
        nonces: bool = False,
        browser_guard: bool = True,
        watch: Watch | None = None,
    ) -> None:
        self._app = app
        self._checkpoint = Checkpoint(
            declaration, mode=mode, on_finding=on_finding, nonces=nonces, reports=browser_guard, watch=watch
        )
        self._serving = Serving(declaration, self._checkpoint) if browser_guard else None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in {"http", "websocket"}:
            await self._app(scope, receive, send)
            return
        checkpoint = self._checkpoint
        path, mount = _place(scope)
        scope, is_worker = self._incoming(scope)
        if self._serving is not None and scope["type"] == "http":
            query = scope.get("query_string") or b""
            if is_worker or self._serving.is_ours(path[len(mount) :], query):
                answer = await _answer(self._serving, scope, path, mount, query, receive)
                if answer is not None:
                    await _send(answer, send)
                    return
        nonce = checkpoint.nonce()
        if nonce is not None:
            scope = {**scope, _NONCE: nonce}
        refused: GuardError | None = None

        async def guarded_send(message: Message) -> None:
            nonlocal refused
            kind = message["type"]
            try:
                # A framework that catches the error may tell of a fault; any other answer would hide it.
                if refused is not None and kind in _BEGINNINGS and message.get("status", 0) < 500:
                    raise refused
                if kind in _PAGES:
                    message = {**message, "headers": checkpoint.outgoing(message.get("headers") or (), path, nonce)}
                elif kind == "http.response.early_hint":
                    message = {**message, "links": checkpoint.lines_out(message["links"], path)}
                elif message.get("headers"):
                    message = {**message, "headers": checkpoint.cookies_out(message["headers"], path)}
            except GuardError as error:
                refused = error
                raise
            await send(message)

        await self._app(scope, receive, guarded_send)
        if refused is not None:
            raise refused

    def _incoming(self, scope: Scope) -> tuple[Scope, bool]:
        """The scope with the Cookie header that the application may see, and whether a browser says that it asks for a
        worker."""
        headers = scope["headers"]
        if not isinstance(headers, list | tuple):  # anything that can be read once
            headers = list(headers)
            scope = {**scope, "headers": headers}
        cookies = []
        is_worker = False
        for name, value in headers:
            # ASGI asks servers for lower case. A server that forgets it must not open a way around the guard.
            length = len(name)
            if length == _COOKIE_LENGTH and name.lower() == b"cookie":
                cookies.append(value)
            elif length == _DESTINATION_LENGTH and value.endswith(b"worker") and name.lower() == _DESTINATION:
                is_worker = True
        allowed = self._checkpoint.incoming(cookies) if cookies else None
        if allowed is None:
            return scope, is_worker
        rest = [pair for pair in headers if len(pair[0]) != _COOKIE_LENGTH or pair[0].lower() != b"cookie"]
        if allowed:
            rest.append((b"cookie", allowed))
        return {**scope, "headers": rest}, is_worker


def _place(scope: Scope) -> tuple[str, str]:
    """The path that was asked for, and what of it leads to the application. `root_path` is to stand in front of
    `path`, says the specification; not every server has read it."""
    path: str = scope["path"]
    root = (scope.get("root_path") or "").rstrip("/")
    if root and path != root and not path.startswith(root + "/"):
        path = root + path
    return path, root


def nonce(scope: Scope) -> str:
    """The nonce for inline scripts and styles of this response. Raises KeyError unless the guard was given `nonces`."""
    return str(scope[_NONCE])


async def _answer(
    serving: Serving, scope: Scope, path: str, mount: str, query: bytes, receive: Receive
) -> Answer | None:
    headers = {name.lower(): value for name, value in scope["headers"]}
    wants_body = path == mount + REPORT_PATH and scope["method"] == "POST"
    body = await _report(receive) if wants_body else b""
    return serving.answer(scope["method"], path, query, headers, body, mount=mount)


async def _report(receive: Receive) -> bytes:
    """A little more than the longest report at most, of what arrives in time."""
    body = b""
    try:
        asyncio.get_running_loop()
        deadline: contextlib.AbstractAsyncContextManager[object] = asyncio.timeout(_REPORT_SECONDS)
    except RuntimeError:  # another kind of event loop, such as trio's
        deadline = contextlib.nullcontext()
    with contextlib.suppress(TimeoutError):
        async with deadline:
            while len(body) <= LONGEST_REPORT:
                message = await receive()
                body += message.get("body", b"")[: LONGEST_REPORT + 1]
                if not message.get("more_body"):
                    break
    return body


async def _send(answer: Answer, send: Send) -> None:
    await send({"type": "http.response.start", "status": answer.status, "headers": list(answer.headers)})
    await send({"type": "http.response.body", "body": answer.body})
