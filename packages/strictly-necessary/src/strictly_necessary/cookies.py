"""The Cookie and Set-Cookie headers as bytes, read as a browser reads them (RFC 6265bis, sections 4.2, 5.6 and 5.1.1).

`http.cookies` is not used: it stops at the first bad name, swallows `path=` in a request and rejects `Partitioned`.
"""

from __future__ import annotations

import calendar
import re
from dataclasses import dataclass
from functools import lru_cache

__all__ = [
    "CookiePair",
    "CookieSyntaxError",
    "SetCookie",
    "parse_cookie_date",
    "parse_cookie_header",
    "parse_set_cookie",
    "serialize_cookie_header",
    "serialize_set_cookie",
]

LONGEST_PAIR = 4096
"""Bytes of name and value together; a browser drops a longer cookie (section 5.6)."""

LONGEST_ATTRIBUTE = 1024
"""Bytes of one attribute's value; a browser ignores a longer attribute (section 5.6)."""

_TOKEN = re.compile(rb"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")
_VALUE = re.compile(rb"[\x21\x23-\x2b\x2d-\x3a\x3c-\x5b\x5d-\x7e]*|\"[\x21\x23-\x2b\x2d-\x3a\x3c-\x5b\x5d-\x7e]*\"")
_CONTROL = re.compile(rb"[\x00-\x08\x0a-\x1f\x7f]")
_ATTRIBUTE_VALUE = re.compile(rb"[\x20-\x3a\x3c-\x7e]*")
_SPACE = b" \t"
_INTEGER = re.compile(rb"-?[0-9]+")
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
    for part in raw.split(b";"):
        text = part.strip(_SPACE)
        if not text:
            continue
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
    expires: int | None = None
    max_age: int | None = None
    domain: str | None = None
    path: str | None = None
    same_site: str | None = None
    secure = http_only = partitioned = False
    for part in rest.split(b";") if rest else ():
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
    return SetCookie(name, value, expires, max_age, domain, path, secure, http_only, same_site, partitioned)


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


_DATE_TOKEN = re.compile(rb"[^\x09\x20-\x2f\x3b-\x40\x5b-\x60\x7b-\x7e]+")
_TIME = re.compile(rb"([0-9]{1,2}):([0-9]{1,2}):([0-9]{1,2})(?![0-9])")
_DAY = re.compile(rb"([0-9]{1,2})(?![0-9])")
_YEAR = re.compile(rb"([0-9]{2,4})(?![0-9])")
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
    year += 1900 if 70 <= year <= 99 else 2000 if year <= 69 else 0
    hour, minute, second = time
    if year < 1601 or hour > 23 or minute > 59 or second > 59:
        return None
    if not 1 <= day <= calendar.monthrange(year, month)[1]:
        return None
    return calendar.timegm((year, month, day, hour, minute, second))
