"""The browser guard, without a framework: the script, the addresses that belong to it, and what it reports.

`Addresses` answers for all of it; the guards for ASGI and WSGI ask it first. What the script refuses, and what no
script can refuse, is told in docs/explanation/browser-guard.md.
"""

from __future__ import annotations

import hashlib
import json
import re
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from importlib import resources
from typing import Any
from urllib.parse import quote

from strictly_necessary._findings import Direction, GuardFinding
from strictly_necessary._items import Item, Kind, SetBy
from strictly_necessary.declaration import Declaration

__all__ = [
    "GUARD_PATH",
    "REPORT_PATH",
    "Addresses",
    "Answer",
    "Limiter",
    "guard_script",
    "read_report",
    "worker_bootstrap",
]

GUARD_PATH = "/.well-known/cookie-guard.js"
REPORT_PATH = "/.well-known/cookie-report"
WORKER_PARAMETER = "strictly-guard"

LONGEST_REPORT = 4096
"""Bytes of a report; a longer one is not read."""

_OWN = frozenset({GUARD_PATH, REPORT_PATH})
_MARK = f"{WORKER_PARAMETER}=".encode()
_WORKERS = (b"worker", b"sharedworker", b"serviceworker")
_TYPES = ("classic", "module")
_MESSAGES = {
    "SN331": "{name} is not declared, and the browser guard refused it",
    "SN332": "{name} differs from its declaration in the browser, and the guard refused it",
    "SN333": "{name} stores what nobody can declare, and the browser guard refused it",
    "SN334": "{name} is a worker that is not ours, and the browser guard refused it",
}
_KINDS = frozenset(kind.value for kind in Kind) | {"worker", ""}
_PLACE = re.compile(r"(?:https?://[^/?#\s:]+(?::[0-9]{1,5})?)?/[^?#\s]*:[0-9]{1,9}:[0-9]{1,9}")
_MOST_FRAMES = 10
_LONGEST_NAME = 80
_LONGEST_PLACE = 200


# --- The script ------------------------------------------------------------------------------------------------------


def guard_script(declaration: Declaration, *, report_to: str = REPORT_PATH, block: bool = True) -> str:
    """The classic script that a page loads first. It holds what scripts may write, and nothing else of the declaration.
    With `block=False` it only reports. The same declaration always gives the same text."""
    items = [_allowed(item) for item in declaration.items if _is_for_scripts(item) and declaration.is_exempt(item)]
    rules = _javascript({"to": report_to, "block": block, "items": items})
    return _template().replace("RULES", rules)


def worker_bootstrap(path: str, *, module: bool) -> str:
    """The script that loads a worker's own script, behind the guard. `path` is a path of our own origin, with its
    query, as it stands in an address. A classic worker gets it after the text of the guard; a module loads both. Raises
    ValueError for anything that a browser might read as another origin."""
    if not re.fullmatch(r"/(?![/\\])[\x21-\x7e]*", path) or "\\" in path:
        raise ValueError("a worker's script is a path of its own origin")
    address = _javascript(path)
    return f"import {_javascript(GUARD_PATH)};\nimport {address};\n" if module else f"importScripts({address});\n"


def _is_for_scripts(item: Item) -> bool:
    return item.kind is not Kind.COOKIE or item.set_by is SetBy.SCRIPT


def _allowed(item: Item) -> list[Any]:
    """One item as guard.js reads it."""
    allowed: list[Any] = [item.kind.value, item.name, list(item.values) or 0]
    if item.kind is Kind.COOKIE:
        same_site = item.same_site.value.lower() if item.same_site else ""
        flags = ["1" if flag else "" for flag in (item.secure, item.partitioned)]
        allowed += [item.path or "", item.domain or "", same_site, *flags, item.lifetime.seconds or 0]
    return allowed


def _javascript(value: object) -> str:
    """The value as JavaScript that stands in a script and in HTML alike; `json` escapes all that is beyond ASCII."""
    return (
        json.dumps(value, separators=(",", ":")).replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")
    )


@lru_cache(maxsize=1)
def _template() -> str:
    return (resources.files("strictly_necessary") / "static" / "guard.min.js").read_text(encoding="utf-8")


# --- What it reports -------------------------------------------------------------------------------------------------


def read_report(body: bytes) -> GuardFinding | None:
    """The finding in a report, or None if it is not one of ours. Anybody can send anything: all of it is cut and
    escaped, and only names and the places of scripts are kept, never a value, an address of a page or a time."""
    if len(body) > LONGEST_REPORT:
        return None
    try:
        report = json.loads(body)
    except (ValueError, RecursionError):
        return None
    if not isinstance(report, dict):
        return None
    code, kind, name, stack = (report.get(key) for key in ("code", "kind", "name", "stack"))
    if not (isinstance(code, str) and isinstance(kind, str) and isinstance(name, str) and isinstance(stack, str)):
        return None
    if code not in _MESSAGES or kind not in _KINDS:
        return None
    shown = _shown(name, _LONGEST_NAME)
    frames = [_shown(line, _LONGEST_PLACE) for line in stack.split("\n") if _PLACE.fullmatch(line)][:_MOST_FRAMES]
    return GuardFinding(
        code=code,
        direction=Direction.BROWSER,
        message=_MESSAGES[code].replace("{name}", f'"{shown}"'),
        name=shown,
        kind=kind or None,
        script=frames[0].rsplit(":", 2)[0] if frames else None,
        stack=tuple(frames),
    )


def _shown(text: str, longest: int) -> str:
    return text[:longest].encode("unicode_escape").decode("ascii")


