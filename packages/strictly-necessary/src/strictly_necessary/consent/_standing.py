"""What is granted now: a person's answers, held against the version in force."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from strictly_necessary.consent._choice import Choice
from strictly_necessary.consent._receipts import Action, Answers, Latest
from strictly_necessary.declaration._items import Item
from strictly_necessary.versions import History, Version

SKEW_SECONDS = 300
"""How far the clocks of two machines may be apart. A yes from further in the future is none."""


@dataclass(frozen=True, slots=True)
class Standing:
    """Of the items that need consent in `version`: which are granted, which are refused, and which are `open`. With
    `signal`, the browser says no by Global Privacy Control, so nothing is granted and nobody is asked; `said` is then
    what the person answered, which the signal outweighs. `of_account` are those of the granted that the account
    granted, and not whoever uses this browser."""

    version: Version
    granted: frozenset[str] = frozenset()
    refused: frozenset[str] = frozenset()
    open: tuple[Item, ...] = ()
    signal: bool = False
    said: Choice | None = None
    of_account: frozenset[str] = frozenset()

    @property
    def asks(self) -> bool:
        """Whether the gate is to be shown."""
        return bool(self.open) and not self.signal

    @property
    def choice(self) -> Choice | None:
        """What the browser is to remember, or None for nothing. The signal is not remembered, since the browser says it
        each time; what the person refused is, and no yes beside the signal."""
        granted, refused = self.granted, self.refused
        if self.signal:
            granted, refused = frozenset(), self.said.refused if self.said else frozenset()
        return Choice(self.version.number, granted, refused, self.of_account) if granted or refused else None


def standing(
    history: History,
    version: Version,
    now: dt.datetime,
    *,
    choice: Choice | None = None,
    answers: Answers | None = None,
    signal: bool = False,
) -> Standing:
    """What holds in this version, by the `choice` that the browser remembers and the `answers` of the account. Where
    the account has an answer, it counts; elsewhere, that of the browser, but for what an account granted there. A no
    holds for every later version, a yes while the item lets nothing more happen than then. The browser forgets its
    choice by itself; the answers of an account hold for the declared life of the cookie with the choice, and after that
    no yes of the browser stands in for them: it is a copy, and copies would lengthen the life."""
    gated = version.declaration.gated
    if not gated or version.declaration.choice is None:
        return Standing(version)
    granted, refused, still_open, of_account = set(), set(), [], set()
    for item in gated:
        latest = (answers or {}).get(item.id)
        fresh = latest if latest is not None and _holds(latest, now, _limit(history, version, latest)) else None
        if _refuses(item, choice, fresh):
            refused.add(item.id)
        elif _grants(history, version, item, choice if latest is None else None, fresh):
            granted.add(item.id)
            if fresh is not None:
                of_account.add(item.id)
        else:
            still_open.append(item)
    if signal:
        answered = Choice(version.number, frozenset(granted), frozenset(refused), frozenset(of_account))
        said = answered if granted or refused else None
        return Standing(version, refused=frozenset(item.id for item in gated), signal=True, said=said)
    return Standing(
        version, frozenset(granted), frozenset(refused), tuple(still_open), of_account=frozenset(of_account)
    )


def _limit(history: History, version: Version, latest: Latest) -> int:
    """Seconds that the answer holds: as long as was declared when it was given, or is now, whichever is less."""
    try:
        given = history.version(latest.version)
    except KeyError:
        given = version
    choices = (each.declaration.choice for each in (given, version))
    return min(choice.lifetime.seconds or 0 for choice in choices if choice is not None)


def _holds(latest: Latest, now: dt.datetime, limit: int) -> bool:
    """Whether the answer of an account is within its declared life, in seconds."""
    age = (now - latest.at).total_seconds()
    return age < limit and (latest.action is not Action.GRANTED or age >= -SKEW_SECONDS)


def _refuses(item: Item, choice: Choice | None, latest: Latest | None) -> bool:
    if latest is not None:
        return latest.action is not Action.GRANTED
    return choice is not None and item.id in choice.refused


def _grants(history: History, version: Version, item: Item, choice: Choice | None, latest: Latest | None) -> bool:
    if latest is not None:
        return history.covers(item, latest.version, version)
    if choice is None or item.id in choice.account:  # another account's, or of nobody who is signed in any more
        return False
    return item.id in choice.granted and history.covers(item, choice.version, version)
