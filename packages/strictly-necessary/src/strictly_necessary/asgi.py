"""The guard for ASGI applications: the outermost layer, in front of everything that reads or sets a cookie."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any, TypeAlias

from strictly_necessary._checkpoint import Checkpoint, Mode, Reporter
from strictly_necessary._findings import GuardError
from strictly_necessary._guarding import Watch
from strictly_necessary.declaration import Declaration

Scope: TypeAlias = MutableMapping[str, Any]
Message: TypeAlias = MutableMapping[str, Any]
Receive: TypeAlias = Callable[[], Awaitable[Message]]
Send: TypeAlias = Callable[[Message], Awaitable[None]]
Application: TypeAlias = Callable[[Scope, Receive, Send], Awaitable[None]]
__all__ = ["Guard", "Mode", "nonce"]

_NONCE = "strictly_necessary.nonce"
_PAGES = frozenset({"http.response.start", "websocket.http.response.start"})
_BEGINNINGS = _PAGES | {"websocket.accept"}


class Guard:
    """Lets only declared cookies in and out, and adds the security headers of the declaration.

    - `enforce` (production): what is not declared is removed, and reported.
    - `raise` (development and tests): as `enforce`, and what the application sends against its declaration raises
      `GuardError`, in the application, and once more when that has caught it. Only an answer of 500 or more may follow.
    - `report` (a first look at an existing site): nothing is changed; the CSP goes out as report-only.

    `on_finding` is called with each finding; without it, each is logged once. What a browser sends never raises. With
    `nonces`, the CSP allows inline scripts and styles that carry `nonce(scope)`, a new one for each response.
    """

    def __init__(
        self,
        app: Application,
        declaration: Declaration,
        *,
        mode: Mode = "enforce",
        on_finding: Reporter | None = None,
        nonces: bool = False,
        watch: Watch | None = None,
    ) -> None:
        self._app = app
        self._checkpoint = Checkpoint(declaration, mode=mode, on_finding=on_finding, nonces=nonces, watch=watch)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in {"http", "websocket"}:
            await self._app(scope, receive, send)
            return
        checkpoint = self._checkpoint
        path = scope["path"]
        scope = self._incoming(scope)
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
                    message = {**message, "links": checkpoint.lines_out(message["links"])}
                elif message.get("headers"):
                    message = {**message, "headers": checkpoint.cookies_out(message["headers"])}
            except GuardError as error:
                refused = error
                raise
            await send(message)

        await self._app(scope, receive, guarded_send)
        if refused is not None:
            raise refused

    def _incoming(self, scope: Scope) -> Scope:
        """The scope with the Cookie header that the application may see."""
        headers = scope["headers"]
        if not isinstance(headers, list | tuple):  # anything that can be read once
            headers = list(headers)
            scope = {**scope, "headers": headers}
        cookies = [value for name, value in headers if _is_cookie(name)]
        if not cookies:
            return scope
        allowed = self._checkpoint.incoming(cookies)
        if allowed is None:
            return scope
        rest = [(name, value) for name, value in headers if not _is_cookie(name)]
        if allowed:
            rest.append((b"cookie", allowed))
        return {**scope, "headers": rest}


def nonce(scope: Scope) -> str:
    """The nonce for inline scripts and styles of this response. Raises KeyError unless the guard was given `nonces`."""
    return str(scope[_NONCE])


def _is_cookie(name: bytes) -> bool:
    # ASGI asks servers for lower case. A server that forgets it must not open a way around the guard.
    return len(name) == 6 and name.lower() == b"cookie"
