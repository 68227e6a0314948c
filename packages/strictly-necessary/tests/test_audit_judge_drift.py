"""Where what is kept is otherwise than declared: attributes, lives, writers, renewal."""

from __future__ import annotations

import runpy
from pathlib import Path
from types import SimpleNamespace

import pytest

from strictly_necessary.audit._observation import Act, Deed, State
from strictly_necessary.declaration._items import Jurisdiction

b = SimpleNamespace(**runpy.run_path(str(Path(__file__).parent / "audit_builders.py")))


@pytest.mark.parametrize(
    ("attributes", "told"),
    [
        ({"http_only": True}, "has HttpOnly, and is declared with no HttpOnly"),
        ({"secure": False}, "has no Secure, and is declared with Secure"),
        ({"same_site": "None"}, "has SameSite=None, and is declared with SameSite=Lax"),
        ({"path": "/shop"}, "has Path=/shop, and is declared with Path=/"),
        ({"domain": ".shop.example"}, "has Domain=shop.example, and is declared with no Domain"),
        ({"partition": "https://shop.example"}, "has Partitioned, and is declared with no Partitioned"),
    ],
)
def test_each_attribute_is_compared(attributes: dict[str, object], told: str) -> None:
    finding = b.found(b.judged(b.visit(b.jar("basket", **attributes)), by=b.declared(b.item("basket"))), "SN403")
    assert told in finding.message
    assert finding.item == "basket"


def test_attributes_as_declared_are_clean() -> None:
    declaration = b.declared(
        b.item("basket", http_only=True, same_site="None", path="/shop", domain="shop.example", partitioned=True)
    )
    cookie = b.jar(
        "basket",
        domain=".shop.example",
        path="/shop",
        http_only=True,
        same_site="None",
        partition="https://shop.example",
    )
    assert b.codes(b.judged(b.visit(cookie), by=declaration)) == []


def test_a_missing_same_site_is_lax_in_the_jar_and_is_told_where_the_header_says_nothing() -> None:
    declaration = b.declared(b.item("basket"))
    assert b.codes(b.judged(b.visit(b.jar("basket", same_site=None)), by=declaration)) == []
    bare = b.visit(b.jar("basket", same_site=None), writes=(b.header("basket", attributes="Path=/; Secure"),))
    finding = b.found(b.judged(bare, by=declaration), "SN403")
    assert "has no SameSite" in finding.message
    assert finding.fix.startswith("set it with SameSite=Lax")


def test_what_the_infrastructure_sets_needs_no_same_site() -> None:
    balancer = b.item("lb", set_by="infrastructure", category="load-balancing", same_site=None)
    assert b.codes(b.judged(b.visit(b.jar("lb", same_site="None")), by=b.declared(balancer))) == []


@pytest.mark.parametrize(
    ("declared", "asked", "kept", "clean"),
    [
        ("session", 60.0, 60.0, False),
        ("session", None, None, True),
        ("30 days", 31 * 86_400.0, 31 * 86_400.0, False),
        ("30 days", 30 * 86_400.0 + 20, 30 * 86_400.0, True),
        ("30 days", 86_400.0, 86_400.0, True),
        ("30 days", None, 400 * 86_400.0 - 3, False),
        ("13 months", 400 * 86_400.0, 400 * 86_400.0, False),
    ],
)
def test_a_life_is_at_most_as_declared(declared: str, asked: float | None, kept: float | None, clean: bool) -> None:
    writes = (b.header("basket", life=asked),) if asked is not None else ()
    judgement = b.judged(
        b.visit(b.jar("basket", life=kept), writes=writes), by=b.declared(b.item("basket", lifetime=declared))
    )
    assert b.codes(judgement) == ([] if clean else ["SN404"])


def test_the_life_is_told_and_how_to_shorten_it() -> None:
    declaration = b.declared(b.item("basket", lifetime="2 hours"))
    finding = b.found(b.judged(b.visit(b.jar("basket", life=400 * b.DAY)), by=declaration), "SN404")
    assert "400 days or more" in finding.message
    assert "Max-Age=7200" in finding.fix


def test_a_header_does_not_write_what_is_a_scripts() -> None:
    by_script = b.declared(b.item("basket", set_by="script"))
    by_server = b.declared(b.item("basket"))
    from_header = b.visit(b.jar("basket"), writes=(b.header("basket"),))
    from_script = b.visit(b.jar("basket"), writes=(b.script("basket", kind="cookie"),))
    assert b.codes(b.judged(from_header, by=by_script)) == ["SN405"]
    assert b.codes(b.judged(from_script, by=by_server)) == ["SN405"]
    assert b.codes(b.judged(from_header, by=by_server)) == []
    assert b.codes(b.judged(from_script, by=by_script)) == []


