"""The Cookie and Set-Cookie headers as bytes, read as browsers read them (RFC 6265bis, sections 4.2, 5.1, 5.6 and 5.7).

`http.cookies` is not used: it stops at the first bad name, swallows `path=` in a request and rejects `Partitioned`.
Where browsers differ from each other, what is read is the cookie that would be kept longest. `tests/recorded` holds
what Chromium does with hundreds of headers, and the test beside it names each case that is read differently here.
"""

from __future__ import annotations

import calendar
import re
from collections.abc import Container
from dataclasses import dataclass
from functools import lru_cache
from typing import TypeAlias

__all__ = [
    "CookiePair",
    "CookieSyntaxError",
    "SetCookie",
    "lifetime",
    "parse_cookie_date",
    "parse_cookie_header",
    "parse_set_cookie",
    "refusal",
    "serialize_cookie_header",
    "serialize_set_cookie",
]

LONGEST_PAIR = 4096
"""Bytes of name and value together; a browser drops a longer cookie (section 5.6)."""

LONGEST_ATTRIBUTE = 1024
"""Bytes of one attribute's value; a browser ignores a longer attribute (section 5.6)."""

LONGEST_LIFE = 400 * 86_400
"""Seconds that a browser keeps a cookie at most (section 5.5)."""

_TOKEN = re.compile(rb"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")
_VALUE = re.compile(rb"[\x21\x23-\x2b\x2d-\x3a\x3c-\x5b\x5d-\x7e]*|\"[\x21\x23-\x2b\x2d-\x3a\x3c-\x5b\x5d-\x7e]*\"")
_CONTROL = re.compile(rb"[\x00-\x08\x0a-\x1f\x7f]")
_ATTRIBUTE_VALUE = re.compile(rb"[\x20-\x3a\x3c-\x7e]*")
_SPACE = b" \t"
_LONGEST_REMEMBERED = 512
PART = re.compile(rb"[^; \t][^;]*")  # never an empty one: a megabyte of semicolons is then skipped at once
_INTEGER = re.compile(rb"[+-]?[0-9]+")  # The RFC knows no plus sign, and Chromium obeys it.
_SAME_SITE = {b"strict": "Strict", b"lax": "Lax", b"none": "None"}


class CookieSyntaxError(ValueError):
    """The bytes are not a cookie that a browser would store, or the text cannot be sent as one."""


@dataclass(frozen=True, slots=True)
class CookiePair:
    """One pair of a request. `raw` is what was sent, without the spaces around it; `problem` is empty if sound."""

    name: bytes
    value: bytes
    raw: bytes
    problem: str = ""


@dataclass(frozen=True, slots=True)
class SetCookie:
    """One Set-Cookie header. `max_age` is in seconds, `expires` in seconds since 1970; an attribute that a browser
    would ignore is absent. `same_site` is `Strict`, `Lax`, `None` or, for anything else, None."""

    name: bytes
    value: bytes
    expires: int | None = None
    max_age: int | None = None
    domain: str | None = None
    path: str | None = None
    secure: bool = False
    http_only: bool = False
    same_site: str | None = None
    partitioned: bool = False


def is_token(name: str) -> bool:
    """Whether this may be the name of a cookie (RFC 6265bis section 4.1.1, RFC 9110 section 5.6.2)."""
    return name.isascii() and _TOKEN.fullmatch(name.encode()) is not None


def parse_cookie_header(raw: bytes) -> list[CookiePair]:
    """The pairs of one Cookie header, in order. Never raises: what is malformed says so in `problem`."""
    pairs = []
    for part in PART.findall(raw):
        text = part.rstrip(_SPACE)
        name, equals, value = text.partition(b"=")
        if not equals:
            pairs.append(CookiePair(b"", text, text, "has no name"))
            continue
        name, value = name.rstrip(_SPACE), value.lstrip(_SPACE)
        problem = ""
        if _TOKEN.fullmatch(name) is None:
            problem = "has a name with characters that are not allowed" if name else "has no name"
        elif _CONTROL.search(value):
            problem = "has a control character in its value"
        pairs.append(CookiePair(name, value, text, problem))
    return pairs


def serialize_cookie_header(pairs: list[CookiePair]) -> bytes:
    """The pairs as one Cookie header, each byte for byte as it came."""
    return b"; ".join([pair.raw for pair in pairs])