class Limiter:
    """A token bucket: `limit` at once, and `limit` a minute. `now` tells the time in seconds and never runs back."""

    def __init__(self, limit: int, *, now: Callable[[], float] = time.monotonic) -> None:
        self._limit = limit
        self._now = now
        self._left = float(limit)
        self._at = now()

    def allows(self) -> bool:
        """Whether there is one left; it is then taken."""
        now = self._now()
        self._left = min(self._limit, self._left + (now - self._at) * self._limit / 60)
        self._at = now
        if self._left < 1:
            return False
        self._left -= 1
        return True


# --- Our addresses ---------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Answer:
    """A whole response; the names of headers are in lower case."""

    status: int
    headers: tuple[tuple[bytes, bytes], ...]
    body: bytes = b""


_PRIVATE = ((b"x-content-type-options", b"nosniff"), (b"cross-origin-resource-policy", b"same-origin"))
_SCRIPT = (*_PRIVATE, (b"content-type", b"text/javascript; charset=utf-8"), (b"cache-control", b"no-cache"))
_PLAIN = (*_PRIVATE, (b"content-type", b"text/plain; charset=utf-8"), (b"cache-control", b"no-store"))
_UNGUARDED = Answer(403, _PLAIN, b"A worker is started through the browser guard, which marks its address.\n")


class Addresses:
    """Answers for the guard's own addresses.

    `is_ours` is for every request and takes a fraction of a microsecond; only if it says so is `answer` to be asked.
    `answer` gives None where the application answers after all. `on_finding` gets each report that is well formed, at
    most `reports_a_minute`. `starts_unguarded_worker` is for the other requests.
    """

    def __init__(
        self,
        declaration: Declaration,
        *,
        block: bool = True,
        on_finding: Callable[[GuardFinding], None] | None = None,
        reports_a_minute: int = 60,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        text = guard_script(declaration, block=block)
        self._script = text.encode()
        self._tag = _tag(self._script)
        self._on_finding = on_finding
        self._limiter = Limiter(reports_a_minute, now=now)
        self._declaration = declaration
        self._block = block

    def is_ours(self, path: str, query: bytes) -> bool:
        """Whether `answer` is to be asked."""
        return path in _OWN or _MARK in query

    def answer(
        self, method: str, path: str, query: bytes, headers: Mapping[bytes, bytes], body: bytes = b""
    ) -> Answer | None:
        """The response, or None if the application is to answer. `path` is decoded; the names in `headers` are in lower
        case. Of `body` at most `LONGEST_REPORT` + 1 bytes are needed, and only for a POST to `REPORT_PATH`."""
        if path == REPORT_PATH:
            return self._take_report(method, body)
        if path == GUARD_PATH:
            return self._give(method, headers, self._script, self._tag, _SCRIPT)
        return self._start_worker(method, path, query, headers)

    def starts_unguarded_worker(self, destination: bytes, mode: bytes, query: bytes) -> Answer | None:
        """The refusal, if this request is for the main script of a worker that no guard has started: Sec-Fetch-Dest
        names a worker and Sec-Fetch-Mode is `same-origin`, while scripts that it imports come with another mode."""
        if destination in _WORKERS and mode == b"same-origin" and self._block and _MARK not in query:
            return _UNGUARDED
        return None

    def _declares(self, path: str) -> bool:
        item = self._declaration.match(Kind.SERVICE_WORKER, path)
        return item is not None and self._declaration.is_exempt(item)

    def _take_report(self, method: str, body: bytes) -> Answer:
        if method != "POST":
            return Answer(405, (*_PLAIN, (b"allow", b"POST")))
        if self._on_finding is not None and len(body) <= LONGEST_REPORT and self._limiter.allows():
            finding = read_report(body)
            if finding is not None:
                self._on_finding(finding)
        return Answer(204, ((b"cache-control", b"no-store"),))

    def _give(
        self,
        method: str,
        headers: Mapping[bytes, bytes],
        text: bytes,
        tag: bytes,
        sent: tuple[tuple[bytes, bytes], ...],
    ) -> Answer:
        if method not in {"GET", "HEAD"}:
            return Answer(405, (*_PLAIN, (b"allow", b"GET, HEAD")))
        if tag in headers.get(b"if-none-match", b""):
            return Answer(304, (*_PRIVATE, (b"etag", tag), (b"cache-control", b"no-cache")))
        length = (b"content-length", str(len(text)).encode())
        return Answer(200, (*sent, (b"etag", tag), length), b"" if method == "HEAD" else text)

    def _start_worker(self, method: str, path: str, query: bytes, headers: Mapping[bytes, bytes]) -> Answer | None:
        parts = query.split(b"&")
        marks = [part.removeprefix(_MARK).decode("latin-1") for part in parts if part.startswith(_MARK)]
        if method not in {"GET", "HEAD"} or not marks or marks[-1] not in _TYPES:
            return None
        destination = headers.get(b"sec-fetch-dest")
        # Browsers say it on https and localhost only. Nobody gains by the answer: it is ours, and public.
        if destination is not None and destination not in _WORKERS:
            return None
        if destination == b"serviceworker" and self._block and not self._declares(path):
            return _UNGUARDED
        own = quote(path, safe="/:@!$&'()*+,;=-._~")
        if rest := b"&".join(part for part in parts if not part.startswith(_MARK)):
            own += "?" + quote(rest, safe="/:@!$&'()*+,;=-._~?%[]")
        try:
            bootstrap = worker_bootstrap(own, module=marks[-1] == "module").encode()
        except ValueError:
            return None
        text = bootstrap if marks[-1] == "module" else self._script + bootstrap
        return self._give(method, headers, text, _tag(text), (*_SCRIPT, (b"vary", b"Sec-Fetch-Dest")))


def _tag(text: bytes) -> bytes:
    return b'"' + hashlib.sha256(text).hexdigest()[:32].encode() + b'"'
