"""From the bytes of a TOML file to the types in `items`, collecting everything that is wrong on the way."""

from __future__ import annotations

import datetime as dt
import difflib
import re
import tomllib
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, TypeVar

from strictly_necessary import _positions
from strictly_necessary._findings import Finding, Severity
from strictly_necessary._items import Category, Item, Jurisdiction, Kind, Lifetime, Policy, SameSite, SetBy, ThirdParty
from strictly_necessary.cookies import is_token

ChoiceT = TypeVar("ChoiceT", bound=StrEnum)

_ID = re.compile(r"[a-z0-9][a-z0-9-]{0,62}")
_HOST = re.compile(r"(?=.{1,253}$)(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?")
_ADDRESS = re.compile(r"[^\s@<>\"']+@[^\s@<>\"']+|https://[^\s<>\"']+")
_LINK = re.compile(r"(?:https://[^\s<>\"'/\\]+|/(?!/))[^\s<>\"'\\]*")
_COOKIE_PATH = re.compile(r"/[\x21-\x3a\x3c-\x7e]*")
_TEXT_LIMIT = 2000


@dataclass(slots=True)
class Reading:
    """What was read, and what was wrong. An item with a fault in it is not among `items`."""

    file: str
    positions: _positions.Positions = field(default_factory=_positions.Positions)
    findings: list[Finding] = field(default_factory=list)
    policy: Policy | None = None
    items: list[tuple[int, Item]] = field(default_factory=list)
    third_parties: list[ThirdParty] = field(default_factory=list)

    def finding(self, code: str, severity: Severity, message: str, fix: str, *path: str | int) -> Finding:
        place = self.positions.of(*path)
        return Finding(self.file, place.line, place.column, code, severity, message, fix)

    def fault(self, code: str, message: str, fix: str, *path: str | int) -> None:
        self.findings.append(self.finding(code, Severity.ERROR, message, fix, *path))


def read(raw: bytes, file: str) -> Reading:
    """Read a whole file. Never raises: what is wrong is among the findings."""
    reading = Reading(file)
    document = _parse(raw, reading)
    if document is None:
        return reading
    for key in document.keys() - {"policy", "items", "third_parties"}:
        reading.fault("SN003", f"unknown table or key {key!r}", "use [policy], [[items]] and [[third_parties]]", key)
    policy = document.get("policy")
    if isinstance(policy, dict):
        reading.policy = _policy(_Table(reading, policy, ("policy",)))
    else:
        reading.fault("SN004", "the table [policy] is missing", "begin the file with [policy]", "policy")
    for index, table in _tables(document, "items", reading):
        item = _item(table)
        if item is not None:
            _compare(reading, index, item)
            reading.items.append((index, item))
    for _, table in _tables(document, "third_parties", reading):
        third_party = _third_party(table)
        if third_party is not None:
            reading.third_parties.append(third_party)
    return reading


def _parse(raw: bytes, reading: Reading) -> dict[str, Any] | None:
    try:
        text = raw.decode("utf-8").replace("\r\n", "\n")
    except UnicodeDecodeError as error:
        before = raw[: error.start]
        place = _positions.Place(before.count(b"\n") + 1, error.start - before.rfind(b"\n"))
        reading.positions.places[()] = place
        reading.findings.append(
            Finding(
                reading.file, place.line, place.column, "SN002", Severity.ERROR, "not UTF-8", "save the file as UTF-8"
            )
        )
        return None
    try:
        document = tomllib.loads(text)
    except ValueError as error:  # TOMLDecodeError, and what int() says of a number with thousands of digits
        line, column, message = _syntax_error(str(error), text)
        fix = "see https://toml.io for how to write it"
        reading.findings.append(Finding(reading.file, line, column, "SN001", Severity.ERROR, message, fix))
        return None
    except RecursionError:
        reading.findings.append(Finding(reading.file, 1, 1, "SN001", Severity.ERROR, "nested too deeply", "flatten it"))
        return None
    reading.positions = _positions.scan(text)
    return document


def _syntax_error(message: str, text: str) -> tuple[int, int, str]:
    found = re.search(r" \(at line (\d+), column (\d+)\)$", message)
    if found:
        return int(found[1]), int(found[2]), message[: found.start()]
    last = text.rstrip("\n")
    return last.count("\n") + 1, len(last) - last.rfind("\n"), message.removesuffix(" (at end of document)")


def _tables(document: dict[str, Any], name: str, reading: Reading) -> list[tuple[int, _Table]]:
    """The tables of `[[name]]`."""
    rows = document.get(name, [])
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        reading.fault("SN005", f"{name} is not a list of tables", f"write [[{name}]] above each one", name)
        return []
    return [(index, _Table(reading, row, (name, index))) for index, row in enumerate(rows)]


