"""The words of a declaration as frozen types: what is kept in a browser, by whom, for how long and why."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property
from typing import TypeAlias


class Kind(StrEnum):
    """Where a browser keeps it."""

    COOKIE = "cookie"
    LOCAL = "local"
    SESSION = "session"
    INDEXEDDB = "indexeddb"
    CACHE = "cache"
    SERVICE_WORKER = "service-worker"
    OPFS = "opfs"


class Category(StrEnum):
    """What it is for. The first group is exempt from consent (WP29 Opinion 04/2012, section 3; `service` by its
    section 2); audience measurement is so in some jurisdictions and under conditions; the last group is not."""

    USER_INPUT = "user-input"
    AUTHENTICATION = "authentication"
    SECURITY = "security"
    MULTIMEDIA_PLAYER = "multimedia-player"
    LOAD_BALANCING = "load-balancing"
    PREFERENCE = "preference"
    SERVICE = "service"
    CONSENT_CHOICE = "consent-choice"

    AUDIENCE_MEASUREMENT = "audience-measurement"

    ANALYTICS = "analytics"
    ADVERTISING = "advertising"
    SOCIAL_MEDIA = "social-media"
    PERSONALISATION = "personalisation"


class SetBy(StrEnum):
    """Who writes it: our server's response, our script, or what stands in front of the server."""

    SERVER = "server"
    SCRIPT = "script"
    INFRASTRUCTURE = "infrastructure"


class SameSite(StrEnum):
    """The attribute of RFC 6265bis section 5.6.7, spelled as it is sent."""

    STRICT = "Strict"
    LAX = "Lax"
    NONE = "None"


class Significance(StrEnum):
    """What a change of the declaration is to people: `editorial` ones stand on the page, `significant` ones are
    told."""

    EDITORIAL = "editorial"
    SIGNIFICANT = "significant"


class Jurisdiction(StrEnum):
    """Whose rules are checked."""

    EU = "EU"
    UK = "UK"
    FR = "FR"


VERSION = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,31}")
"""The names of versions that can stand in a cookie and be the name of a file."""

EVERYWHERE = frozenset(Jurisdiction)

EXEMPT = {
    Category.USER_INPUT: EVERYWHERE,
    Category.AUTHENTICATION: EVERYWHERE,
    Category.SECURITY: EVERYWHERE,
    Category.MULTIMEDIA_PLAYER: EVERYWHERE,
    Category.LOAD_BALANCING: EVERYWHERE,
    Category.PREFERENCE: EVERYWHERE,
    Category.SERVICE: EVERYWHERE,
    Category.CONSENT_CHOICE: EVERYWHERE,
    Category.AUDIENCE_MEASUREMENT: frozenset({Jurisdiction.UK, Jurisdiction.FR}),
}
"""Where a purpose needs no consent; a purpose that is absent needs it everywhere."""

_UNITS = {"minute": 60, "hour": 3600, "day": 86_400, "month": 30 * 86_400}
_LIMIT = re.compile(r"([1-9][0-9]{0,5}) (minute|hour|day|month)s?")


@dataclass(frozen=True, slots=True)
class Lifetime:
    """`session` ends with the browser session, `persistent` only when it is removed; otherwise `seconds` is the limit.

    A month is 30 days, so that a promise in months is never broken by a long one.
    """

    text: str
    seconds: int | None = None

    @classmethod
    def parse(cls, text: str) -> Lifetime:
        """Raises ValueError unless it is `session`, `persistent` or such as `30 days`."""
        if text in {"session", "persistent"}:
            return cls(text)
        found = _LIMIT.fullmatch(text)
        if not found:
            raise ValueError(text)
        return cls(text, int(found[1]) * _UNITS[found[2]])

    @property
    def is_session(self) -> bool:
        return self.text == "session"

    @property
    def is_persistent(self) -> bool:
        """Whether it has no limit of its own."""
        return self.text == "persistent"


Texts: TypeAlias = Mapping[str, str]
"""Translated texts by the key that they translate."""

Translations: TypeAlias = Mapping[str, Texts]
"""Translated texts by language, such as `de` or `pt-BR`."""


@dataclass(frozen=True, slots=True)
class Purpose:
    """One thing that an item is for. An item may have several; each of them has to be exempt."""

    category: Category
    text: str
    translations: Translations = field(default_factory=dict, hash=False, repr=False)


