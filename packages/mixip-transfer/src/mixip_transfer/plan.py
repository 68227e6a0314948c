"""The plan of a delivery: from runs to segments. Pure.

Source: docs/transfer-protocol.md, "Terms".
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from mixip_transfer.errors import BadAnswerError

MOST_SEGMENTS = 10_000


@dataclass(frozen=True, slots=True)
class Run:
    """`count` neighbouring segments of one kind, each `length` bytes long."""

    kind: str
    length: int
    count: int


@dataclass(frozen=True, slots=True)
class Segment:
    """A range of the file: `length` bytes from byte `offset` on; `index` is its place in the plan."""

    index: int
    offset: int
    length: int


def segments(runs: Sequence[Run], size: int) -> tuple[Segment, ...]:
    """The segments of a plan, in order. They cover a file of `size` bytes exactly once.

    Raises BadAnswerError when the plan has a kind that this app does not know, covers less or more than the file, or
    has more than 10,000 segments; the counts are checked before anything of that length is made.
    """
    for run in runs:
        if run.kind != "literal":
            raise BadAnswerError(f"The platform's plan has segments of the unknown kind {run.kind!r}.")
        if run.length < 1 or run.count < 1:
            raise BadAnswerError("The platform's plan has an empty run.")
    if sum(run.count for run in runs) > MOST_SEGMENTS:
        raise BadAnswerError(f"The platform's plan has more than {MOST_SEGMENTS} segments.")
    if sum(run.count * run.length for run in runs) != size:
        raise BadAnswerError("The platform's plan does not cover the file.")
    found: list[Segment] = []
    offset = 0
    for run in runs:
        for _ in range(run.count):
            found.append(Segment(len(found), offset, run.length))
            offset += run.length
    return tuple(found)
