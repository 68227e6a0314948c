"""What the law and the browsers ask of each item, as a table: code, severity, text, source, and when it is broken.

WP194 is Opinion 04/2012 of the Article 29 Working Party on the exemption from consent.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import TypeAlias

from strictly_necessary._findings import Severity
from strictly_necessary._items import EVERYWHERE, Category, Item, Jurisdiction, Kind, SameSite, SetBy

LONGEST_LIFE = 400 * 86_400
"""Seconds that a browser keeps a cookie at most (RFC 6265bis section 5.5)."""

USER_INPUT_LIFE = 86_400
"""Seconds that a cookie with a person's input may outlive its page: WP194 section 3.1 says a few hours."""

PREFIXES = ("__Host-Http-", "__Host-", "__Http-", "__Secure-")
"""The longest first, since one is the beginning of another."""

_HOST_PREFIXES = ("__Host-Http-", "__Host-")
_HTTP_PREFIXES = ("__Host-Http-", "__Http-")
_COOKIES = "RFC 6265bis"
_HTTP_PREFIX_DRAFT = "draft-ietf-httpbis-layered-cookies"


Broken: TypeAlias = Callable[[Item, frozenset[Jurisdiction]], bool]
"""Whether an item breaks a rule in a policy for these jurisdictions."""


@dataclass(frozen=True, slots=True)
class Rule:
    """One thing that is asked of an item, in policies for one of `jurisdictions`. `field` is the key at which a finding
    points."""

    code: str
    severity: Severity
    text: str
    source: str
    field: str
    fix: str
    broken: Broken
    jurisdictions: frozenset[Jurisdiction] = EVERYWHERE


def prefix_of(name: str) -> str | None:
    """The prefix that browsers see in a cookie's name; they ignore letter case (RFC 6265bis section 5.4)."""
    lower = name.lower()
    return next((prefix for prefix in PREFIXES if lower.startswith(prefix.lower())), None)


def broken_by(item: Item, jurisdictions: Iterable[Jurisdiction] = EVERYWHERE) -> Iterator[Rule]:
    """The rules of these jurisdictions that the item breaks."""
    wanted = frozenset(jurisdictions)
    return (rule for rule in RULES if rule.jurisdictions & wanted and rule.broken(item, wanted))


def _item(condition: Callable[[Item], bool]) -> Broken:
    return lambda item, _: condition(item)


def _cookie(condition: Callable[[Item], bool]) -> Broken:
    return lambda item, _: item.kind is Kind.COOKIE and condition(item)


def _of(category: Category, condition: Callable[[Item], bool]) -> Broken:
    return lambda item, _: category in item.categories and condition(item)


def _error(code: str, text: str, source: str, field: str, fix: str, broken: Broken) -> Rule:
    return Rule(code, Severity.ERROR, text, source, field, fix, broken)


BROWSER_RULES = (
    _error(
        "SN101",
        "a name that begins with __Secure- needs secure = true",
        f"{_COOKIES} section 4.1.3.1",
        "secure",
        "write secure = true",
        _cookie(lambda item: prefix_of(item.name) == "__Secure-" and not item.secure),
    ),
    _error(
        "SN102",
        'a name that begins with __Host- needs secure = true, path = "/" and no domain',
        f"{_COOKIES} section 4.1.3.2",
        "name",
        'write secure = true and path = "/", and remove domain',
        _cookie(
            lambda item: (
                prefix_of(item.name) in _HOST_PREFIXES
                and not (item.secure and item.path == "/" and item.domain is None)
            )
        ),
    ),
    _error(
        "SN103",
        "a name that begins with __Http- or __Host-Http- needs secure = true and http_only = true",
        _HTTP_PREFIX_DRAFT,
        "name",
        "write secure = true and http_only = true",
        _cookie(lambda item: prefix_of(item.name) in _HTTP_PREFIXES and not (item.secure and item.http_only)),
    ),
    _error(
        "SN104",
        "the prefix of the name is not in its own letter case, in which alone every browser enforces it",
        f"{_COOKIES} section 5.4",
        "name",
        "write the prefix as __Secure-, __Host-, __Http- or __Host-Http-",
        _cookie(lambda item: (prefix := prefix_of(item.name)) is not None and not item.name.startswith(prefix)),
    ),
    _error(
        "SN105",
        "the name begins with __HostHttp-, an old spelling that protects nothing",
        _HTTP_PREFIX_DRAFT,
        "name",
        "write __Host-Http-",
        _cookie(lambda item: item.name.lower().startswith("__hosthttp-")),
    ),
    _error(
        "SN106",
        "same_site = None needs secure = true, or browsers refuse the cookie",
        f"{_COOKIES} section 5.7",
        "same_site",
        "write secure = true, or choose Lax or Strict",
        _cookie(lambda item: item.same_site is SameSite.NONE and not item.secure),
    ),
    _error(
        "SN107",
        "partitioned needs secure = true, or browsers drop the cookie without a word",
        "draft-cutler-httpbis-partitioned-cookies (CHIPS)",
        "partitioned",
        "write secure = true",
        _cookie(lambda item: item.partitioned and not item.secure),
    ),
    _error(
        "SN108",
        "browsers keep no cookie longer than 400 days, so this promise is not what happens",
        f"{_COOKIES} section 5.5",
        "lifetime",
        "write at most 400 days",
        _cookie(lambda item: (item.lifetime.seconds or 0) > LONGEST_LIFE),
    ),
    _error(
        "SN109",
        "a cookie has no life without a limit",
        f"{_COOKIES} section 5.5",
        "lifetime",
        'write "session", or a limit such as "30 days"',
        _cookie(lambda item: item.lifetime.is_persistent),
    ),
    _error(
        "SN110",
        "a script cannot set a cookie with HttpOnly",
        f"{_COOKIES} section 5.7",
        "set_by",
        'write http_only = false, or set_by = "server"',
        _cookie(lambda item: item.set_by is SetBy.SCRIPT and item.http_only),
    ),
    _error(
        "SN111",
        'session storage always ends with its tab, so its lifetime is "session"',
        "HTML, section 12.2.2",
        "lifetime",
        'write lifetime = "session"',
        _item(lambda item: item.kind is Kind.SESSION and not item.lifetime.is_session),
    ),
    _error(
        "SN112",
        "what is neither a cookie nor session storage does not end with the browser session",
        "HTML, section 12.2.3; Storage, section 4",
        "lifetime",
        'write "persistent", or the limit after which your script removes it',
        _item(lambda item: item.kind not in {Kind.COOKIE, Kind.SESSION} and item.lifetime.is_session),
    ),
)