@dataclass(frozen=True)
class Item:
    """One thing that is kept in a browser. The cookie attributes mean nothing for the other kinds.

    `name` is exact, or a pattern that ends in `*`. `readable_by_application` says whether the server application may
    see it at all; what it may not see, the guard removes from the request. `title` is a heading for people.
    `recipients` are those who get what it tells, beside the provider; `objection` says how a person says no;
    `renewed` says whether later visits start its life anew; `removal` says how a person removes it on the site itself.
    """

    id: str
    name: str
    kind: Kind
    purposes: tuple[Purpose, ...]
    provider: str
    lifetime: Lifetime
    set_when: str
    set_by: SetBy
    readable_by_application: bool = False
    http_only: bool = False
    secure: bool = False
    same_site: SameSite | None = None
    path: str | None = None
    domain: str | None = None
    partitioned: bool = False
    script: str | None = None
    title: str | None = None
    values: tuple[str, ...] = ()
    requires_action: bool = False
    information: str | None = None
    reason: str | None = None
    recipients: tuple[str, ...] = ()
    objection: str | None = None
    renewed: bool = False
    removal: str | None = None
    translations: Translations = field(default_factory=dict, hash=False, repr=False)

    @cached_property
    def is_pattern(self) -> bool:
        return self.name.endswith("*")

    @cached_property
    def stem(self) -> str:
        """What every matching name begins with."""
        return self.name.removesuffix("*")

    @cached_property
    def categories(self) -> frozenset[Category]:
        return frozenset(purpose.category for purpose in self.purposes)

    def is_exempt(self, jurisdictions: Iterable[Jurisdiction]) -> bool:
        """Whether every purpose needs no consent in any of the jurisdictions."""
        return all(EXEMPT.get(category, frozenset()).issuperset(jurisdictions) for category in self.categories)

    def matches(self, name: str) -> bool:
        return name.startswith(self.stem) if self.is_pattern else name == self.name

    def overlaps(self, other: Item) -> bool:
        """Whether one name could be both."""
        if self.kind is not other.kind:
            return False
        if self.is_pattern and other.is_pattern:
            return self.stem.startswith(other.stem) or other.stem.startswith(self.stem)
        return self.matches(other.name) if self.is_pattern else other.matches(self.name)


@dataclass(frozen=True, slots=True)
class ThirdParty:
    """Somebody else's site that people reach when they use a feature. `storage` tells what it may keep, `privacy` is
    the address of its own policy."""

    name: str
    host: str
    feature: str
    action: str
    storage: str
    privacy: str
    translations: Translations = field(default_factory=dict, hash=False, repr=False)


@dataclass(frozen=True, slots=True)
class Override:
    """A security header that is to be other than the guard's own, and why. `directive` is one part of a
    Content-Security-Policy or Permissions-Policy; `paths` are the request paths for which it holds, exact or ending in
    `*`, and none means all. An empty `value` takes the header or the directive away."""

    name: str
    value: str
    reason: str
    directive: str | None = None
    paths: tuple[str, ...] = ()
    translations: Translations = field(default_factory=dict, hash=False, repr=False)

    def holds_for(self, path: str) -> bool:
        return not self.paths or any(
            path.startswith(pattern[:-1]) if pattern.endswith("*") else path == pattern for pattern in self.paths
        )


@dataclass(frozen=True, slots=True)
class Policy:
    """Whose declaration it is, and which version of it. `hosts` are our own beside the one that serves the pages. The
    first of the `languages` is that of the texts; into the others they are translated.

    `starts` is when the version comes into force, aware and in UTC; without it, the day of `last_updated` begins it.
    `change` is what its author says that it is, `summary` tells it in the author's words, and `ask` are the ids of
    items about which people are asked again although the rules would not ask for it."""

    service: str
    operator: str
    contact: str
    version: str
    last_updated: dt.date
    jurisdictions: tuple[Jurisdiction, ...]
    privacy_policy: str | None = None
    terms: str | None = None
    desktop_apps: tuple[str, ...] = ()
    hosts: tuple[str, ...] = ()
    languages: tuple[str, ...] = ("en",)
    starts: dt.datetime | None = None
    change: Significance | None = None
    summary: str | None = None
    ask: tuple[str, ...] = ()
    translations: Translations = field(default_factory=dict, hash=False, repr=False)

    @property
    def starts_at(self) -> dt.datetime:
        """When the version comes into force, in UTC."""
        return self.starts or dt.datetime.combine(self.last_updated, dt.time(), dt.UTC)
