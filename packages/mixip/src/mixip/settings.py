"""One frozen configuration, parsed once from `MIXIP_*` environment variables. `docs/settings.md` explains each."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from difflib import get_close_matches
from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path
from typing import Any, Literal
from urllib.parse import urlsplit

Network = IPv4Network | IPv6Network
GuardMode = Literal["enforce", "raise"]

# Variables of the tests and benchmarks share the prefix but are not settings of the platform.
FOREIGN_PREFIXES = ("MIXIP_TEST_", "MIXIP_SOAK_", "MIXIP_BENCH_")
LIKENESS = 0.85  # from here on two names are taken for the same one, misspelt


class SettingsError(Exception):
    """One or more settings are wrong; the message names each and says what is accepted."""


@dataclass(frozen=True, slots=True)
class Settings:
    """What an operator can choose. Sizes are bytes."""

    data: Path
    host: str
    port: int
    database_url: str = field(repr=False)  # it may hold a password
    public_url: str | None
    trusted_proxies: tuple[Network, ...]
    max_file_bytes: int
    account_quota_bytes: int | None
    delivery_max_age: timedelta
    operator: str
    contact: str
    policy: Path | None
    guard: GuardMode


@dataclass(frozen=True, slots=True)
class Setting:
    """How one variable becomes one field."""

    variable: str
    field: str
    default: str
    parse: Callable[[str], Any]
    text: str
    secret: bool = False


def _path(value: str) -> Path:
    return Path(value).expanduser().absolute()


def _whole(value: str, needed: str) -> int:
    try:
        return int(value)
    except ValueError:
        raise ValueError(needed) from None


def _file(value: str) -> Path | None:
    if not value:
        return None
    path = _path(value)
    if not path.is_file():
        raise ValueError("a file that exists is needed, or nothing for the policy that the platform comes with")
    return path


def _port(value: str) -> int:
    needed = "a whole number from 0 to 65535 is needed"
    port = _whole(value, needed)
    if not 0 <= port <= 65535:
        raise ValueError(needed)
    return port


def _positive(value: str) -> int:
    needed = "a whole number above 0 is needed"
    number = _whole(value, needed)
    if number <= 0:
        raise ValueError(needed)
    return number


def _optional(value: str) -> int | None:
    return _positive(value) if value else None


def _days(value: str) -> timedelta:
    needed = "a number of days above 0 and up to 3650 is needed"
    try:
        days = float(value)
    except ValueError:
        raise ValueError(needed) from None
    if not 0 < days <= 3650:
        raise ValueError(needed)
    return timedelta(days=days)


def _origin(value: str) -> str | None:
    if not value:
        return None
    needed = "an address like https://mixip.example.org is needed"
    try:
        parts = urlsplit(value)
        port = parts.port
    except ValueError:
        raise ValueError(needed) from None
    more = parts.path.strip("/") or parts.query or parts.fragment or "@" in parts.netloc
    if parts.scheme not in {"http", "https"} or not parts.hostname or more:
        raise ValueError(needed)
    # As browsers write it in Origin, with which it is compared: small letters, and no port that goes without saying.
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    default = {"http": 80, "https": 443}[parts.scheme]
    return f"{parts.scheme}://{host}" + ("" if port in {None, default} else f":{port}")


def _networks(value: str) -> tuple[Network, ...]:
    try:
        return tuple(ip_network(part.strip()) for part in value.split(",") if part.strip())
    except ValueError:
        raise ValueError("networks like 10.0.0.0/8, ::1 are needed, with only zeros after the prefix") from None


def _database_url(value: str) -> str:
    scheme = value.partition("://")[0]
    if not value or scheme == "sqlite":
        return value
    if scheme in {"postgresql", "postgres"}:
        return "postgresql+psycopg://" + value.partition("://")[2]
    if scheme != "postgresql+psycopg":
        raise ValueError("an address that starts with postgresql:// is needed, or nothing for SQLite")
    return value


def _address(value: str) -> str:
    if not re.fullmatch(r"[^\s@<>\"]+@[^\s@<>\"]+", value):
        raise ValueError("an e-mail address is needed")
    return value


def _guard(value: str) -> str:
    if value not in {"enforce", "raise"}:
        raise ValueError("one of enforce, raise is needed")
    return value


SETTINGS: tuple[Setting, ...] = (
    Setting("MIXIP_DATA", "data", "./var", _path, "Folder for the database, the files and everything else we keep."),
    Setting("MIXIP_HOST", "host", "127.0.0.1", str, "Address to listen on."),
    Setting("MIXIP_PORT", "port", "8000", _port, "Port to listen on; 0 takes a free one."),
    Setting(
        "MIXIP_DATABASE_URL",
        "database_url",
        "",
        _database_url,
        "A PostgreSQL address, postgresql://user:password@host/name. Empty: SQLite inside MIXIP_DATA.",
        secret=True,
    ),
    Setting(
        "MIXIP_PUBLIC_URL",
        "public_url",
        "",
        _origin,
        "The address people use, when a proxy stands in front: https://mixip.example.org. Empty: as in the request.",
    ),
    Setting(
        "MIXIP_TRUSTED_PROXIES",
        "trusted_proxies",
        "",
        _networks,
        "Networks of proxies whose X-Forwarded-For and X-Forwarded-Proto we believe: 10.0.0.0/8, ::1. Empty: none.",
    ),
    Setting(
        "MIXIP_MAX_FILE_BYTES",
        "max_file_bytes",
        str(5 * 1024**4),
        _positive,
        "The largest file that can be delivered, in bytes.",
    ),
    Setting(
        "MIXIP_ACCOUNT_QUOTA_BYTES",
        "account_quota_bytes",
        "",
        _optional,
        "How many bytes one account may have delivered and announced, together. Empty: as many as there is room for.",
    ),
    Setting(
        "MIXIP_DELIVERY_MAX_AGE_DAYS",
        "delivery_max_age",
        "7",
        _days,
        "Unfinished deliveries that nobody touched for so many days are removed.",
    ),
    Setting("MIXIP_OPERATOR", "operator", "Mix-IP", str, "Who runs this copy: the name in the legal texts."),
    Setting(
        "MIXIP_CONTACT",
        "contact",
        "privacy@mixip.io",
        _address,
        "The e-mail address for questions about data, in the legal texts.",
    ),
    Setting(
        "MIXIP_POLICY",
        "policy",
        "",
        _file,
        "Your own cookie policy, a TOML file: what `mixip policy release` releases. Empty: the one that comes along.",
    ),
    Setting(
        "MIXIP_GUARD",
        "guard",
        "enforce",
        _guard,
        "What the cookie guard does with something undeclared: enforce removes and reports it, raise fails the request "
        "(for development).",
    ),
)


_VARIABLES = frozenset(setting.variable for setting in SETTINGS)


def unknown_variables(environment: Mapping[str, str]) -> list[str]:
    """`MIXIP_*` variables that are none of ours: another version's, or a slip of the keyboard."""
    return [
        name
        for name in sorted(environment)
        if name.startswith("MIXIP_") and name not in _VARIABLES and not name.startswith(FOREIGN_PREFIXES)
    ]


def from_environment(environment: Mapping[str, str]) -> Settings:
    """Read the settings. Raises SettingsError that names every wrong variable, and those that look like a slip."""
    values: dict[str, Any] = {}
    problems: list[str] = []
    for setting in SETTINGS:
        text = environment.get(setting.variable, "") or setting.default
        try:
            values[setting.field] = setting.parse(text)
        except ValueError as error:
            shown = setting.variable if setting.secret else f"{setting.variable}={text}"
            problems.append(f"{shown}: {error}")
    problems += [
        f"{name}: no such setting; did you mean {meant[0]}?"
        for name in unknown_variables(environment)
        if (meant := get_close_matches(name, _VARIABLES, n=1, cutoff=LIKENESS))
    ]
    if problems:
        raise SettingsError("\n".join(problems))
    if not values["database_url"]:
        values["database_url"] = f"sqlite:///{values['data'] / 'mixip.sqlite3'}"
    return Settings(**values)
