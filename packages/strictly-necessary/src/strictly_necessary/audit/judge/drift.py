"""Where what is kept is otherwise than declared: a cookie's attributes (SN403), its life (SN404), who wrote it (SN405),
and a life that starts anew (SN408)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache
from urllib.parse import urlsplit

from strictly_necessary.audit._observation import BY_ITSELF, Cookie, State, Write
from strictly_necessary.audit.judge._case import Case
from strictly_necessary.audit.judge._evidence import of_write, told_life
from strictly_necessary.audit.judge._merging import Raw, seen
from strictly_necessary.audit.judge._sites import host_of, shown
from strictly_necessary.audit.judge._things import Sight, Thing, header_of
from strictly_necessary.cookies import LONGEST_LIFE
from strictly_necessary.declaration._items import Category, Item, Jurisdiction, Kind, SetBy

_SLACK = 60.0
"""Seconds by which a life may be longer than declared: a date is reckoned before it is read, by another clock."""

_CNIL = "; in France this ends the exemption of audience measurement (CNIL on audience measurement, 4 July 2025)"


def findings(case: Case) -> Iterator[Raw]:
    for sights in case.browsers:
        first: dict[Thing, str] = {}
        for sight in sights:
            item = case.item(sight.thing)
            if item is None or sight.visit.state is State.NO_COOKIES:
                continue
            if sight.thing.kind is Kind.COOKIE:
                yield from _attributes(case, sight, item)
                yield from _life(case, sight, item)
                yield from _renewed(case, sight, item, first)
            if sight.write is not None and sight.stored is None:
                yield from _writer(case, sight, sight.write, item)


def _raw(case: Case, code: str, sight: Sight, message: str, item: Item, fix: str | None = None) -> Raw:
    thing = case.named(sight.thing)
    return Raw(
        code, str(thing), f"{thing} {message}", seen(sight.visit, sight.act), of_write(sight.write), item.id, fix
    )


def _attributes(case: Case, sight: Sight, item: Item) -> Iterator[Raw]:
    cookie = sight.stored.cookie if sight.stored else None
    wrong = list(_differences(cookie, item)) if cookie else []
    header = header_of(sight.write) if sight.write is not None else None
    # Chromium takes a missing SameSite for Lax, and other browsers take it for None.
    says_nothing = cookie is not None and header is not None and header.same_site is None
    if says_nothing and item.same_site is not None and not any(name == "SameSite" for name, *_ in wrong):
        wrong.append(("SameSite", "no SameSite", f"SameSite={item.same_site.value}"))
    if wrong:
        told = " and ".join(f"has {actual}, and is declared with {declared}" for _, actual, declared in wrong)
        declared = ", ".join(declared for *_, declared in wrong)
        yield _raw(
            case, "SN403", sight, told, item, f"set it with {declared}, or declare what is set and release a version"
        )


def _differences(cookie: Cookie, item: Item) -> Iterator[tuple[str, str, str]]:
    """Attribute, what the jar has, and what is declared."""
    flags = (
        ("HttpOnly", cookie.http_only, item.http_only),
        ("Secure", cookie.secure, item.secure),
        ("Partitioned", cookie.partition is not None, item.partitioned),
    )
    for name, actual, declared in flags:
        if actual != declared:
            yield name, name if actual else f"no {name}", name if declared else f"no {name}"
    if item.path is not None and cookie.path != item.path:
        yield "Path", f"Path={cookie.path}", f"Path={item.path}"
    domain = None if cookie.host_only else cookie.domain.removeprefix(".")
    if domain != item.domain:
        yield (
            "Domain",
            f"Domain={domain}" if domain else "no Domain",
            f"Domain={item.domain}" if item.domain else ("no Domain"),
        )
    same_site = item.same_site.value if item.same_site else None
    if same_site is not None and (cookie.same_site or "Lax") != same_site:
        yield "SameSite", f"SameSite={cookie.same_site or 'Lax'}", f"SameSite={same_site}"


def _life(case: Case, sight: Sight, item: Item) -> Iterator[Raw]:
    cookie = sight.stored.cookie if sight.stored else None
    lives = [sight.write.life if sight.write is not None else None, cookie.life if cookie else None]
    life = max((each for each in lives if each is not None), default=None)
    if life is None or item.lifetime.is_persistent:
        return
    declared = float(item.lifetime.seconds or 0)
    if life <= declared + (_SLACK if declared else 0.0):
        return
    most = " or more" if life >= LONGEST_LIFE - _SLACK else ""
    message = f"lives {told_life(life)}{most}, and its declared lifetime is {item.lifetime.text!r}"
    fix = (
        f"send it with Max-Age={item.lifetime.seconds} at most"
        if item.lifetime.seconds
        else "send it without Max-Age and Expires"
    )
    yield _raw(case, "SN404", sight, message, item, f"{fix}, or declare the longer life and release a version")


def _renewed(case: Case, sight: Sight, item: Item, first: dict[Thing, str]) -> Iterator[Raw]:
    """Written again by itself, while it was there, with the same value or the same identifier in it."""
    write = sight.write
    if write is None or sight.stored is not None:
        return
    before = first.get(sight.thing)
    first[sight.thing] = sight.value
    if before is None or sight.fresh or item.renewed or item.lifetime.seconds is None:
        return
    if write.life is None or sight.deed not in BY_ITSELF:
        return
    known = case.identifiers.of(sight.thing, sight.value) & case.identifiers.of(sight.thing, before)
    if sight.value != before and not known:
        return
    measures = Category.AUDIENCE_MEASUREMENT in item.categories and Jurisdiction.FR in case.jurisdictions
    message = "is written again while it is there, so that its life starts anew, and it is not declared as renewed"
    yield _raw(case, "SN408", sight, message + (_CNIL if measures else ""), item)


def _writer(case: Case, sight: Sight, write: Write, item: Item) -> Iterator[Raw]:
    if write.header is not None:
        if item.set_by is SetBy.SCRIPT:
            message = f"is set by the answer of {shown(write.address)}, and declared for the script {item.script}"
            yield _raw(case, "SN405", sight, message, item)
        return
    scripts = [place.url for place in write.stack] or [write.address]
    if write.worker is not None:
        scripts.append(write.worker)
    scripts = [each for each in scripts if each]
    if not scripts:
        return
    if item.set_by is not SetBy.SCRIPT:
        message = f"is written by a script, and declared to be set by the {_WHO[item.set_by]}"
        yield _raw(case, "SN405", sight, message, item)
    elif item.script and not any(_is_script(case, each, item.script) for each in scripts):
        yield _raw(case, "SN405", sight, f"is written by another script than the declared {item.script}", item)


_WHO = {SetBy.SERVER: "server", SetBy.INFRASTRUCTURE: "infrastructure", SetBy.SCRIPT: "script"}


def _is_script(case: Case, address: str, declared: str) -> bool:
    """Whether the script at this address is the declared one. A path alone means one of our own hosts."""
    is_made = address.startswith("blob:")
    address = address.removeprefix("blob:")
    if declared.startswith("/"):
        if not case.is_ours(address):
            return False
        # What a page has made as a blob has no path that could be declared; only that it is ours can be told.
        return is_made or _pattern(declared).fullmatch(urlsplit(address).path or "/") is not None
    wanted = urlsplit(declared)
    if host_of(address) != (wanted.hostname or ""):
        return False
    return _pattern(wanted.path or "/").fullmatch(urlsplit(address).path or "/") is not None


@lru_cache(maxsize=256)
def _pattern(path: str) -> re.Pattern[str]:
    """A star stands for a version, which has no slash in it; at the end it stands for all that follows."""
    path = path.partition("?")[0]
    stem, star = (path[:-1], ".*") if path.endswith("*") else (path, "")
    return re.compile("[^/]*".join(map(re.escape, stem.split("*"))) + star)
