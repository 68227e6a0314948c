"""Patience: pauses that double, half random, and end."""

import itertools
import time
from email.utils import formatdate

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mixip_transfer.retry import Backoff, Patience, retry_after


@given(st.floats(0, 1), st.floats(0, 1000), st.integers(1, 60))
def test_pauses_stay_within_their_bounds(chance: float, seconds: float, attempts: int) -> None:
    backoff = Backoff(Patience(seconds, first=0.5, longest=30), clock=lambda: 0.0, chance=lambda: chance)
    for attempt in range(attempts):
        pause = backoff.next_pause()
        full = min(30.0, 0.5 * 2.0**attempt)
        expected = full * (0.5 + 0.5 * chance)
        assert pause == (expected if expected <= seconds else None)


def test_patience_ends_and_begins_anew_after_a_success() -> None:
    now = itertools.count()
    backoff = Backoff(Patience(5, first=1, longest=1), clock=lambda: float(next(now)), chance=lambda: 1.0)
    pauses = [backoff.next_pause() for _ in range(6)]
    assert pauses == [1.0, 1.0, 1.0, 1.0, None, None]
    backoff.succeeded()
    assert backoff.next_pause() == 1.0


def test_the_platform_may_ask_for_a_longer_pause_but_not_a_shorter_one() -> None:
    backoff = Backoff(Patience(100, first=2, longest=2), clock=lambda: 0.0, chance=lambda: 1.0)
    assert backoff.next_pause(50.0) == 50.0
    assert backoff.next_pause(0.0) == 2.0
    assert backoff.next_pause(101.0) is None


@pytest.mark.parametrize(
    ("value", "seconds"), [(None, None), ("7", 7.0), (" 0 ", 0.0), ("soon", None), ("-1", None), ("", None)]
)
def test_retry_after_as_a_number(value: str | None, seconds: float | None) -> None:
    assert retry_after(value) == seconds


def test_retry_after_as_a_date() -> None:
    now = float(int(time.time()))
    assert retry_after(formatdate(now + 90, usegmt=True), now=lambda: now) == 90.0
    assert retry_after(formatdate(now - 90, usegmt=True), now=lambda: now) == 0.0