def parse_set_cookie(raw: bytes) -> SetCookie:
    """One Set-Cookie header, as section 5.6 says. Raises `CookieSyntaxError` where a browser drops it."""
    if _CONTROL.search(raw):
        raise CookieSyntaxError("has a control character")
    pair, _, rest = raw.partition(b";")
    name, equals, value = pair.partition(b"=")
    if not equals:
        name, value = b"", pair
    name, value = name.strip(_SPACE), value.strip(_SPACE)
    if not name and not value:
        raise CookieSyntaxError("has neither name nor value")
    if len(name) + len(value) > LONGEST_PAIR:
        raise CookieSyntaxError(f"is longer than {LONGEST_PAIR} bytes")
    read = _attributes_again if len(rest) <= _LONGEST_REMEMBERED else _attributes
    return SetCookie(name, value, *read(rest))


_Attributes: TypeAlias = tuple[int | None, int | None, str | None, str | None, bool, bool, str | None, bool]


def _attributes(rest: bytes) -> _Attributes:
    """What stands after the first semicolon, in the order of the fields of `SetCookie`."""
    expires: int | None = None
    max_age: int | None = None
    domain: str | None = None
    path: str | None = None
    same_site: str | None = None
    secure = http_only = partitioned = False
    for part in PART.findall(rest):
        key, _, text = part.partition(b"=")
        key, text = key.strip(_SPACE).lower(), text.strip(_SPACE)
        if len(text) > LONGEST_ATTRIBUTE:
            continue
        if key == b"path":
            path = text.decode("latin-1") if text[:1] == b"/" else None
        elif key == b"secure":
            secure = True
        elif key == b"httponly":
            http_only = True
        elif key == b"samesite":
            same_site = _SAME_SITE.get(text.lower())
        elif key == b"max-age":
            if _INTEGER.fullmatch(text):
                max_age = int(text)
        elif key == b"expires":
            date = parse_cookie_date(text)
            expires = expires if date is None else date
        elif key == b"domain":
            domain = text.removeprefix(b".").lower().decode("latin-1") or None
        elif key == b"partitioned":
            partitioned = True
    return expires, max_age, domain, path, secure, http_only, same_site, partitioned


# A server says the same of its cookies again and again, but for a date that changes each second.
_attributes_again = lru_cache(maxsize=256)(_attributes)


def serialize_set_cookie(cookie: SetCookie) -> str:
    """The header's value, with `Max-Age` and never `Expires`. Raises `CookieSyntaxError` rather than send what a
    browser would read differently, so no value can add an attribute or a header."""
    if not _TOKEN.fullmatch(cookie.name):
        raise CookieSyntaxError("the name is not a token")
    if not _VALUE.fullmatch(cookie.value):
        raise CookieSyntaxError("the value has a space, quote, comma, semicolon, backslash or a character beyond ASCII")
    if len(cookie.name) + len(cookie.value) > LONGEST_PAIR:
        raise CookieSyntaxError(f"name and value together are longer than {LONGEST_PAIR} bytes")
    parts = [f"{cookie.name.decode()}={cookie.value.decode()}"]
    for key, text in (("Path", cookie.path), ("Domain", cookie.domain)):
        if text is not None:
            if not text.isascii() or not _ATTRIBUTE_VALUE.fullmatch(text.encode()):
                raise CookieSyntaxError(f"{key} has characters that are not allowed")
            parts.append(f"{key}={text}")
    if cookie.max_age is not None:
        parts.append(f"Max-Age={cookie.max_age}")
    if cookie.secure:
        parts.append("Secure")
    if cookie.http_only:
        parts.append("HttpOnly")
    if cookie.same_site is not None:
        parts.append(f"SameSite={cookie.same_site}")
    if cookie.partitioned:
        parts.append("Partitioned")
    return "; ".join(parts)


_HTTP_PREFIXES = (b"__http-", b"__host-http-")
_HOST_PREFIX = b"__host-"
_PREFIXES = (b"__secure-", _HOST_PREFIX, *_HTTP_PREFIXES)
_IPV4 = re.compile(r"[0-9]+(?:\.[0-9]+){3}")


