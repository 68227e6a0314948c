"""Consent: what is granted, refused and asked, by the last answer, the version, the clock and the browser's signal."""

import datetime as dt
import logging
import tempfile
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from strictly_necessary import (
    Category,
    Declaration,
    Item,
    Jurisdiction,
    Kind,
    Lifetime,
    Policy,
    Purpose,
    SameSite,
    SetBy,
)
from strictly_necessary.consent import (
    Acknowledgement,
    Action,
    Answers,
    Channel,
    Choice,
    Consent,
    Ledger,
    LedgerError,
    OutdatedError,
    Receipt,
    SignalError,
    Standing,
    Tally,
    Visitor,
)
from strictly_necessary.consent.sqlite import SQLiteLedger
from strictly_necessary.versions import History, Significance

NOON = dt.datetime(2026, 12, 1, 12, tzinfo=dt.UTC)
DAY = dt.timedelta(days=1)
LIFE = 40
"""Days for which the choice is remembered."""

CHOICE = Item(
    id="consent",
    name="__Host-consent",
    kind=Kind.COOKIE,
    purposes=(Purpose(Category.CONSENT_CHOICE, "Remembers your answer."),),
    provider="Example Ltd",
    lifetime=Lifetime.parse(f"{LIFE} days"),
    set_when="You answer.",
    set_by=SetBy.SERVER,
    readable_by_application=True,
    secure=True,
    same_site=SameSite.LAX,
    path="/",
)


def gated(key: str, days: int = 20) -> Item:
    return replace(
        CHOICE,
        id=key,
        name=f"_{key}",
        purposes=(Purpose(Category.ANALYTICS, "Counts visits."),),
        lifetime=Lifetime.parse(f"{days} days"),
        set_when="You say yes.",
    )


def version(number: str, starts: dt.datetime, *items: Item, ask: Sequence[str] = ()) -> Declaration:
    policy = Policy(
        service="Example",
        operator="Example Ltd",
        contact="privacy@example.org",
        version=number,
        last_updated=starts.date(),
        jurisdictions=(Jurisdiction.EU,),
        starts=starts,
        change=Significance.SIGNIFICANT,
        ask=tuple(ask),
    )
    return Declaration(policy, (CHOICE, *items))


def ids(*keys: str) -> frozenset[str]:
    return frozenset(keys)


FIRST = History.of([version("1", NOON - DAY, gated("visits"), gated("chat"))])


class Clock:
    def __init__(self) -> None:
        self.now = NOON

    def __call__(self) -> dt.datetime:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[SQLiteLedger]:
    kept = SQLiteLedger(tmp_path / "consent.sqlite")
    yield kept
    kept.close()


@pytest.fixture
def consent(ledger: SQLiteLedger, clock: Clock) -> Consent:
    return Consent(ledger, now=clock)


ANN = Visitor("ann", NOON - 400 * DAY)


def answer(
    consent: Consent, before: Standing, visitor: Visitor | None = None, history: History = FIRST, **decided: bool
) -> tuple[Standing, Receipt]:
    return consent.answer(history, before, decided, text="May we?", language="en", visitor=visitor)


# What a browser remembers

IDS = st.from_regex(r"[a-z0-9][a-z0-9-]{0,62}", fullmatch=True)
CHOICES = st.builds(
    Choice,
    st.from_regex(r"[A-Za-z0-9][A-Za-z0-9._-]{0,31}", fullmatch=True),
    st.frozensets(IDS, max_size=10),
    st.frozensets(IDS, max_size=10),
)


@given(CHOICES)
def test_a_choice_is_read_as_it_was_written(choice: Choice) -> None:
    assert Choice.read(str(choice)) == choice
    assert not choice.granted & choice.refused


@given(st.one_of(st.text(), st.from_regex(r"[0-9A-Za-z:._-]{0,40}", fullmatch=True), CHOICES.map(lambda c: f"{c}\n")))
def test_any_text_is_a_choice_or_none(text: str) -> None:
    found = Choice.read(text)
    assert found is None or (Choice.read(str(found)) == found and not found.granted & found.refused)


