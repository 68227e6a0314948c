"""Which values identify people, where they go, and what comes back."""

from __future__ import annotations

import base64
import hashlib
import json
import runpy
from pathlib import Path
from types import SimpleNamespace
from urllib.parse import quote

import pytest

from strictly_necessary.audit._observation import Act, Deed, Link, State
from strictly_necessary.audit.judge._values import looks_drawn, parts_of
from strictly_necessary.declaration._items import Kind

b = SimpleNamespace(**runpy.run_path(str(Path(__file__).parent / "audit_builders.py")))

OTHER = "https://maps.example"
MINE = b.declared(b.item("visitor"), b.party("maps.example"))
UUID = "0b6dc1f0-7a4e-4b52-9c77-3f2f7d1c8a11"


def test_parts_of_values() -> None:
    assert parts_of(f"GA1.1.482910377.{1_763_900_000}") == {"482910377"}
    assert UUID in parts_of(json.dumps({"a": {"id": UUID, "at": 1_763_900_000_123}}))
    assert UUID in parts_of(quote(json.dumps({"id": UUID})))
    assert UUID in parts_of(base64.b64encode(UUID.encode()).decode())
    for plain in ("dark", "1", "persistent", "2026-11-23", "2026-11-23T10:00:00Z", "1763900000123", "true"):
        assert parts_of(plain) == frozenset(), plain


@pytest.mark.parametrize("drawn", [UUID, b.ADA, "482910377", "k3j9x0q2z8m1"])
def test_what_looks_drawn(drawn: str) -> None:
    assert looks_drawn(drawn)


@pytest.mark.parametrize("plain", ["notifications2", "checkout-step-2", "background", "20261123", "version4"])
def test_what_does_not_look_drawn(plain: str) -> None:
    assert not looks_drawn(plain)


def sent(url: str, value: str = UUID, **keys: object) -> list[str]:
    requests = (b.request(url, act=b.CLICK, **keys),)
    found: list[str] = b.codes(b.judged(b.visit(b.jar("visitor", value), requests=requests), by=MINE))
    return found


FORMS = {
    "plain": UUID,
    "in an address": quote(UUID),
    "base64": base64.b64encode(UUID.encode()).decode(),
    "within base64": base64.b64encode(json.dumps({"id": UUID}).encode()).decode(),
    "hex": UUID.encode().hex(),
    "md5": hashlib.md5(UUID.encode(), usedforsecurity=False).hexdigest(),
    "sha256": hashlib.sha256(UUID.encode()).hexdigest(),
    "sha256 in base64": base64.b64encode(hashlib.sha256(UUID.encode()).digest()).decode(),
}


@pytest.mark.parametrize("form", FORMS)
def test_an_identifier_is_found_in_every_form_and_place(form: str) -> None:
    text = FORMS[form]
    assert sent(f"{OTHER}/a?v={quote(text, safe='')}") == ["SN425"]
    assert sent(f"{OTHER}/a", method="POST", type="fetch", sent=(json.dumps({"v": text}),)) == ["SN425"]
    assert sent("wss://maps.example/s", type="websocket", sent=("hello", text)) == ["SN425"]
    assert sent(f"{OTHER}/a", asked={"referer": f"{b.SITE}/?v={quote(text, safe='')}"}) == ["SN425"]


def test_what_is_no_identifier_may_be_sent() -> None:
    assert sent(f"{OTHER}/a?v=7d3e29aa-0c1b-4f1d-9a77-20b7d2a5c001") == []
    assert sent(f"{OTHER}/a?theme=dark", "dark") == []
    assert sent(f"{OTHER}/a?at=1763900000123", "1763900000123") == []
    assert sent(f"{b.SITE}/a?v={UUID}") == []


def test_a_value_that_every_browser_has_is_no_identifier() -> None:
    requests = (b.request(f"{OTHER}/a?v={b.ADA}", act=b.CLICK),)
    both = [b.visit(b.jar("visitor", b.ADA), state=state, requests=requests) for state in (State.VISIT, State.GPC)]
    assert b.codes(b.judged(*both, by=MINE)) == []
    differ = b.visit(b.jar("visitor", b.BEN), state=State.GPC)
    assert b.codes(b.judged(both[0], differ, by=MINE)) == ["SN425"]


