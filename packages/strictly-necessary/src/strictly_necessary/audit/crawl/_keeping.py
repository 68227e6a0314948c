"""What finished visits cost: each thing that is kept is in memory once, however many snapshots have it.

Memory grows with the different things that a site stores, with what it sends (each text is cut at 64 KiB), with one
tuple of references for each snapshot that differs from the one before, and with one screenshot for each page.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from strictly_necessary.audit._observation import Snapshot, State, Stored, Visit

_PICTURED = frozenset({State.VISIT, State.SIGNED_IN, State.SIGNED_OUT, State.NO_COOKIES})
"""A page that stays empty without cookies is known by its picture."""


@dataclass
class Keeper:
    """One for a whole audit."""

    _things: dict[Stored, Stored] = field(default_factory=dict)
    _groups: dict[tuple[Stored, ...], tuple[Stored, ...]] = field(default_factory=dict)

    def keep(self, visit: Visit) -> Visit:
        """The same visit, with what was there before in place of what is equal to it. Screenshots of the other states
        show the same pages again: they are kept where the person did something."""
        pictured = visit.state in _PICTURED or any(act.told or act.target for act in visit.acts)
        return replace(
            visit,
            snapshots=tuple(Snapshot(each.act, self._group(each.stored)) for each in visit.snapshots),
            screenshot=visit.screenshot if pictured else None,
        )

    def _group(self, stored: tuple[Stored, ...]) -> tuple[Stored, ...]:
        group = tuple(self._things.setdefault(each, each) for each in stored)
        return self._groups.setdefault(group, group)
