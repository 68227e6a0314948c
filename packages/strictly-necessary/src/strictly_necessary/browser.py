"""The browser guard: its script, the start of a worker behind it, and what it reports.

The guards for ASGI and WSGI serve all of it. What the script refuses, and what no script can refuse, is told in
docs/explanation/browser-guard.md.
"""

from __future__ import annotations

import hashlib
import json
import re
from functools import lru_cache
from importlib import resources
from typing import Any

from strictly_necessary._findings import Direction, GuardFinding
from strictly_necessary.declaration import Declaration
from strictly_necessary.declaration._items import Item, Kind, SetBy
from strictly_necessary.versions import History, Version

__all__ = [
    "CONSENT_PATH",
    "GUARD_PATH",
    "REPORT_PATH",
    "guard_address",
    "guard_script",
    "read_report",
    "worker_bootstrap",
]

GUARD_PATH = "/.well-known/cookie-guard.js"
REPORT_PATH = "/.well-known/cookie-report"
CONSENT_PATH = "/.well-known/cookie-consent"
WORKER_PARAMETER = "strictly-guard"

LONGEST_REPORT = 8192
"""Bytes of a report; a longer one is not read."""

LEASE_SECONDS = 60
"""How long after it last heard from the server a page writes what needs consent."""

_MESSAGES = {
    "SN331": "a script tried to keep {name}, which is not declared, {place}",
    "SN332": "a script tried to keep {name}, otherwise than declared, {place}",
    "SN333": "a script tried to use {name}, where nothing can be declared",
    "SN334": "a script tried to start {name}, which is not ours, as a worker",
    "SN336": "a script tried to keep {name} without consent, {place}",
}
_PLACES = {
    Kind.COOKIE.value: "as a cookie",
    Kind.LOCAL.value: "in local storage",
    Kind.SESSION.value: "in session storage",
    Kind.INDEXEDDB.value: "as a database",
    Kind.CACHE.value: "as a cache",
    Kind.SERVICE_WORKER.value: "as a service worker",
    Kind.OPFS.value: "as a file",
}
_KINDS = frozenset(kind.value for kind in Kind) | {"worker", ""}
_PLACE = re.compile(r"(?:https?://[^/?#\s:]+(?::[0-9]{1,5})?)?/[^?#\s]*:[0-9]{1,9}:[0-9]{1,9}")
_DIRECTIVE = re.compile(r"[a-z-]{1,40}")
_ORIGIN = re.compile(r"https?://[^/?#\s]+")
_BLOCKED = re.compile(r"(?:(?:https?|wss?)://[^/?#\s@]+(?!@)(?=[/?#]|$)|[a-z-]+$|(?:data|blob)(?=:))")
_NEW_EACH_TIME = ("blob:", "data:")
_EMAILS = re.compile(r"[^\s@]{1,64}@[^\s@]+")
_NUMBERS = re.compile(r"[0-9]{5,}|(?=[a-f-]*[0-9])[0-9a-f]{8}[0-9a-f-]{8,}", re.IGNORECASE)
_MOST_FRAMES = 10
_LONGEST_NAME = 80
_LONGEST_PLACE = 200


def guard_script(declaration: Declaration, *, report_to: str = REPORT_PATH, block: bool = True) -> str:
    """The classic script that a page loads first. It holds what scripts may write, and nothing else of the declaration.
    With `block=False` it only reports. The same declaration always gives the same text."""
    items = [_allowed(item) for item in declaration.items if _is_for_scripts(item) and declaration.is_exempt(item)]
    rules = _javascript({"to": report_to, "block": block, "items": items})
    return _template().replace("RULES", rules)


def gated_script(
    history: History, version: Version, choice: Item, *, seconds: int = LEASE_SECONDS, block: bool = True
) -> str:
    """The script for a version with items that need consent, from a guard that asks for it: it lets scripts write these
    only while the cookie `choice` grants them, in documents, and for `seconds` after the server was heard."""
    declaration = version.declaration
    scripts = [item for item in declaration.items if _is_for_scripts(item)]
    free = [item for item in scripts if declaration.is_exempt(item)]
    gated = [item for item in scripts if not declaration.is_exempt(item)]
    others = [item for item in declaration.gated if item not in gated]  # the event names them too
    rules = {
        "to": REPORT_PATH,
        "block": block,
        "items": [_allowed(item) for item in free + gated],
        "free": len(free),
        "gated": [[item.id, list(history.covering(item, version))] for item in (*gated, *others)],
        "choice": choice.name,
        "ask": CONSENT_PATH,
        "version": version.number,
        "seconds": seconds,
    }
    return _template("gate.min.js").replace("RULES", _javascript(rules))


