"""What the guards and a site ask about consent: what is granted, what is new, and what an act of a person leads to."""

from __future__ import annotations

import datetime as dt
import secrets
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

from strictly_necessary.consent._choice import Choice
from strictly_necessary.consent._ledger import Ledger
from strictly_necessary.consent._receipts import Acknowledgement, Action, Answer, Channel, Receipt
from strictly_necessary.consent._standing import Standing, standing
from strictly_necessary.versions import History, Version

NEWS_DAYS = 30
"""How long people without an account are told of a significant version, on the page."""


@dataclass(frozen=True, slots=True)
class Visitor:
    """Somebody with an account: what the service calls it, since when it exists, and where they are. Nobody is told of
    what changed before their account existed."""

    account: str
    since: dt.datetime
    channel: Channel = Channel.PAGE


Who: TypeAlias = Callable[[Any], "Visitor | Awaitable[Visitor | None] | None"]
"""Given the scope of ASGI or the environ of WSGI, who asks; None for somebody without an account."""


def _utc_now() -> dt.datetime:
    return dt.datetime.now(dt.UTC)


class Consent:
    """Consent with a ledger behind it. `who` tells who is behind a request; without it, everybody is without an
    account. `now` tells the time, aware and in UTC. The methods ask the ledger, so they may block."""

    def __init__(self, ledger: Ledger, who: Who | None = None, *, now: Callable[[], dt.datetime] = _utc_now) -> None:
        self.ledger = ledger
        self.who = who
        self.now = now

    def standing(
        self, history: History, *, choice: Choice | None = None, visitor: Visitor | None = None, signal: bool = False
    ) -> Standing:
        """What is granted in the version in force. `signal` is that of Global Privacy Control."""
        now = self.now()
        version = history.at(now)
        asked = visitor is not None and bool(version.declaration.gated) and not signal
        answers = self.ledger.answers(visitor.account) if visitor is not None and asked else None
        return standing(history, version, now, choice=choice, answers=answers, signal=signal)

    def news(self, history: History, visitor: Visitor | None = None) -> tuple[Version, ...]:
        """The significant versions that are still to be told, the oldest first: to an account, those since it exists
        that it has not acknowledged; to others, those of the last `NEWS_DAYS`. The ledger is asked only if there are
        any."""
        now = self.now()
        since = visitor.since if visitor is not None else now - dt.timedelta(days=NEWS_DAYS)
        versions = history.significant(since, now)
        if not versions or visitor is None:
            return versions
        seen = {each.version for each in self.ledger.acknowledgements(visitor.account)}
        return tuple(version for version in versions if version.number not in seen)

    def acknowledge(self, history: History, visitor: Visitor, number: str) -> bool:
        """Keep that the account has seen the announcement of this version, and of those before it that it was shown
        beside. Says whether there was something to keep."""
        now = self.now()
        numbers = [version.number for version in self.news(history, visitor)]
        seen = numbers[: numbers.index(number) + 1] if number in numbers else []
        for each in seen:
            self.ledger.acknowledge(Acknowledgement(visitor.account, each, now, visitor.channel))
        return bool(seen)

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
        no to what was granted is a withdrawal. Raises ValueError for what needs no consent in that version, and if
        nothing was decided."""
        gated = {item.id: item for item in before.version.declaration.gated}
        if not decided or not decided.keys() <= gated.keys():
            raise ValueError(f"items that need consent are needed, of {', '.join(gated) or 'none'}")
        answers = tuple(
            Answer(gated[key], Action.GRANTED if yes else _no(before, key)) for key, yes in sorted(decided.items())
        )
        account, channel = (visitor.account, visitor.channel) if visitor else (None, Channel.PAGE)
        number = before.version.number
        receipt = Receipt(secrets.token_hex(16), self.now(), number, answers, text, language, channel, account)
        self.ledger.record(receipt)
        granted = frozenset(key for key, yes in decided.items() if yes)
        choice = Choice(
            number, (before.granted - decided.keys()) | granted, (before.refused | decided.keys()) - granted
        )
        return self.standing(history, choice=choice, visitor=visitor, signal=before.signal), receipt


def _no(before: Standing, key: str) -> Action:
    return Action.WITHDRAWN if key in before.granted else Action.REFUSED
