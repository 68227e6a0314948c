"""What is kept, against what is declared: undeclared, unseen, refused, with other values, unchosen, by others."""

from __future__ import annotations

import runpy
from pathlib import Path
from types import SimpleNamespace

from strictly_necessary.audit._observation import Act, Deed, State
from strictly_necessary.declaration._items import Kind

b = SimpleNamespace(**runpy.run_path(str(Path(__file__).parent / "audit_builders.py")))

THEME = b.item("theme", "local", category="preference", requires_action=True, values=["dark", "light"])


def test_what_is_kept_and_not_declared_is_told_with_who_wrote_it() -> None:
    seen = b.visit(b.jar("visitor", b.ADA), writes=(b.header("visitor", b.ADA, life=30 * b.DAY),))
    finding = b.found(b.judged(seen, by=b.declared()), "SN401")
    assert finding.subject == "cookie visitor of shop.example"
    assert finding.evidence.header == "visitor=…; Path=/; Secure; SameSite=Lax"
    assert finding.evidence.request == "https://shop.example/"
    assert ("life", "30 days") in finding.evidence.detail
    assert str(finding.sightings[0].act) == "load"


def test_what_is_declared_is_clean() -> None:
    seen = b.visit(b.jar("visitor"), writes=(b.header("visitor"),))
    assert b.codes(b.judged(seen, by=b.declared(b.item("visitor")))) == []


def test_each_kind_is_matched_by_its_name() -> None:
    worker = b.key(f"{b.SITE}/service/worker.js", "", kind=Kind.SERVICE_WORKER)
    kept = (
        b.key("visitor"),
        b.key("draft", kind=Kind.SESSION),
        b.key("works", "", kind=Kind.INDEXEDDB),
        b.key("pages-3", "", kind=Kind.CACHE),
        b.key("uploads/a.bin", "", kind=Kind.OPFS),
        worker,
    )
    items = [
        b.item("visitor", "local"),
        b.item("draft", "session"),
        b.item("works", "indexeddb"),
        b.item("pages-*", "cache"),
        b.item("uploads", "opfs"),
    ]
    by_path, by_scope = (b.item(name, "service-worker", id="worker") for name in ("/service/worker.js", "/service/"))
    assert b.codes(b.judged(b.visit(*kept), by=b.declared(*items, by_path))) == []
    assert b.codes(b.judged(b.visit(*kept), by=b.declared(*items, by_scope))) == []
    subjects = [each.subject for each in b.judged(b.visit(*kept), by=b.declared()).findings]
    assert subjects == [
        "cache pages-3 of shop.example",
        "database works of shop.example",
        "file uploads/a.bin of shop.example",
        "local storage key visitor of shop.example",
        "service worker /service/worker.js of shop.example",
        "session storage key draft of shop.example",
    ]


def test_without_a_declaration_nothing_is_declared() -> None:
    finding = b.found(b.judged(b.visit(b.jar("visitor")), by=None), "SN401")
    assert "no declaration was given" in finding.message


def test_what_is_written_and_removed_again_is_found_too() -> None:
    writes = (b.script("visitor"), b.script("visitor", "", act=b.WAIT, removes=True))
    finding = b.found(b.judged(b.visit(writes=writes), by=b.declared()), "SN401")
    assert finding.evidence.script == "https://shop.example/app.js"
    assert "removed again" in finding.message
    assert b.codes(b.judged(b.visit(writes=(b.script("visitor", "", removes=True),)), by=b.declared())) == []


def test_the_browsers_guard_is_not_who_wrote_it() -> None:
    write = b.script("visitor", url=f"{b.SITE}/.well-known/cookie-guard.js")
    assert b.found(b.judged(b.visit(writes=(write,)), by=b.declared()), "SN401").evidence.script == f"{b.SITE}/"


def test_one_thing_is_one_finding_with_all_its_places() -> None:
    visits = [
        b.visit(b.jar("visitor"), state=state, writes=(b.header("visitor"),)) for state in (State.GPC, State.VISIT)
    ]
    finding = b.found(b.judged(*visits, by=b.declared()), "SN401")
    assert [each.state for each in finding.sightings][:1] == [State.VISIT]
    assert {each.state for each in finding.sightings} == {State.VISIT, State.GPC}


def test_a_flood_of_numbered_names_is_one_thing() -> None:
    flood = b.visit(*(b.key(f"entry_{number}") for number in range(500)))
    assert b.found(b.judged(flood, by=b.declared()), "SN401").subject == "local storage key entry_* of shop.example"
    few = b.visit(*(b.key(f"entry_{number}") for number in range(3)))
    assert b.codes(b.judged(few, by=b.declared())) == ["SN401"] * 3


def test_hosts_of_our_own_and_cookies_for_the_whole_site_are_ours() -> None:
    seen = b.visit(b.jar("visitor", domain=".shop.example"), b.key("draft", origin="https://media.example"))
    items = b.item("visitor", domain="shop.example"), b.item("draft", "local")
    assert b.codes(b.judged(seen, by=b.declared(*items, policy='hosts = ["media.example"]'))) == []
    assert "SN429" in b.codes(b.judged(seen, by=b.declared(*items)))


def test_a_cookie_that_the_browser_refused_does_nothing() -> None:
    refused = b.header("visitor", attributes="SameSite=None", refused="has SameSite=None, and is not Secure")
    judgement = b.judged(b.visit(writes=(refused,)), by=b.declared())
    assert b.codes(judgement) == ["SN407"]
    assert "has SameSite=None, and is not Secure" in judgement.findings[0].message
    assert b.codes(b.judged(b.visit(writes=(refused,), state=State.NO_COOKIES), by=b.declared())) == []


