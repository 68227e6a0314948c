"""All judges together: coverage, what was seen of each item, and what holds whatever was seen."""

from __future__ import annotations

import random
import runpy
import struct
import zlib
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from strictly_necessary import Severity
from strictly_necessary.audit._observation import Act, Deed, Link, Mishap, Observation, State, Trouble
from strictly_necessary.audit.judge import judge
from strictly_necessary.audit.judge.coverage import is_plain
from strictly_necessary.declaration._items import Kind

b = SimpleNamespace(**runpy.run_path(str(Path(__file__).parent / "audit_builders.py")))


def troubled(trouble: Trouble, **keys: Any) -> list[str]:
    found: list[str] = b.codes(
        b.judged(b.visit(mishaps=(Mishap(trouble, "something happened"),), **keys), by=b.declared())
    )
    return found


@pytest.mark.parametrize(
    "trouble", [Trouble.UNREACHABLE, Trouble.TLS, Trouble.TIMEOUT, Trouble.CRASH, Trouble.REDIRECTS, Trouble.STATUS]
)
def test_a_page_that_could_not_be_looked_at(trouble: Trouble) -> None:
    assert troubled(trouble, status=0, snapshots={}) == ["SN450"]
    finding = b.judged(b.visit(mishaps=(Mishap(trouble, "it was late"),), status=0), by=b.declared()).findings[0]
    assert "it was late" in finding.message


def test_a_page_that_was_not_wholly_looked_at() -> None:
    for trouble in (Trouble.DIALOG, Trouble.POPUP, Trouble.TOO_MUCH, Trouble.DOWNLOAD, Trouble.TIMEOUT):
        assert troubled(trouble) == ["SN451"]
    for trouble in (Trouble.LEFT, Trouble.ROBOTS, Trouble.NOT_HTML):
        assert troubled(trouble) == []
    assert troubled(Trouble.DOWNLOAD, status=0, snapshots={}) == []


def test_a_step_that_failed() -> None:
    judgement = b.judged(
        b.visit(
            mishaps=(Mishap(Trouble.STEP, 'there is no button "Sign in"', 2),),
            state=State.SIGNED_IN,
            acts=(Act(Deed.LOAD), Act(Deed.WAIT), Act(Deed.SIGN_IN)),
        ),
        by=b.declared(),
    )
    assert b.found(judgement, "SN453").message == 'there is no button "Sign in"'


