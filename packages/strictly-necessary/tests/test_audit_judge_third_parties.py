"""Requests to other sites, and hosts of ours that are somebody else's."""

from __future__ import annotations

import runpy
from pathlib import Path
from types import SimpleNamespace

import pytest

from strictly_necessary.audit.judge._sites import host_of, is_third, shown, site_of
from strictly_necessary.audit.judge._trackers import entity_of, tracker_of

b = SimpleNamespace(**runpy.run_path(str(Path(__file__).parent / "audit_builders.py")))

TRACKER = "https://t.counter.example"


@pytest.mark.parametrize(
    ("address", "site"),
    [
        ("https://www.shop.co.uk/a", "shop.co.uk"),
        ("wss://a.b.shop.example:8443/", "shop.example"),
        ("http://localhost:8000/", "localhost"),
        ("http://shop.localhost/", "shop.localhost"),
        ("127.0.0.1:8000", "127.0.0.1"),
        ("http://[::1]:8000/", "::1"),
        ("ada.github.io", "ada.github.io"),
        ("intranet", "intranet"),
        ("//shop.example", "shop.example"),
        ("data:text/html,hello", ""),
        ("about:blank", ""),
    ],
)
def test_the_site_of_an_address(address: str, site: str) -> None:
    assert site_of(address) == site


def test_what_leads_nowhere_is_nobodys() -> None:
    for address in ("data:image/gif;base64,R0lGOD", "blob:https://other.example/1", "about:blank"):
        assert not is_third(address, "https://shop.example/")
    assert host_of("https://[broken/") == ""


def test_an_address_is_shown_without_values() -> None:
    url = f"https://ada:pw@shop.example:8443/u/{b.ADA}/a.js?id={b.BEN}&{b.CYD}=1#x"
    assert shown(url) == "https://shop.example:8443/u/…/a.js?id=…&…"
    assert shown("https://shop.example/?abc") == "https://shop.example/?…"
    assert shown("data:text/html,secret") == "data:"


def test_the_list_knows_who_is_behind_a_host() -> None:
    assert (entity := tracker_of("stats.g.doubleclick.net")) is not None
    assert entity.category == "ad"
    assert tracker_of("d111111abcdef8.cloudfront.net") is None
    assert (cdn := entity_of("cdn.jsdelivr.net")) is not None
    assert not cdn.tracks
    assert entity_of("shop.example") is None


def codes(*requests: object, **keys: object) -> list[str]:
    found: list[str] = b.codes(b.judged(b.visit(requests=requests), by=keys.pop("by", b.declared()), **keys))
    return found


def test_a_request_that_nobody_asked_for() -> None:
    judgement = b.judged(b.visit(requests=(b.request(f"{TRACKER}/a.js?v=1"),)), by=b.declared())
    finding = b.found(judgement, "SN420")
    assert finding.subject == "requests to t.counter.example"
    assert finding.evidence.request == f"{TRACKER}/a.js?v=…"
    assert codes(b.request("https://static.shop.example/a.js")) == []


def test_hosts_of_our_own_and_what_never_left_are_clean() -> None:
    own = b.declared(policy='hosts = ["cdn.example"]')
    assert codes(b.request("https://img.cdn.example/a.png", type="image"), by=own) == []
    for failure in ("csp", "mixed-content", "net::ERR_BLOCKED_BY_CSP", "net::ERR_BLOCKED_BY_CLIENT"):
        assert codes(b.request(f"{TRACKER}/a.js", status=0, failure=failure)) == []
    assert codes(b.request(f"{TRACKER}/a.js", status=0, failure="net::ERR_NAME_NOT_RESOLVED")) == ["SN420"]


def test_what_another_sites_own_page_asks_for_is_its_own() -> None:
    there = b.request("https://cdn.idp.example/a.js", top="https://idp.example/sign-in")
    assert codes(there) == []


def test_a_known_tracker_is_named() -> None:
    judgement = b.judged(b.visit(requests=(b.request("https://www.google-analytics.com/a.js"),)), by=b.declared())
    finding = b.found(judgement, "SN421")
    assert ("category", "analytics") in finding.evidence.detail
    assert codes(b.request("https://cdn.jsdelivr.net/a.js")) == ["SN420"]


