"""One server for many hosts: the sites of all tricks, and the companies that their pages call.

What a browser asks for is found by the name of the host that it believes to talk to. Nothing here knows of the audit.
"""

from __future__ import annotations

import base64
import hashlib
import re
import secrets
import struct
import sys
import threading
import zlib
from collections.abc import Callable, Iterable, Mapping
from http.cookies import SimpleCookie
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

GIF = base64.b64decode("R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7")
TYPES = {
    "js": "text/javascript",
    "css": "text/css",
    "gif": "image/gif",
    "png": "image/png",
    "wav": "audio/wav",
    "json": "application/json",
    "txt": "text/plain",
    "events": "text/event-stream",
}
SHELL = '<!doctype html><html lang="en"><meta charset="utf-8"><title>Shop</title><link rel="icon" href="data:,">'
_TOKEN = re.compile(r"\{\{(random|etag|site|query|cookie)(?: ([\w-]+))?\}\}")

Raw = Callable[["Handler"], None]
"""An answer that is no HTTP, or no good one: it writes to the connection itself."""


def picture() -> bytes:
    """A PNG of 64 × 64 pixels with a gradient: something to draw, with no letter in it."""
    rows = b"".join(b"\0" + bytes(channel for x in range(64) for channel in (x * 4, y * 4, 128)) for y in range(64))

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    head = struct.pack(">IIBBBBB", 64, 64, 8, 2, 0, 0, 0)
    parts = chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + parts


def sound() -> bytes:
    """A tenth of a second of a tone as WAV."""
    samples = b"".join(struct.pack("<h", (i % 80 - 40) * 200) for i in range(800))
    head = struct.pack("<IHHIIHH", 16, 1, 1, 8000, 16000, 2, 16)
    return (
        b"RIFF"
        + struct.pack("<I", 36 + len(samples))
        + b"WAVEfmt "
        + head
        + b"data"
        + struct.pack("<I", len(samples))
        + samples
    )


BINARY = {"gif": GIF, "png": picture(), "wav": sound()}


class Handler(BaseHTTPRequestHandler):
    """One connection."""

    protocol_version = "HTTP/1.1"
    timeout = 30
    server: Site

    def handle_one_request(self) -> None:
        try:
            super().handle_one_request()
        except OSError:  # the browser went away
            self.close_connection = True

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - its name in the standard library
        return

    def _answer(self) -> None:
        length = int(self.headers.get("Content-Length") or 0)
        if length:
            self.rfile.read(length)
        host = (self.headers.get("Host") or "").partition(":")[0].lower()
        url = urlsplit(self.path)
        self.server.asked.append((host, url.path))
        raw = self.server.raw.get((host, url.path))
        if raw is not None:
            self.close_connection = True
            raw(self)
            return
        method = "GET" if self.command == "HEAD" else self.command
        page = self.server.pages.get((method, host, url.path))
        if page is None:
            self._send(404, ["Content-Type: text/plain"], b"not here")
        elif page.socket:
            self._shake_hands(page)
        else:
            self._send_page(page, host, url.path, url.query)

    do_GET = do_POST = do_HEAD = do_OPTIONS = _answer  # noqa: N815 - names that the standard library looks for

    def _send_page(self, page: Any, host: str, path: str, query: str) -> None:
        fill = self._filler(host, query)
        headers = [fill(line) for line in page.headers]
        to = page.to
        if "Cookie" not in self.headers:
            headers += [fill(line) for line in page.first]
            to = page.strangers_to or to
        kept = self.headers.get("If-None-Match")
        if kept and any(line.lower() == f"etag: {kept}".lower() for line in headers):
            self._send(304, headers, None)
            return
        if to is not None:
            self._send(302, [f"Location: {fill(to)}", *headers], b"")
            return
        ending = path.rpartition(".")[2] if "." in path.rpartition("/")[2] else "html"
        content_type = TYPES.get(ending, "text/html; charset=utf-8")
        if not any(line.lower().startswith("content-type:") for line in headers):
            headers.append(f"Content-Type: {content_type}")
        if not any(line.lower().startswith("cache-control:") for line in headers) and ending not in BINARY:
            headers.append("Cache-Control: no-cache")
        body = BINARY[ending] if ending in BINARY else fill(page.body).encode()
        if ending == "html" and not page.body.startswith("<!doctype"):
            body = SHELL.encode() + body
        # Pages of the tricks call other sites by fetch; what they may read of the answer is not the point.
        origin = self.headers.get("Origin")
        if origin:
            headers += [f"Access-Control-Allow-Origin: {origin}", "Access-Control-Allow-Credentials: true"]
        self._send(page.status, headers, body)

    def _filler(self, host: str, query: str) -> Callable[[str], str]:
        new = secrets.token_hex(12)
        known = (self.headers.get("If-None-Match") or "").removeprefix("W/").strip('"')
        asked = parse_qs(query)
        cookies = SimpleCookie(self.headers.get("Cookie") or "")

        def token(found: re.Match[str]) -> str:
            what, name = found[1], found[2]
            if what == "query":
                return asked.get(name, [""])[0]
            if what == "cookie":
                return cookies[name].value if name in cookies else new
            return {"random": new, "etag": known or new, "site": host}[what]

        return lambda text: _TOKEN.sub(token, text)

    def _send(self, status: int, headers: Iterable[str], body: bytes | None) -> None:
        self.send_response(status)
        for line in headers:
            name, _, value = line.partition(":")
            self.send_header(name, value.strip())
        if body is not None:
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if body and self.command != "HEAD":
            self.wfile.write(body)

    def _shake_hands(self, page: Any) -> None:
        """RFC 6455 section 4.2.2; then the other side talks, until it goes."""
        key = self.headers.get("Sec-WebSocket-Key") or ""
        digest = hashlib.sha1(f"{key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11".encode(), usedforsecurity=False).digest()
        fill = self._filler("", "")
        self.send_response(101)
        for line in ("Upgrade: websocket", "Connection: Upgrade", *(fill(line) for line in page.headers)):
            name, _, value = line.partition(":")
            self.send_header(name, value.strip())
        self.send_header("Sec-WebSocket-Accept", base64.b64encode(digest).decode())
        self.end_headers()
        self.close_connection = True
        while self.rfile.read1(4096):
            pass


class Site(ThreadingHTTPServer):
    """The running server. `asked` are host and path of every request, in order."""

    daemon_threads = True
    block_on_close = False
    request_queue_size = 128

    def __init__(
        self, pages: Mapping[tuple[str, str, str], Any], raw: Mapping[tuple[str, str], Raw] | None = None
    ) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.pages = pages
        self.raw = raw or {}
        self.asked: list[tuple[str, str]] = []
        self.broken: list[BaseException] = []
        self.address = f"127.0.0.1:{self.server_port}"

    def handle_error(self, request: object, client_address: object) -> None:
        """Keeps what is wrong with the server itself for the test to tell."""
        error = sys.exc_info()[1]
        if error is not None and not isinstance(error, OSError):
            self.broken.append(error)

    def __enter__(self) -> Site:
        threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.1}, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self.shutdown()
        self.server_close()
