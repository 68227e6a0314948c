"""How far an audit is."""

from __future__ import annotations

from dataclasses import dataclass

from strictly_necessary.audit._observation import State


@dataclass(frozen=True, slots=True)
class Progress:
    """Told before each page: in which state, how many pages of it are done, how many are known by now, and which comes
    next."""

    state: State
    done: int
    known: int
    url: str