EXEMPTION_RULES = (
    _error(
        "SN201",
        "this purpose is not strictly necessary: nothing of it may be stored or read before the person says yes",
        "Directive 2002/58/EC article 5(3); PECR regulation 6; WP194 section 4",
        "category",
        "remove the item; the guard keeps it out until consent can be given",
        lambda item, jurisdictions: not item.is_exempt(jurisdictions),
    ),
    _error(
        "SN202",
        "to stay signed in beyond the browser session is the person's choice",
        "WP194 section 3.2",
        "lifetime",
        'write requires_action = true and say in set_when which control it is, or write lifetime = "session"',
        _of(Category.AUTHENTICATION, lambda item: not item.lifetime.is_session and not item.requires_action),
    ),
    _error(
        "SN203",
        "a preference is written only when the person chooses it",
        "WP194 section 3.6",
        "requires_action",
        "write requires_action = true, and write the item only in the handler of that choice",
        _of(Category.PREFERENCE, lambda item: not item.requires_action),
    ),
    _error(
        "SN204",
        "a preference that outlives the browser session needs a line beside its control that says so",
        "WP194 section 3.6",
        "information",
        'write information = "..." and show that text beside the control',
        _of(Category.PREFERENCE, lambda item: not item.lifetime.is_session and item.information is None),
    ),
    _error(
        "SN205",
        "a preference is written by your server or your script, in answer to the person's act",
        "WP194 section 3.6",
        "set_by",
        'write set_by = "script" or set_by = "server"',
        _of(Category.PREFERENCE, lambda item: item.set_by is SetBy.INFRASTRUCTURE),
    ),
    _error(
        "SN206",
        "something kept for security has an explicit limit",
        "WP194 section 3.3",
        "lifetime",
        'write "session", or a limit such as "30 days" together with a reason',
        _of(Category.SECURITY, lambda item: item.lifetime.is_persistent),
    ),
    _error(
        "SN207",
        "something kept for security beyond the browser session needs a reason for its limit",
        "WP194 section 3.3",
        "reason",
        'write reason = "..."',
        _of(Category.SECURITY, lambda item: item.lifetime.seconds is not None and item.reason is None),
    ),
    _error(
        "SN208",
        "load balancing lasts no longer than the browser session",
        "WP194 section 3.5",
        "lifetime",
        'write lifetime = "session"',
        _of(Category.LOAD_BALANCING, lambda item: not item.lifetime.is_session),
    ),
    _error(
        "SN209",
        "load balancing is the business of the infrastructure, and of nobody else",
        "WP194 section 3.5",
        "set_by",
        'write set_by = "infrastructure"',
        _of(Category.LOAD_BALANCING, lambda item: item.set_by is not SetBy.INFRASTRUCTURE),
    ),
    _error(
        "SN210",
        "what the infrastructure sets is not for the application to read",
        "WP194 section 3.5",
        "readable_by_application",
        "write readable_by_application = false",
        _item(lambda item: item.set_by is SetBy.INFRASTRUCTURE and item.readable_by_application),
    ),
    _error(
        "SN211",
        "what a person has entered is kept for a few hours at most",
        "WP194 section 3.1",
        "lifetime",
        'write "session", or at most 24 hours',
        _of(
            Category.USER_INPUT,
            lambda item: item.lifetime.is_persistent or (item.lifetime.seconds or 0) > USER_INPUT_LIFE,
        ),
    ),
    _error(
        "SN212",
        "what a media player needs ends with the browser session",
        "WP194 section 3.4",
        "lifetime",
        'write lifetime = "session"',
        _of(Category.MULTIMEDIA_PLAYER, lambda item: not item.lifetime.is_session),
    ),
)

RULES = (*BROWSER_RULES, *EXEMPTION_RULES)
