"""What a real Chromium does with hundreds of Set-Cookie headers, and how they are read here (`recorded/record.py`)."""

import json
import runpy
import time
from collections import Counter
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from strictly_necessary.cookies import (
    CookieSyntaxError,
    SetCookie,
    lifetime,
    parse_cookie_header,
    parse_set_cookie,
    refusal,
    serialize_cookie_header,
)

FOLDER = Path(__file__).parent / "recorded"
RECORD: dict[str, Any] = json.loads((FOLDER / "chromium.json").read_text(encoding="ascii"))
ENTRIES: list[dict[str, Any]] = RECORD["entries"]
JARS: list[dict[str, Any]] = RECORD["jars"]
recorder = runpy.run_path(str(FOLDER / "record.py"))
expand, read_inputs = recorder["expand"], recorder["read_inputs"]

NOW = int(time.time())
PUBLIC_SUFFIXES = frozenset({"co.uk", "github.io", "kawasaki.jp"})
LOOSE = 2
"""Seconds by which a life may differ: the browser counts from when it has read the answer."""

DIFFERENCES: dict[str, list[str]] = {
    # The RFC allows a tab since its draft 09, and Firefox does not refuse it. Chromium does, wherever the tab is.
    "a tab inside": [
        "a\tb=1",
        "a=x\ty",
        "a=1; Path=/x\ty",
        "a=1; Path=/a\tb",
        "a=1; Custom=x\ty",
        "a=1; Expires=1\tJan\t2100\t00:00:00",
    ],
    # To Chromium's HTTP it is the end of a line, so its cookie parser never sees it. A server that sends one is broken
    # or under attack, and by script the same cookie is refused.
    "a carriage return in a header": ["a=x\r", "a=x\r; Path=/", "a=x; Path=/\r"],
    # The RFC (section 5.6) ignores an attribute that it cannot read, so an earlier one counts. In Chromium the last one
    # counts, even if it cannot be read.
    "an attribute that cannot be read after one that can": [
        "a=1; Max-Age=60; Max-Age=x",
        "a=1; Max-Age=60; Max-Age=",
        "a=1; Max-Age=60; Max-Age",
        "a=1; Expires=⟨+3600⟩; Expires=x",
        "a=1; Expires=⟨+3600⟩; Expires=",
    ],
    # The RFC (section 5.1.1) lets anything follow the digits. Chromium takes this for no date, so for a session cookie.
    "a date with something after its digits": [
        "a=1; Expires=01 Jan 2100 00:00:00x",
        "a=1; Expires=1st January 2100 00:00:00",
        "a=1; Expires=1 Jan 2100 00:00:00:00",
        "a=1; Expires=1 Jan 2100x 00:00:00",
        "a=1; Expires=1x Jan 2100 00:00:00",
    ],
    # The RFC knows no year before 1601 and none of one digit, so this is no date and a session cookie, or the next
    # number is the year. To Chromium it is a date long ago.
    "a year that the RFC does not know": [
        "a=1; Expires=01 Jan 210 00:00:00",
        "a=1; Expires=01 Jan 1600 00:00:00",
        "a=1; Expires=31 Dec 1600 23:59:59",
        "a=1; Expires=01 Jan 0 00:00:00",
        "a=1; Expires=2 3 Jan 2100 00:00:00",
        "a=1; Expires=1 2 jan 00:00:00 GMT",
    ],
    # By the RFC (section 5.6.3) nothing is left when the dot is taken away, which is as if there were no Domain.
    "a Domain of one dot": ["a=1; Domain=."],
    # `SetCookie` holds the bytes that came; `refusal` knows the name that they stand for.
    "a Domain in letters beyond ASCII": ["a=1; Domain=b\xc3\xbccher.{id}.test"],
}
"""What is read otherwise than in Chromium, and why."""


def ours(entry: dict[str, Any]) -> SetCookie | None:
    """The cookie as we read it, or None if it is not kept."""
    url = urlsplit(entry["url"])
    try:
        cookie = parse_set_cookie(expand(entry["set"], NOW))
    except CookieSyntaxError:
        return None
    by_script = entry["by"] == "script"
    secure = url.scheme == "https"
    if refusal(cookie, host=url.netloc, secure=secure, by_script=by_script, public_suffixes=PUBLIC_SUFFIXES):
        return None
    return None if lifetime(cookie, NOW) == 0 else cookie


def told(raw: bytes) -> str:
    """The bytes as the DevTools protocol shows them in the record: without what is not UTF-8, but for surrogates."""
    try:
        raw.decode(errors="surrogatepass")
    except UnicodeDecodeError:
        raw = raw.decode(errors="ignore").encode()
    return raw.decode("latin-1")


def whole(text: str) -> str:
    raw: bytes = expand(text, NOW)
    return raw.decode("latin-1")