def test_what_is_declared_and_never_seen_is_told_with_what_the_audit_was_not_led_to() -> None:
    session = b.item("session", category="authentication", set_when="You sign in.")
    finding = b.found(b.judged(b.visit(), by=b.declared(session)), "SN402")
    assert finding.item == "session"
    assert "signing in" in finding.message
    signed_in = b.visit(b.jar("session", b.ADA), state=State.SIGNED_IN, acts=(Act(Deed.SIGN_IN),), act=0)
    assert b.codes(b.judged(b.visit(), signed_in, by=b.declared(session))) == []


def test_what_stands_before_the_server_is_not_there_on_somebodys_own_computer() -> None:
    balancer = b.item("AWSALB*", set_by="infrastructure", category="load-balancing", same_site=None)
    judgement = b.judged(b.visit(), by=b.declared(balancer))
    assert b.codes(judgement) == ["SN402"]
    local = b.observed(b.visit(), url="http://shop.localhost:8000/")
    assert [each.code for each in b.judge(local, b.declared(balancer)).findings] == []


def test_only_declared_values_are_kept() -> None:
    chosen = b.visit(b.key("theme", f"dark-{b.ADA}"), act=b.CLICK, writes=(b.script("theme", "dark", act=b.CLICK),))
    finding = b.found(b.judged(chosen, by=b.declared(THEME)), "SN406")
    assert b.ADA not in repr(finding)
    chosen = b.visit(b.key("theme", "dark"), act=b.CLICK, writes=(b.script("theme", "dark", act=b.CLICK),))
    assert b.codes(b.judged(chosen, by=b.declared(THEME))) == []


def test_what_is_declared_for_a_choice_comes_with_a_choice() -> None:
    for act in (b.LOAD, b.WAIT, b.SCROLL, b.MOVE):
        unchosen = b.visit(b.key("theme", "dark"), act=max(act, b.WAIT), writes=(b.script("theme", "dark", act=act),))
        assert b.codes(b.judged(unchosen, by=b.declared(THEME))) == ["SN410"]
    assert b.codes(b.judged(b.visit(b.key("theme", "dark")), by=b.declared(THEME))) == ["SN410"]


def test_what_follows_from_an_earlier_choice_is_no_new_one() -> None:
    chosen = b.visit(b.key("theme", "dark"), act=b.CLICK, writes=(b.script("theme", "dark", act=b.CLICK),))
    later = b.visit(b.key("theme", "dark"), path="/later", writes=(b.script("theme", "dark", act=b.LOAD),))
    assert b.codes(b.judged(chosen, later, by=b.declared(THEME))) == []


MAP = "https://maps.example"


def test_what_a_third_party_keeps_by_itself_is_told() -> None:
    frame = b.request(f"{MAP}/map", type="document")
    seen = b.visit(b.jar("uid", b.ADA, host="maps.example"), b.key("uid", b.ADA, origin=MAP), requests=(frame,))
    judgement = b.judged(seen, by=b.declared(b.party("maps.example")))
    assert b.codes(judgement) == ["SN420", "SN429", "SN429"]
    assert "Maps Ltd" in b.found(judgement, "SN420").message


def test_what_a_declared_third_party_keeps_when_somebody_uses_it_is_clean() -> None:
    frame = b.request(f"{MAP}/map", type="document", act=b.CLICK)
    later = b.request(f"{MAP}/tile", act=b.CLICK + 1, type="image", image=(256, 256))
    acts = (*b.ACTS, Act(Deed.SCROLL))
    kept = (b.jar("uid", b.ADA, host="maps.example"),)
    seen = b.visit(acts=acts, snapshots={b.WAIT: (), b.CLICK: kept, b.CLICK + 1: kept}, requests=(frame, later))
    assert b.codes(b.judged(seen, by=b.declared(b.party("maps.example")))) == []
    assert b.codes(b.judged(seen, by=b.declared())) == ["SN420", "SN429"]


def test_a_sign_in_at_a_declared_third_party_is_its_own() -> None:
    way = (
        b.page(f"{b.SITE}/sign-in", status=302),
        b.page(f"{MAP}/authorize?state={b.BEN}", redirect_from=0),
        b.request(f"{MAP}/look.css", top=f"{MAP}/authorize"),
    )
    seen = b.visit(
        b.jar("idp", b.ADA, host="maps.example"),
        b.jar("state", b.BEN),
        path="/sign-in",
        requests=way,
        writes=(b.header("state", b.BEN), b.header("idp", b.ADA, address=f"{MAP}/authorize", request=1)),
        address=f"{MAP}/authorize",
    )
    declaration = b.declared(b.party("maps.example"), b.item("state"))
    assert b.codes(b.judged(seen, by=declaration)) == []
    assert {"SN420", "SN429"} <= set(b.codes(b.judged(seen, by=b.declared(b.item("state")))))


def test_a_link_that_somebody_follows_is_nobodys_fault() -> None:
    seen = b.visit(
        snapshots={b.WAIT: (), b.CLICK: (b.jar("uid", host="maps.example"),)},
        requests=(b.page(f"{MAP}/", act=b.CLICK),),
    )
    assert b.codes(b.judged(seen, by=b.declared())) == []


def test_a_sub_frame_that_shares_its_process_is_found_under_its_own_host() -> None:
    seen = b.visit(
        b.key("visitor", origin="https://help.shop.example"),
        writes=(b.script("visitor", frame=f"{b.SITE}/"),),
    )
    subjects = [each.subject for each in b.judged(seen, by=b.declared()).findings]
    assert subjects == ["local storage key visitor of help.shop.example"]
