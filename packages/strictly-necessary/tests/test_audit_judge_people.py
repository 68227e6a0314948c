"""What needs consent, and signing in and out."""

from __future__ import annotations

import runpy
from pathlib import Path
from types import SimpleNamespace

import pytest

from strictly_necessary import Declaration
from strictly_necessary.audit._observation import Act, Deed, Mishap, State, Trouble
from strictly_necessary.declaration._items import Jurisdiction

b = SimpleNamespace(**runpy.run_path(str(Path(__file__).parent / "audit_builders.py")))


def asks() -> Declaration:
    declaration: Declaration = b.declared(
        b.item("consent", category="consent-choice", lifetime="6 months", requires_action=True),
        b.item("visits", category="analytics"),
    )
    return declaration


REFUSE = (Act(Deed.LOAD), Act(Deed.WAIT), Act(Deed.REFUSE, told=True))
GIVE = (Act(Deed.LOAD), Act(Deed.WAIT), Act(Deed.GIVE, told=True))
ANSWER = 2


def answered(state: State, acts: tuple[Act, ...], *, before: bool = False, after: bool = False) -> object:
    visits = (b.jar("visits", b.ADA),)
    return b.visit(
        state=state,
        acts=acts,
        snapshots={1: visits if before else (), 2: (b.jar("consent"), *(visits if after else ()))},
        writes=(b.header("consent", act=ANSWER),),
    )


def consent_codes(*visits: object) -> list[str]:
    return [code for code in b.codes(b.judged(*visits, by=asks())) if code.startswith("SN41")]


def test_what_needs_consent_waits_for_the_answer() -> None:
    for state in (State.VISIT, State.NO_JAVASCRIPT, State.SIGNED_IN):
        assert consent_codes(b.visit(b.jar("visits"), state=state)) == ["SN411"]
    assert consent_codes(answered(State.GIVEN, GIVE, before=True, after=True)) == ["SN411"]
    assert consent_codes(answered(State.GIVEN, GIVE, after=True)) == []


def test_a_yes_holds_on_later_pages() -> None:
    later = b.visit(b.jar("visits"), b.jar("consent"), state=State.GIVEN, path="/later")
    assert consent_codes(answered(State.GIVEN, GIVE), later) == []


def test_what_needs_consent_is_gone_after_a_no() -> None:
    assert consent_codes(answered(State.REFUSED, REFUSE, after=True)) == ["SN412"]
    assert consent_codes(answered(State.REFUSED, REFUSE)) == []
    later = b.visit(b.jar("visits"), b.jar("consent"), state=State.REFUSED, path="/later")
    assert consent_codes(answered(State.REFUSED, REFUSE), later) == ["SN412"]


def test_what_was_there_before_is_still_there_after_a_no() -> None:
    kept = (b.jar("visits"),)
    stays = b.visit(state=State.REFUSED, acts=REFUSE, snapshots={1: kept})
    assert consent_codes(stays) == ["SN411", "SN412"]


def test_the_browsers_signal_is_a_no() -> None:
    assert consent_codes(b.visit(b.jar("visits"), state=State.GPC)) == ["SN413"]
    assert consent_codes(b.visit(state=State.GPC)) == []


def test_a_button_that_the_audit_pressed_by_itself_may_be_the_answer() -> None:
    acts = (*b.ACTS[:4], Act(Deed.CLICK, 'button "Accept all"'))
    pressed = b.visit(acts=acts, snapshots={1: (), 4: (b.jar("visits"),)})
    assert consent_codes(pressed) == []
    other = b.visit(acts=b.ACTS, snapshots={1: (), 4: (b.jar("visits"),)})
    assert consent_codes(other) == ["SN411"]
    remembered = b.visit(snapshots={1: (), 4: (b.jar("visits"), b.jar("consent"))})
    assert consent_codes(remembered) == []


def test_whose_rules_are_asked_for_decides_what_needs_consent() -> None:
    measured = b.declared(b.item("visits", category="audience-measurement"), jurisdictions='"UK"')
    seen = b.visit(b.jar("visits"))
    assert b.codes(b.judged(seen, by=measured)) == []
    assert b.codes(b.judged(seen, by=measured, jurisdictions=(Jurisdiction.EU,))) == ["SN411"]


SIGN_IN = (Act(Deed.LOAD), Act(Deed.WAIT), Act(Deed.SIGN_IN, told=True))
SIGN_OUT = (Act(Deed.LOAD), Act(Deed.WAIT), Act(Deed.SIGN_OUT, told=True))


def signs() -> Declaration:
    declaration: Declaration = b.declared(
        b.item("session", category="authentication"),
        b.item("csrf", category="security"),
        b.item("theme", "local", category="preference", requires_action=True),
    )
    return declaration


