"""What finished visits cost: each thing that is kept is in memory once, however many snapshots have it.

Memory grows with the different things that a site stores, with what it sends (each text is cut at 64 KiB), with one
tuple of references for each snapshot that differs from the one before, and with one screenshot for each page in few
states.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from strictly_necessary.audit._observation import Snapshot, Stored, Visit


@dataclass
class Keeper:
    """One for a whole audit."""

    _things: dict[Stored, Stored] = field(default_factory=dict)
    _groups: dict[tuple[Stored, ...], tuple[Stored, ...]] = field(default_factory=dict)

    def keep(self, visit: Visit) -> Visit:
        """The same visit, with what was there before in place of what is equal to it."""
        return replace(visit, snapshots=tuple(Snapshot(each.act, self._group(each.stored)) for each in visit.snapshots))

    def _group(self, stored: tuple[Stored, ...]) -> tuple[Stored, ...]:
        group = tuple(self._things.setdefault(each, each) for each in stored)
        return self._groups.setdefault(group, group)