class _Table:
    """One TOML table, read key by key. A missing or wrong key is a finding, and the answer then is a placeholder;
    `sound` tells at the end whether there was any."""

    def __init__(self, reading: Reading, values: dict[str, Any], path: tuple[str | int, ...]) -> None:
        self._reading = reading
        self._values = values
        self._path = path
        self._known: set[str] = set()
        self.sound = True

    def fault(self, code: str, key: str, message: str, fix: str) -> None:
        self.sound = False
        self._reading.fault(code, message, fix, *self._path, key)

    def has(self, key: str) -> bool:
        return key in self._values

    def text(self, key: str, *, pattern: re.Pattern[str] | None = None, example: str = "") -> str:
        """A required text on one line, of the given form."""
        value = self._get(key, str, "a text in quotes")
        if value is None:
            return ""
        if not value.strip() or len(value) > _TEXT_LIMIT or not value.isprintable():
            self.fault("SN006", key, f"{key} is empty, too long or has control characters", "write one plain line")
        elif pattern and not pattern.fullmatch(value):
            self.fault("SN006", key, f"{key} is {value!r}", f"write it like {example}")
        return str(value)

    def optional_text(self, key: str, *, pattern: re.Pattern[str] | None = None, example: str = "") -> str | None:
        return self.text(key, pattern=pattern, example=example) if self._offer(key) else None

    def flag(self, key: str) -> bool:
        return bool(self._get(key, bool, "true or false"))

    def optional_flag(self, key: str) -> bool:
        return self.flag(key) if self._offer(key) else False

    def date(self, key: str) -> dt.date:
        value = self._get(key, dt.date, "a date such as 2026-11-23")
        if isinstance(value, dt.datetime):
            self.fault("SN005", key, f"{key} has a time of day", "write only the date, such as 2026-11-23")
        return value or dt.date.min

    def choice(self, key: str, choices: type[ChoiceT]) -> ChoiceT:
        value = self._get(key, str, "a text in quotes")
        return self._choose(key, value, choices) if value is not None else next(iter(choices))

    def optional_choice(self, key: str, choices: type[ChoiceT]) -> ChoiceT | None:
        return self.choice(key, choices) if self._offer(key) else None

    def choices(self, key: str, choices: type[ChoiceT]) -> tuple[ChoiceT, ...]:
        return tuple(self._choose(key, value, choices) for value in self.texts(key))

    def texts(self, key: str) -> tuple[str, ...]:
        """A required list of at least one text, without repetition."""
        values = self._get(key, list, "a list of texts")
        if values is None:
            return ()
        if not values or not all(isinstance(value, str) and value.strip() and value.isprintable() for value in values):
            self.fault("SN005", key, f"{key} is not a list of texts", f'write it like {key} = ["one", "two"]')
            return ()
        if len(set(values)) < len(values):
            self.fault("SN008", key, f"{key} says the same thing twice", "write each value once")
        return tuple(values)

    def optional_texts(self, key: str) -> tuple[str, ...]:
        return self.texts(key) if self._offer(key) else ()

    def lifetime(self, key: str) -> Lifetime:
        try:
            return Lifetime.parse(self.text(key) or "session")
        except ValueError:
            fix = 'write "session", "persistent", or a number and minutes, hours, days or months, such as "30 days"'
            self.fault("SN011", key, f"{key} is {self._values[key]!r}", fix)
            return Lifetime("session")

    def refuse(self, keys: tuple[str, ...], why: str) -> None:
        """These keys mean nothing here."""
        for key in keys:
            if self._offer(key):
                self.fault("SN012", key, f"{key} {why}", f"remove {key}")

    def finish(self) -> bool:
        for key in self._values.keys() - self._known:
            near = difflib.get_close_matches(key, self._known, 1)
            fix = f"did you mean {near[0]}?" if near else "remove it, or look at the reference for the keys there are"
            self.fault("SN003", key, f"unknown key {key!r}", fix)
        return self.sound

    def _offer(self, key: str) -> bool:
        self._known.add(key)
        return key in self._values

    def _get(self, key: str, kind: type, expected: str) -> Any:
        if not self._offer(key):
            self.fault("SN004", key, f"{key} is missing", f"add {key} = {expected}")
            return None
        value = self._values[key]
        if not isinstance(value, kind):
            self.fault("SN005", key, f"{key} is not {expected}", f"write {key} = {expected}")
            return None
        return value

    def _choose(self, key: str, value: str, choices: type[ChoiceT]) -> ChoiceT:
        try:
            return choices(value)
        except ValueError:
            known = ", ".join(choice.value for choice in choices)
            self.fault("SN006", key, f"{key} is {value!r}", f"write one of: {known}")
            return next(iter(choices))