def test_a_cookie_that_says_both_says_no() -> None:
    assert Choice.read("1:visits.chat:visits") == Choice("1", frozenset({"chat"}), frozenset({"visits"}))
    copied = Choice("1", frozenset({"chat", "seen", "visits"}), frozenset({"visits"}), frozenset({"chat", "visits"}))
    assert (str(copied), copied.account) == ("1:seen:visits:chat", frozenset({"chat"}))
    assert Choice.read("1:seen:visits:chat") == copied
    assert Choice.read("1:::chat.visits") == Choice("1", ids("chat", "visits"), ids(), ids("chat", "visits"))
    assert Choice.read("1:chat::") == Choice("1", ids("chat"))
    assert Choice.read("1:chat:::") is None
    assert Choice.read("1:" + "a." * 2000 + "a:") is None


@pytest.mark.parametrize(
    ("number", "key"), [("version one", "visits"), ("", "visits"), ("1", "Visits"), ("1", "a.b"), ("1", ""), ("1", ":")]
)
def test_a_choice_that_no_cookie_could_keep_is_refused(number: str, key: str) -> None:
    with pytest.raises(ValueError, match="cannot be kept"):
        Choice(number, frozenset({key}))
    with pytest.raises(ValueError, match="cannot be kept"):
        Choice(number, frozenset(), frozenset({key}))


def test_a_choice_that_is_too_long_for_a_cookie_is_refused() -> None:
    with pytest.raises(ValueError, match="cannot be kept"):
        Choice("1", frozenset(f"item-{number:058d}" for number in range(40)))


# Without an account


def test_everybody_is_asked_until_they_answer(consent: Consent) -> None:
    before = consent.standing(FIRST)
    assert (before.asks, [item.id for item in before.open]) == (True, ["visits", "chat"])
    assert (before.granted, before.refused, before.choice) == (frozenset(), frozenset(), None)
    after, receipt = answer(consent, before, visits=True, chat=False)
    assert (after.granted, after.refused, after.asks) == (ids("visits"), ids("chat"), False)
    assert str(after.choice) == "1:visits:chat"
    assert {each.item.id: each.action for each in receipt.answers} == {
        "visits": Action.GRANTED,
        "chat": Action.REFUSED,
    }
    assert (receipt.account, receipt.channel, receipt.at, receipt.version) == (None, Channel.PAGE, NOON, "1")
    assert consent.standing(FIRST, choice=after.choice) == after


def test_what_is_left_open_stays_no_and_is_asked(consent: Consent) -> None:
    after, _ = answer(consent, consent.standing(FIRST), chat=True)
    assert (after.granted, [item.id for item in after.open], after.asks) == (ids("chat"), ["visits"], True)


def test_a_no_after_a_yes_is_a_withdrawal(consent: Consent) -> None:
    granted, _ = answer(consent, consent.standing(FIRST), visits=True, chat=False)
    after, receipt = answer(consent, granted, visits=False, chat=False)
    assert [each.action for each in receipt.answers] == [Action.REFUSED, Action.WITHDRAWN]
    assert (after.granted, after.refused) == (ids(), ids("visits", "chat"))


def test_where_nothing_needs_consent_nothing_is_asked_remembered_or_looked_up() -> None:
    history = History.of([version("1", NOON - DAY)])
    consent = Consent(Unreachable(), now=Clock())
    assert consent.standing(history, visitor=ANN, choice=Choice("1", frozenset({"visits"}))) == Standing(
        history.at(NOON)
    )
    with pytest.raises(ValueError, match="of none"):
        answer(consent, consent.standing(history), history=history, visits=True)


@pytest.mark.parametrize("yes", [True, False])
def test_an_answer_holds_as_long_as_people_were_told_and_no_later_version_revives_it(
    ledger: SQLiteLedger, yes: bool
) -> None:
    clock = Clock()
    consent = Consent(ledger, now=clock)
    longer = replace(CHOICE, lifetime=Lifetime.parse("400 days"))
    first, second = (version(number, NOON + days * DAY, gated("visits")) for number, days in (("1", -9), ("2", 50)))
    second = replace(second, items=tuple(longer if item == CHOICE else item for item in second.items))
    history = History.of([first, second])
    answer(consent, consent.standing(history, visitor=ANN), ANN, history, visits=yes)
    for days, holds in ((LIFE - 1, True), (LIFE + 1, False), (51, False)):
        clock.now = NOON + days * DAY
        standing = consent.standing(history, visitor=ANN)
        assert ("visits" in (standing.granted | standing.refused), standing.asks) == (holds, not holds), days