def picture(plain: bool) -> bytes:
    """A PNG of 40 by 40 pixels, of one colour or of many."""
    rows = b"".join(b"\0" + (b"\xff" * 120 if plain else random.Random(number).randbytes(120)) for number in range(40))

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    head = chunk(b"IHDR", struct.pack(">IIBBBBB", 40, 40, 8, 2, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + head + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


def without_cookies(**keys: Any) -> list[str]:
    before = b.visit(screenshot=picture(plain=False))
    found: list[str] = b.codes(b.judged(before, b.visit(state=State.NO_COOKIES, **keys), by=b.declared()))
    return found


def test_a_page_that_needs_cookies() -> None:
    assert is_plain(picture(plain=True))
    assert not is_plain(picture(plain=False))
    assert not is_plain(b"GIF89a")
    assert without_cookies(screenshot=picture(plain=True)) == ["SN452"]
    assert without_cookies(status=500) == ["SN452"]
    assert without_cookies(mishaps=(Mishap(Trouble.REDIRECTS, "it leads in a circle"),)) == ["SN452"]
    assert without_cookies(screenshot=picture(plain=False)) == []
    broken = b.visit(status=500, mishaps=(Mishap(Trouble.STATUS, "500"),))
    assert b.codes(b.judged(broken, b.visit(state=State.NO_COOKIES, status=500), by=b.declared())) == ["SN450"]


def test_what_was_seen_of_each_item() -> None:
    theme = b.item("theme", "local", category="preference", requires_action=True)
    declaration = b.declared(theme, b.item("basket", http_only=True), b.item("never"))
    seen = b.visit(
        snapshots={b.WAIT: (b.jar("basket"),), b.CLICK: (b.jar("basket"), b.key("theme", "dark"))},
        writes=(b.header("basket"), b.script("theme", "dark", act=b.CLICK)),
    )
    theme_proof, basket, never = b.judged(seen, by=declaration).items
    assert theme_proof.holds
    assert theme_proof.acts == ('click button "Dark"',)
    assert theme_proof.writers == ("https://shop.example/app.js",)
    assert basket.broken == ("SN403",)
    assert basket.writers == ("header of https://shop.example/",)
    assert (never.states, never.broken, never.holds) == ((), ("SN402",), False)


def test_errors_come_first_and_warnings_pass() -> None:
    only_warning = b.judged(b.visit(), by=b.declared(b.item("basket")))
    assert [each.severity for each in only_warning.findings] == [Severity.WARNING]
    assert not only_warning.fails
    both = b.judged(b.visit(b.jar("visitor")), by=b.declared(b.item("basket")))
    assert b.codes(both) == ["SN401", "SN402"]
    assert both.fails


DECLARED = b.declared(
    b.item("basket", http_only=True, lifetime="2 hours"),
    b.item("theme", "local", category="preference", requires_action=True, values=["dark"]),
    b.item("session", category="authentication"),
    b.item("visits", category="analytics"),
    b.item("consent", category="consent-choice", requires_action=True, lifetime="6 months"),
    b.party("maps.example"),
)
NAMES = ("basket", "theme", "session", "visits", "consent", "visitor", "entry_1")
VALUES = (b.ADA, b.BEN, b.CYD, "dark", "1")
URLS = (
    "https://maps.example/a",
    f"https://maps.example/a?v={b.ADA}",
    "https://www.google-analytics.com/collect",
    "https://shop.example/a.js",
    f"https://t.example/dot.gif?{b.BEN}",
)
acts = st.integers(0, 4)
names, values, urls = st.sampled_from(NAMES), st.sampled_from(VALUES), st.sampled_from(URLS)
stored = st.one_of(
    st.builds(b.jar, names, values, life=st.sampled_from([None, 60.0, 9e6]), http_only=st.booleans()),
    st.builds(b.jar, names, values, host=st.sampled_from(["maps.example", "t.example", "help.shop.example"])),
    st.builds(b.key, names, values, kind=st.sampled_from([Kind.LOCAL, Kind.SESSION])),
)
writes = st.one_of(
    st.builds(b.header, names, values, act=acts, life=st.sampled_from([None, 0.0, 9e6])),
    st.builds(b.script, names, values, act=acts, removes=st.booleans()),
    st.builds(b.header, names, values, act=acts, refused=st.just("is not Secure")),
)
requests = st.builds(b.request, urls, type=st.sampled_from(["image", "ping", "script", "websocket"]), act=acts)
deeds = st.tuples(
    st.just(Act(Deed.LOAD)),
    st.just(Act(Deed.WAIT)),
    *[st.sampled_from([Act(deed, None) for deed in Deed])] * 3,
)
shot = st.lists(stored, max_size=4, unique_by=lambda each: (each.kind, each.name, each.origin)).map(tuple)
visits = st.builds(
    lambda kept, later, state, path, done, written, asked, links: b.visit(
        state=state, path=path, acts=done, snapshots={1: kept, 4: later}, writes=written, requests=asked, links=links
    ),
    shot,
    shot,
    st.sampled_from(list(State)),
    st.sampled_from(["/", "/about", f"/u/{b.CYD}"]),
    deeds,
    st.lists(writes, max_size=4).map(tuple),
    st.lists(requests, max_size=3).map(tuple),
    st.lists(st.builds(Link, urls, urls), max_size=2).map(tuple),
)


def shuffled(seen: Observation, order: random.Random) -> Observation:
    """The same evidence, in another order wherever the order says nothing about time."""

    def mixed(each: Any) -> tuple[Any, ...]:
        copy = list(each)
        order.shuffle(copy)
        return tuple(copy)

    def of(visit: Any) -> Any:
        snapshots = [replace(each, stored=mixed(each.stored)) for each in visit.snapshots]
        return replace(visit, snapshots=mixed(snapshots), requests=mixed(visit.requests), links=mixed(visit.links))

    runs = [replace(run, visits=tuple(of(each) for each in run.visits)) for run in seen.runs]
    return replace(seen, runs=mixed(runs))


@settings(max_examples=100, deadline=None)
@given(st.lists(visits, max_size=5), st.randoms(use_true_random=False), st.booleans())
def test_the_order_of_evidence_changes_nothing_and_no_value_is_told(
    seen: list[Any], order: random.Random, is_declared: bool
) -> None:
    declaration = DECLARED if is_declared else None
    observation = b.observed(*seen)
    judgement = judge(observation, declaration)
    assert judge(shuffled(observation, order), declaration) == judgement
    for value in (b.ADA, b.BEN, b.CYD):
        kept = any(value in (each.value for snapshot in visit.snapshots for each in snapshot.stored) for visit in seen)
        assert not kept or value not in repr(judgement)
    keys = [(each.code, each.subject) for each in judgement.findings]
    assert len(set(keys)) == len(keys)


def test_ten_thousand_keys_are_judged_quickly() -> None:
    kept = tuple(b.key(f"{number:x}-{b.ADA}", f"{number:08x}{b.BEN}") for number in range(10_000))
    seen = [b.visit(*kept, path=f"/{number}", requests=(b.request(URLS[1]),)) for number in range(3)]
    judgement = b.judged(*seen, by=b.declared())
    assert 1 <= len(judgement.findings) <= 100
