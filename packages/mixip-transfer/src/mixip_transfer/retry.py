"""How long, and how patiently, a request is tried again."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from dataclasses import dataclass
from email.utils import parsedate_to_datetime

FIRST_WAIT_SECONDS = 0.5
LONGEST_WAIT_SECONDS = 30.0


@dataclass(frozen=True, slots=True)
class Patience:
    """Try again for at most `seconds` since the last success; a pause doubles from `first` to `longest` seconds."""

    seconds: float
    first: float = FIRST_WAIT_SECONDS
    longest: float = LONGEST_WAIT_SECONDS


TRANSFERRING = Patience(seconds=180)
ASKING = Patience(seconds=5)


class Backoff:
    """The pauses of one operation. Half of each pause is random, so that many clients do not return at one moment."""

    def __init__(
        self,
        patience: Patience,
        *,
        clock: Callable[[], float] = time.monotonic,
        chance: Callable[[], float] = random.random,
    ) -> None:
        self._patience = patience
        self._clock = clock
        self._chance = chance
        self._attempt = 0
        self._since = clock()

    def succeeded(self) -> None:
        """Start counting anew: something got through."""
        self._attempt = 0
        self._since = self._clock()

    def next_pause(self, asked: float | None = None) -> float | None:
        """Seconds to wait before the next attempt, at least what the platform `asked` for; None: give up."""
        pause = min(self._patience.longest, self._patience.first * 2.0**self._attempt)
        pause *= 0.5 + 0.5 * self._chance()
        if asked is not None:
            pause = max(pause, asked)
        self._attempt = min(self._attempt + 1, 30)
        left = self._patience.seconds - (self._clock() - self._since)
        return pause if pause <= left else None


def retry_after(value: str | None, *, now: Callable[[], float] = time.time) -> float | None:
    """Seconds from a `Retry-After` header (RFC 9110 section 10.2.3: a number or a date); None when there is none."""
    if value is None:
        return None
    if value.strip().isascii() and value.strip().isdigit():
        return float(value.strip())
    try:
        return max(0.0, parsedate_to_datetime(value).timestamp() - now())
    except ValueError:
        return None
