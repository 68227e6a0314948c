"""Where things stand in a TOML file. `tomllib` gives values without lines, so this looks for headers and keys itself.

It relies on `tomllib` having accepted the text, and therefore checks nothing.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TypeAlias

KeyPath: TypeAlias = tuple[str | int, ...]

_HEADER = re.compile(r"""\[(\[)?((?:"[^"\n]*"|'[^'\n]*'|[^\[\]"'\n])*)\]""")
_ONE = r"""(?:[A-Za-z0-9_-]+|"[^"\n]*"|'[^'\n]*')"""
_PART = re.compile(_ONE)
_KEY = re.compile(rf"({_ONE}(?:[ \t]*\.[ \t]*{_ONE})*)[ \t]*=")
# Everything in a value that can hide a line end or a bracket: the four kinds of string, and comments.
_OPAQUE = re.compile(
    r'"""(?:\\.|[^\\])*?"{3,5}' r"|'''.*?'{3,5}" r'|"(?:\\.|[^"\\\n])*"' r"|'[^'\n]*'" r"|\#[^\n]*", re.DOTALL
)


@dataclass(frozen=True, slots=True)
class Place:
    """A line and a column, both from 1; the column counts characters."""

    line: int
    column: int


@dataclass(slots=True)
class Positions:
    """Paths such as `("items", 2, "name")` and the places where they are written."""

    places: dict[KeyPath, Place] = field(default_factory=dict)

    def of(self, *path: str | int) -> Place:
        """The place of the path, or of the nearest enclosing table, or the file's first character."""
        while path:
            if path in self.places:
                return self.places[path]
            path = path[:-1]
        return Place(1, 1)


def scan(text: str) -> Positions:
    """Find the place of every table header and of every key outside inline tables."""
    positions = Positions()
    lengths: dict[KeyPath, int] = {}
    table: KeyPath = ()
    at = 0
    line, line_start = 1, 0
    while at < len(text):
        character = text[at]
        if character == "\n":
            line, line_start = line + 1, at + 1
        elif character == "[" and (header := _HEADER.match(text, at)):
            names = _parts(header[2])
            table = _resolve(names, lengths, is_array=header[1] is not None)
            positions.places.setdefault(table, Place(line, at - line_start + 1))
            at = header.end() + (header[1] is not None)
            continue
        elif character == "#":
            at = _skip(text, at)
            continue
        elif key := _KEY.match(text, at):
            positions.places.setdefault((*table, *_parts(key[1])), Place(line, at - line_start + 1))
            end = _end_of_value(text, key.end())
            line += text.count("\n", at, end)
            line_start = text.rfind("\n", 0, end) + 1
            at = end
            continue
        elif not character.isspace():  # nothing more on this line is a header or a key
            at = _end_of_value(text, at)
            continue
        at += 1
    return positions


def _parts(dotted: str) -> tuple[str, ...]:
    return tuple(part.strip("\"'") for part in _PART.findall(dotted))


def _resolve(names: tuple[str, ...], lengths: dict[KeyPath, int], *, is_array: bool) -> KeyPath:
    """The path of a table: the third `[[items]]` is `("items", 2)`, and `[items.more]` then `("items", 2, "more")`."""
    path: KeyPath = ()
    for depth, name in enumerate(names, 1):
        path = (*path, name)
        if is_array and depth == len(names):
            lengths[path] = lengths.get(path, 0) + 1
        if path in lengths:
            path = (*path, lengths[path] - 1)
    return path


def _skip(text: str, at: int) -> int:
    opaque = _OPAQUE.match(text, at)
    return opaque.end() if opaque else at + 1


def _end_of_value(text: str, at: int) -> int:
    """The end of the line on which the value ends."""
    depth = 0
    while at < len(text):
        character = text[at]
        if character == "\n" and depth == 0:
            return at
        if character in "\"'#":
            at = _skip(text, at)
            continue
        depth += (character in "[{") - (character in "]}")
        at += 1
    return at


@dataclass(frozen=True, slots=True)
class Span:
    """Where a key and its value lie in a text: the offsets of its line, of the value, and behind the value, and that of
    the line after it. A comment behind the value is not part of the value."""

    line: int
    value: int
    end: int
    after: int


def span(text: str, place: Place) -> Span | None:
    """Of the key at this place, or None if no key is there, as in an inline table."""
    line = 0
    for _ in range(place.line - 1):
        line = text.index("\n", line) + 1
    key = _KEY.match(text, line + place.column - 1)
    if key is None:
        return None
    value = end = key.end() + len(text[key.end() :]) - len(text[key.end() :].lstrip(" \t"))
    depth = 0
    while end < len(text) and not (depth == 0 and text[end] in "\n#"):
        if text[end] in "\"'#":
            end = _skip(text, end)
            continue
        depth += (text[end] in "[{") - (text[end] in "]}")
        end += 1
    newline = text.find("\n", end)
    return Span(line, value, value + len(text[value:end].rstrip()), newline + 1 if newline >= 0 else len(text))
