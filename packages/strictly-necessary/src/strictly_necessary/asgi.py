"""The guard for ASGI applications: the outermost layer, in front of everything that reads or sets a cookie."""

from __future__ import annotations

import asyncio
import contextlib
import inspect
import sys
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from typing import Any, TypeAlias, TypeVar

from strictly_necessary._findings import GuardError
from strictly_necessary._guard.checkpoint import Checkpoint, Mode, Reporter
from strictly_necessary._guard.desk import LONGEST_FORM, Desk, unavailable
from strictly_necessary._guard.gate import Gate, Pass, signals, silence, ticket_in
from strictly_necessary._guard.roster import Policy, Roster
from strictly_necessary._guard.serving import Answer, Serving
from strictly_necessary._guard.ticket import Ticket
from strictly_necessary._guard.watch import Watch
from strictly_necessary.browser import CONSENT_PATH, LONGEST_REPORT, REPORT_PATH
from strictly_necessary.consent._consent import Consent, Visitor

Scope: TypeAlias = MutableMapping[str, Any]
Message: TypeAlias = MutableMapping[str, Any]
Receive: TypeAlias = Callable[[], Awaitable[Message]]
Send: TypeAlias = Callable[[Message], Awaitable[None]]
Application: TypeAlias = Callable[[Any, Any, Any], Awaitable[None]]
"""Frameworks type their scopes and messages each in their own way, so any will do."""

ResultT = TypeVar("ResultT")

__all__ = ["Guard", "Mode", "consent_of", "granted", "nonce"]