def _policy(table: _Table) -> Policy | None:
    policy = Policy(
        service=table.text("service"),
        operator=table.text("operator"),
        contact=table.text("contact", pattern=_ADDRESS, example='"privacy@example.org"'),
        version=table.text("version"),
        last_updated=table.date("last_updated"),
        jurisdictions=table.choices("jurisdictions", Jurisdiction),
        privacy_policy=table.optional_text("privacy_policy", pattern=_LINK, example='"/legal/privacy"'),
        terms=table.optional_text("terms", pattern=_LINK, example='"/legal/terms"'),
        desktop_apps=table.optional_texts("desktop_apps"),
    )
    return policy if table.finish() else None


_COOKIE_KEYS = ("http_only", "secure", "same_site", "path", "domain", "partitioned", "readable_by_application")


def _item(table: _Table) -> Item | None:
    kind = table.choice("kind", Kind)
    set_by = table.choice("set_by", SetBy)
    is_cookie = kind is Kind.COOKIE
    ours = set_by is not SetBy.INFRASTRUCTURE
    name = table.text("name")
    if name:
        _check_name(table, name, is_cookie=is_cookie)
    attributes: dict[str, Any] = {}
    if is_cookie:
        attributes = {
            "http_only": table.flag("http_only"),
            "secure": table.flag("secure"),
            "same_site": (table.choice if ours else table.optional_choice)("same_site", SameSite),
            "path": table.text("path", pattern=_COOKIE_PATH, example='"/"'),
            "domain": table.optional_text("domain", pattern=_HOST, example='"example.org", without a dot in front'),
            "partitioned": table.optional_flag("partitioned"),
            "readable_by_application": table.flag("readable_by_application"),
        }
    else:
        table.refuse(_COOKIE_KEYS, f"belongs to cookies, and this is of kind {kind.value}")
        if set_by is not SetBy.SCRIPT:
            table.fault("SN006", "set_by", f"only a script can write kind {kind.value}", 'write set_by = "script"')
    if set_by is SetBy.SCRIPT:
        attributes["script"] = table.text("script", pattern=_LINK, example='"/static/display.js"')
    else:
        table.refuse(("script",), 'belongs to set_by = "script"')
    item = Item(
        id=table.text("id", pattern=_ID, example='"keep-me-signed-in"'),
        name=name,
        kind=kind,
        category=table.choice("category", Category),
        purpose=table.text("purpose"),
        provider=table.text("provider"),
        lifetime=table.lifetime("lifetime"),
        set_when=table.text("set_when"),
        set_by=set_by,
        title=table.optional_text("title"),
        values=table.optional_texts("values"),
        requires_action=table.optional_flag("requires_action"),
        information=table.optional_text("information"),
        reason=table.optional_text("reason"),
        **attributes,
    )
    return item if table.finish() else None


def _check_name(table: _Table, name: str, *, is_cookie: bool) -> None:
    stem = name.removesuffix("*")
    if not stem:
        fix = "write the name, or its beginning and a star"
        table.fault("SN010", "name", "a star alone would declare every name there is", fix)
    elif "*" in stem:
        table.fault("SN010", "name", f"name {name!r} has a star that is not at its end", "write one star, at the end")
    elif is_cookie and not is_token(stem):
        fix = "use letters, digits and ! # $ % & ' + - . ^ _ ` | ~ (RFC 6265bis, section 4.1.1)"
        table.fault("SN010", "name", f"{name!r} cannot be the name of a cookie", fix)


def _third_party(table: _Table) -> ThirdParty | None:
    third_party = ThirdParty(
        name=table.text("name"),
        host=table.text("host", pattern=_HOST, example='"pay.example.org"'),
        feature=table.text("feature"),
        action=table.text("action"),
        storage=table.text("storage"),
        privacy=table.text("privacy", pattern=_LINK, example='"https://example.org/privacy"'),
    )
    return third_party if table.finish() else None


def _compare(reading: Reading, index: int, item: Item) -> None:
    """Against the items before it."""
    clashes: tuple[tuple[Callable[[Item], bool], str, str, str], ...] = (
        (lambda other: other.id == item.id, "SN008", "id", "has the same id as"),
        (item.overlaps, "SN009", "name", "declares a name that is also declared by"),
    )
    for clash, code, key, text in clashes:
        for at, other in reading.items:
            if clash(other):
                line = reading.positions.of("items", at, key).line
                message = f'"{item.id}" {text} "{other.id}" in line {line}'
                reading.fault(code, message, f"give one of them another {key}", "items", index, key)