def difference(entry: dict[str, Any]) -> str:
    """In what our reading differs from Chromium's; empty if in nothing."""
    cookie, stored = ours(entry), entry["stored"]
    if cookie is None or stored is None:
        return "" if cookie is stored else f"it is kept by {'Chromium' if stored else 'us'} alone"
    url = urlsplit(entry["url"])
    life = lifetime(cookie, NOW)
    path = cookie.path or url.path[: url.path.rindex("/")] or "/"
    pairs = {
        "name": (told(cookie.name), whole(stored["name"])),
        "value": (told(cookie.value), whole(stored["value"])),
        "path": (told(path.encode("latin-1")), whole(stored["path"])),
        "domain": (cookie.domain or url.netloc, stored["domain"]),
        "host only": (cookie.domain in {None, url.netloc} and stored["host_only"], stored["host_only"]),
        "session": (life is None, stored["life"] is None),
        "life": (abs((life or 0) - (stored["life"] or 0)) <= LOOSE, True),
        "secure": (cookie.secure, stored["secure"]),
        "http only": (cookie.http_only, stored["http_only"]),
        "same site": (cookie.same_site, stored["same_site"]),
        "partitioned": (cookie.partitioned, stored["partitioned"]),
    }
    return ", ".join(f"{what}: {mine!r}, not {theirs!r}" for what, (mine, theirs) in pairs.items() if mine != theirs)


def matches(path: str, cookie_path: str) -> bool:
    """Whether a cookie goes to this path (RFC 6265bis section 5.1.4)."""
    if not path.startswith(cookie_path):
        return False
    return path == cookie_path or cookie_path.endswith("/") or path[len(cookie_path)] == "/"


def test_the_record_is_large_and_holds_what_the_inputs_hold() -> None:
    entries, jars = read_inputs((FOLDER / "inputs.txt").read_text(encoding="utf-8"))
    assert [entry.items() <= recorded.items() for entry, recorded in zip(entries, ENTRIES, strict=True)].count(
        False
    ) == 0
    assert [jar.items() <= recorded.items() for jar, recorded in zip(jars, JARS, strict=True)].count(False) == 0
    assert len({(entry["set"], entry["by"]) for entry in ENTRIES}) > 600
    assert len(JARS) > 40


def test_what_is_read_is_what_chromium_stores_but_for_the_named_differences() -> None:
    found = {entry["set"].replace(entry["id"], "{id}"): text for entry in ENTRIES if (text := difference(entry))}
    named = {text for texts in DIFFERENCES.values() for text in texts}
    assert {text: found[text] for text in found.keys() - named} == {}
    assert named - found.keys() == set()


def test_no_cookie_in_the_browser_lives_longer_than_it_is_read() -> None:
    for entry in ENTRIES:
        cookie = ours(entry)
        if cookie is not None and entry["stored"] and (theirs := entry["stored"]["life"]) is not None:
            life = lifetime(cookie, NOW)
            assert life is not None, entry["set"]
            assert life >= theirs - LOOSE, entry["set"]


@pytest.mark.parametrize("entry", ENTRIES, ids=lambda entry: entry["id"])
def test_what_chromium_sends_is_read_as_the_cookie_that_was_set(entry: dict[str, Any]) -> None:
    stored, sent, cookie = entry["stored"], entry["sent"], ours(entry)
    path = urlsplit(entry["url"]).path
    # The path as it was set: the protocol leaves out what is not UTF-8.
    target = cookie.path if cookie and cookie.path else stored and whole(stored["path"])
    assert (sent is not None) == (stored is not None and matches(path, target))
    if sent is not None and cookie is not None:
        [pair] = parse_cookie_header(expand(sent, NOW))
        assert (pair.name, pair.value) == (cookie.name, cookie.value)


@pytest.mark.parametrize("jar", JARS, ids=lambda jar: jar["id"])
def test_every_cookie_header_is_read_as_the_cookies_in_the_jar(jar: dict[str, Any]) -> None:
    path = urlsplit(jar["url"]).path
    sent = expand(jar["sent"] or "", NOW)
    pairs = parse_cookie_header(sent)
    expected = [cookie for cookie in jar["jar"] if matches(path, cookie["path"])]
    assert Counter((told(pair.name), told(pair.value)) for pair in pairs) == Counter(
        (whole(cookie["name"]), whole(cookie["value"])) for cookie in expected
    )
    assert serialize_cookie_header(pairs) == sent


@pytest.mark.browser
def test_the_record_is_still_true() -> None:
    entries = ENTRIES[:: len(ENTRIES) // 40]
    jars = JARS[::10]
    again = recorder["record"](entries, jars)
    version = f"recorded by Chromium {RECORD['chromium']}, asked Chromium {again['chromium']}"
    for old, new in zip(entries + jars, again["entries"] + again["jars"], strict=True):
        assert _without_life(new) == _without_life(old), version
        assert abs(_life(new) - _life(old)) <= LOOSE


def _life(entry: dict[str, Any]) -> int:
    return (entry.get("stored") or {}).get("life") or 0


def _without_life(entry: dict[str, Any]) -> dict[str, Any]:
    stored = entry.get("stored")
    return {**entry, "stored": {**stored, "life": stored["life"] is None}} if stored else entry
