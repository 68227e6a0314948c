"""The first declaration that an audit writes."""

from __future__ import annotations

import datetime as dt
import runpy
import tomllib
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from strictly_necessary.audit._observation import Act, Deed, State
from strictly_necessary.audit.draft import LOOK, draft
from strictly_necessary.audit.judge import judge
from strictly_necessary.declaration import check, examine
from strictly_necessary.declaration._items import Kind

b = SimpleNamespace(**runpy.run_path(str(Path(__file__).parent / "audit_builders.py")))
TODAY = dt.date(2026, 11, 23)


def shop() -> Any:
    sign_in = (Act(Deed.LOAD), Act(Deed.WAIT), Act(Deed.SIGN_IN, told=True))
    session = b.jar("__Host-session", b.ADA, http_only=True)
    return b.observed(
        b.visit(
            snapshots={b.WAIT: (), b.CLICK: (b.key("theme", "dark"),)},
            writes=(b.script("theme", "dark", act=b.CLICK),),
            requests=(
                b.request("https://maps.example/map", act=b.CLICK),
                b.request("https://www.google-analytics.com/a.js"),
            ),
        ),
        b.visit(
            b.jar("__Host-csrf", b.BEN, same_site="Strict"),
            session,
            state=State.SIGNED_IN,
            acts=sign_in,
            act=2,
            writes=(b.header("__Host-session", b.ADA, act=2), b.header("__Host-csrf", b.BEN, act=2)),
        ),
    )


def test_a_draft_passes_the_check_and_declares_all_that_was_seen(tmp_path: Path) -> None:
    file = tmp_path / "policy.toml"
    file.write_text(draft(shop(), service="Shop", operator="Shop Ltd", today=TODAY), encoding="utf-8")
    assert [str(each) for each in check(file) if each.severity == "error"] == []
    declaration, _ = examine(file.read_bytes(), "policy.toml")
    assert declaration is not None
    assert [each.id for each in declaration.items] == ["csrf", "session", "theme"]
    assert [each.host for each in declaration.third_parties] == ["maps.example"]
    codes = [each.code for each in judge(shop(), declaration).findings]
    assert codes == ["SN420", "SN421"]  # the tracker, which is not declared


def test_what_was_guessed_is_marked() -> None:
    lines = draft(shop(), today=TODAY).splitlines()
    assert 'set_when = "You sign in."  # look at this' in lines
    for key in ("category", "purpose", "feature", "privacy", "operator"):
        assert all(line.endswith(LOOK) for line in lines if line.startswith(f"{key} = ")), key
    assert 'script = "/app.js"' in lines
    assert any("www.google-analytics.com was asked" in line and line.startswith("#") for line in lines)


def test_what_a_tracker_writes_is_not_declared() -> None:
    write = b.script("_ga", b.ADA, kind=Kind.COOKIE, url="https://www.google-analytics.com/a.js")
    text = draft(b.observed(b.visit(b.jar("_ga", b.ADA), writes=(write,))), today=TODAY)
    assert "items" not in tomllib.loads(text)
    assert "# cookie _ga of shop.example is written by a script of" in text


def test_lives_hold_what_was_seen() -> None:
    for asked, declared in ((None, "session"), (30 * b.DAY - 1, "30 days"), (7200.0, "2 hours"), (90.0, "2 minutes")):
        seen = b.visit(b.jar("basket", life=asked), writes=(b.header("basket", life=asked),))
        (item,) = tomllib.loads(draft(b.observed(seen), today=TODAY))["items"]
        assert item["lifetime"] == declared


def test_no_value_stands_in_a_draft() -> None:
    seen = b.visit(b.jar("visitor", b.ADA), b.key(f"draft_{b.BEN}", b.CYD))
    text = draft(b.observed(seen), today=TODAY)
    assert not any(value in text for value in (b.ADA, b.BEN, b.CYD))
    assert 'name = "draft_*"' in text


names = st.text(st.characters(codec="utf-8"), min_size=1, max_size=40)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.sampled_from(list(Kind)), names), max_size=8), names)
def test_whatever_is_kept_the_draft_can_be_read(kept: list[tuple[Kind, str]], service: str) -> None:
    stored = [b.jar(name) if kind is Kind.COOKIE else b.key(name, kind=kind) for kind, name in kept]
    text = draft(b.observed(b.visit(*stored)), service=service, today=TODAY)
    _, findings = examine(text.encode(), "policy.toml")
    assert [str(each) for each in findings if each.code in {"SN001", "SN003", "SN004", "SN005", "SN009", "SN011"}] == []
