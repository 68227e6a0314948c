"""What a browser remembers of a person's answer: the version, and yes or no to each item. Nothing in it identifies
anybody."""

from __future__ import annotations

import re
from dataclasses import dataclass

_IDS = r"(?:[a-z0-9][a-z0-9-]{0,62}(?:\.[a-z0-9][a-z0-9-]{0,62})*)?"
_VALUE = re.compile(rf"([A-Za-z0-9][A-Za-z0-9._-]{{0,31}}):({_IDS}):({_IDS})")
_LONGEST = 2048


@dataclass(frozen=True, slots=True)
class Choice:
    """The ids of the items that were granted and refused in this version. As a cookie's value it is
    `VERSION:GRANTED:REFUSED`, with dots between the ids, such as `2:visits:player.chat`."""

    version: str
    granted: frozenset[str] = frozenset()
    refused: frozenset[str] = frozenset()

    @classmethod
    def read(cls, value: str) -> Choice | None:
        """The choice in a cookie's value, or None if it is none: anybody can send anything. What is granted and refused
        at once is refused."""
        found = _VALUE.fullmatch(value) if len(value) <= _LONGEST else None
        if found is None:
            return None
        granted, refused = (frozenset(ids.split(".")) - {""} for ids in found.group(2, 3))
        return cls(found[1], granted - refused, refused)

    def __str__(self) -> str:
        return f"{self.version}:{'.'.join(sorted(self.granted))}:{'.'.join(sorted(self.refused))}"