def test_a_short_and_plain_value_counts_if_it_differs_between_browsers() -> None:
    first = b.visit(b.jar("visitor", "visitor-1"), requests=(b.request(f"{OTHER}/a?v=visitor-1", act=b.CLICK),))
    second = b.visit(b.jar("visitor", "visitor-2"), state=State.GPC)
    assert b.codes(b.judged(first, by=MINE)) == []
    assert b.codes(b.judged(first, second, by=MINE)) == ["SN425"]


def test_what_a_third_party_keeps_itself_it_knows_and_two_that_tell_each_other_are_found() -> None:
    kept = b.jar("uid", b.ADA, host="t.example")
    alone = b.request(f"https://t.example/a?u={b.ADA}")
    sync = b.request(f"https://ads.example/a?u={b.ADA}")
    assert "SN425" not in b.codes(b.judged(b.visit(kept, requests=(alone,)), by=b.declared()))
    assert "SN425" in b.codes(b.judged(b.visit(kept, requests=(sync,)), by=b.declared()))


def test_no_value_is_ever_shown() -> None:
    seen = b.visit(
        b.jar("visitor", b.ADA),
        b.key(f"draft_{b.BEN}", b.CYD),
        writes=(b.script("visitor", b.ADA, kind=Kind.COOKIE, url=f"{b.SITE}/{b.ADA}/a.js"),),
        requests=(b.request(f"{OTHER}/{b.ADA}/x?{b.CYD}={b.ADA}", sent=(b.ADA,)),),
        acts=(*b.ACTS[:4], Act(Deed.CLICK, f'link "{b.CYD}"')),
        links=(Link(f"{OTHER}/?v={b.ADA}", f"{OTHER}/?v={b.ADA}"),),
        path=f"/u/{b.ADA}",
    )
    judgement = b.judged(seen, by=b.declared())
    assert {"SN401", "SN420", "SN425", "SN426"} <= set(b.codes(judgement))
    for value in (b.ADA, b.BEN, b.CYD):
        assert value not in repr(judgement)


def links(before: str, after: str | None = None, **keys: object) -> list[str]:
    seen = b.visit(b.jar("visitor", UUID), links=(Link(before, after or before, "Tables"),))
    found: list[str] = b.codes(b.judged(seen, by=keys.get("by", b.declared(b.item("visitor")))))
    return found


def test_a_link_carries_no_identifier() -> None:
    assert links(f"{OTHER}/tables?v={UUID}") == ["SN426"]
    assert links(f"{OTHER}/tables", f"{OTHER}/tables#v={UUID}") == ["SN426"]
    assert links(f"{OTHER}/tables?gclid=abc") == ["SN426"]
    assert links(f"{OTHER}/tables?gclid=") == []
    assert links(f"{OTHER}/tables?utm_source=shop&utm_campaign=chairs-in-november-2026") == []
    assert links(f"{b.SITE}/tables?v={UUID}") == []
    assert links(f"mailto:ada@shop.example?subject={UUID}") == []
    assert links(f"{OTHER}/pay?v={UUID}", by=MINE) == []


def way(*urls: str, whole: bool = True, writes: tuple[object, ...] = (), by: object = None) -> list[str]:
    make = b.page if whole else (lambda url, **keys: b.request(url, type="image", image=(40, 40), **keys))
    requests = tuple(
        make(url, redirect_from=number - 1 if number else None, status=302) for number, url in enumerate(urls)
    )
    seen = b.visit(b.jar("visitor", UUID), requests=requests, writes=writes)
    judgement = b.judged(seen, by=by or b.declared(b.item("visitor")))
    return [code for code in b.codes(judgement) if code == "SN427"]


def test_a_way_through_another_site() -> None:
    assert way(f"{b.SITE}/", f"{OTHER}/b", f"{b.SITE}/home") == ["SN427"]
    assert way(f"{b.SITE}/out", f"{OTHER}/b?v={UUID}", "https://third.example/") == ["SN427"]
    cookie = b.header("uid", b.ADA, address=f"{OTHER}/b", request=1)
    assert way(f"{b.SITE}/out", f"{OTHER}/b", "https://third.example/", writes=(cookie,)) == ["SN427"]
    assert way(f"{b.SITE}/logo", f"{OTHER}/dot.gif?v={UUID}", whole=False) == ["SN427"]


def test_ways_that_are_clean() -> None:
    assert way("http://shop.example/", f"{b.SITE}/", f"https://www.shop.example/?v={UUID}") == []
    assert way(f"{b.SITE}/logo", f"https://cdn.shop.example/logo?v={UUID}", whole=False) == []
    assert way(f"{OTHER}/a.png", f"{OTHER}/b.png", whole=False) == []
    assert way(f"{b.SITE}/out", f"{OTHER}/tables") == []
    sign_in = f"{OTHER}/authorize?state={UUID}"
    assert way(f"{b.SITE}/sign-in", sign_in, f"{b.SITE}/callback?state={UUID}", by=MINE) == []


