"""One TOML table, read key by key, with a finding for everything that is not as it should be."""

from __future__ import annotations

import datetime as dt
import difflib
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, TypeVar

from strictly_necessary._findings import Finding, Severity
from strictly_necessary.declaration import _positions
from strictly_necessary.declaration._items import (
    Item,
    Jurisdiction,
    Lifetime,
    Override,
    Policy,
    ThirdParty,
    Translations,
)

ChoiceT = TypeVar("ChoiceT", bound=StrEnum)

LANGUAGE = re.compile(r"[a-z]{2,3}(-[A-Z]{2})?")
# Control characters, line ends, and marks that turn the direction of what follows. Other spaces are text: French has a
# narrow one before a colon.
_HIDDEN = re.compile("[\x00-\x1f\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff\ufff9-\ufffb]")
_TEXT_LIMIT = 2000
ALL = tuple(Jurisdiction)


EXAMPLES = {
    "service": '"Example"',
    "operator": '"Example Ltd"',
    "version": '"3"',
    "jurisdictions": '["EU", "UK"]',
    "last_updated": "2026-11-23",
    "starts": "2026-12-01T09:00:00Z",
    "change": '"significant"',
    "summary": '"We count visits, if you let us."',
    "ask": '["visits"]',
    "name": '"theme"',
    "kind": '"cookie"',
    "category": '"authentication"',
    "purpose": '"Keeps you signed in from page to page."',
    "provider": '"Example Ltd"',
    "lifetime": '"30 days"',
    "set_when": '"You sign in."',
    "set_by": '"server"',
    "same_site": '"Lax"',
    "feature": '"Paying"',
    "action": '"You press Pay."',
    "storage": '"Its own session cookie, on its own domain."',
    "reason": '"The logo of the payment service."',
    "value": '"DENY"',
    "information": '"Stored in this browser until you clear it."',
    "title": '"Signing in"',
    "objection": '"Press “Do not count me” on the privacy page."',
    "removal": '"Choose System."',
    "desktop_apps": '["Example Desktop"]',
    "values": '["dark", "light"]',
    "recipients": '["Counting Ltd"]',
}
"""How each key is written that has no form of its own to show."""

_EXEMPTION = (
    "say what it is for, since each exemption has its own rules, such as authentication, security or preference; "
)
HINTS = {
    ("category", "necessary"): _EXEMPTION,
    ("category", "strictly necessary"): _EXEMPTION,
    ("category", "strictly-necessary"): _EXEMPTION,
    ("category", "essential"): _EXEMPTION,
    ("category", "functional"): _EXEMPTION,
    ("category", "session"): "did you mean authentication? ",
    ("category", "login"): "did you mean authentication? ",
    ("category", "csrf"): "did you mean security? ",
    ("category", "statistics"): "did you mean analytics, or audience-measurement? ",
    ("category", "marketing"): "did you mean advertising? ",
    ("kind", "localstorage"): "did you mean local? ",
    ("kind", "sessionstorage"): "did you mean session? ",
}
"""What people write who do not know our words yet: key and value in small letters."""


@dataclass(slots=True)
class Reading:
    """What was read, and what was wrong. An item with a fault in it is not among `items`, but, as far as it could be
    read, among `unsound`. `jurisdictions` and `hosts` are those of the policy even if something else in it is wrong;
    without sound jurisdictions, all of them."""

    file: str
    positions: _positions.Positions = field(default_factory=_positions.Positions)
    findings: list[Finding] = field(default_factory=list)
    policy: Policy | None = None
    languages: tuple[str, ...] = ("en",)
    jurisdictions: tuple[Jurisdiction, ...] = ALL
    hosts: tuple[str, ...] = ()
    overrides: list[tuple[int, Override]] = field(default_factory=list)
    items: list[tuple[int, Item]] = field(default_factory=list)
    unsound: list[Item] = field(default_factory=list)
    third_parties: list[tuple[int, ThirdParty]] = field(default_factory=list)

    def finding(self, code: str, severity: Severity, message: str, fix: str, *path: str | int) -> Finding:
        place = self.positions.of(*path)
        return Finding(self.file, place.line, place.column, code, severity, message, fix)

    def fault(self, code: str, message: str, fix: str, *path: str | int) -> None:
        self.findings.append(self.finding(code, Severity.ERROR, message, fix, *path))


