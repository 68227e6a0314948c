"""Which stored values tell people apart, and where such a value turns up again.

An identifier is what differs between two empty browsers and stays the same within one. Where there is only one browser
to look at, what is long and looks drawn by lot counts. Points in time are no identifiers.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import itertools
import json
import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from functools import lru_cache
from typing import Any
from urllib.parse import quote, unquote

from strictly_necessary.audit._observation import Deed
from strictly_necessary.audit.judge._things import Sight, Sights, Thing

SHORTEST = 8
"""Characters of an identifier at least: shorter ones are as often words and numbers."""

_MOST_TEXT = 16_384
_MOST_PARTS = 200
_TOKEN = re.compile(r"[A-Za-z0-9_-]{8,}")
_BASE64 = re.compile(r"[A-Za-z0-9+/_-]{12,}={0,2}")
_MOMENT = re.compile(
    r"1[5-9][0-9]{8}|1[5-9][0-9]{11}|(?:19|20)[0-9]{2}-?[01][0-9]-?[0-3][0-9](?:T[0-9-]*Z?)?"
)  # seconds or milliseconds since 1970, between 2017 and 2033, and dates
_UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", re.IGNORECASE)
_MAIL = re.compile(r"[^\s\"'<>@=&;,]{1,64}@[^\s\"'<>@=&;,]{1,200}")


@lru_cache(maxsize=20_000)
def parts_of(value: str) -> frozenset[str]:
    """The pieces of a value that could be an identifier: of the text as it is, of what is percent-encoded in it, of its
    JSON and of its base64."""
    texts = {value[:_MOST_TEXT]}
    texts.add(unquote(value[:_MOST_TEXT]))
    for text in tuple(texts):
        texts.update(_leaves(text))
        texts.update(_decoded(text))
    found = (token for text in sorted(texts) for token in _TOKEN.findall(text))
    parts = []
    for token in found:
        stripped = token.strip("-_")
        if _may_identify(stripped):
            parts.append(stripped)
            if len(parts) >= _MOST_PARTS:
                break
    return frozenset(parts)


def _leaves(text: str) -> Iterable[str]:
    if text[:1] not in '{["':
        return ()
    try:
        return tuple(_walk(json.loads(text)))
    except (ValueError, RecursionError):
        return ()


def _walk(value: Any) -> Iterable[str]:
    if isinstance(value, dict):
        for each in value.values():
            yield from _walk(each)
    elif isinstance(value, list):
        for each in value:
            yield from _walk(each)
    elif isinstance(value, str | int | float):
        yield str(value)


def _decoded(text: str) -> Iterable[str]:
    """The readable texts that stand in base64 in this one."""
    for found in _BASE64.findall(text)[:50]:
        plain = found.rstrip("=").replace("-", "+").replace("_", "/")
        try:
            raw = base64.b64decode(plain + "=" * (-len(plain) % 4), validate=True)
            decoded = raw.decode("ascii")
        except (binascii.Error, ValueError):
            continue
        if decoded.isprintable():
            yield decoded
            yield from _leaves(decoded)


def _may_identify(token: str) -> bool:
    if len(token) < SHORTEST or _MOMENT.fullmatch(token):
        return False
    has_digit = any(each.isdigit() for each in token)
    is_mixed = token.lower() != token and token.upper() != token and not token.istitle()
    return has_digit or (is_mixed and len(token) >= 12) or len(token) >= 24


def looks_drawn(token: str) -> bool:
    """Whether it looks drawn by lot, where nothing can be compared: long, and of digits and letters in turn."""
    if _UUID.fullmatch(token):
        return True
    digits = sum(each.isdigit() for each in token)
    if digits == len(token):
        return len(token) >= 9
    changes = sum(a.isdigit() != b.isdigit() for a, b in itertools.pairwise(token))
    if re.fullmatch(r"[0-9a-fA-F]+", token):
        return len(token) >= 12 and changes >= 3
    return len(token) >= 10 and digits >= 2 and changes >= 3


class Identifiers:
    """What of all that was kept tells people apart."""

    def __init__(self, browsers: tuple[Sights, ...]) -> None:
        values: dict[Thing, dict[int, set[str]]] = defaultdict(lambda: defaultdict(set))
        lives: dict[Thing, dict[int, dict[int, set[str]]]] = defaultdict(lambda: defaultdict(lambda: defaultdict(set)))
        for number, sights in enumerate(browsers):
            for sight, life in _in_lives(sights):
                if sight.value:
                    values[sight.thing][number].add(sight.value)
                    lives[sight.thing][number][life].add(sight.value)
        self._parts = {
            thing: _identifying([list(each.values()) for each in by_browser.values()])
            for thing, by_browser in lives.items()
        }
        owners: list[dict[str, set[Thing]]] = [defaultdict(set) for _ in browsers]
        for thing, by_browser in values.items():
            for number, texts in by_browser.items():
                for text in texts:
                    for part in parts_of(text) & self._parts[thing]:
                        owners[number][part].add(thing)
        self._kept = [Kept(dict(each)) for each in owners]
        self._secret = {
            part
            for by_browser in values.values()
            for texts in by_browser.values()
            for text in texts
            for part in _secrets(text)
        }.union(*self._parts.values())

    def of(self, thing: Thing, value: str) -> frozenset[str]:
        """The identifiers in this value of the thing."""
        return parts_of(value) & self._parts.get(thing, frozenset())

    def in_browser(self, number: int) -> Kept:
        """Each identifier that was kept in this browser, and where."""
        return self._kept[number]

    def hider(self) -> Callable[[str], str]:
        """Takes the values that may be somebody's out of a text."""
        starts: dict[str, list[str]] = defaultdict(list)
        for secret in sorted(self._secret, key=lambda each: (-len(each), each)):
            starts[secret[:SHORTEST]].append(secret)
        return lru_cache(maxsize=20_000)(lambda text: _hidden(text, starts) if starts else text)