def test_without_a_limit_no_answer_holds(consent: Consent) -> None:
    """Such a declaration does not load; were one made by hand, it would be no consent."""
    endless = replace(CHOICE, lifetime=Lifetime.parse("persistent"))
    declaration = replace(FIRST.versions[0].declaration, items=(endless, gated("visits")))
    history = History.of([declaration])
    after, _ = answer(consent, consent.standing(history, visitor=ANN), ANN, history, visits=True)
    assert (after.granted, after.asks) == (frozenset(), True)


# What is recorded is what was asked, or nothing


def nothing_was_recorded(ledger: Ledger) -> bool:
    return not ledger.receipts("ann") and ledger.tally() == Tally()


def test_only_what_needs_consent_can_be_answered(consent: Consent, ledger: SQLiteLedger) -> None:
    before = consent.standing(FIRST, visitor=ANN)
    for decided in ({}, {"consent": True}, {"visits": True, "other": False}):
        with pytest.raises(ValueError, match="of visits, chat"):
            consent.answer(FIRST, before, decided, text="May we?", language="en", visitor=ANN)
    assert nothing_was_recorded(ledger)


def test_an_answer_to_a_version_that_is_not_in_force_is_refused(
    consent: Consent, ledger: SQLiteLedger, clock: Clock
) -> None:
    history = History.of(
        [*(each.declaration for each in FIRST.versions), version("2", NOON + DAY, gated("visits", 30))]
    )
    before = consent.standing(history, visitor=ANN)
    clock.now += 2 * DAY
    with pytest.raises(OutdatedError, match="version 1 is not in force, but 2"):
        answer(consent, before, ANN, history, visits=True)
    clock.now -= 2 * DAY  # and a clock that goes back finds the old version in force again
    later = replace(before, version=history.versions[1])
    with pytest.raises(OutdatedError, match="version 2 is not in force, but 1"):
        answer(consent, later, ANN, history, visits=False)
    assert nothing_was_recorded(ledger)


def test_a_yes_to_no_text_is_none_and_a_no_needs_none(consent: Consent, ledger: SQLiteLedger) -> None:
    before = consent.standing(FIRST, visitor=ANN)
    with pytest.raises(ValueError, match="text"):
        consent.answer(FIRST, before, {"visits": True}, text=" \n", language="en", visitor=ANN)
    assert nothing_was_recorded(ledger)
    consent.answer(FIRST, before, {"visits": False}, text="", language="en", visitor=ANN)
    assert ledger.answers("ann")["visits"].action is Action.REFUSED


def test_a_clock_without_an_offset_is_refused(ledger: SQLiteLedger) -> None:
    naive = Consent(ledger, now=lambda: NOON.replace(tzinfo=None))
    for call in (lambda: naive.standing(FIRST), lambda: naive.news(FIRST)):
        with pytest.raises(ValueError, match="offset"):
            call()
    with pytest.raises(ValueError, match="offset"):
        Visitor("ann", NOON.replace(tzinfo=None))


def test_moments_are_kept_in_utc_whatever_the_clock_shows(ledger: SQLiteLedger) -> None:
    berlin = dt.timezone(dt.timedelta(hours=1))
    consent = Consent(ledger, now=lambda: NOON.astimezone(berlin))
    _, receipt = answer(consent, consent.standing(FIRST), ANN, visits=True)
    assert (receipt.at, receipt.at.tzinfo) == (NOON, dt.UTC)


# A browser that says no


def test_under_the_signal_nothing_is_granted_and_nobody_is_asked(consent: Consent) -> None:
    standing = consent.standing(FIRST, choice=Choice("1", frozenset({"visits"})), signal=True)
    assert (standing.granted, standing.refused, standing.asks) == (ids(), ids("visits", "chat"), False)
    assert standing.choice is None
    assert standing.said == Choice("1", frozenset({"visits"}))


