"""Where things stand in the declaration, with the lines, so that nobody has to look them up."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass

from strictly_necessary.declaration._positions import Positions, scan

_KEYS = {
    "SN403": ("same_site", "http_only", "secure", "path", "domain", "partitioned"),
    "SN404": ("lifetime",),
    "SN405": ("script", "set_by"),
    "SN406": ("values",),
    "SN408": ("renewed", "lifetime"),
    "SN410": ("requires_action", "set_when"),
    "SN411": ("category",),
    "SN412": ("category",),
    "SN413": ("category",),
}
"""The keys that a finding is about; the first that the item has is shown."""


@dataclass(frozen=True, slots=True)
class Excerpt:
    """Lines of a file. `line` is the one that is meant, `first` that of the first shown; both count from 1."""

    line: int
    first: int
    lines: tuple[str, ...]


@dataclass(frozen=True)
class Source:
    """The text of a declaration and where its items are in it."""

    lines: tuple[str, ...]
    positions: Positions
    index: Mapping[str, int]

    def excerpt(self, item: str, code: str | None = None) -> Excerpt | None:
        """The lines of the item with this id; the one that is meant is the key that `code` is about. None if there is
        no such item, or if it is not a table of its own."""
        index = self.index.get(item)
        start = None if index is None else self.positions.places.get(("items", index))
        if index is None or start is None:
            return None
        end = min(
            (
                place.line
                for path, place in self.positions.places.items()
                if place.line > start.line and _ends(path, index)
            ),
            default=len(self.lines) + 1,
        )
        shown = list(self.lines[start.line - 1 : end - 1])
        while shown and (not shown[-1].strip() or shown[-1].startswith("#")):
            shown.pop()
        keys = (
            place for key in _KEYS.get(code or "", ()) if (place := self.positions.places.get(("items", index, key)))
        )
        return Excerpt(next(keys, start).line, start.line, tuple(shown))


def _ends(path: tuple[str | int, ...], index: int) -> bool:
    """Whether the table or key at this path is no longer part of the item."""
    return path[:2] != ("items", index)


def source_of(raw: bytes) -> Source:
    """Of a declaration that was read before, so it is TOML."""
    text = raw.decode("utf-8").removeprefix("\ufeff").replace("\r\n", "\n")
    items = tomllib.loads(text).get("items", [])
    index = {item["id"]: place for place, item in enumerate(items) if isinstance(item, dict) and "id" in item}
    return Source(tuple(text.split("\n")), scan(text), index)
