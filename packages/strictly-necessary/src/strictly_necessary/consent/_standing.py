"""What is granted now: a person's answers, held against the version in force."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from strictly_necessary.consent._choice import Choice
from strictly_necessary.consent._receipts import Action, Answers, Latest
from strictly_necessary.declaration._items import Item
from strictly_necessary.versions import History, Version


@dataclass(frozen=True, slots=True)
class Standing:
    """Of the items that need consent in `version`: which are granted, which are refused, and which are `open`. With
    `signal`, the browser says no by Global Privacy Control, so nothing is granted and nobody is asked."""

    version: Version
    granted: frozenset[str] = frozenset()
    refused: frozenset[str] = frozenset()
    open: tuple[Item, ...] = ()
    signal: bool = False

    @property
    def asks(self) -> bool:
        """Whether the gate is to be shown."""
        return bool(self.open) and not self.signal

    @property
    def choice(self) -> Choice | None:
        """What the browser is to remember, or None for nothing."""
        if self.signal or not (self.granted or self.refused):
            return None
        return Choice(self.version.number, self.granted, self.refused)


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
    the account has an answer, it counts; elsewhere, that of the browser. A no holds for every later version, a yes
    while the item lets nothing more happen than then. The browser forgets its choice by itself; the answers of an
    account hold for the declared life of the cookie with the choice."""
    gated = version.declaration.gated
    if not gated or version.declaration.choice is None:
        return Standing(version)
    if signal:
        return Standing(version, refused=frozenset(item.id for item in gated), signal=True)
    limit = version.declaration.choice.lifetime.seconds or 0
    fresh = {key: each for key, each in (answers or {}).items() if (now - each.at).total_seconds() < limit}
    granted, refused, still_open = set(), set(), []
    for item in gated:
        latest = fresh.get(item.id)
        if _refuses(item, choice, latest):
            refused.add(item.id)
        elif _grants(history, version, item, choice, latest):
            granted.add(item.id)
        else:
            still_open.append(item)
    return Standing(version, frozenset(granted), frozenset(refused), tuple(still_open))


def _refuses(item: Item, choice: Choice | None, latest: Latest | None) -> bool:
    if latest is not None:
        return latest.action is not Action.GRANTED
    return choice is not None and item.id in choice.refused


def _grants(history: History, version: Version, item: Item, choice: Choice | None, latest: Latest | None) -> bool:
    if latest is not None:
        return history.covers(item, latest.version, version)
    return choice is not None and item.id in choice.granted and history.covers(item, choice.version, version)
