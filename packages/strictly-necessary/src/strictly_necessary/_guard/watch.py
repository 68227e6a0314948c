"""What the guard decides, without a framework: which cookies reach the application, and which may leave it."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator

from strictly_necessary._findings import Direction, GuardFinding
from strictly_necessary.cookies import (
    LONGEST_PAIR,
    PART,
    CookieSyntaxError,
    SetCookie,
    is_token,
    parse_cookie_header,
    parse_set_cookie,
)
from strictly_necessary.declaration import Declaration
from strictly_necessary.declaration._items import Category, Item, SetBy
from strictly_necessary.rules import prefix_of

MOST_FINDINGS = 20
"""Findings about one header at most; one more then says that there were others, so nobody can flood a log."""

MOST_STRANGERS = 200
"""Undeclared cookies in one header that are looked at; browsers hold fewer for one site, and a flood costs less so."""

_MOST_REMEMBERED = 256
_LONGEST_REMEMBERED = 512
_control = re.compile(rb"[\x00-\x08\x0a-\x1f\x7f]").search
_SPACE = b" \t"
_SLACK = 60
"""Seconds by which a life may be shorter than declared without a word: a date is reckoned before it is sent."""


class Watch:
    """The declaration, prepared for looking at headers. `now` tells the time in seconds since 1970.

    What needs consent passes if its id is among `granted`. None is for a guard that asks nobody: then such a cookie in
    a request is told as one that is not declared."""

    def __init__(
        self,
        declaration: Declaration,
        *,
        now: Callable[[], float] = time.time,
        granted: frozenset[str] | None = None,
    ) -> None:
        self._declaration = declaration
        self._now = now
        self._granted = granted
        may_pass = [declaration.is_exempt(item) or item.id in (granted or ()) for item in declaration.cookies]
        cookies = [item for item, passes in zip(declaration.cookies, may_pass, strict=True) if passes]
        self._gated = [item for item, passes in zip(declaration.cookies, may_pass, strict=True) if not passes]
        self._exact = {item.name.encode(): item for item in cookies if not item.is_pattern}
        self._patterns = [(item.stem.encode(), item) for item in cookies if item.is_pattern]
        self._stems = tuple(stem for stem, _ in self._patterns)
        self._readable = frozenset(name for name, item in self._exact.items() if item.readable_by_application)
        self._hidden = frozenset(name for name, item in self._exact.items() if not item.readable_by_application)
        self._hidden_stems = tuple(stem for stem, item in self._patterns if not item.readable_by_application)
        self._bare = {_bare(item.name): item for item in cookies if not item.is_pattern}
        self._sound: dict[tuple[bytes, bytes], bool] = {}

    def granting(self, granted: frozenset[str]) -> Watch:
        """The same for a request in which these items are granted, and no others."""
        return Watch(self._declaration, now=self._now, granted=granted)

    def request(self, header: bytes) -> tuple[bytes, tuple[GuardFinding, ...]]:
        """The Cookie header that the application may see, perhaps empty, and what was wrong with the one that came.

        Several Cookie headers are to be joined by `; ` first (RFC 9113 section 8.2.3). Everything that passes is as it
        came, byte for byte and in its order. Never raises."""
        if _control(header):
            return self._sort_out(header)
        kept: dict[bytes, bytes] = {}
        whole = True
        for pair in header.split(b";"):
            raw_name, equals, _ = pair.partition(b"=")
            name = raw_name.strip(_SPACE)
            if not equals:
                return self._sort_out(header)
            if name in self._readable and name not in kept:
                kept[name] = pair
            elif name in self._hidden or name.startswith(self._hidden_stems):
                whole = False
            else:
                return self._sort_out(header)
        return header if whole else b"; ".join([pair.strip(_SPACE) for pair in kept.values()]), ()

    def _sort_out(self, header: bytes) -> tuple[bytes, tuple[GuardFinding, ...]]:
        """`request` for a header in which something is out of the ordinary."""
        kept: list[bytes] = []
        seen: set[bytes] = set()
        strangers = 0
        findings = _Findings(Direction.REQUEST)
        for part in PART.findall(header):
            raw = part.rstrip(_SPACE)
            before, equals, _ = raw.partition(b"=")
            name = before.rstrip(_SPACE)
            item = self._find(name) if equals else None
            if item is None:
                if equals and self._waits(name):
                    continue
                if findings.full or strangers == MOST_STRANGERS:
                    findings.more = True
                    continue
                strangers += 1
            if item is None or _control(raw) or not (name in self._exact or is_token(name.decode("latin-1"))):
                (pair,) = parse_cookie_header(raw)
                if pair.problem:
                    text = f"{{name}} {pair.problem} "
                    findings.add("SN302", text, pair.name, item)
                    continue
            if item is None:
                findings.add("SN301", "{name} is not declared", name)
            elif item.readable_by_application:
                kept.append(raw)
                if name in seen:
                    text = "{name} came more than once; a neighbouring site may have set one of them"
                    findings.add("SN303", text, name, item)
                seen.add(name)
        return b"; ".join(kept), findings.done()

    def response(self, header: bytes) -> tuple[tuple[GuardFinding, ...], bool]:
        """What is wrong with this Set-Cookie, and whether it signs a person out: removes a cookie that kept them signed
        in. It may not leave if a finding is an error. Never raises."""
        pair, _, attributes = header.partition(b";")
        name, equals, _ = pair.partition(b"=")
        signs_out = self._sound.get((name, attributes)) if equals else None  # without it, a browser sees no name
        if signs_out is not None and len(pair) <= LONGEST_PAIR and not _control(pair):
            return (), signs_out
        findings = _Findings(Direction.RESPONSE)
        try:
            cookie = parse_set_cookie(header)
        except CookieSyntaxError as error:
            findings.add("SN312", f"Set-Cookie {{name}} {error}", name.strip(_SPACE))
            return findings.done(), False
        life = _life(cookie, self._now)
        removes = _removes(header, cookie, life)
        item = self._find(cookie.name)
        if item is None:
            if not removes:
                self._undeclared(cookie.name, findings)
            return findings.done(), False
        for code, message in () if removes else _differences(item, cookie, life):
            findings.add(code, f"{{name}} {message}", cookie.name, item)
        found = findings.done()
        signs_out = removes and Category.AUTHENTICATION in item.categories and not found
        # The verdict is remembered if only the name and the attributes count for it, not the time and not the value.
        if not found and cookie.expires is None and not item.values and len(attributes) <= _LONGEST_REMEMBERED:
            if len(self._sound) >= _MOST_REMEMBERED:
                self._sound.clear()  # lives that differ each time, or a client who plays, must not crowd out the usual
            self._sound[name, attributes] = signs_out
        return found, signs_out

    def _waits(self, name: bytes) -> bool:
        """Whether this is a cookie without consent, and there is somebody who removes it."""
        return self._granted is not None and any(item.matches(name.decode("latin-1")) for item in self._gated)

    def _undeclared(self, name: bytes, findings: _Findings) -> None:
        text = name.decode("latin-1")
        gated = next((item for item in self._gated if item.matches(text)), None)
        if gated is not None:
            findings.add("SN316", "{name} needs consent, and there is none", name, gated)
            return
        near = self._bare.get(_bare(text))
        hint = f"; did you mean {near.name}, the item {near.id!r}?" if near else ""
        findings.add("SN311", f"{{name}} is not declared{hint}", name)

    def _find(self, name: bytes) -> Item | None:
        item = self._exact.get(name)
        if item is None and name.startswith(self._stems):
            for stem, candidate in self._patterns:
                if name.startswith(stem):
                    return candidate
        return item


def _life(cookie: SetCookie, now: Callable[[], float]) -> int | None:
    """Seconds, or None for the browser session. Old browsers know only Expires: the longer of the two counts."""
    lives = [] if cookie.max_age is None else [cookie.max_age]
    if cookie.expires is not None:
        lives.append(cookie.expires - int(now()))
    return max(lives) if lives else None


def _removes(header: bytes, cookie: SetCookie, life: int | None) -> bool:
    """Whether every browser removes the cookie. They differ in which of two limits counts when one of them cannot be
    read, so each is there once at most, and was read."""
    if life is None or life > 0:
        return False
    lower = header.lower()
    limits = (lower.count(b"max-age"), lower.count(b"expires"))
    return limits == (cookie.max_age is not None, cookie.expires is not None)


def _bare(name: str) -> str:
    """The name as somebody might write it who forgets its prefix or its letter case."""
    return name[len(prefix_of(name) or "") :].lower()


def _differences(item: Item, cookie: SetCookie, life: int | None) -> Iterator[tuple[str, str]]:
    """What sets this header apart from its declaration."""
    if item.set_by is not SetBy.SERVER:
        yield "SN315", f"is declared to be set by {item.set_by.value}, and the application set it"
        return
    declared_life = item.lifetime.seconds or 0
    if (life or 0) > declared_life:
        yield "SN314", f"would live {life} seconds, and its declared lifetime is {item.lifetime.text!r}"
    elif (life or 0) < declared_life - _SLACK and not item.requires_action:
        shown = "ends with the browser session" if life is None else f"would live {life} seconds"
        yield "SN318", f"{shown}, and its declared lifetime is {item.lifetime.text!r}"
    same_site = item.same_site.value if item.same_site else None
    for attribute, actual, declared in (
        ("HttpOnly", cookie.http_only, item.http_only),
        ("Secure", cookie.secure, item.secure),
        ("Partitioned", cookie.partitioned, item.partitioned),
        ("Path", cookie.path, item.path),
        ("Domain", cookie.domain, item.domain),
        ("SameSite", cookie.same_site, same_site),
    ):
        if actual != declared:
            yield "SN313", f"has {_shown(attribute, actual)}, and is declared with {_shown(attribute, declared)}"
    if item.values and cookie.value.decode("latin-1") not in item.values:
        yield "SN317", "has a value that is not among its declared values"


def _shown(attribute: str, value: object) -> str:
    if value in (None, False):
        return f"no {attribute}"
    return attribute if value is True else f"{attribute}={ascii(value)[1:81].rstrip(chr(39))}"


def shown(name: bytes) -> str:
    """A name as it may be printed anywhere: its beginning, escaped."""
    return name[:80].decode("latin-1").encode("unicode_escape").decode("ascii")


class _Findings:
    """Collects at most `MOST_FINDINGS`, each once, with names that are safe to print."""

    def __init__(self, direction: Direction) -> None:
        self._direction = direction
        self._found: dict[tuple[str, str, bytes], GuardFinding] = {}
        self.more = False

    @property
    def full(self) -> bool:
        return len(self._found) >= MOST_FINDINGS

    def add(self, code: str, message: str, name: bytes, item: Item | None = None) -> None:
        key = (code, message, name[:80])
        if key in self._found:
            return
        if self.full:
            self.more = True
            return
        name_shown = shown(name)
        text = message.replace("{name}", f'"{name_shown}"' if name_shown else "a cookie without a name")
        self._found[key] = GuardFinding(code, self._direction, text, name_shown, item.id if item else None)

    def done(self) -> tuple[GuardFinding, ...]:
        found = tuple(self._found.values())
        if self.more:
            found += (GuardFinding("SN304", self._direction, "and there were more findings than are told", ""),)
        return found
