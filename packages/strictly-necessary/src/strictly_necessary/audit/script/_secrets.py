"""What a script took from the environment, and how it is kept out of everything that the audit tells."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, is_dataclass, replace
from typing import Any, TypeVar
from urllib.parse import quote, quote_plus

_T = TypeVar("_T")

SHORTEST = 4
"""Secrets with fewer characters are not looked for: they would be found in everything."""


@dataclass(frozen=True, slots=True)
class Secrets:
    """Values by the name of their variable."""

    values: Mapping[str, str] = field(default_factory=dict, repr=False)

    def without(self, thing: _T) -> _T:
        """The same with `$NAME` for each secret in it, also where it is encoded for an address, a form or JSON: texts,
        and whatever frozen types, tuples and mappings hold. What is alike stays alike."""
        pairs = self._pairs()
        return _cleaned(thing, pairs) if pairs else thing

    def _pairs(self) -> list[tuple[str, str]]:
        found = {
            spelled: f"${name}"
            for name, value in self.values.items()
            if len(value) >= SHORTEST
            for spelled in (value, quote_plus(value), quote(value), quote(value, safe=""), json.dumps(value)[1:-1])
        }
        return sorted(found.items(), key=lambda pair: -len(pair[0]))  # the longest first: one may be part of another


def _cleaned(thing: Any, pairs: list[tuple[str, str]]) -> Any:
    if isinstance(thing, str) and type(thing) is str:
        for secret, name in pairs:
            if secret in thing:
                thing = thing.replace(secret, name)
        return thing
    if isinstance(thing, tuple):
        cleaned = [_cleaned(each, pairs) for each in thing]
        return tuple(cleaned) if any(a is not b for a, b in zip(cleaned, thing, strict=True)) else thing
    if isinstance(thing, Mapping):
        return {_cleaned(key, pairs): _cleaned(value, pairs) for key, value in thing.items()}
    if is_dataclass(thing) and not isinstance(thing, type):
        before = {each.name: getattr(thing, each.name) for each in fields(thing)}
        changed = {name: after for name, value in before.items() if (after := _cleaned(value, pairs)) is not value}
        return replace(thing, **changed) if changed else thing
    return thing