def refusal(
    cookie: SetCookie,
    *,
    host: str,
    secure: bool,
    by_script: bool = False,
    public_suffixes: Container[str] = (),
) -> str | None:
    """Why a browser does not take this cookie from this sender (section 5.7), or None if it does.

    `host` is that of the address, as in a Host header without the port; `secure` says whether it was https, and
    `by_script` whether it was `document.cookie`. A top-level domain is known to be a public suffix; others, such as
    `co.uk`, can be given. What depends on the request, such as SameSite in a frame, is not looked at.
    """
    nameless = not cookie.name
    if nameless and b"=" in cookie.value:
        return "has no name, and an equals sign in its value"
    if by_script and cookie.http_only:
        return "is HttpOnly, and a script set it"
    host = host.lower()
    if cookie.domain is not None and (problem := _domain_refusal(cookie.domain, host, public_suffixes)):
        return problem
    if cookie.secure and not secure and not _is_loopback(host):
        return "is Secure, and did not come over https or from this computer"
    if cookie.same_site == "None" and not cookie.secure:
        return "has SameSite=None, and is not Secure"
    if cookie.partitioned and not cookie.secure:
        return "is Partitioned, and not Secure"
    # A server that reads Cookie headers cannot tell the nameless cookie `__Host-a=1` from one with that name.
    start = (cookie.value if nameless else cookie.name)[:12].lower()
    if not start.startswith(_PREFIXES):
        return None
    is_wide = cookie.domain is not None and not _is_address(host)  # nothing lies below an address
    if nameless:
        return "has no name, and a value that begins as the name of a protected cookie"
    if not cookie.secure:
        return "has the prefix of a Secure cookie, and is not Secure"
    if start.startswith(_HTTP_PREFIXES) and not cookie.http_only:
        return "has the prefix of an HttpOnly cookie, and is not HttpOnly"
    if start.startswith(_HOST_PREFIX) and (cookie.path != "/" or is_wide):
        return "has the prefix of a cookie for one host, and not Path=/ without a Domain"
    return None


def lifetime(cookie: SetCookie, now: float) -> int | None:
    """Seconds that a browser keeps this cookie, 0 if it removes it at once, None if it ends with the browser session.

    `now` is in seconds since 1970. `Max-Age` goes before `Expires`, and 400 days are the most (sections 5.5 and 5.7).
    """
    if cookie.max_age is not None:
        life = cookie.max_age
    elif cookie.expires is not None:
        life = round(cookie.expires - now)
    else:
        return None
    return max(0, min(life, LONGEST_LIFE))


def _domain_refusal(domain: str, host: str, public_suffixes: Container[str]) -> str | None:
    """Why a Domain attribute cannot stand in an answer from this host (sections 5.1.2, 5.1.3 and 5.7)."""
    if not domain.isascii():
        try:
            domain = domain.encode("latin-1").decode().encode("idna").decode()
        except UnicodeError:
            return "has a Domain that is no host"
    if domain == host:
        return None
    if not host.endswith("." + domain) or _is_address(host):
        return "has a Domain to which the host does not belong"
    if "." not in domain or domain in public_suffixes:
        return "has a Domain under which anybody can have a site"
    return None


def _is_address(host: str) -> bool:
    return ":" in host or _IPV4.fullmatch(host) is not None


def _is_loopback(host: str) -> bool:
    """Whether Chromium and Firefox take plain http with this host to be as safe as https (Secure Contexts, 3.1)."""
    name = host.removesuffix(".")
    if name == "localhost" or name.endswith(".localhost"):
        return True
    return name == "[::1]" or (name.startswith("127.") and _is_address(name))


_DATE_TOKEN = re.compile(rb"[^\x09\x20-\x2f\x3b-\x40\x5b-\x60\x7b-\x7e]+")
# Chromium also takes years of five digits and hours such as 007, which the RFC does not know.
_TIME = re.compile(rb"0*([0-9]{1,2}):0*([0-9]{1,2}):0*([0-9]{1,2})(?![0-9])")
_DAY = re.compile(rb"([0-9]{1,2})(?![0-9])")
_YEAR = re.compile(rb"([0-9]{2,5})(?![0-9])")
_LAST_YEAR = 9999
_MONTHS = {name: number for number, name in enumerate(b"jan feb mar apr may jun jul aug sep oct nov dec".split(), 1)}


@lru_cache(maxsize=256)
def parse_cookie_date(raw: bytes) -> int | None:
    """Seconds since 1970 for an Expires value, by the forgiving rules of section 5.1.1, or None if it is no date."""
    time: tuple[int, int, int] | None = None
    day = month = year = None
    for token in _DATE_TOKEN.findall(raw):
        if time is None and (found := _TIME.match(token)):
            time = (int(found[1]), int(found[2]), int(found[3]))
        elif day is None and (found := _DAY.match(token)):
            day = int(found[1])
        elif month is None and token[:3].lower() in _MONTHS:
            month = _MONTHS[token[:3].lower()]
        elif year is None and (found := _YEAR.match(token)):
            year = int(found[1])
    if time is None or day is None or month is None or year is None:
        return None
    year = min(year + (1900 if 70 <= year <= 99 else 2000 if year <= 69 else 0), _LAST_YEAR)
    hour, minute, second = time
    if year < 1601 or hour > 23 or minute > 59 or second > 59:
        return None
    if not 1 <= day <= calendar.monthrange(year, month)[1]:
        return None
    return calendar.timegm((year, month, day, hour, minute, second))