_NONCE = "strictly_necessary.nonce"
_CONSENT = "strictly_necessary.consent"
_PAGES = frozenset({"http.response.start", "websocket.http.response.start"})
_BEGINNINGS = _PAGES | {"websocket.accept"}
_DESTINATION = b"sec-fetch-dest"
_DESTINATION_LENGTH = len(_DESTINATION)
_COOKIE_LENGTH = len(b"cookie")
_BODY_SECONDS = 5.0


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

    `policy` is one declaration, its `History`, or a function that returns the history and is called for each request:
    the version in force changes by the clock. What needs consent passes only with it, and only with `consent`, which
    asks and remembers; then `consent_of(scope)` tells what is granted, and people answer at `CONSENT_PATH`. Its `who`
    may be async.
    """

    def __init__(
        self,
        app: Application,
        policy: Policy,
        *,
        mode: Mode = "enforce",
        on_finding: Reporter | None = None,
        nonces: bool = False,
        browser_guard: bool = True,
        watch: Watch | None = None,
        consent: Consent | None = None,
    ) -> None:
        self._app = app
        self._roster = Roster(
            policy,
            mode=mode,
            on_finding=on_finding,
            nonces=nonces,
            browser_guard=browser_guard,
            watch=watch,
            consent=consent,
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in {"http", "websocket"}:
            await self._app(scope, receive, send)
            return
        post = self._roster.post()
        checkpoint = post.checkpoint
        path, mount = _place(scope)
        scope, is_worker, cookies = _incoming(scope, checkpoint)
        if scope["type"] == "http" and (post.serving is not None or post.desk is not None):
            own, query = path[len(mount) :], scope.get("query_string") or b""
            answer = None
            if post.desk is not None and own == CONSENT_PATH:
                answer = await _at_desk(post.desk, scope, cookies, path, mount, query, receive)
            elif post.serving is not None and (is_worker or post.serving.is_ours(own, query)):
                granted = await _granted_to(post.gate, scope, cookies)
                answer = await _answer(post.serving, scope, path, mount, query, receive, granted)
            if answer is not None:
                await _send(answer, send)
                return
        let: Pass | None = None
        if post.gate is not None:
            let = await _hear(post.gate, scope, cookies)
            checkpoint = let.checkpoint
            scope = {**_with_granted(scope, cookies, let), _CONSENT: let}
        elif post.ticket is not None:
            scope = {**scope, _CONSENT: post.ticket}
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
                    sent = message.get("headers") or ()
                    passed = let.leaving(sent, path, nonce) if let else checkpoint.outgoing(sent, path, nonce)
                    message = {**message, "headers": passed}
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


def _incoming(scope: Scope, checkpoint: Checkpoint) -> tuple[Scope, bool, list[bytes]]:
    """The scope with the Cookie header that the application may see, whether a browser says that it asks for a worker,
    and the Cookie headers that came."""
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
    allowed = checkpoint.incoming(cookies) if cookies else None
    if allowed is None:
        return scope, is_worker, cookies
    return _with_cookies(scope, allowed), is_worker, cookies


def _with_cookies(scope: Scope, allowed: bytes) -> Scope:
    """The scope with this Cookie header, or with none if it is empty."""
    rest = [pair for pair in scope["headers"] if len(pair[0]) != _COOKIE_LENGTH or pair[0].lower() != b"cookie"]
    if allowed:
        rest.append((b"cookie", allowed))
    return {**scope, "headers": rest}


def _with_granted(scope: Scope, cookies: list[bytes], let: Pass) -> Scope:
    """The scope with the cookies that need consent and have it."""
    if not (let.came.gated and let.heard.standing.granted) or let.checkpoint.mode == "report":
        return scope
    return _with_cookies(scope, let.checkpoint.passing(cookies))


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


def consent_of(scope: Scope) -> Ticket:
    """What the guard knows of consent for this request. Raises KeyError unless the guard was given `consent`."""
    return ticket_in(scope[_CONSENT])


def granted(scope: Scope, item_id: str) -> bool:
    """Whether the item may be written and read now: it needs no consent, or has it. False without `consent`."""
    return _CONSENT in scope and consent_of(scope).grants(item_id)


async def _hear(gate: Gate, scope: Scope, cookies: list[bytes]) -> Pass:
    """What holds for this request. If nobody can tell, nothing is granted: that is no reason for an error."""
    came = gate.read(cookies, signal=signals(_headers(scope).get(b"sec-gpc", b"")))
    try:
        visitor = await _visitor(gate.consent, scope)
        if visitor is None:
            heard = gate.hear(came, None)
        else:
            heard = await _in_thread(lambda: gate.hear(came, visitor))
    except Exception as error:  # noqa: BLE001 -- a site's own code may raise anything
        silence(error)
        heard = gate.unheard()
    return gate.let(came, heard)


async def _granted_to(gate: Gate | None, scope: Scope, cookies: list[bytes]) -> frozenset[str]:
    """What is granted, if a browser asks for a service worker. For all else that is ours nobody has to be asked."""
    if gate is None or _headers(scope).get(_DESTINATION) != b"serviceworker":
        return frozenset()
    return (await _hear(gate, scope, cookies)).heard.standing.granted


async def _visitor(consent: Consent, scope: Scope) -> Visitor | None:
    if consent.who is None:
        return None
    found = consent.who(scope)
    return await found if inspect.isawaitable(found) else found


async def _in_thread(call: Callable[[], ResultT]) -> ResultT:
    """What it returns, without holding up the event loop, if there is one that we know."""
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        trio = sys.modules.get("trio")  # who runs on it has imported it
        if trio is None or not trio.lowlevel.in_trio_run():
            return call()
        result: ResultT = await trio.to_thread.run_sync(call)
        return result
    return await asyncio.to_thread(call)


async def _at_desk(
    desk: Desk, scope: Scope, cookies: list[bytes], path: str, mount: str, query: bytes, receive: Receive
) -> Answer:
    headers = _headers(scope)
    try:
        visitor = await _visitor(desk.consent, scope)
    except Exception as error:  # noqa: BLE001 -- a site's own code may raise anything
        silence(error)
        return unavailable(desk, path)
    body = await _body(receive, LONGEST_FORM) if scope["method"] == "POST" else b""
    return await _in_thread(
        lambda: desk.answer(scope["method"], path, query, headers, cookies, body, visitor, mount=mount)
    )


def _headers(scope: Scope) -> Mapping[bytes, bytes]:
    """By their names in lower case. What came several times is one list (RFC 9110 section 5.3), as in WSGI."""
    found: dict[bytes, bytes] = {}
    for name, value in scope["headers"]:
        lower = name.lower()
        found[lower] = b"%s, %s" % (found[lower], value) if lower in found else value
    return found


async def _answer(
    serving: Serving,
    scope: Scope,
    path: str,
    mount: str,
    query: bytes,
    receive: Receive,
    granted: frozenset[str],
) -> Answer | None:
    wants_body = path == mount + REPORT_PATH and scope["method"] == "POST"
    body = await _body(receive, LONGEST_REPORT) if wants_body else b""
    headers = _headers(scope)
    return serving.answer(scope["method"], path, query, headers, body or b"", mount=mount, granted=granted)


async def _body(receive: Receive, longest: int) -> bytes | None:
    """A little more than the longest body at most; None for one that has not arrived in time."""
    body = b""
    try:
        asyncio.get_running_loop()
        deadline: contextlib.AbstractAsyncContextManager[object] = asyncio.timeout(_BODY_SECONDS)
    except RuntimeError:  # another kind of event loop, such as trio's
        deadline = contextlib.nullcontext()
    with contextlib.suppress(TimeoutError):
        async with deadline:
            while len(body) <= longest:
                message = await receive()
                if message["type"] != "http.request":
                    return None
                piece: bytes = message.get("body", b"")
                body += piece[: longest + 1]
                if not message.get("more_body"):
                    return body
            return body
    return None


async def _send(answer: Answer, send: Send) -> None:
    await send({"type": "http.response.start", "status": answer.status, "headers": list(answer.headers)})
    await send({"type": "http.response.body", "body": answer.body})
