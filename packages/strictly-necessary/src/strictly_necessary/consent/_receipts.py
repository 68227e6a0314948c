"""Receipts: what was asked, in which words, what the answer was, and whose it is."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from strictly_necessary.declaration._items import Item


def aware(moment: dt.datetime) -> dt.datetime:
    """The moment in UTC. Raises ValueError for one without an offset: nobody could tell when it was."""
    if moment.utcoffset() is None:
        raise ValueError("a moment with an offset is needed, such as datetime.now(UTC)")
    return moment.astimezone(dt.UTC)


class Action(StrEnum):
    """What a person did. To withdraw is to refuse what was granted before."""

    GRANTED = "granted"
    REFUSED = "refused"
    WITHDRAWN = "withdrawn"


class Channel(StrEnum):
    """Where it was done: on a page in a browser, or in a desktop app."""

    PAGE = "page"
    APP = "app"


@dataclass(frozen=True, slots=True)
class Answer:
    """The answer about one item, which is kept as it was declared then."""

    item: Item
    action: Action


@dataclass(frozen=True, slots=True)
class Receipt:
    """One act of a person. `id` is random; `at` is aware and becomes UTC; `text` is what was shown, as plain text in
    `language`. `account` is what the service calls the person, and None for somebody without an account: then nothing
    here tells who it was. Raises ValueError for a moment without an offset, and for two answers about one item."""

    id: str
    at: dt.datetime
    version: str
    answers: tuple[Answer, ...]
    text: str
    language: str
    channel: Channel
    account: str | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "at", aware(self.at))
        if len({answer.item.id for answer in self.answers}) < len(self.answers):
            raise ValueError("a receipt has one answer about each item")


@dataclass(frozen=True, slots=True)
class Acknowledgement:
    """That an account has seen the announcement of a version. Raises ValueError for a moment without an offset."""

    account: str
    version: str
    at: dt.datetime
    channel: Channel

    def __post_init__(self) -> None:
        object.__setattr__(self, "at", aware(self.at))


@dataclass(frozen=True, slots=True)
class Latest:
    """The latest answer of an account about one item: the version that it was given to, and when."""

    action: Action
    version: str
    at: dt.datetime


Answers = Mapping[str, Latest]
"""The latest answer by the id of the item."""


@dataclass(frozen=True, slots=True)
class Tally:
    """How many accounts, for those who run the service: by version, who has acknowledged it; by item, by what was
    answered last."""

    acknowledged: Mapping[str, int] = field(default_factory=dict)
    answered: Mapping[str, Mapping[Action, int]] = field(default_factory=dict)