@pytest.mark.parametrize("visitor", [None, ANN])
def test_a_yes_under_the_signal_is_refused_and_not_recorded(
    consent: Consent, ledger: SQLiteLedger, visitor: Visitor | None
) -> None:
    before = consent.standing(FIRST, visitor=visitor, signal=True)
    with pytest.raises(SignalError, match="Global Privacy Control, so visits stays no"):
        answer(consent, before, visitor, visits=True, chat=False)
    assert nothing_was_recorded(ledger)


def test_a_withdrawal_under_the_signal_holds_when_the_signal_ends(consent: Consent) -> None:
    granted, _ = answer(consent, consent.standing(FIRST), visits=True)
    before = consent.standing(FIRST, choice=granted.choice, signal=True)
    after, receipt = answer(consent, before, visits=False)
    assert [each.action for each in receipt.answers] == [Action.WITHDRAWN]
    assert after.choice == Choice("1", frozenset(), frozenset({"visits"}))
    assert consent.standing(FIRST, choice=after.choice).refused == {"visits"}


def test_a_withdrawal_of_an_account_under_the_signal_is_recorded_as_one(consent: Consent, ledger: SQLiteLedger) -> None:
    answer(consent, consent.standing(FIRST, visitor=ANN), ANN, visits=True, chat=True)
    before = consent.standing(FIRST, visitor=ANN, signal=True)
    after, receipt = answer(consent, before, ANN, visits=False)
    assert [each.action for each in receipt.answers] == [Action.WITHDRAWN]
    assert (after.granted, after.signal) == (frozenset(), True)
    assert consent.standing(FIRST, visitor=ANN).granted == {"chat"}


# With an account


def test_an_answer_counts_in_every_browser_of_the_account(consent: Consent) -> None:
    answer(consent, consent.standing(FIRST, visitor=ANN), ANN, visits=True, chat=False)
    for choice in (None, Choice("1", frozenset({"chat"}), frozenset({"visits"}))):
        standing = consent.standing(FIRST, choice=choice, visitor=ANN)
        assert (standing.granted, standing.refused) == (ids("visits"), ids("chat"))
    assert consent.standing(FIRST, visitor=replace(ANN, account="bob")).asks


def test_two_tabs_that_answer_at_once_both_count(consent: Consent) -> None:
    shown, _ = answer(consent, consent.standing(FIRST, visitor=ANN), ANN, visits=True)
    answer(consent, shown, ANN, visits=False)
    after, _ = answer(consent, shown, ANN, chat=True)  # this tab has not heard of the withdrawal
    assert (after.granted, after.refused) == (ids("chat"), ids("visits"))


@pytest.mark.parametrize("yes", [True, False])
def test_an_answer_ends_with_its_declared_life_and_then_is_asked_again(
    consent: Consent, clock: Clock, yes: bool
) -> None:
    after, _ = answer(consent, consent.standing(FIRST, visitor=ANN), ANN, visits=yes, chat=False)
    clock.now += LIFE * DAY - dt.timedelta(seconds=1)
    assert consent.standing(FIRST, visitor=ANN) == after
    clock.now += dt.timedelta(seconds=1)
    assert [item.id for item in consent.standing(FIRST, visitor=ANN).open] == ["visits", "chat"]


def test_no_visit_lengthens_the_life_of_a_yes(consent: Consent, clock: Clock) -> None:
    """A browser that signs in late gets a copy of the choice; the copy does not outlive the answer."""
    answer(consent, consent.standing(FIRST, visitor=ANN), ANN, visits=True, chat=True)
    clock.now += (LIFE - 1) * DAY
    copied = consent.standing(FIRST, visitor=ANN).choice
    assert copied is not None
    clock.now += DAY
    standing = consent.standing(FIRST, visitor=ANN, choice=copied)
    assert (standing.granted, standing.asks) == (frozenset(), True)


def test_a_yes_from_far_in_the_future_is_none_and_a_no_from_there_is_one(consent: Consent, clock: Clock) -> None:
    answer(consent, consent.standing(FIRST, visitor=ANN), ANN, visits=True, chat=False)
    clock.now -= dt.timedelta(seconds=300)  # two machines are never quite alike
    assert consent.standing(FIRST, visitor=ANN).granted == {"visits"}
    clock.now -= dt.timedelta(seconds=1)
    standing = consent.standing(FIRST, visitor=ANN)
    assert (standing.granted, standing.refused, [item.id for item in standing.open]) == (ids(), ids("chat"), ["visits"])


