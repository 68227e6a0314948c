"""The guard for WSGI applications (PEP 3333): the outermost layer, in front of all that reads or sets a cookie."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, TypeAlias

from strictly_necessary._findings import GuardError
from strictly_necessary._guard.checkpoint import Checkpoint, Mode, Reporter
from strictly_necessary._guard.serving import Answer, Serving
from strictly_necessary._guard.watch import Watch
from strictly_necessary.browser import LONGEST_REPORT, REPORT_PATH
from strictly_necessary.declaration import Declaration

if TYPE_CHECKING:
    from _typeshed import OptExcInfo
    from _typeshed.wsgi import StartResponse, WSGIApplication

Environ: TypeAlias = dict[str, Any]
__all__ = ["Guard", "Mode", "nonce"]

_NONCE = "strictly_necessary.nonce"
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

    def __call__(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        checkpoint = self._checkpoint
        mount = environ.get("SCRIPT_NAME", "").rstrip("/")
        path = mount + environ.get("PATH_INFO", "") or "/"
        if self._serving is not None:
            query = environ.get("QUERY_STRING", "").encode("latin-1", "replace")
            is_worker = environ.get("HTTP_SEC_FETCH_DEST", "").endswith("worker")
            if is_worker or self._serving.is_ours(path[len(mount) :], query):
                answer = _answer(self._serving, environ, path, mount, query)
                if answer is not None:
                    return _send(answer, start_response)
        environ = self._incoming(environ)
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
                passed = checkpoint.outgoing(octets, path, nonce)
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

    def _incoming(self, environ: Environ) -> Environ:
        """The environ with the Cookie header that the application may see."""
        cookie = environ.get("HTTP_COOKIE")
        if not cookie:
            return environ
        allowed = self._checkpoint.incoming([cookie.encode("latin-1", "replace")])
        if allowed is None:
            return environ
        environ = {**environ, "HTTP_COOKIE": allowed.decode("latin-1")}
        if not allowed:
            del environ["HTTP_COOKIE"]
        return environ


def nonce(environ: Environ) -> str:
    """The nonce for inline scripts and styles of this response. Raises KeyError unless the guard was given `nonces`."""
    return str(environ[_NONCE])


def _answer(serving: Serving, environ: Environ, path: str, mount: str, query: bytes) -> Answer | None:
    names = ("sec-fetch-dest", "sec-fetch-mode", "sec-fetch-site", "if-none-match", "accept-encoding")
    fields = {name: environ.get(f"HTTP_{name.upper().replace('-', '_')}", "") for name in names}
    headers = {name.encode(): value.encode("latin-1", "replace") for name, value in fields.items() if value}
    method = environ["REQUEST_METHOD"]
    body = _report(environ) if path == mount + REPORT_PATH and method == "POST" else b""
    return serving.answer(method, _decoded(path), query, headers, body, mount=_decoded(mount))


def _decoded(path: str) -> str:
    return path.encode("latin-1", "replace").decode("utf-8", "replace")


def _report(environ: Environ) -> bytes:
    """A little more than the longest report at most. Without a length there is none: WSGI cannot tell its end."""
    length = environ.get("CONTENT_LENGTH") or ""
    if not _LENGTH.fullmatch(length) or int(length) > LONGEST_REPORT:
        return b""
    body: bytes = environ["wsgi.input"].read(int(length))
    return body


def _send(answer: Answer, start_response: StartResponse) -> Iterable[bytes]:
    headers = [(name.decode("latin-1"), value.decode("latin-1")) for name, value in answer.headers]
    start_response(f"{answer.status} {HTTPStatus(answer.status).phrase}", headers)
    return [answer.body] if answer.body else []