def signing(*after: object, session: str = "", writes: tuple[object, ...] = ()) -> list[str]:
    kept = (b.jar("session", b.ADA), b.jar("csrf", b.BEN), b.key("theme", "dark"))
    came = (
        b.header("session", b.ADA, act=2),
        b.header("csrf", b.BEN, act=2),
        b.script("theme", "dark", act=2),
    )
    signed_in = b.visit(state=State.SIGNED_IN, acts=SIGN_IN, snapshots={1: (), 2: kept}, writes=came)
    out = b.visit(state=State.SIGNED_OUT, acts=SIGN_OUT, snapshots={1: kept, 2: after}, writes=writes, path="/out")
    return [code for code in b.codes(b.judged(signed_in, out, by=signs())) if code.startswith("SN41")]


def test_a_sign_in_ends_with_signing_out() -> None:
    assert signing(b.jar("session", b.ADA), b.jar("csrf", b.BEN)) == ["SN415", "SN415"]
    assert signing(b.jar("session", b.ADA)) == ["SN415"]
    assert signing() == []


def test_a_preference_and_a_new_token_may_stay() -> None:
    assert signing(b.key("theme", "dark")) == []
    assert signing(b.jar("csrf", b.CYD), writes=(b.header("csrf", b.CYD, act=2),)) == []
    assert signing(writes=(b.header("session", "", act=2, life=0),)) == []


def test_signing_out_may_have_no_act_of_its_own() -> None:
    kept = (b.jar("session", b.ADA), b.jar("csrf", b.BEN), b.key("theme", "dark"))
    signed_in = b.visit(*kept, state=State.SIGNED_IN, acts=SIGN_IN, act=2, writes=(b.header("session", b.ADA, act=2),))
    stays = b.visit(b.jar("session", b.ADA), state=State.SIGNED_OUT, path="/bye")
    assert b.codes(b.judged(signed_in, stays, by=signs())).count("SN415") == 1


def test_an_undeclared_identifier_that_came_with_the_sign_in_is_one_too() -> None:
    kept = (b.jar("sid", b.ADA),)
    signed_in = b.visit(
        state=State.SIGNED_IN, acts=SIGN_IN, snapshots={1: (), 2: kept}, writes=(b.header("sid", b.ADA, act=2),)
    )
    out = b.visit(*kept, state=State.SIGNED_OUT, acts=SIGN_OUT, act=2)
    assert b.codes(b.judged(signed_in, out, by=b.declared())) == ["SN401", "SN415"]


@pytest.mark.parametrize("state", [State.VISIT, State.GPC, State.NO_JAVASCRIPT, State.SIGNED_IN])
def test_nobody_is_signed_in_before_signing_in(state: State) -> None:
    early = b.visit(b.jar("session", b.ADA), state=state, writes=(b.header("session", b.ADA),))
    assert "SN416" in b.codes(b.judged(early, by=signs()))
    late = b.visit(
        state=state,
        acts=SIGN_IN,
        snapshots={1: (), 2: (b.jar("session", b.ADA),)},
        writes=(b.header("session", act=2),),
    )
    assert "SN416" not in b.codes(b.judged(late, by=signs()))


STEPS = (
    Act(Deed.LOAD),
    Act(Deed.WAIT),
    Act(Deed.GO, "/sign-in", told=True),
    Act(Deed.SUBMIT, 'button "Sign in"', told=True),
    Act(Deed.SIGN_IN, told=True),
)


def test_the_steps_of_a_script_are_what_they_lead_to() -> None:
    declaration = b.declared(b.item("session", category="authentication"), b.item("csrf", category="security"))
    kept = (b.jar("session", b.ADA), b.jar("csrf", b.BEN))
    came = (b.header("csrf", b.BEN, act=2), b.header("session", b.ADA, act=3))
    signed_in = b.visit(state=State.SIGNED_IN, acts=STEPS, snapshots={1: (), 3: kept}, writes=came)
    out = (*STEPS[:3], Act(Deed.SUBMIT, 'button "Sign out"', told=True), Act(Deed.SIGN_OUT, told=True))
    leaves = b.visit(state=State.SIGNED_OUT, acts=out, snapshots={1: kept, 3: kept[1:]})
    cleans = b.visit(state=State.SIGNED_OUT, acts=out, snapshots={1: kept, 3: ()})
    assert b.codes(b.judged(signed_in, cleans, by=declaration)) == []
    assert b.codes(b.judged(signed_in, leaves, by=declaration)) == ["SN415"]


def test_a_script_that_stopped_signed_nobody_out() -> None:
    kept = (b.jar("session", b.ADA),)
    signed_in = b.visit(state=State.SIGNED_IN, acts=STEPS, snapshots={1: (), 3: kept})
    stopped = b.visit(
        *kept, state=State.SIGNED_OUT, acts=STEPS[:3], mishaps=(Mishap(Trouble.STEP, "there is no such button", 2),)
    )
    declaration = b.declared(b.item("session", category="authentication"))
    assert b.codes(b.judged(signed_in, stopped, by=declaration)) == ["SN453"]


def test_going_to_a_page_is_no_choice_of_what_it_keeps() -> None:
    theme = b.declared(b.item("theme", "local", category="preference", requires_action=True))
    acts = (Act(Deed.LOAD), Act(Deed.WAIT), Act(Deed.GO, "/look", told=True))
    assert b.codes(b.judged(b.visit(b.key("theme", "dark"), acts=acts, act=2), by=theme)) == ["SN410"]
