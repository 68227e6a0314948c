"""What a page is made of before it becomes HTML or Markdown: sections, blocks and words."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TypeAlias


@dataclass(frozen=True, slots=True)
class Link:
    """Words that lead to an address."""

    text: str
    address: str


@dataclass(frozen=True, slots=True)
class Code:
    """Something to read letter by letter."""

    text: str


@dataclass(frozen=True, slots=True)
class Strong:
    """Words that a line is about."""

    text: str


Word: TypeAlias = str | Link | Code | Strong
Words: TypeAlias = tuple[Word, ...]


@dataclass(frozen=True, slots=True)
class Paragraph:
    words: Words


@dataclass(frozen=True, slots=True)
class Bullets:
    points: tuple[Words, ...]


class Weight(StrEnum):
    """How a fact stands among others: `lead` is what the card is about, `brief` shares a line where room is scarce."""

    LEAD = "lead"
    PLAIN = ""
    BRIEF = "brief"


@dataclass(frozen=True, slots=True)
class Fact:
    """A term, and one or more lines that tell it."""

    term: str
    lines: tuple[Words, ...]
    weight: Weight = Weight.PLAIN


@dataclass(frozen=True, slots=True)
class Card:
    """One item, third party or header: a heading and its facts."""

    id: str
    title: Words
    facts: tuple[Fact, ...]


Block: TypeAlias = Paragraph | Bullets | Card


@dataclass(frozen=True, slots=True)
class Section:
    """`id` is the same in all languages, so that a link to it stays good."""

    id: str
    title: str
    blocks: tuple[Block, ...]


def paragraph(text: str) -> Paragraph:
    """Plain words."""
    return Paragraph((text,))


def bullets(points: list[str]) -> Bullets:
    """Plain points."""
    return Bullets(tuple((point,) for point in points))
