"""What it takes to ask people: a cookie that remembers their answer, and items that can wait for it.

The guards write and read that cookie, on the server and in the browser, so its shape is theirs.
"""

from __future__ import annotations

from collections.abc import Sequence

from strictly_necessary._findings import Severity
from strictly_necessary.declaration._items import Category, Item, Jurisdiction, SameSite, SetBy
from strictly_necessary.rules._rule import Among, Condition, Rule, remembers
from strictly_necessary.rules.browsers import prefix_of

_ASKING = "Directive 2002/58/EC article 5(3)"
_GUARDS = "how the guards keep the answer"
_COOKIES = "RFC 6265bis"


def _gates(items: Sequence[Item], jurisdictions: frozenset[Jurisdiction]) -> bool:
    """Whether people are asked about any of the items."""
    return any(not item.is_exempt(jurisdictions) for item in items)


def _of_answer(condition: Condition) -> Among:
    """The condition for a cookie that remembers an answer, where there is something to ask."""
    return lambda item, items, jurisdictions: remembers(item) and _gates(items, jurisdictions) and condition(item)


def _is_second(item: Item, items: Sequence[Item], jurisdictions: frozenset[Jurisdiction]) -> bool:
    first = next((each for each in items if remembers(each)), item)
    return remembers(item) and first is not item and _gates(items, jurisdictions)


def _is_idle(item: Item, items: Sequence[Item], jurisdictions: frozenset[Jurisdiction]) -> bool:
    return remembers(item) and bool(items) and not _gates(items, jurisdictions)


def _cannot_wait(item: Item, _items: Sequence[Item], jurisdictions: frozenset[Jurisdiction]) -> bool:
    return item.set_by is SetBy.INFRASTRUCTURE and not item.is_exempt(jurisdictions)


def _can_be_planted(item: Item) -> bool:
    """Whether only the name is missing that keeps neighbouring hosts from setting it."""
    is_bound = item.secure and item.path == "/" and item.domain is None
    return is_bound and prefix_of(item.name) not in {"__Host-", "__Host-Http-"}


def _answer(code: str, text: str, source: str, field: str, fix: str, condition: Condition) -> Rule:
    return Rule(code, Severity.ERROR, text, source, field, fix, among=_of_answer(condition))


ASKING_RULES: tuple[Rule, ...] = (
    _answer(
        "SN511",
        "the server sets the cookie that remembers an answer, in reply to that answer",
        _GUARDS,
        "set_by",
        'write set_by = "server"',
        lambda item: item.set_by is not SetBy.SERVER,
    ),
    _answer(
        "SN512",
        "the browser's guard reads the cookie that remembers an answer, so http_only is false",
        _GUARDS,
        "http_only",
        "write http_only = false; nothing in it is secret",
        lambda item: item.http_only,
    ),
    _answer(
        "SN513",
        "the cookie that remembers an answer needs secure = true, or anybody on the way can say yes",
        f"{_COOKIES} section 8.6",
        "secure",
        "write secure = true",
        lambda item: not item.secure,
    ),
    _answer(
        "SN514",
        "the cookie that remembers an answer stays with this site",
        f"{_COOKIES} section 8.8",
        "same_site",
        "write Lax or Strict",
        lambda item: item.same_site is SameSite.NONE,
    ),
    _answer(
        "SN515",
        "an answer holds on every page, so the cookie that remembers it goes to every path",
        _GUARDS,
        "path",
        'write path = "/"',
        lambda item: item.path != "/",
    ),
    _answer(
        "SN516",
        "an answer is given to one host, so the cookie that remembers it goes to no other",
        f"{_COOKIES} sections 8.5 and 8.6",
        "domain",
        "remove domain",
        lambda item: item.domain is not None,
    ),
    _answer(
        "SN517",
        "whoever said no is not asked again in the next browser session, so the answer has a limit of its own",
        "CNIL recommendation 2020-092, on how long choices are kept",
        "lifetime",
        'write a limit such as "6 months"',
        lambda item: item.lifetime.is_session,
    ),
    _answer(
        "SN518",
        "the cookie that remembers an answer serves nothing else",
        "GDPR article 5(1)(b); WP194 section 2.4",
        "name",
        "give the other purposes an item of their own",
        lambda item: item.categories != {Category.CONSENT_CHOICE},
    ),
    _answer(
        "SN519",
        "the cookie that remembers an answer has one exact name",
        _GUARDS,
        "name",
        "write the name without a star",
        lambda item: item.is_pattern,
    ),
    _answer(
        "SN520",
        "the cookie that remembers an answer holds the version and the items, which values cannot list",
        _GUARDS,
        "values",
        "remove values",
        lambda item: bool(item.values),
    ),
    Rule(
        "SN521",
        Severity.ERROR,
        "there is one cookie that remembers people's answers, and this is a second one",
        _GUARDS,
        "name",
        "remove one of them",
        among=_is_second,
    ),
    Rule(
        "SN522",
        Severity.WARNING,
        "nothing needs consent, so there is no answer to remember",
        "GDPR article 5(1)(c)",
        "name",
        "remove the item; with everything exempt there is no storage for it",
        among=_is_idle,
    ),
    Rule(
        "SN523",
        Severity.ERROR,
        "what the infrastructure sets cannot wait for an answer, because our guards do not stand before it",
        _ASKING,
        "set_by",
        "have the infrastructure leave it, or set it by your server or your script",
        among=_cannot_wait,
    ),
    _answer(
        "SN524",
        "the cookie that remembers an answer needs the prefix __Host-, or a neighbouring host can say yes",
        f"{_COOKIES} sections 4.1.3.2 and 8.6",
        "name",
        "begin the name with __Host-",
        _can_be_planted,
    ),
)
