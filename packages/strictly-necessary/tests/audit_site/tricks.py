"""The tricks of the test site: what a file in `tricks/` says, read and completed.

Each file is one trick and its clean twin. `both`, `trick` and `clean` hold pages by path (`/`, `POST /in`, or
`//tracker.localhost/dot.gif` for another host), and what the site declares. A page is a text, or a table with
`headers`, `body`, `status`, `to` (a redirect), `first` and `strangers_to` (headers and a redirect for somebody who
brings no cookie of the site) and `socket`. In all of them `{{random}}` is new in each answer, `{{etag}}` what the
browser kept of the last one, and `{{query NAME}}`, `{{cookie NAME}}` and `{{site}}` are what they say.
"""

from __future__ import annotations

import datetime as dt
import json
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from strictly_necessary import Declaration
from strictly_necessary.declaration import examine

FOLDER = Path(__file__).parent / "tricks"
DEFAULT_STATES = ("visit",)
POLICY = {
    "service": "Shop",
    "operator": "Shop Ltd",
    "contact": "privacy@example.org",
    "version": "1",
    "last_updated": dt.date(2026, 11, 23),
    "jurisdictions": ["EU"],
}
ITEM = {
    "category": "user-input",
    "purpose": "Keeps what you put into the basket.",
    "provider": "Shop Ltd",
    "set_when": "You use the shop.",
}
COOKIE = {
    "http_only": False,
    "secure": True,
    "same_site": "Lax",
    "path": "/",
    "readable_by_application": True,
    "lifetime": "session",
    "set_by": "server",
}
KEY = {"lifetime": "12 hours", "set_by": "script", "script": "/app.js"}
THIRD = {
    "name": "Widget Ltd",
    "feature": "The map",
    "action": "You press Show the map.",
    "storage": "A cookie on its own domain.",
    "privacy": "https://widget.example/privacy",
}


@dataclass(frozen=True, slots=True)
class Page:
    """One answer of the server."""

    body: str = ""
    headers: tuple[str, ...] = ()
    first: tuple[str, ...] = ()
    status: int = 200
    to: str | None = None
    strangers_to: str | None = None
    socket: bool = False


@dataclass(frozen=True, slots=True)
class Variant:
    """The trick or its twin: a site of its own. `pages` has them by method, host and path; `host` is the site."""

    name: str
    host: str
    path: str
    pages: Mapping[tuple[str, str, str], Page]
    declaration: str
    script: str | None = None
    names: Mapping[str, str] = field(default_factory=dict)

    @property
    def url(self) -> str:
        return f"http://{self.host}{self.path}"

    def declared(self) -> Declaration:
        """Raises AssertionError with all that is wrong."""
        declaration, findings = examine(self.declaration.encode(), f"{self.name}.toml")
        assert declaration is not None, "\n".join(str(each) for each in findings)
        return declaration


@dataclass(frozen=True, slots=True)
class Trick:
    """`codes` have to be found, `also` may be; on the twin nothing may."""

    name: str
    title: str
    codes: frozenset[str]
    also: frozenset[str]
    states: tuple[str, ...]
    trick: Variant
    clean: Variant


def load_tricks(folder: Path = FOLDER) -> tuple[Trick, ...]:
    """All of them, by name."""
    return tuple(_trick(path.stem, tomllib.loads(path.read_text())) for path in sorted(folder.glob("*.toml")))


def _trick(name: str, raw: dict[str, Any]) -> Trick:
    known = {"title", "codes", "also", "states", "both", "trick", "clean"}
    assert raw.keys() <= known, f"{name}: {raw.keys() - known}"
    return Trick(
        name,
        raw["title"],
        frozenset(raw["codes"]),
        frozenset(raw.get("also", ())),
        tuple(raw.get("states", DEFAULT_STATES)),
        _variant(f"{name}-trick", raw, "trick"),
        _variant(f"{name}-clean", raw, "clean"),
    )


def _variant(name: str, raw: dict[str, Any], which: str) -> Variant:
    both, own = raw.get("both", {}), raw.get(which, {})
    merged = both | own
    # Names under localhost may use everything that needs TLS elsewhere; `plain` ones may not.
    host = f"{name}.{'test' if merged.get('plain') else 'localhost'}"
    pages = {}
    for key, page in merged.items():
        if "/" not in key:
            continue
        method, _, address = key.rpartition(" ")
        where, path = address[2:].split("/", 1) if address.startswith("//") else (host, address[1:])
        pages[method or "GET", where.replace("{{site}}", host), f"/{path}"] = _page(page)
    items = [*both.get("items", ()), *own.get("items", ())]
    third = [*both.get("third_parties", ()), *own.get("third_parties", ())]
    policy = POLICY | both.get("policy", {}) | own.get("policy", {})
    return Variant(
        name,
        host,
        merged.get("start", "/"),
        pages,
        _declaration(policy, items, third, host),
        merged.get("script"),
        {alias.replace("{{site}}", host): target for alias, target in merged.get("names", {}).items()},
    )


def _page(raw: str | dict[str, Any]) -> Page:
    if isinstance(raw, str):
        return Page(raw)
    lists = {key: tuple(raw.get(key, ())) for key in ("headers", "first")}
    return Page(**(raw | lists))


def _declaration(policy: dict[str, Any], items: list[Any], third: list[Any], host: str) -> str:
    lines = _table("[policy]", policy, host)
    for index, item in enumerate(items):
        defaults = COOKIE if item["kind"] == "cookie" else KEY
        if item["kind"] == "session":
            defaults = defaults | {"lifetime": "session"}
        if "script" in item:
            defaults = defaults | {"set_by": "script"}
        lines += _table("[[items]]", {"id": f"item-{index}"} | ITEM | defaults | item, host)
    for party in third:
        lines += _table("[[third_parties]]", THIRD | party, host)
    return "\n".join(lines) + "\n"


def _table(head: str, values: dict[str, Any], host: str) -> list[str]:
    return [head, *(f"{key} = {_value(value, host)}" for key, value in values.items()), ""]


def _value(value: Any, host: str) -> str:
    if isinstance(value, dt.date):
        return value.isoformat()
    # What JSON writes for texts, numbers, truth and lists of texts is TOML too.
    return json.dumps(value, ensure_ascii=False).replace("{{site}}", host)