def test_a_bounce_by_script() -> None:
    requests = (b.page(f"{b.SITE}/"), b.page(f"{OTHER}/b?id={b.BEN}", act=b.WAIT), b.page(f"{b.SITE}/home", act=b.WAIT))
    assert "SN427" in b.codes(b.judged(b.visit(requests=requests), by=b.declared()))
    chosen = tuple(b.page(each.url, act=b.CLICK) for each in requests[1:])
    assert b.codes(b.judged(b.visit(requests=(requests[0], *chosen)), by=b.declared())) == []


REMOVED = (Act(Deed.REMOVE, "cookies"), Act(Deed.LOAD), Act(Deed.WAIT))
ALL = (Act(Deed.REMOVE, "everything"), Act(Deed.LOAD), Act(Deed.WAIT))
KEEPS = b.declared(b.item("visitor"), b.item("copy", "local", lifetime="persistent"))


def back(value: str, *, acts: tuple[Act, ...] = REMOVED, copy: str | None = None, first: str = b.ADA) -> object:
    beside = (b.key("copy", copy),) if copy is not None else ()
    before = b.visit(b.jar("visitor", first), *beside, writes=(b.header("visitor", first),))
    stays = beside if acts is REMOVED else ()
    after = b.visit(
        state=State.RETURNED,
        acts=acts,
        snapshots={0: stays, 2: (b.jar("visitor", value), *beside)},
        writes=(b.header("visitor", value, act=1),),
    )
    other = b.visit(b.jar("visitor", b.CYD), state=State.GPC)
    return b.judged(before, after, other, by=KEEPS if beside else b.declared(b.item("visitor")))


def test_what_was_removed_does_not_come_back() -> None:
    finding = b.found(back(b.ADA, copy=b.ADA), "SN417")
    assert "local storage key copy of shop.example" in finding.message
    assert finding.subject == "cookie visitor of shop.example"
    assert b.codes(back(b.BEN, copy=b.ADA)) == []
    assert b.codes(back(b.BEN)) == []


@pytest.mark.parametrize("hide", ["json", "base64", "percent"])
def test_the_hiding_place_is_found_whatever_it_wraps(hide: str) -> None:
    text = json.dumps({"v": [1, b.ADA]})
    copy = {"json": text, "percent": quote(text), "base64": base64.b64encode(text.encode()).decode()}[hide]
    assert "kept in local storage key copy" in b.found(back(b.ADA, copy=copy), "SN417").message


def test_a_constant_that_comes_again_is_no_identifier() -> None:
    assert b.codes(back("1", first="1")) == []
    assert b.codes(back("dark", first="dark")) == []


def test_a_server_that_knows_somebody_again_is_found_without_a_hiding_place() -> None:
    assert b.codes(back(b.ADA)) == ["SN417"]


def test_what_only_the_cache_can_have_known() -> None:
    assert b.codes(back(b.ADA, acts=ALL)) == ["SN418"]
    assert b.codes(back(b.BEN, acts=ALL)) == []


def tagged(*tags: tuple[State, str, str | None], url: str = f"{b.SITE}/a.js") -> list[str]:
    visits = [
        b.visit(
            state=state,
            path=f"/{number}",
            requests=(b.request(url, headers={"etag": given}, asked={"if-none-match": asked} if asked else {}),),
        )
        for number, (state, given, asked) in enumerate(tags)
    ]
    found: list[str] = b.codes(b.judged(*visits, by=b.declared()))
    return found


def test_a_tag_of_ones_own_is_an_identifier() -> None:
    ada, ben = f'"{b.ADA}"', f'"{b.BEN}"'
    assert tagged((State.VISIT, ada, None), (State.VISIT, ada, ada), (State.GPC, ben, None)) == ["SN418"]
    assert tagged((State.VISIT, ada, None), (State.VISIT, ada, ada), (State.GPC, ada, None)) == []
    assert tagged((State.VISIT, ada, None), (State.VISIT, ben, ada), (State.GPC, f'"{b.CYD}"', None)) == []
    assert tagged((State.SIGNED_IN, ada, None), (State.SIGNED_IN, ada, ada), (State.GPC, ben, None)) == []
