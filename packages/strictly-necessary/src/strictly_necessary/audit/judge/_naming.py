"""By which name a thing is told: the same in each run, and one for a flood of numbered ones."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable

from strictly_necessary.audit.judge._things import Sights, Thing, item_of
from strictly_necessary.declaration import Declaration

_MANY = 20
"""Names that differ only in their digits, and are told as one from this number on."""

_DIGITS = re.compile(r"[0-9]+")
_DRAWN = re.compile(r"(?=[a-zA-Z-]*[0-9])(?=[0-9-]*[a-zA-Z])[A-Za-z0-9-]{20,}|[0-9]{10,}")
"""A piece of a name that is new for each person or each time."""


def namer(browsers: tuple[Sights, ...], declaration: Declaration | None) -> Callable[[Thing], Thing]:
    """What a pattern declares has the pattern's name. What is not declared has its own, up to what was drawn for one
    browser, or up to the number where there are many."""
    seen_in: dict[Thing, set[int]] = defaultdict(set)
    for number, sights in enumerate(browsers):
        for sight in sights:
            seen_in[sight.thing].add(number)
    alike: dict[Thing, int] = defaultdict(int)
    for thing in seen_in:
        alike[_without_digits(thing)] += 1

    def named(thing: Thing) -> Thing:
        item = item_of(thing, declaration)
        if item is not None and item.is_pattern:
            return Thing(thing.kind, item.name, thing.host)
        if item is not None:
            return thing
        if alike.get(folded := _without_digits(thing), 0) >= _MANY:
            return folded
        if len(seen_in.get(thing, ())) < 2 and (drawn := _DRAWN.search(thing.name)):
            return Thing(thing.kind, f"{thing.name[: drawn.start()]}*", thing.host)
        return thing

    return named


def _without_digits(thing: Thing) -> Thing:
    """The beginning of the name up to its first digit, and a star, as a declaration writes it."""
    start = _DIGITS.search(thing.name)
    return Thing(thing.kind, f"{thing.name[: start.start()]}*", thing.host) if start else thing
