"""What the guards answer themselves: the browser guard, its reports, workers behind it, and the declaration."""

from __future__ import annotations

import gzip
import hashlib
import re
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import TypeAlias
from urllib.parse import quote

from strictly_necessary._guard.checkpoint import Checkpoint, Header
from strictly_necessary.browser import (
    GUARD_PATH,
    LEASE_SECONDS,
    LONGEST_REPORT,
    REPORT_PATH,
    WORKER_PARAMETER,
    gated_script,
    guard_script,
    read_report,
    version,
    worker_bootstrap,
)
from strictly_necessary.declaration import Declaration
from strictly_necessary.declaration._items import Item, Kind
from strictly_necessary.page import WELL_KNOWN, stylesheet, well_known
from strictly_necessary.versions import History, Version

STYLESHEET = "/.well-known/cookie-policy.css"

_PREFIX = "/.well-known/cookie-"
_MARK = f"{WORKER_PARAMETER}=".encode()
_WORKERS = (b"worker", b"sharedworker", b"serviceworker")
_TYPES = ("classic", "module")
_PAGES = (b"document", b"iframe", b"frame", b"embed", b"object")
_FRESH = (b"cache-control", b"no-cache")
NO_STORE = (b"cache-control", b"no-store")
_FOR_GOOD = (b"cache-control", b"public, max-age=31536000, immutable")
_PLAIN = ((b"content-type", b"text/plain; charset=utf-8"), (b"cache-control", b"no-store"))
_JAVASCRIPT = b"text/javascript; charset=utf-8"
REPORTS_A_MINUTE = 60
_GZIP = re.compile(rb"(?:^|,)[ \t]*gzip[ \t]*(?:,|$|;(?![ \t]*q=0(?:\.0*)?[ \t]*(?:,|$)))", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Answer:
    """A whole response; the names of headers are in lower case."""

    status: int
    headers: tuple[Header, ...]
    body: bytes = b""


_VARY = (b"vary", b"sec-fetch-dest")
_UNGUARDED = Answer(403, (*_PLAIN, _VARY), b"A worker is started through the browser guard, which marks its address.\n")
_FAREWELL = Answer(
    200,
    ((b"content-type", _JAVASCRIPT), (b"cache-control", b"no-store"), _VARY),
    b"addEventListener('install', () => skipWaiting());\n"
    b"addEventListener('activate', (event) => event.waitUntil(registration.unregister()));\n",
)
"""For a service worker that is not declared: its next update removes it."""


Gated: TypeAlias = tuple[History, Version, Item, Callable[[], float]]
"""The versions, the one in force, the cookie that remembers answers, and what tells how many seconds the version is to
hold, as far as is known."""


class Limiter:
    """A token bucket: `limit` at once, and `limit` in so many seconds. `now` tells the time in seconds and never runs
    back."""

    def __init__(self, limit: int, *, seconds: float = 60, now: Callable[[], float] = time.monotonic) -> None:
        self._limit = limit
        self._seconds = seconds
        self._now = now
        self._left = float(limit)
        self._at = now()

    def allows(self) -> bool:
        """Whether there is one left; it is then taken."""
        now = self._now()
        self._left = min(self._limit, self._left + (now - self._at) * self._limit / self._seconds)
        self._at = now
        if self._left < 1:
            return False
        self._left -= 1
        return True


class Limiters:
    """A limiter for each name. Only the `most` names that came last are known."""

    def __init__(self, limit: int, *, seconds: float, most: int = 10_000) -> None:
        self._limit = limit
        self._seconds = seconds
        self._most = most
        self._known: OrderedDict[str, Limiter] = OrderedDict()
        self._lock = threading.Lock()

    def allows(self, name: str) -> bool:
        """Whether there is one left for this name; it is then taken."""
        with self._lock:
            limiter = self._known.pop(name, None) or Limiter(self._limit, seconds=self._seconds)
            self._known[name] = limiter
            if len(self._known) > self._most:
                self._known.popitem(last=False)
            return limiter.allows()


class _Document:
    """A text that is served as it is, or compressed for whom that is smaller."""

    def __init__(self, text: bytes, media_type: bytes, *more: Header) -> None:
        self.text = text
        self._compressed = gzip.compress(text, mtime=0)
        self._tag = hashlib.sha256(text).hexdigest()[:32].encode()
        self._headers = ((b"content-type", media_type), (b"vary", b"accept-encoding"), *more)

    def answer(self, method: str, headers: Mapping[bytes, bytes], cache: Header = _FRESH) -> Answer:
        if method not in {"GET", "HEAD"}:
            return Answer(405, (*_PLAIN, (b"allow", b"GET, HEAD"), (b"content-length", b"0")))
        small = _GZIP.search(headers.get(b"accept-encoding", b"")) is not None
        tag = (b"etag", b'"%s%s"' % (self._tag, b"-gzip" if small else b""))
        if tag[1] in headers.get(b"if-none-match", b""):
            return Answer(304, (tag, cache, (b"vary", b"accept-encoding")))
        body = self._compressed if small else self.text
        encoding = ((b"content-encoding", b"gzip"),) if small else ()
        length = (b"content-length", str(len(body)).encode())
        return Answer(200, (*self._headers, *encoding, tag, cache, length), b"" if method == "HEAD" else body)


class Serving:
    """What a guard with this declaration and this checkpoint answers before the application is asked.

    `is_ours` is for every request and takes a fraction of a microsecond; only if it says so, or a browser asks for a
    worker, is `answer` to be asked. Reports go to the checkpoint's `on_finding`, as many as the `limiter` allows.

    `gated` is for a version in which something needs consent, and a guard that asks for it.
    """

    def __init__(
        self,
        declaration: Declaration,
        checkpoint: Checkpoint,
        *,
        limiter: Limiter | None = None,
        gated: Gated | None = None,
    ) -> None:
        self._declaration = declaration
        self._checkpoint = checkpoint
        self._limiter = limiter or Limiter(REPORTS_A_MINUTE)
        self._blocks = checkpoint.mode != "report"
        self._gated = gated
        script = guard_script(declaration, block=self._blocks)
        self._version = None if gated else version(script).encode()
        self._lent: dict[int, _Document] = {}
        self._documents = {
            GUARD_PATH: _Document(script.encode(), _JAVASCRIPT),
            WELL_KNOWN: _Document(well_known(declaration), b"application/json"),
            STYLESHEET: _Document(stylesheet().encode(), b"text/css; charset=utf-8"),
        }

    def is_ours(self, path: str, query: bytes) -> bool:
        """Whether `answer` is to be asked."""
        return path.startswith(_PREFIX) or _MARK in query

    def answer(
        self,
        method: str,
        path: str,
        query: bytes,
        headers: Mapping[bytes, bytes],
        body: bytes = b"",
        *,
        mount: str = "",
        granted: frozenset[str] = frozenset(),
    ) -> Answer | None:
        """The whole response with its security headers, or None if the application is to answer. `path` is decoded and
        begins with `mount`, the path at which the application lies; the names in `headers` are in lower case. Of `body`
        at most `LONGEST_REPORT` + 1 bytes are needed, for a POST to `REPORT_PATH`. `granted` are the items that
        have consent: they count where a service worker is asked for."""
        found = self._find(method, path, mount, query, headers, body, granted)
        if found is None:
            return None
        own = {name for name, _ in found.headers}
        rest = [pair for pair in self._checkpoint.security(path) if pair[0] not in own]
        return replace(found, headers=(*found.headers, *rest))

    def _find(
        self,
        method: str,
        path: str,
        mount: str,
        query: bytes,
        headers: Mapping[bytes, bytes],
        body: bytes,
        granted: frozenset[str],
    ) -> Answer | None:
        own_path = path[len(mount) :]
        if own_path == REPORT_PATH:
            return self._take_report(method, headers, body)
        if own_path == GUARD_PATH and self._gated is not None:
            return self._lent_guard(self._gated).answer(method, headers, NO_STORE)
        if own_path in self._documents:
            cache = _FOR_GOOD if own_path == GUARD_PATH and query == self._version else _FRESH
            return self._documents[own_path].answer(method, headers, cache)
        mark = _mark(query)
        destination, mode = headers.get(b"sec-fetch-dest"), headers.get(b"sec-fetch-mode")
        may_serve = destination != b"serviceworker" or self._may_serve(path, granted)
        if mark is not None and method in {"GET", "HEAD"}:
            return self._start_worker(method, path, mount, query, headers, mark) if may_serve else _UNGUARDED
        # The main script of a worker that no guard has started: what a worker imports comes with another mode.
        if not self._blocks or destination not in _WORKERS or mode != b"same-origin":
            return None
        if destination != b"serviceworker":
            return _UNGUARDED
        # It was registered before the guard came, and now looks for its update.
        if not may_serve:
            return _FAREWELL
        return self._start_worker(method, path, mount, query, headers, "classic")

    def _lent_guard(self, gated: Gated) -> _Document:
        """The browser guard with the lease that it has now: the usual one, or none in the last moments of a version, in
        which pages have to ask how long it is. It is never kept by a browser, so whoever runs it has just asked."""
        history, version, choice, left = gated
        seconds = LEASE_SECONDS if left() > LEASE_SECONDS else 0
        if seconds not in self._lent:
            script = gated_script(history, version, choice, seconds=seconds, block=self._blocks)
            self._lent[seconds] = _Document(script.encode(), _JAVASCRIPT)
        return self._lent[seconds]

    def _take_report(self, method: str, headers: Mapping[bytes, bytes], body: bytes) -> Answer:
        if method != "POST":
            return Answer(405, (*_PLAIN, (b"allow", b"POST"), (b"content-length", b"0")))
        from_us = headers.get(b"sec-fetch-site", b"same-origin") == b"same-origin"
        if from_us and len(body) <= LONGEST_REPORT and self._limiter.allows():
            finding = read_report(body)
            if finding is not None:
                self._checkpoint.on_finding(finding)
        return Answer(204, ((b"cache-control", b"no-store"),))

    def _start_worker(
        self, method: str, path: str, mount: str, query: bytes, headers: Mapping[bytes, bytes], mark: str
    ) -> Answer:
        """The start of a worker, or a refusal: an address with our mark is never the application's to answer, because
        its answer could be kept and start the worker without us."""
        destination = headers.get(b"sec-fetch-dest")
        # Browsers say it on https and localhost only. Nobody gains by the answer: it is ours, and public.
        if mark not in _TYPES or destination in _PAGES:
            return _UNGUARDED
        own = quote(path, safe="/:@!$&'()*+,;=-._~", errors="replace")
        if rest := b"&".join(part for part in query.split(b"&") if not part.startswith(_MARK)):
            own += "?" + quote(rest, safe="/:@!$&'()*+,;=-._~?%[]")
        try:
            bootstrap = worker_bootstrap(own, module=mark == "module", guard=mount + GUARD_PATH).encode()
        except ValueError:
            return _UNGUARDED
        script = self._lent_guard(self._gated) if self._gated else self._documents[GUARD_PATH]
        guard = b"" if mark == "module" else script.text
        return _Document(guard + bootstrap, _JAVASCRIPT, _VARY).answer(method, headers)

    def _may_serve(self, path: str, granted: frozenset[str]) -> bool:
        """Whether this script may be a service worker."""
        item = self._declaration.match(Kind.SERVICE_WORKER, path)
        declared = item is not None and (self._declaration.is_exempt(item) or item.id in granted)
        return declared or not self._blocks


def _mark(query: bytes) -> str | None:
    """What the browser guard says of a worker in its address, or None."""
    if _MARK not in query:
        return None
    marks = [part.removeprefix(_MARK) for part in query.split(b"&") if part.startswith(_MARK)]
    return marks[-1].decode("latin-1") if marks else None