class Table:
    """One TOML table, read key by key. A missing or wrong key is a finding, and the answer then is a placeholder;
    `sound` tells at the end whether there was any."""

    def __init__(self, reading: Reading, values: dict[str, Any], path: tuple[str | int, ...]) -> None:
        self.reading = reading
        self._values = values
        self._path = path
        self._known: set[str] = set()
        self.sound = True

    def fault(self, code: str, key: str, message: str, fix: str) -> None:
        self.sound = False
        self.reading.fault(code, message, fix, *self._path, key)

    def has(self, key: str) -> bool:
        return key in self._values

    def text(
        self, key: str, *, pattern: re.Pattern[str] | None = None, example: str = "", may_be_empty: bool = False
    ) -> str:
        """A required text on one line, of the given form."""
        value = self._get(key, str, "a text in quotes", example)
        if value is None or (may_be_empty and not value):
            return ""
        if not _is_plain(value) or len(value) > _TEXT_LIMIT:
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

    def optional_moment(self, key: str) -> dt.datetime | None:
        """A moment with its offset, in UTC."""
        if not self._offer(key):
            return None
        value: dt.datetime | None = self._get(key, dt.datetime, "a date with a time and an offset")
        if value is None:
            return None
        if value.tzinfo is None:
            self.fault("SN005", key, f"{key} has no offset", f"end it with Z for UTC, such as {EXAMPLES['starts']}")
            return None
        try:
            return value.astimezone(dt.UTC)
        except OverflowError:  # the first or the last day that there is, seen from elsewhere
            self.fault(
                "SN006", key, f"{key} lies outside of the years 1 to 9999", f"write such as {EXAMPLES['starts']}"
            )
            return None

    def choice(self, key: str, choices: type[ChoiceT]) -> ChoiceT:
        known = ", ".join(choice.value for choice in choices)
        example = EXAMPLES.get(key) or f'"{next(iter(choices)).value}"'
        value = self._get(key, str, "a text in quotes", f"{example}; the choices are {known}")
        return self._choose(key, value, choices) if value is not None else next(iter(choices))

    def optional_choice(self, key: str, choices: type[ChoiceT]) -> ChoiceT | None:
        return self.choice(key, choices) if self._offer(key) else None

    def choices(self, key: str, choices: type[ChoiceT]) -> tuple[ChoiceT, ...]:
        return tuple(self._choose(key, value, choices) for value in self.texts(key))

    def texts(self, key: str, *, pattern: re.Pattern[str] | None = None, example: str = "") -> tuple[str, ...]:
        """A required list of at least one text, without repetition, each of the given form."""
        values = self._get(key, list, "a list of texts")
        if values is None:
            return ()
        if not values or not all(isinstance(value, str) and _is_plain(value) for value in values):
            self.fault("SN005", key, f"{key} is not a list of texts", f'write it like {key} = ["one", "two"]')
            return ()
        if len(set(values)) < len(values):
            self.fault("SN008", key, f"{key} says the same thing twice", "write each value once")
        for value in values:
            if pattern and not pattern.fullmatch(value):
                self.fault("SN006", key, f"{key} has {value!r}", f"write it like {example}")
        return tuple(values)

    def optional_texts(self, key: str, *, pattern: re.Pattern[str] | None = None, example: str = "") -> tuple[str, ...]:
        return self.texts(key, pattern=pattern, example=example) if self._offer(key) else ()

    def lifetime(self, key: str) -> Lifetime:
        try:
            return Lifetime.parse(self.text(key) or "session")
        except ValueError:
            fix = 'write "session", "persistent", or a number and minutes, hours, days or months, such as "30 days"'
            said = self._values[key]
            self.fault("SN011", key, f"{key} is {said!r}", f"{_lifetime_hint(said)}{fix}")
            return Lifetime("session")

    def tables(self, key: str) -> Iterator[Table]:
        """A required list of at least one table."""
        rows = self._get(key, list, "a list of tables")
        if rows is None:
            return
        if not rows or not all(isinstance(row, dict) for row in rows):
            self.fault("SN005", key, f"{key} is not a list of tables", f"write [[{'.'.join(self._names())}.{key}]]")
            return
        for index, row in enumerate(rows):
            yield Table(self.reading, row, (*self._path, key, index))

    def translations(self, *keys: str, optional: tuple[str, ...] = ()) -> Translations:
        """Those of the texts under `keys`, as far as these are here, into every language of the policy but its first;
        `optional` texts, such as proper names, may stay as they are."""
        languages = self.reading.languages[1:]
        given = self._get("translations", dict, "a table") if self._offer("translations") else {}
        for language in (given or {}).keys() - set(languages):
            fix = f"add it to languages in [policy], or remove it; the languages are {', '.join(languages) or 'none'}"
            self.reading.fault("SN014", f"{language!r} is not a language to translate into", fix, *self._at(language))
            self.sound = False
        texts = {language: self._translation(language, given or {}, keys, optional) for language in languages}
        return {language: words for language, words in texts.items() if words}

    def _translation(
        self, language: str, given: dict[str, Any], keys: tuple[str, ...], optional: tuple[str, ...]
    ) -> dict[str, str]:
        values = given.get(language, {})
        if not isinstance(values, dict):
            self.reading.fault("SN005", f"{language} is not a table", "write a table", *self._at(language))
            self.sound = False
            return {}
        table = Table(self.reading, values, self._at(language))
        for key in keys:
            if self.has(key) and not table.has(key):
                where = f"[{'.'.join(self._names())}.translations.{language}]"
                table.fault("SN013", key, f"{key} is not translated into {language}", f"write it below {where}")
        texts = {key: table.text(key) for key in (*keys, *optional) if table.has(key)}
        for key in texts.keys() - self._values.keys():
            table.fault("SN012", key, f"{key} is translated into {language}, and is not here itself", f"remove {key}")
        self.sound &= table.finish()
        return texts

    def _at(self, language: str) -> tuple[str | int, ...]:
        return (*self._path, "translations", language)

    def _names(self) -> list[str]:
        return [part for part in self._path if isinstance(part, str)]

    def leave(self, keys: tuple[str, ...]) -> None:
        """These keys may mean something here, and are not looked at."""
        self._known.update(keys)

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

    def _get(self, key: str, kind: type, expected: str, example: str = "") -> Any:
        if not self._offer(key):
            self.fault("SN004", key, f"{key} is missing", f"add {key} = {example or EXAMPLES.get(key, expected)}")
            return None
        value = self._values[key]
        if not isinstance(value, kind):
            fix = f"write {key} = {example or EXAMPLES.get(key, expected)}"
            self.fault("SN005", key, f"{key} is not {expected}", fix)
            return None
        return value

    def _choose(self, key: str, value: str, choices: type[ChoiceT]) -> ChoiceT:
        try:
            return choices(value)
        except ValueError:
            known = ", ".join(choice.value for choice in choices)
            near = difflib.get_close_matches(value.lower(), {choice.value.lower(): choice for choice in choices}, 1)
            meant = next((choice.value for choice in choices if near and choice.value.lower() == near[0]), None)
            hint = HINTS.get((key, value.lower())) or (f"did you mean {meant}? " if meant else "")
            self.fault("SN006", key, f"{key} is {value!r}", f"{hint}write one of: {known}")
            return next(iter(choices))


def _lifetime_hint(text: str) -> str:
    """What people mean who count in years or weeks, or leave out the number."""
    found = re.fullmatch(r"(?:([0-9]{1,3})|an?|one) ?(year|week|hour|day|month|minute)s?", text.strip().lower())
    if not found or found[1] == "0":
        return ""
    number, unit = int(found[1] or 1), found[2]
    if unit == "year":
        return f'write "{number * 12} months", and for a cookie at most "400 days"; else '
    number, unit = (number * 7, "day") if unit == "week" else (number, unit)
    return f'write "{number} {unit}{"s" if number > 1 else ""}"; else '


def _is_plain(text: str) -> bool:
    return bool(text.strip()) and not _HIDDEN.search(text)
