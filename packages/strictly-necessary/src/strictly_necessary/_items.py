"""The words of a declaration as frozen types: what is kept in a browser, by whom, for how long and why."""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property


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
    """What it is for. The first group is exempt from consent (WP29 Opinion 04/2012, section 3); the second is not."""

    USER_INPUT = "user-input"
    AUTHENTICATION = "authentication"
    SECURITY = "security"
    MULTIMEDIA_PLAYER = "multimedia-player"
    LOAD_BALANCING = "load-balancing"
    PREFERENCE = "preference"

    ANALYTICS = "analytics"
    ADVERTISING = "advertising"
    SOCIAL_MEDIA = "social-media"
    PERSONALISATION = "personalisation"


EXEMPT = frozenset(
    {
        Category.USER_INPUT,
        Category.AUTHENTICATION,
        Category.SECURITY,
        Category.MULTIMEDIA_PLAYER,
        Category.LOAD_BALANCING,
        Category.PREFERENCE,
    }
)


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


class Jurisdiction(StrEnum):
    """Whose rules are checked."""

    EU = "EU"
    UK = "UK"
    FR = "FR"


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


@dataclass(frozen=True)
class Item:
    """One thing that is kept in a browser. The cookie attributes mean nothing for the other kinds.

    `name` is exact, or a pattern that ends in `*`. `readable_by_application` says whether the server application may
    see it at all; what it may not see, the guard removes from the request. `title` is a heading for people.
    """

    id: str
    name: str
    kind: Kind
    category: Category
    purpose: str
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

    @cached_property
    def is_pattern(self) -> bool:
        return self.name.endswith("*")

    @cached_property
    def stem(self) -> str:
        """What every matching name begins with."""
        return self.name.removesuffix("*")

    @property
    def exempt(self) -> bool:
        """Whether its purpose needs no consent."""
        return self.category in EXEMPT

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


@dataclass(frozen=True, slots=True)
class Policy:
    """Whose declaration it is, and which version of it."""

    service: str
    operator: str
    contact: str
    version: str
    last_updated: dt.date
    jurisdictions: tuple[Jurisdiction, ...]
    privacy_policy: str | None = None
    terms: str | None = None
    desktop_apps: tuple[str, ...] = ()