@pytest.mark.parametrize(
    ("declared", "url", "clean"),
    [
        ("/static/*/look/display.js", "https://shop.example/static/4f2a/look/display.js", True),
        ("/static/*/look/display.js", "https://shop.example/static/4f2a/look/display.js?v=3", True),
        ("/static/*/look/display.js", "https://shop.example/static/a/b/look/display.js", False),
        ("/static/*/look/display.js", "https://shop.example/static/4f2a/look/other.js", False),
        ("/static/*", "https://shop.example/static/a/b.js", True),
        ("/app.js", "https://other.example/app.js", False),
        ("/app.js", "https://shop.example/.well-known/cookie-guard.js", False),
    ],
)
def test_the_script_is_the_declared_one(declared: str, url: str, clean: bool) -> None:
    judgement = b.judged(
        b.visit(b.key("basket"), writes=(b.script("basket", url=url),)),
        by=b.declared(b.item("basket", "local", script=declared)),
    )
    assert b.codes(judgement) == ([] if clean else ["SN405"])


def test_a_script_that_writes_through_another_one_is_the_author() -> None:
    by_page = b.declared(b.item("basket", "local", script="/"))
    assert b.codes(b.judged(b.visit(writes=(b.script("basket"),)), by=by_page)) == []
    unknown = b.visit(b.key("basket"), writes=(b.script("basket", url=""),))
    assert b.codes(b.judged(unknown, by=b.declared(b.item("basket", "local")))) == []


DEVICE = {"lifetime": "30 days", "category": "security"}


def visits(second: str, *, act: int = 0, life: float | None = 30 * 86_400.0) -> list[object]:
    first = b.visit(b.jar("device", b.ADA, life=life), writes=(b.header("device", b.ADA, life=life),))
    again = b.visit(
        b.jar("device", second, life=life), path="/again", writes=(b.header("device", second, life=life, act=act),)
    )
    return [first, again]


def test_a_life_that_starts_anew_has_to_be_declared() -> None:
    finding = b.found(b.judged(*visits(b.ADA), by=b.declared(b.item("device", **DEVICE))), "SN408")
    assert finding.sightings[0].page == "https://shop.example/again"
    assert "CNIL" not in finding.message
    assert b.codes(b.judged(*visits(b.ADA), by=b.declared(b.item("device", renewed=True, **DEVICE)))) == []


def test_in_france_a_measuring_cookie_that_is_renewed_is_no_longer_exempt() -> None:
    counted = b.declared(
        b.item("device", lifetime="30 days", category="audience-measurement"), jurisdictions='"UK", "FR"'
    )
    assert "CNIL" in b.found(b.judged(*visits(b.ADA), by=counted), "SN408").message
    in_uk = b.judged(*visits(b.ADA), by=counted, jurisdictions=(Jurisdiction.UK,))
    assert "CNIL" not in b.found(in_uk, "SN408").message


def test_another_value_a_choice_and_a_session_are_no_renewal() -> None:
    declaration = b.declared(b.item("device", **DEVICE))
    assert b.codes(b.judged(*visits(b.BEN), by=declaration)) == []
    assert b.codes(b.judged(*visits(b.ADA, act=b.CLICK), by=declaration)) == []
    assert b.codes(b.judged(*visits(b.ADA, life=None), by=b.declared(b.item("device")))) == []


def test_what_is_set_again_after_it_was_removed_is_new() -> None:
    first = b.visit(b.jar("device", "1", life=b.DAY), writes=(b.header("device", life=b.DAY),))
    acts = (Act(Deed.REMOVE, "cookies"), Act(Deed.LOAD))
    back = b.visit(
        b.jar("device", "1", life=b.DAY),
        state=State.RETURNED,
        acts=acts,
        writes=(b.header("device", life=b.DAY, act=1),),
    )
    declaration = b.declared(b.item("device", **DEVICE))
    assert b.codes(b.judged(first, back, by=declaration)) == []
    kept = b.visit(
        b.jar("device", "1", life=b.DAY),
        state=State.RETURNED,
        acts=(Act(Deed.REMOVE, "all but cookies"), Act(Deed.LOAD)),
        writes=(b.header("device", life=b.DAY, act=1),),
    )
    assert b.codes(b.judged(first, kept, by=declaration)) == ["SN408"]