def test_pixels() -> None:
    dot = {"type": "image", "image": (1, 1)}
    assert codes(b.request(f"{TRACKER}/dot.gif", **dot)) == ["SN420", "SN422"]
    assert codes(b.request(f"{TRACKER}/dot.gif", type="image", status=204)) == ["SN420", "SN422"]
    assert codes(b.request(f"{TRACKER}/chair.png", type="image", image=(600, 400))) == ["SN420"]
    drawing = b.request(f"{TRACKER}/chair.svg", type="image", headers={"content-type": "image/svg+xml"})
    assert codes(drawing) == ["SN420"]
    assert codes(b.request(f"{b.SITE}/spacer.gif", **dot)) == []
    assert codes(b.request(f"{b.SITE}/spacer.gif?v=3", **dot)) == []


def test_a_pixel_of_ours_that_carries_an_identifier() -> None:
    mine = b.declared(b.item("visitor"))
    for query, expected in ((b.ADA, ["SN422"]), ("chairs", [])):
        dot = b.request(f"{b.SITE}/dot.gif?v={query}", type="image", image=(1, 1))
        assert b.codes(b.judged(b.visit(b.jar("visitor", b.ADA), requests=(dot,)), by=mine)) == expected


def test_beacons_and_sockets() -> None:
    blind = {"type": "fetch", "method": "POST", "asked": {"sec-fetch-mode": "no-cors"}}
    for keys in ({"type": "ping", "method": "POST"}, blind):
        assert codes(b.request(f"{TRACKER}/b", **keys)) == ["SN420", "SN423"]
        assert codes(b.request(f"{b.SITE}/b", **keys)) == []
    assert codes(b.request(f"{TRACKER}/b", type="fetch", method="POST")) == ["SN420"]
    for kind in ("websocket", "webtransport"):
        scheme = "wss" if kind == "websocket" else "https"
        assert codes(b.request(f"{scheme}://t.counter.example/s", type=kind)) == ["SN420", "SN424"]
        assert codes(b.request(f"{scheme}://shop.example/s", type=kind)) == []


def test_a_declared_third_party_is_reached_by_a_choice() -> None:
    by = b.declared(b.party("counter.example"))
    for keys in ({"type": "script"}, {"type": "ping"}, {"type": "websocket"}, {"type": "image", "image": (1, 1)}):
        assert codes(b.request(f"{TRACKER}/x", act=b.CLICK, **keys), by=by) == []
        assert "SN420" in codes(b.request(f"{TRACKER}/x", act=b.SCROLL, **keys), by=by)


CLOAKED = {"metrics.shop.example": ("shop.com.sc.omtrdc.net",)}
CDN = {"metrics.shop.example": ("d111111abcdef8.cloudfront.net",)}
UNKNOWN = {"metrics.shop.example": ("shop.collect.example",)}
OWN = {"metrics.shop.example": ("edge.shop.example",)}


def test_a_host_of_ours_that_is_a_tracker_by_its_cname() -> None:
    asked = b.request("https://metrics.shop.example/a.js")
    judgement = b.judged(b.visit(requests=(asked,)), by=b.declared(), names=CLOAKED)
    finding = b.found(judgement, "SN428")
    assert finding.subject == "host metrics.shop.example"
    assert ("CNAME", "metrics.shop.example → shop.com.sc.omtrdc.net") in finding.evidence.detail
    for names in (CDN, UNKNOWN, OWN, {}):
        assert codes(asked, names=names) == []


def test_an_unknown_cname_counts_where_it_learns_or_gives_an_identifier() -> None:
    mine = b.declared(b.item("visitor"))
    url = f"https://metrics.shop.example/c?v={b.ADA}"
    told = b.visit(b.jar("visitor", b.ADA), requests=(b.request(url, type="fetch"),))
    assert b.codes(b.judged(told, by=mine, names=UNKNOWN)) == ["SN428"]
    assert b.codes(b.judged(told, by=mine, names=CDN)) == []
    answer = b.header("mid", b.BEN, address="https://metrics.shop.example/c", life=b.DAY)
    sets = b.visit(writes=(answer,), requests=(b.request("https://metrics.shop.example/c"),))
    assert b.codes(b.judged(sets, by=b.declared(), names=UNKNOWN)) == ["SN401", "SN428"]
    kept = b.declared(b.item("mid", lifetime="2 days"))
    assert "SN428" not in b.codes(b.judged(sets, by=kept, names=UNKNOWN))
