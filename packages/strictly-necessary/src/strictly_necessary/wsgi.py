"""The guard for WSGI applications (PEP 3333): the outermost layer, in front of all that reads or sets a cookie."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Iterable
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, TypeAlias

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

if TYPE_CHECKING:
    from _typeshed import OptExcInfo
    from _typeshed.wsgi import StartResponse, WSGIApplication

Environ: TypeAlias = dict[str, Any]
__all__ = ["Guard", "Mode", "consent_of", "granted", "nonce"]

_NONCE = "strictly_necessary.nonce"
_CONSENT = "strictly_necessary.consent"
_ASKED = ("sec-fetch-dest", "sec-fetch-mode", "sec-fetch-site", "if-none-match", "accept-encoding")
_ASKED_AT_DESK = (
    "accept",
    "accept-language",
    "authorization",
    "content-type",
    "host",
    "origin",
    "sec-fetch-site",
    "sec-gpc",
)
_LENGTH = re.compile(r"[0-9]{1,9}")  # more digits could be zeros in front of a length that nobody wants to read


class Guard:
    """Lets only declared cookies in and out, and adds the security headers of the declaration, exactly as
    `strictly_necessary.asgi.Guard` does.

    In mode `raise`, `GuardError` comes out of `start_response`, and once more out of the guard when the application has
    caught it. The body is the application's own iterable: nothing is buffered, and `close` and `wsgi.file_wrapper` work
    as without a guard.
    """

    def __init__(
        self,
        app: WSGIApplication,
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

    def __call__(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        post = self._roster.post()
        checkpoint = post.checkpoint
        mount = environ.get("SCRIPT_NAME", "").rstrip("/")
        path = mount + environ.get("PATH_INFO", "") or "/"
        if post.desk is not None and path[len(mount) :] == CONSENT_PATH:
            return _send(_at_desk(post.desk, environ, path, mount), start_response)
        if post.serving is not None:
            query = environ.get("QUERY_STRING", "").encode("latin-1", "replace")
            is_worker = environ.get("HTTP_SEC_FETCH_DEST", "").endswith("worker")
            if is_worker or post.serving.is_ours(path[len(mount) :], query):
                answer = _answer(post.serving, environ, path, mount, query, _granted_to(post.gate, environ))
                if answer is not None:
                    return _send(answer, start_response)
        came = environ
        environ = _incoming(environ, checkpoint)
        let: Pass | None = None
        if post.gate is not None:
            let = _hear(post.gate, environ, _cookies(came))
            checkpoint = let.checkpoint
            environ = {**_with_granted(environ, _cookies(came), let), _CONSENT: let}
        elif post.ticket is not None:
            environ = {**environ, _CONSENT: post.ticket}
        nonce = checkpoint.nonce()
        if nonce is not None:
            environ = {**environ, _NONCE: nonce}
        refused: GuardError | None = None

        def guarded_start(
            status: str, headers: list[tuple[str, str]], exc_info: OptExcInfo | None = None, /
        ) -> Callable[[bytes], object]:
            nonlocal refused
            try:
                # A framework that catches the error may tell of a fault; any other answer would hide it.
                if refused is not None and not status.startswith("5"):
                    raise refused
                status = checkpoint.status_out(status, path)
                octets = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in headers]
                passed = let.leaving(octets, path, nonce) if let else checkpoint.outgoing(octets, path, nonce)
            except GuardError as error:
                refused = error
                raise
            finally:
                rest = (exc_info,) if exc_info else ()
                exc_info = None  # or the traceback would hold this frame, and this frame the traceback
            text = [(name.decode("latin-1"), value.decode("latin-1")) for name, value in passed]
            return start_response(status, text, *rest)

        body = self._app(environ, guarded_start)
        if refused is not None:  # and the application caught it: some servers would then answer 200
            close = getattr(body, "close", None)
            if close is not None:
                close()
            raise refused
        return body


def _incoming(environ: Environ, checkpoint: Checkpoint) -> Environ:
    """The environ with the Cookie header that the application may see."""
    cookies = _cookies(environ)
    allowed = checkpoint.incoming(cookies) if cookies else None
    return environ if allowed is None else _with_cookies(environ, allowed)


def _cookies(environ: Environ) -> list[bytes]:
    cookie = environ.get("HTTP_COOKIE")
    return [cookie.encode("latin-1", "replace")] if cookie else []


def _with_cookies(environ: Environ, allowed: bytes) -> Environ:
    """The environ with this Cookie header, or with none if it is empty."""
    environ = {**environ, "HTTP_COOKIE": allowed.decode("latin-1")}
    if not allowed:
        del environ["HTTP_COOKIE"]
    return environ


def _with_granted(environ: Environ, cookies: list[bytes], let: Pass) -> Environ:
    """The environ with the cookies that need consent and have it."""
    if not (let.came.gated and let.heard.standing.granted) or let.checkpoint.mode == "report":
        return environ
    return _with_cookies(environ, let.checkpoint.passing(cookies))


def nonce(environ: Environ) -> str:
    """The nonce for inline scripts and styles of this response. Raises KeyError unless the guard was given `nonces`."""
    return str(environ[_NONCE])


def consent_of(environ: Environ) -> Ticket:
    """What the guard knows of consent for this request. Raises KeyError unless the guard was given `consent`."""
    return ticket_in(environ[_CONSENT])


def granted(environ: Environ, item_id: str) -> bool:
    """Whether the item may be written and read now: it needs no consent, or has it. False without `consent`."""
    return _CONSENT in environ and consent_of(environ).grants(item_id)


def _hear(gate: Gate, environ: Environ, cookies: list[bytes]) -> Pass:
    """What holds for this request. If nobody can tell, nothing is granted: that is no reason for an error."""
    came = gate.read(cookies, signal=signals(environ.get("HTTP_SEC_GPC", "").encode("latin-1", "replace")))
    try:
        heard = gate.hear(came, _visitor(gate.consent, environ))
    except Exception as error:  # noqa: BLE001 -- a site's own code may raise anything
        silence(error)
        heard = gate.unheard()
    return gate.let(came, heard)


def _granted_to(gate: Gate | None, environ: Environ) -> frozenset[str]:
    """What is granted, if a browser asks for a service worker. For all else that is ours nobody has to be asked."""
    if gate is None or environ.get("HTTP_SEC_FETCH_DEST") != "serviceworker":
        return frozenset()
    return _hear(gate, environ, _cookies(environ)).heard.standing.granted


def _visitor(consent: Consent, environ: Environ) -> Visitor | None:
    found = consent.who(environ) if consent.who is not None else None
    if inspect.isawaitable(found):
        if inspect.iscoroutine(found):
            found.close()
        raise TypeError("the guard for WSGI cannot wait: give Consent a who that is not async")
    return found


def _at_desk(desk: Desk, environ: Environ, path: str, mount: str) -> Answer:
    try:
        visitor = _visitor(desk.consent, environ)
    except Exception as error:  # noqa: BLE001 -- a site's own code may raise anything
        silence(error)
        return unavailable(desk, path)
    method = environ["REQUEST_METHOD"]
    body = _body(environ, LONGEST_FORM) if method == "POST" else b""
    query = environ.get("QUERY_STRING", "").encode("latin-1", "replace")
    headers = _headers(environ, *_ASKED_AT_DESK)
    return desk.answer(method, _decoded(path), query, headers, _cookies(environ), body, visitor, mount=_decoded(mount))


def _headers(environ: Environ, *names: str) -> dict[bytes, bytes]:
    fields = {name: environ.get(f"HTTP_{name.upper().replace('-', '_')}", "") for name in names}
    if "content-type" in names:
        fields["content-type"] = environ.get("CONTENT_TYPE", "")
    return {name.encode(): value.encode("latin-1", "replace") for name, value in fields.items() if value}


def _answer(
    serving: Serving, environ: Environ, path: str, mount: str, query: bytes, granted: frozenset[str]
) -> Answer | None:
    headers = _headers(environ, *_ASKED)
    method = environ["REQUEST_METHOD"]
    body = _body(environ, LONGEST_REPORT) if path == mount + REPORT_PATH and method == "POST" else b""
    path, mount = _decoded(path), _decoded(mount)
    return serving.answer(method, path, query, headers, body or b"", mount=mount, granted=granted)


def _decoded(path: str) -> str:
    return path.encode("latin-1", "replace").decode("utf-8", "replace")


def _body(environ: Environ, longest: int) -> bytes | None:
    """The body, or one byte more than the longest for one that is too long; None for one that has not arrived as a
    whole. Without a length there is none: WSGI cannot tell its end."""
    length = environ.get("CONTENT_LENGTH") or ""
    if not _LENGTH.fullmatch(length):
        return b""
    if int(length) > longest:
        return b" " * (longest + 1)
    body: bytes = environ["wsgi.input"].read(int(length))
    return body if len(body) == int(length) else None


def _send(answer: Answer, start_response: StartResponse) -> Iterable[bytes]:
    headers = [(name.decode("latin-1"), value.decode("latin-1")) for name, value in answer.headers]
    start_response(f"{answer.status} {HTTPStatus(answer.status).phrase}", headers)
    return [answer.body] if answer.body else []
