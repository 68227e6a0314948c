"""What a browser remembers of a person's answer: the version, and yes or no to each item. Nothing in it identifies
anybody."""

from __future__ import annotations

import re
from dataclasses import dataclass

_VERSION = r"[A-Za-z0-9][A-Za-z0-9._-]{0,31}"
_ID = r"[a-z0-9][a-z0-9-]{0,62}"
_IDS = rf"(?:{_ID}(?:\.{_ID})*)?"
_ONE = re.compile(_ID)
_VALUE = re.compile(rf"({_VERSION}):({_IDS}):({_IDS})(?::({_IDS}))?")
_LONGEST = 2048


@dataclass(frozen=True, slots=True)
class Choice:
    """The ids of the items that were granted and refused in this version. `account` are those of the granted that an
    account granted: a copy, which counts only beside the ledger, since others may use the browser later.

    As a cookie's value it is `VERSION:GRANTED:REFUSED`, with dots between the ids, such as `2:visits:player.chat`; what
    an account granted stands behind that, as in `2::player.chat:visits`. What is granted and refused at once is
    refused. Raises ValueError for what could not be read again: a browser that cannot remember would be asked for
    ever."""

    version: str
    granted: frozenset[str] = frozenset()
    refused: frozenset[str] = frozenset()
    account: frozenset[str] = frozenset()

    def __post_init__(self) -> None:
        object.__setattr__(self, "granted", self.granted - self.refused)
        object.__setattr__(self, "account", self.account & self.granted)
        value, ids = str(self), self.granted | self.refused
        if len(value) > _LONGEST or not _VALUE.fullmatch(value) or not all(map(_ONE.fullmatch, ids)):
            raise ValueError(
                f"a choice about version {self.version!r} and {len(ids)} items cannot be kept in a cookie: a version "
                "has at most 32 letters, digits, dots, hyphens and underscores, an id only small letters, digits and "
                f"hyphens, and all of it at most {_LONGEST} characters"
            )

    @classmethod
    def read(cls, value: str) -> Choice | None:
        """The choice in a cookie's value, or None if it is none: anybody can send anything."""
        found = _VALUE.fullmatch(value) if len(value) <= _LONGEST else None
        if found is None:
            return None
        granted, refused, account = (frozenset((ids or "").split(".")) - {""} for ids in found.group(2, 3, 4))
        return cls(found[1], granted | account, refused, account)

    def __str__(self) -> str:
        parts = [self.granted - self.account, self.refused, *([self.account] if self.account else [])]
        return ":".join([self.version, *(".".join(sorted(ids)) for ids in parts)])