class Unreachable:
    """A ledger whose store is gone."""

    def refuse(self, *_: object) -> LedgerError:
        raise LedgerError("the store is gone")

    record: Callable[[Receipt], None] = refuse  # type: ignore[assignment]
    receipts: Callable[[str], Sequence[Receipt]] = refuse  # type: ignore[assignment]
    answers: Callable[[str], Answers] = refuse  # type: ignore[assignment]
    acknowledge: Callable[[Acknowledgement], bool] = refuse  # type: ignore[assignment]
    acknowledgements: Callable[[str], Sequence[Acknowledgement]] = refuse  # type: ignore[assignment]
    tally: Callable[[], Tally] = refuse  # type: ignore[assignment]
    forget: Callable[[str], None] = refuse  # type: ignore[assignment]


def test_a_ledger_that_cannot_be_asked_is_no_consent(caplog: pytest.LogCaptureFixture) -> None:
    consent = Consent(Unreachable(), now=Clock())
    with caplog.at_level(logging.ERROR, "strictly_necessary"):
        standing = consent.standing(FIRST, choice=Choice("1", frozenset({"visits"})), visitor=ANN)
    assert (standing.granted, standing.asks, standing.choice) == (frozenset(), False, None)
    assert "the store is gone" in caplog.text
    assert "ann" not in caplog.text.replace("cannot", "")


@pytest.mark.parametrize("visitor", [None, ANN])
def test_an_answer_that_could_not_be_recorded_is_an_error(visitor: Visitor | None) -> None:
    consent = Consent(Unreachable(), now=Clock())
    with pytest.raises(LedgerError):
        answer(consent, Standing(FIRST.at(NOON), open=FIRST.at(NOON).declaration.gated), visitor, visits=True)


# News

NEWS = History.of(
    [
        version("1", NOON - 100 * DAY, gated("visits", 10)),
        version("2", NOON - 40 * DAY, gated("visits", 20)),
        version("3", NOON - 10 * DAY, gated("visits", 30)),
        version("4", NOON + 10 * DAY, gated("visits", 40)),
    ]
)


def numbers(consent: Consent, visitor: Visitor | None) -> list[str]:
    return [each.number for each in consent.news(NEWS, visitor)]


def test_news_are_told_to_accounts_once_and_to_others_for_a_while(consent: Consent, clock: Clock) -> None:
    assert numbers(consent, None) == ["3"]
    assert numbers(consent, ANN) == ["2", "3"]
    assert numbers(consent, replace(ANN, since=NOON - 20 * DAY)) == ["3"]
    assert numbers(consent, replace(ANN, since=NOON)) == []
    assert consent.acknowledge(NEWS, ANN, "3")
    assert numbers(consent, ANN) == []
    assert not consent.acknowledge(NEWS, ANN, "3")
    clock.now += 30 * DAY
    assert numbers(consent, None) == ["4"]
    assert numbers(consent, ANN) == ["4"]


def test_what_was_not_shown_is_not_acknowledged(consent: Consent, ledger: SQLiteLedger) -> None:
    assert consent.acknowledge(NEWS, ANN, "2")
    assert numbers(consent, ANN) == ["3"]
    for unknown in ("4", "1", "none"):
        assert not consent.acknowledge(NEWS, ANN, unknown)
    assert [each.version for each in ledger.acknowledgements("ann")] == ["2"]


def test_of_many_tabs_that_acknowledge_at_once_one_is_the_first(consent: Consent) -> None:
    together = threading.Barrier(8)

    def press(_: int) -> bool:
        together.wait()
        return consent.acknowledge(NEWS, ANN, "3")

    with ThreadPoolExecutor(8) as pool:
        assert sorted(pool.map(press, range(8))) == [False] * 7 + [True]


def test_news_are_told_twice_rather_than_never(caplog: pytest.LogCaptureFixture) -> None:
    consent = Consent(Unreachable(), now=Clock())
    assert numbers(consent, ANN) == ["2", "3"]
    assert "the store is gone" in caplog.text
    with pytest.raises(LedgerError):
        consent.acknowledge(NEWS, ANN, "3")


