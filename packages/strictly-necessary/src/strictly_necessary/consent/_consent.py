"""What the guards and a site ask about consent: what is granted, what is new, and what an act of a person leads to."""

from __future__ import annotations

import datetime as dt
import logging
import secrets
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, TypeAlias

from strictly_necessary.consent._choice import Choice
from strictly_necessary.consent._ledger import Ledger, LedgerError
from strictly_necessary.consent._receipts import Acknowledgement, Action, Answer, Channel, Receipt, aware
from strictly_necessary.consent._standing import Standing, standing
from strictly_necessary.versions import History, Version

NEWS_DAYS = 30
"""How long people without an account are told of a significant version, on the page."""

_log = logging.getLogger("strictly_necessary")


class OutdatedError(ValueError):
    """The answer is to a version that is not in force. Nothing was recorded; ask again."""


class SignalError(ValueError):
    """A yes came from a browser that says no by Global Privacy Control. Nothing was recorded."""


@dataclass(frozen=True, slots=True)
class Visitor:
    """Somebody with an account: what the service calls it, since when it exists, and where they are. Nobody is told of
    what changed before their account existed. Raises ValueError for a moment without an offset."""

    account: str
    since: dt.datetime
    channel: Channel = Channel.PAGE

    def __post_init__(self) -> None:
        object.__setattr__(self, "since", aware(self.since))


Who: TypeAlias = Callable[[Any], "Visitor | Awaitable[Visitor | None] | None"]
"""Given the scope of ASGI or the environ of WSGI, who asks; None for somebody without an account."""


def _utc_now() -> dt.datetime:
    return dt.datetime.now(dt.UTC)


class Consent:
    """Consent with a ledger behind it. `who` tells who is behind a request; without it, everybody is without an
    account. `now` tells the time, with an offset. The methods ask the ledger, so they may block."""

    def __init__(self, ledger: Ledger, who: Who | None = None, *, now: Callable[[], dt.datetime] = _utc_now) -> None:
        self.ledger = ledger
        self.who = who
        self.now = now

    def standing(
        self, history: History, *, choice: Choice | None = None, visitor: Visitor | None = None, signal: bool = False
    ) -> Standing:
        """What is granted in the version in force. `signal` is that of Global Privacy Control. If the ledger cannot be
        asked about an account, nothing is granted and nobody is asked."""
        return self._standing(history, aware(self.now()), choice, visitor, signal=signal)

    def _standing(
        self, history: History, now: dt.datetime, choice: Choice | None, visitor: Visitor | None, *, signal: bool
    ) -> Standing:
        version = history.at(now)
        asked = visitor is not None and bool(version.declaration.gated) and not signal
        try:
            answers = self.ledger.answers(visitor.account) if visitor is not None and asked else None
        except LedgerError as error:
            _log.error("consent: nothing is granted, because the ledger cannot be asked: %s", error)
            return Standing(version)
        return standing(history, version, now, choice=choice, answers=answers, signal=signal)

    def news(self, history: History, visitor: Visitor | None = None) -> tuple[Version, ...]:
        """The significant versions that are still to be told, the oldest first: to an account, those since it exists
        that it has not acknowledged; to others, those of the last `NEWS_DAYS`. The ledger is asked only if there are
        any; if it cannot be asked, they are told: twice is better than never."""
        now = aware(self.now())
        since = visitor.since if visitor is not None else now - dt.timedelta(days=NEWS_DAYS)
        versions = history.significant(since, now)
        if not versions or visitor is None:
            return versions
        try:
            seen = {each.version for each in self.ledger.acknowledgements(visitor.account)}
        except LedgerError as error:
            _log.error("consent: all news are told, because the ledger cannot be asked: %s", error)
            return versions
        return tuple(version for version in versions if version.number not in seen)

    def acknowledge(self, history: History, visitor: Visitor, number: str) -> bool:
        """Keep that the account has seen the announcement of this version, and of those before it that it was shown
        beside. Says whether this is the first time: of several at once, for one. Raises `LedgerError`."""
        now = aware(self.now())
        numbers = [version.number for version in self.news(history, visitor)]
        seen = numbers[: numbers.index(number) + 1] if number in numbers else []
        first = [self.ledger.acknowledge(Acknowledgement(visitor.account, each, now, visitor.channel)) for each in seen]
        return bool(first) and first[-1]

    def answer(
        self,
        history: History,
        before: Standing,
        decided: Mapping[str, bool],
        *,
        text: str,
        language: str,
        visitor: Visitor | None = None,
    ) -> tuple[Standing, Receipt]:
        """Record yes (True) or no (False) to items of the version that `before` belongs to, and say what holds then. A
        no to what was granted is a withdrawal.

        Raises, and has recorded nothing: `OutdatedError` if that version is not in force, `SignalError` for a yes where
        the browser signals a no, `LedgerError` if it could not be recorded, and ValueError for what needs no consent in
        that version, if nothing was decided, and for a yes to no text: nobody could show what it was about."""
        now = aware(self.now())
        gated = {item.id: item for item in before.version.declaration.gated}
        if not decided or not decided.keys() <= gated.keys():
            raise ValueError(f"items that need consent are needed, of {', '.join(gated) or 'none'}")
        if history.at(now).number != before.version.number:
            raise OutdatedError(f"version {before.version.number} is not in force, but {history.at(now).number}")
        granted = frozenset(key for key, yes in decided.items() if yes)
        if granted and before.signal:
            raise SignalError(
                f"the browser says no by Global Privacy Control, so {', '.join(sorted(granted))} stays no"
            )
        if granted and not text.strip():
            raise ValueError("the text that the person agreed to is needed")
        had = self._had(history, before, now, visitor)
        number = before.version.number
        choice = Choice(number, (had.granted - decided.keys()) | granted, (had.refused | decided.keys()) - granted)
        answers = tuple(
            Answer(gated[key], Action.GRANTED if yes else _no(had, key)) for key, yes in sorted(decided.items())
        )
        account, channel = (visitor.account, visitor.channel) if visitor else (None, Channel.PAGE)
        receipt = Receipt(secrets.token_hex(16), now, number, answers, text, language, channel, account)
        self.ledger.record(receipt)
        return self._standing(history, now, choice, visitor, signal=before.signal), receipt

    def _had(self, history: History, before: Standing, now: dt.datetime, visitor: Visitor | None) -> Standing:
        """What the person had answered, without the signal. Below it, the ledger has not been asked yet."""
        if not before.signal:
            return before
        if visitor is not None:
            return self._standing(history, now, before.said, visitor, signal=False)
        said = before.said or Choice(before.version.number)
        return replace(before, granted=said.granted, refused=said.refused, signal=False)


def _no(had: Standing, key: str) -> Action:
    return Action.WITHDRAWN if key in had.granted else Action.REFUSED
