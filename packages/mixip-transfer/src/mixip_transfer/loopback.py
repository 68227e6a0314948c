"""The loopback listener that the browser comes back to (RFC 8252 section 7.3)."""

from __future__ import annotations

import base64
import hashlib
import hmac
import queue
import socketserver
import threading
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler
from types import TracebackType
from typing import Any, Self
from urllib.parse import parse_qs, urlsplit

_STYLE = (
    ":root{color-scheme:light dark}"  # on the root: a body of its own would stay on a white canvas
    "body{font:1.1rem/1.5 system-ui,sans-serif;max-width:32rem;margin:20vh auto 0;padding:0 1.5rem}"
    "h1{font-size:1.5rem}"
)
_STYLE_HASH = base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()
_PAGE = (
    '<!doctype html><html lang="en"><meta charset="utf-8">'
    '<meta name="viewport" content="width=device-width,initial-scale=1">'
    "<title>{title} · Mix-IP</title><style>{style}</style><main><h1>{title}</h1><p>{text}</p></main></html>"
)
_TEXTS = {
    "code": ("You can go back", "Your answer has reached the Pro Transfer App. You can close this page."),
    "refused": ("Sign-in refused", "The Pro Transfer App was not signed in. You can close this page."),
    "strange": (
        "Not this sign-in",
        "This answer does not belong to the sign-in that is waiting. Start it again in the Pro Transfer App.",
    ),
}


@dataclass(frozen=True, slots=True)
class Answer:
    """What the browser brought, for the right `state`; empty text for what was missing."""

    code: str
    error: str
    iss: str


class Listener:
    """Listens on 127.0.0.1 on a free port while it is open.

    Only an answer with the right `state` counts. Others get a page that says so and change nothing, so that no other
    page in the browser can break the sign-in.
    """

    def __init__(self, state: str) -> None:
        self._answers: queue.SimpleQueue[Answer] = queue.SimpleQueue()
        answers = self._answers

        class Handler(_CallbackHandler):
            def bring(self, query: dict[str, list[str]]) -> str:
                def first(field: str) -> str:
                    return query.get(field, [""])[0]

                if not hmac.compare_digest(first("state").encode(), state.encode()):
                    return "strange"
                answers.put(Answer(first("code"), first("error"), first("iss")))
                return "refused" if first("error") else "code"

        # One thread per connection: browsers open connections ahead of time and send nothing on them.
        self._server = _Server(("127.0.0.1", 0), Handler)
        self._port = self._server.server_address[1]
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        self._server.shutdown()
        self._server.server_close()

    @property
    def redirect_uri(self) -> str:
        return f"http://127.0.0.1:{self._port}/callback"

    def answer(self, seconds: float) -> Answer | None:
        """The first answer with the right state; None when there is none within `seconds`."""
        try:
            return self._answers.get(timeout=seconds)
        except queue.Empty:
            return None


class _Server(socketserver.ThreadingTCPServer):
    daemon_threads = True
    block_on_close = False

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing: a browser that closes a connection early is no news to the person."""


class _CallbackHandler(BaseHTTPRequestHandler):
    timeout = 10
    server_version = "mixip-transfer"
    sys_version = ""

    def bring(self, query: dict[str, list[str]]) -> str:
        raise NotImplementedError

    def do_GET(self) -> None:
        parts = urlsplit(self.path)
        host, port = self.server.server_address[0], self.server.server_address[1]  # type: ignore[index]
        if parts.path != "/callback" or self.headers.get("Host") != f"{host!s}:{port}":
            self._answer(404, "strange")
            return
        outcome = self.bring(parse_qs(parts.query, keep_blank_values=True))
        self._answer(400 if outcome == "strange" else 200, outcome)

    def log_message(self, *_: object) -> None:
        """Log nothing: the address holds the code."""

    def _answer(self, status: int, outcome: str) -> None:
        title, text = _TEXTS[outcome]
        body = _PAGE.format(title=title, text=text, style=_STYLE).encode()
        self.send_response(status)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Cache-Control", "no-store")
        self.send_header("Connection", "close")
        self.send_header("Content-Security-Policy", f"default-src 'none'; style-src 'sha256-{_STYLE_HASH}'")
        self.send_header("Referrer-Policy", "no-referrer")
        self.send_header("X-Content-Type-Options", "nosniff")
        self.end_headers()
        self.wfile.write(body)