def guard_address(declaration: Declaration, *, block: bool = True) -> str:
    """The address of the script with its version, which browsers keep for good and need not ask for again. `block` is
    as in `guard_script`: False where the guard is in mode `report`. Where something needs consent, the address has no
    version: then browsers are to ask for the script with each page."""
    if declaration.gated:
        return GUARD_PATH
    return f"{GUARD_PATH}?{version(guard_script(declaration, block=block))}"


def worker_bootstrap(path: str, *, module: bool, guard: str = GUARD_PATH) -> str:
    """The script that loads a worker's own script, behind the guard. `path` is a path of our own origin, with its
    query, as it stands in an address. A classic worker gets it after the text of the guard; a module loads both. Raises
    ValueError for anything that a browser might read as another origin."""
    if not re.fullmatch(r"/(?![/\\])[\x21-\x7e]*", path) or "\\" in path:
        raise ValueError("a worker's script is a path of its own origin")
    address = _javascript(path)
    return f"import {_javascript(guard)};\nimport {address};\n" if module else f"importScripts({address});\n"


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


@lru_cache(maxsize=2)
def _template(name: str = "guard.min.js") -> str:
    return (resources.files("strictly_necessary") / "static" / name).read_text(encoding="utf-8")


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
    if "csp-report" in report:
        return _stopped(report["csp-report"])
    code, kind, name, stack = (report.get(key) for key in ("code", "kind", "name", "stack"))
    if not (isinstance(code, str) and isinstance(kind, str) and isinstance(name, str) and isinstance(stack, str)):
        return None
    if code not in _MESSAGES or kind not in _KINDS:
        return None
    shown = _shown(_impersonal(name), _LONGEST_NAME)
    frames = [_shown(line, _LONGEST_PLACE) for line in stack.split("\n") if _PLACE.fullmatch(line)][:_MOST_FRAMES]
    return GuardFinding(
        code=code,
        direction=Direction.BROWSER,
        message=_MESSAGES[code].format(name=f'"{shown}"', place=_PLACES.get(kind, "in the browser")),
        name=shown,
        kind=kind or None,
        script=frames[0].rsplit(":", 2)[0] if frames else None,
        stack=tuple(frames),
    )


def _stopped(report: Any) -> GuardFinding | None:
    """What a browser says that our CSP stopped (CSP 3, section 5.3). Of addresses only origins and scripts are kept."""
    if not isinstance(report, dict):
        return None
    directive, blocked, page, script = (
        str(report.get(key) or "") for key in ("effective-directive", "blocked-uri", "document-uri", "source-file")
    )
    found = _BLOCKED.match(blocked)
    if not _DIRECTIVE.fullmatch(directive) or found is None:
        return None  # such as what a browser's extension does
    name = _shown(f"{directive} {found[0]}", _LONGEST_NAME)
    origin = _ORIGIN.match(page)
    place = f"{script.partition('?')[0].partition('#')[0]}:{report.get('line-number')}:{report.get('column-number')}"
    if origin is not None:
        place = place.removeprefix(origin[0])
    stack = (_shown(place, _LONGEST_PLACE),) if _PLACE.fullmatch(place) else ()
    return GuardFinding(
        code="SN335",
        direction=Direction.BROWSER,
        message=f'the Content-Security-Policy stopped "{name}"',
        name=name,
        script=stack[0].rsplit(":", 2)[0] if stack else None,
        stack=stack,
    )


def _impersonal(name: str) -> str:
    """The name without what is new for each person or each time: addresses of e-mail, long numbers, blob: and data:."""
    if name.startswith(_NEW_EACH_TIME):
        return name.partition(":")[0] + ":"
    return _NUMBERS.sub("...", _EMAILS.sub("...", name[: 4 * _LONGEST_NAME]))


def _shown(text: str, longest: int) -> str:
    return text[:longest].encode("unicode_escape").decode("ascii")


def version(script: str) -> str:
    """The query that names this text of the script and no other."""
    return f"v={hashlib.sha256(script.encode()).hexdigest()[:16]}"