# Whatever people, versions and clocks do


@dataclass
class Browser:
    """A browser as browsers are: it keeps the choice of the last answer until its life ends. With `visitor`, somebody
    has signed in there."""

    visitor: Visitor | None
    choice: Choice | None = None
    since: dt.datetime = NOON

    def cookie(self, now: dt.datetime) -> Choice | None:
        return self.choice if now - self.since < LIFE * DAY else None


@dataclass
class Person:
    """What we know of a person who answers: yes or no about each item, to which version and when. Not how consent
    knows it."""

    answered: dict[str, tuple[bool, int, dt.datetime]] = field(default_factory=dict)


KEYS = st.sampled_from(["visits", "chat"])
LIVES = st.lists(
    st.fixed_dictionaries({key: st.sampled_from([10, 20, 30]) for key in ("visits", "chat")}), min_size=2, max_size=4
)
ASKS = st.lists(st.frozensets(KEYS, max_size=1), min_size=4, max_size=4)
ACTS = st.lists(
    st.tuples(
        st.sampled_from(["answer", "answer", "wait", "wait", "wait", "back"]),
        st.integers(0, 2),  # which browser
        st.dictionaries(KEYS, st.sampled_from([True, True, False]), min_size=1),
        st.sampled_from([1, 9 * 24, 20 * 24, (LIFE - 1) * 24]),  # hours
        st.sampled_from([False, False, False, True]),  # whether the browser signals a no
    ),
    min_size=6,
    max_size=16,
)


@settings(max_examples=250)
@given(LIVES, ASKS, ACTS)
def test_only_a_last_yes_that_still_covers_is_granted_and_no_refusal_is_asked_about(
    lives: list[dict[str, int]],
    asks: list[frozenset[str]],
    acts: list[tuple[str, int, dict[str, bool], int, bool]],
) -> None:
    history = History.of(
        version(str(index), NOON + index * 9 * DAY, *(gated(*pair) for pair in life.items()), ask=sorted(ask))
        for index, (life, ask) in enumerate(zip(lives, asks, strict=False))
    )

    def covers(key: str, given_to: int, index: int) -> bool:
        asked = any(key in ask for ask in asks[given_to + 1 : index + 1])
        return given_to <= index and lives[index][key] <= lives[given_to][key] and not asked

    clock = Clock()
    ann, somebody = Person(), Person()
    browsers = [(Browser(ANN), ann), (Browser(ANN), ann), (Browser(None), somebody)]
    with tempfile.TemporaryDirectory() as folder:
        ledger = SQLiteLedger(Path(folder) / "consent.sqlite")
        consent = Consent(ledger, now=clock)
        for act, number, decided, hours, signal in acts:
            browser, person = browsers[number]
            if act != "answer":
                clock.now += dt.timedelta(hours=hours) * (1 if act == "wait" else -0.1)
            else:
                choice = browser.cookie(clock.now)
                before = consent.standing(history, choice=choice, visitor=browser.visitor, signal=signal)
                if signal and any(decided.values()):
                    with pytest.raises(SignalError):
                        answer(consent, before, browser.visitor, history, **decided)
                else:
                    after, _ = answer(consent, before, browser.visitor, history, **decided)
                    browser.choice, browser.since = after.choice, clock.now
                    for key, yes in decided.items():
                        person.answered[key] = (yes, int(after.version.number), clock.now)
            for each, who in browsers:
                choice = each.cookie(clock.now)
                standing = consent.standing(history, choice=choice, visitor=each.visitor)
                index = int(standing.version.number)
                for key in standing.granted:
                    yes, given_to, at = who.answered[key]
                    assert yes
                    assert covers(key, given_to, index)
                    assert each.visitor is None or clock.now - at < LIFE * DAY
                refused = {key for key, (yes, _, at) in who.answered.items() if not yes and clock.now - at < LIFE * DAY}
                assert not refused & {item.id for item in standing.open}
                assert standing.asks == bool(standing.open)
                signalled = consent.standing(history, choice=choice, visitor=each.visitor, signal=True)
                assert not signalled.granted
                assert not signalled.asks
        ledger.close()
