"""Typed text in what a page sends: plain, in another alphabet, hashed, or letter by letter.

The audit types texts that nobody types by chance, so that a part of one is proof enough.
"""

from __future__ import annotations

import base64
import hashlib
import re
import zlib
from collections.abc import Iterable, Iterator
from functools import lru_cache
from urllib.parse import unquote_plus

LEAST = 5
"""Letters of a text that, in their order, come from nowhere else. Shorter beginnings count when three of them grow."""

_BASE64 = re.compile(r"[A-Za-z0-9+/_-]{8,}={0,2}")
_HEX = re.compile(r"(?:[0-9a-fA-F]{2}[\s:,]?){6,}")
_ESCAPE = re.compile(r"\\u([0-9a-fA-F]{4})|\\x([0-9a-fA-F]{2})|&#(\d+);|&#x([0-9a-fA-F]+);")
_KEY_CODE = re.compile(r"(?:Key|Digit|Numpad)([A-Z0-9])(?![A-Za-z0-9])")
_LETTER = re.compile(r"(?:(?<=[:=,\[{|;/\s\"'])|^)([A-Za-z0-9])(?=[\"',&\]};|/\s]|$)")
_NUMBER = re.compile(r"(?<![\d.])(\d{2,3})(?![\d.])")
_GAP = 8
_DEPTH = 3
_MOST = 200_000
_HASHES = ("md5", "sha1", "sha224", "sha256", "sha384", "sha512")


def readings(text: str, depth: int = _DEPTH) -> frozenset[str]:
    """The text and what it says when its percent signs, escapes, base64, hexadecimal or compression are undone."""
    found: set[str] = set()
    waiting = [text[:_MOST]]
    for _ in range(depth):
        found.update(waiting)
        waiting = [more[:_MOST] for each in waiting for more in _undone(each) if more not in found]
    found.update(waiting)
    return frozenset(found)


def _undone(text: str) -> Iterator[str]:
    if "%" in text or "+" in text:
        yield unquote_plus(text)
    if "\\" in text or "&#" in text:
        yield _ESCAPE.sub(_character, text).replace('\\"', '"').replace("\\/", "/")
    opened = _inflated(text.encode("latin-1", "replace"))
    if opened:
        yield opened
    for part in _BASE64.findall(text)[:200]:
        yield from _text(_unbase64(part))
    for part in _HEX.findall(text)[:200]:
        digits = re.sub(r"[^0-9a-fA-F]", "", part)
        yield from _text(bytes.fromhex(digits[: len(digits) // 2 * 2]))


def _character(found: re.Match[str]) -> str:
    code = found[1] or found[2] or found[4]
    number = int(code, 16) if code else int(found[3])
    return chr(number) if number < 0x110000 else ""


def _unbase64(part: str) -> bytes:
    plain = part.rstrip("=").translate(str.maketrans("-_", "+/"))
    return base64.b64decode(plain[: len(plain) - (len(plain) % 4 == 1)] + "=" * (-len(plain) % 4)) if plain else b""


def _text(data: bytes) -> Iterator[str]:
    """What the bytes say, if they are text or packed text."""
    opened = _inflated(data)
    if opened:
        yield opened
    text = data.decode("utf-8", "ignore")
    if sum(each.isprintable() for each in text) > 0.9 * len(data):
        yield text


def _inflated(data: bytes) -> str:
    for start, window in ((b"\x1f\x8b", 31), (b"\x78", 15)):
        if data.startswith(start):
            try:
                return zlib.decompressobj(window).decompress(data, _MOST).decode("utf-8", "replace")
            except zlib.error:
                return ""
    return ""


@lru_cache(maxsize=512)
def disguises(typed: str) -> frozenset[str]:
    """The text in lower case, reversed, and hashed as hexadecimal and base64 (of it, of its first part before `@`, in
    lower and upper case). All in lower case but base64."""
    forms = {typed.lower(), typed.lower()[::-1]}
    for plain in {typed, typed.lower(), typed.upper(), typed.partition("@")[0], typed.partition("@")[0].lower()}:
        for name in _HASHES:
            digest = hashlib.new(name, plain.encode(), usedforsecurity=False).digest()
            forms.add(digest.hex())
            forms.add(base64.b64encode(digest).decode().rstrip("="))
            forms.add(base64.urlsafe_b64encode(digest).decode().rstrip("="))
    return frozenset(forms)


def tells(texts: Iterable[str], typed: str) -> str | None:
    """How these texts, sent one after the other, tell what was typed: `plain`, `hashed`, `letter by letter`, `key by
    key`, or None."""
    if len(typed) < LEAST:
        return None
    every = [sorted(readings(text)) for text in texts]
    own = typed.partition("@")[0]
    start, plain = own.lower()[: max(LEAST, min(len(own), 6))], own.lower()
    for each in every:
        for text in each:
            low = text.lower()
            if start in low or start[::-1] in low or (len(plain) > LEAST and plain[-6:] in low):
                return "plain"
            if any(form in text or form in low for form in disguises(typed)):
                return "hashed"
    if _grows(every, own.lower()):
        return "letter by letter"
    return _key_by_key(every, own)


def _grows(every: list[list[str]], own: str) -> bool:
    """Whether beginnings of it were sent, each longer than the last."""
    lengths = set()
    for each in every:
        for size in (3, 4):
            word = re.compile(rf"(?<![a-z0-9]){re.escape(own[:size])}(?![a-z0-9])")
            if any(word.search(text.lower()) for text in each):
                lengths.add(size)
    return len(lengths) > 1


def _key_by_key(every: list[list[str]], own: str) -> str | None:
    firsts = [each[0] if len(each) == 1 else max(each, key=lambda text: len(_LETTER.findall(text))) for each in every]
    letters = [found.lower() for text in firsts for found in _LETTER.findall(text)]
    codes = [found.lower() for each in every for text in each[:1] for found in _KEY_CODE.findall(text)]
    numbers = [found for text in firsts for found in _NUMBER.findall(text)]
    wanted = list(own.lower())
    upper, lower = ([str(ord(each)) for each in form] for form in (own.upper(), own.lower()))
    if _follows(letters, wanted) or _follows(codes, wanted) or _follows(numbers, upper) or _follows(numbers, lower):
        return "key by key"
    return None


def _follows(tokens: list[str], wanted: list[str]) -> bool:
    """Whether the wanted ones come in their order, with few others between them; all but the last two will do."""
    least = max(LEAST, len(wanted) - 2)
    for start in (at for at, token in enumerate(tokens) if token == wanted[0]):
        at, count = start, 1
        while count < len(wanted):
            ahead = tokens[at + 1 : at + 2 + _GAP]
            if wanted[count] not in ahead:
                break
            at += 1 + ahead.index(wanted[count])
            count += 1
        if count >= least:
            return True
    return False
