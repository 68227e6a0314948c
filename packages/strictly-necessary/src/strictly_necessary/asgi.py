"""The guard for ASGI applications: the outermost layer, in front of everything that reads or sets a cookie."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any, Literal, TypeAlias

from strictly_necessary._findings import GuardError, GuardFinding
from strictly_necessary._guarding import Watch
from strictly_necessary.declaration import Declaration
from strictly_necessary.headers import security_headers

Scope: TypeAlias = MutableMapping[str, Any]
Message: TypeAlias = MutableMapping[str, Any]
Receive: TypeAlias = Callable[[], Awaitable[Message]]
Send: TypeAlias = Callable[[Message], Awaitable[None]]
Application: TypeAlias = Callable[[Scope, Receive, Send], Awaitable[None]]
Header: TypeAlias = tuple[bytes, bytes]
__all__ = ["Guard", "Mode"]

Mode: TypeAlias = Literal["raise", "enforce", "report"]

_MODES = ("raise", "enforce", "report")
_PAGES = frozenset({"http.response.start", "websocket.http.response.start"})
_WITH_HEADERS = _PAGES | {"websocket.accept", "http.response.trailers"}
_MOST_LOGGED = 1000


class Guard:
    """Lets only declared cookies in and out, and adds the security headers that the application did not set itself.

    - `enforce` (production): what is not declared is removed, and reported.
    - `raise` (development and tests): as `enforce`, and a Set-Cookie that is not as declared raises `GuardError`.
    - `report` (a first look at an existing site): nothing is changed; the CSP goes out as report-only.

    `on_finding` is called with each finding; without it, each is logged once. What a browser sends never raises.
    """

    def __init__(
        self,
        app: Application,
        declaration: Declaration,
        *,
        mode: Mode = "enforce",
        on_finding: Callable[[GuardFinding], None] | None = None,
        watch: Watch | None = None,
    ) -> None:
        if mode not in _MODES:
            raise ValueError(f"mode is one of {', '.join(_MODES)}, not {mode!r}")
        self._app = app
        self._mode = mode
        self._watch = watch or Watch(declaration)
        self._on_finding = on_finding or _log_once()
        headers = security_headers(declaration.third_parties)
        if mode == "report":
            headers = {"content-security-policy-report-only": headers["content-security-policy"]}
        self._headers = [(name.encode(), value.encode()) for name, value in headers.items()]
        self._names = frozenset(name for name, _ in self._headers)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in {"http", "websocket"}:
            await self._app(scope, receive, send)
            return

        async def guarded_send(message: Message) -> None:
            kind = message["type"]
            if kind in _WITH_HEADERS:
                message["headers"] = self._outgoing(message.get("headers") or (), is_page=kind in _PAGES)
            await send(message)

        await self._app(self._incoming(scope), receive, guarded_send)

    def _incoming(self, scope: Scope) -> Scope:
        """The scope with the Cookie header that the application may see."""
        headers = scope["headers"]
        cookies = [value for name, value in headers if _is_cookie(name)]
        if not cookies:
            return scope
        came = cookies[0] if len(cookies) == 1 else b"; ".join(cookies)
        allowed, findings = self._watch.request(came)
        for finding in findings:
            self._on_finding(finding)
        if self._mode == "report" or (allowed is came and len(cookies) == 1):
            return scope
        rest = [(name, value) for name, value in headers if not _is_cookie(name)]
        if allowed:
            rest.append((b"cookie", allowed))
        return {**scope, "headers": rest}

    def _outgoing(self, headers: Any, *, is_page: bool) -> list[Header]:
        """The headers that may leave. Raises `GuardError` in mode `raise`."""
        passed: list[Header] = []
        names: set[bytes] = set()
        for name, value in headers:
            lower = name.lower()
            if lower == b"set-cookie" and (findings := self._watch.response(value)):
                for finding in findings:
                    self._on_finding(finding)
                if self._mode == "raise":
                    raise GuardError(findings)
                if self._mode == "enforce":
                    continue
            names.add(lower)
            passed.append((name, value))
        if is_page:
            if names.isdisjoint(self._names):
                passed += self._headers
            else:
                passed += [header for header in self._headers if header[0] not in names]
        return passed


def _is_cookie(name: bytes) -> bool:
    # ASGI asks servers for lower case. A server that forgets it must not open a way around the guard.
    return len(name) == 6 and name.lower() == b"cookie"


def _log_once() -> Callable[[GuardFinding], None]:
    """A reporter that logs each finding the first time, and nothing after a thousand different ones."""
    logger = logging.getLogger("strictly_necessary")
    logged: set[tuple[str, str]] = set()

    def report(finding: GuardFinding) -> None:
        key = (finding.code, finding.cookie)
        if key not in logged and len(logged) < _MOST_LOGGED:
            logged.add(key)
            logger.warning("%s", finding)

    return report
