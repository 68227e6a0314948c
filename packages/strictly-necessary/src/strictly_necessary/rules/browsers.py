"""What browsers ask of a cookie or a key, and what keeps one from being stolen or forged."""

from __future__ import annotations

from strictly_necessary.declaration._items import Category, Item, Kind, SameSite, SetBy
from strictly_necessary.rules._rule import Rule, cookie, error, of, warning

LONGEST_LIFE = 400 * 86_400
"""Seconds that a browser keeps a cookie at most (RFC 6265bis section 5.5)."""

PREFIXES = ("__Host-Http-", "__Host-", "__Http-", "__Secure-")
"""The longest first, since one is the beginning of another."""

_HOST_PREFIXES = ("__Host-Http-", "__Host-")
_HTTP_PREFIXES = ("__Host-Http-", "__Http-")
_COOKIES = "RFC 6265bis"
_HTTP_PREFIX_DRAFT = "draft-ietf-httpbis-layered-cookies"
_ASVS = "OWASP ASVS 5.0"

_GUARDS = of(Category.AUTHENTICATION, Category.SECURITY)
_SIGNS_IN = of(Category.AUTHENTICATION)


def prefix_of(name: str) -> str | None:
    """The prefix that browsers see in a cookie's name; they ignore letter case (RFC 6265bis section 5.4)."""
    lower = name.lower()
    return next((prefix for prefix in PREFIXES if lower.startswith(prefix.lower())), None)


def _has_loose_prefix(item: Item) -> bool:
    """Whether browsers would take the cookie from a neighbouring host too, although it has no Domain."""
    return item.domain is None and prefix_of(item.name) not in _HOST_PREFIXES


BROWSER_RULES: tuple[Rule, ...] = (
    error(
        "SN101",
        "a name that begins with __Secure- needs secure = true",
        f"{_COOKIES} section 4.1.3.1",
        "secure",
        "write secure = true",
        cookie(lambda item: prefix_of(item.name) == "__Secure-" and not item.secure),
    ),
    error(
        "SN102",
        'a name that begins with __Host- needs secure = true, path = "/" and no domain',
        f"{_COOKIES} section 4.1.3.2",
        "name",
        'write secure = true and path = "/", and remove domain',
        cookie(
            lambda item: (
                prefix_of(item.name) in _HOST_PREFIXES
                and not (item.secure and item.path == "/" and item.domain is None)
            )
        ),
    ),
    error(
        "SN103",
        "a name that begins with __Http- or __Host-Http- needs secure = true and http_only = true",
        _HTTP_PREFIX_DRAFT,
        "name",
        "write secure = true and http_only = true",
        cookie(lambda item: prefix_of(item.name) in _HTTP_PREFIXES and not (item.secure and item.http_only)),
    ),
    error(
        "SN104",
        "the prefix of the name is not in its own letter case, in which alone every browser enforces it",
        f"{_COOKIES} section 5.4",
        "name",
        "write the prefix as __Secure-, __Host-, __Http- or __Host-Http-",
        cookie(lambda item: (prefix := prefix_of(item.name)) is not None and not item.name.startswith(prefix)),
    ),
    error(
        "SN105",
        "the name begins with __HostHttp-, an old spelling that protects nothing",
        _HTTP_PREFIX_DRAFT,
        "name",
        "write __Host-Http-",
        cookie(lambda item: item.name.lower().startswith("__hosthttp-")),
    ),
    error(
        "SN106",
        "same_site = None needs secure = true, or browsers refuse the cookie",
        f"{_COOKIES} section 5.7",
        "same_site",
        "write secure = true, or choose Lax or Strict",
        cookie(lambda item: item.same_site is SameSite.NONE and not item.secure),
    ),
    error(
        "SN107",
        "partitioned needs secure = true, or browsers drop the cookie without a word",
        "draft-cutler-httpbis-partitioned-cookies (CHIPS)",
        "partitioned",
        "write secure = true",
        cookie(lambda item: item.partitioned and not item.secure),
    ),
    error(
        "SN108",
        "browsers keep no cookie longer than 400 days, so this promise is not what happens",
        f"{_COOKIES} section 5.5",
        "lifetime",
        "write at most 400 days",
        cookie(lambda item: item.lifetime.seconds is not None and item.lifetime.seconds > LONGEST_LIFE),
    ),
    error(
        "SN109",
        "a cookie has no life without a limit",
        f"{_COOKIES} section 5.5",
        "lifetime",
        'write "session", or a limit such as "30 days"',
        cookie(lambda item: item.lifetime.is_persistent),
    ),
    error(
        "SN110",
        "a script cannot set a cookie with HttpOnly",
        f"{_COOKIES} section 5.7",
        "set_by",
        'write http_only = false, or set_by = "server"',
        cookie(lambda item: item.set_by is SetBy.SCRIPT and item.http_only),
    ),
    error(
        "SN111",
        'session storage always ends with its tab, so its lifetime is "session"',
        "HTML, section 12.2.2",
        "lifetime",
        'write lifetime = "session"',
        lambda item: item.kind is Kind.SESSION and not item.lifetime.is_session,
    ),
    error(
        "SN112",
        "what is neither a cookie nor session storage does not end with the browser session",
        "HTML, section 12.2.3; Storage, section 4",
        "lifetime",
        'write "persistent", or the limit after which your script removes it',
        lambda item: item.kind not in {Kind.COOKIE, Kind.SESSION} and item.lifetime.is_session,
    ),
    error(
        "SN113",
        "a cookie that signs people in or protects them needs secure = true, or anybody on the way can read it",
        f"{_COOKIES} section 8.3; {_ASVS}, 3.3.1",
        "secure",
        "write secure = true",
        cookie(_GUARDS(lambda item: not item.secure)),
    ),
    error(
        "SN114",
        "a cookie that signs people in, and that the server sets, needs http_only = true, or any script can take it",
        f"{_ASVS}, 3.3.4",
        "http_only",
        "write http_only = true; what scripts have to know belongs in a cookie or an answer of its own",
        cookie(_SIGNS_IN(lambda item: item.set_by is SetBy.SERVER and not item.http_only)),
    ),
    warning(
        "SN115",
        "without the prefix __Host- or __Host-Http-, a neighbouring host or a page without TLS can plant this cookie",
        f"{_COOKIES} section 8.6; {_ASVS}, 3.3.3",
        "name",
        'begin the name with __Host-Http-, or with __Host- if a script reads it, and write path = "/"',
        cookie(_GUARDS(_has_loose_prefix)),
    ),
    warning(
        "SN116",
        "with domain, every host below it gets this cookie and can replace it",
        f"{_COOKIES} sections 8.5 and 8.6; {_ASVS}, 3.3.3",
        "domain",
        "remove domain, and give each host a cookie of its own",
        cookie(_GUARDS(lambda item: item.domain is not None)),
    ),
    warning(
        "SN117",
        "with same_site = None, requests that other sites make carry this cookie",
        f"{_COOKIES} section 8.8; {_ASVS}, 3.3.2",
        "same_site",
        "write Lax or Strict",
        cookie(_GUARDS(lambda item: item.same_site is SameSite.NONE)),
    ),
)