class Kept:
    """The identifiers that one browser kept, each with the things that held it."""

    def __init__(self, holders: dict[str, set[Thing]]) -> None:
        self._holders = holders
        self._starts: dict[str, list[tuple[str, str]]] | None = None

    def __bool__(self) -> bool:
        return bool(self._holders)

    def holders(self, identifier: str) -> set[Thing]:
        return self._holders[identifier]

    def find(self, text: str) -> frozenset[str]:
        """Those that are in the text, in one form or another. One look at each place of the text, however many there
        are."""
        if not self._holders or len(text) < SHORTEST:
            return frozenset()
        if self._starts is None:
            self._starts = defaultdict(list)
            for identifier in self._holders:
                for form in forms_of(identifier):
                    self._starts[form[:SHORTEST]].append((form, identifier))
        found: set[str] = set()
        for each in texts_in(text):
            for at in range(len(each) - SHORTEST + 1):
                for form, identifier in self._starts.get(each[at : at + SHORTEST], ()):
                    if each.startswith(form, at):
                        found.add(identifier)
        return frozenset(found)


def _hidden(text: str, starts: dict[str, list[str]]) -> str:
    pieces: list[str] = []
    at = begun = 0
    while at <= len(text) - SHORTEST:
        beginning = starts.get(text[at : at + SHORTEST])
        secret = next((each for each in beginning if text.startswith(each, at)), None) if beginning else None
        if secret is None:
            at += 1
            continue
        pieces += [text[begun:at], "…"]
        at = begun = at + len(secret)
    return "".join([*pieces, text[begun:]]) if pieces else text


def _in_lives(sights: Sights) -> Iterator[tuple[Sight, int]]:
    """Each sight, and how often something had been removed by then: after that, a new value is none that changed."""
    removals: dict[int, list[int]] = {}
    before = 0
    current = None
    for sight in sights:
        if sight.visit is not current:
            before += len(removals.get(id(current), ()))
            current = sight.visit
            removals[id(current)] = [n for n, act in enumerate(current.acts) if act.deed is Deed.REMOVE]
        yield sight, before + sum(act <= sight.act for act in removals[id(current)])


def _identifying(browsers: list[list[set[str]]]) -> frozenset[str]:
    """The parts that stay the same within each browser, from one removal to the next, and are in no other browser."""
    stable = [
        frozenset[str]().union(*(frozenset.intersection(*map(parts_of, sorted(texts))) for texts in lives))
        for lives in browsers
    ]
    everything = [frozenset[str]().union(*(parts_of(text) for texts in lives for text in texts)) for lives in browsers]
    found: set[str] = set()
    for number, parts in enumerate(stable):
        others = [each for index, each in enumerate(everything) if index != number]
        if others:
            found.update(parts.difference(*others))
        else:
            found.update(part for part in parts if looks_drawn(part))
    return frozenset(found)


def _secrets(text: str) -> Iterable[str]:
    """What is better not shown, whether or not it tells people apart: what is drawn by lot, and addresses of e-mail."""
    yield from (part for part in parts_of(text) if looks_drawn(part))
    yield from (mail for mail in _MAIL.findall(text[:_MOST_TEXT]) if len(mail) >= SHORTEST)


@lru_cache(maxsize=20_000)
def forms_of(identifier: str) -> frozenset[str]:
    """How it may be written elsewhere: as it is, in base64, in hexadecimal digits, or as a digest in either."""
    raw = identifier.encode()
    digests = [hashlib.new(name, raw, usedforsecurity=False).digest() for name in ("md5", "sha1", "sha256", "sha512")]
    forms = {identifier, identifier.lower(), identifier.upper(), quote(identifier, safe="")}
    for each in (raw, *digests):
        encoded = base64.b64encode(each).decode().rstrip("=")
        forms |= {encoded, encoded.replace("+", "-").replace("/", "_"), each.hex(), each.hex().upper()}
    forms.add(identifier.replace("-", ""))
    return frozenset(form for form in forms if len(form) >= SHORTEST)


def texts_in(text: str) -> frozenset[str]:
    """The text and what is encoded in it: percent-encoding twice, and base64."""
    once = unquote(text)
    texts = {text, once, unquote(once)}
    for each in tuple(texts):
        texts.update(_decoded(each))
    return frozenset(texts)


def found_in(identifiers: Iterable[str], text: str) -> frozenset[str]:
    """Those of the identifiers that are in the text, in one form or another."""
    texts = texts_in(text)
    return frozenset(
        identifier for identifier in identifiers if any(form in each for form in forms_of(identifier) for each in texts)
    )
