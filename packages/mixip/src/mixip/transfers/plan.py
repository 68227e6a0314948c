"""The plan of a delivery: which segments cover the file. Pure; see docs/transfer-protocol.md."""

from itertools import accumulate
from typing import Literal

import msgspec

MIB = 1024 * 1024
SEGMENT_LENGTH = 8 * MIB
MAX_SEGMENTS = 10_000


class Run(msgspec.Struct, frozen=True):
    """`count` neighbouring segments of one kind and one `length` in bytes."""

    kind: Literal["literal"]
    length: int
    count: int


class Segment(msgspec.Struct, frozen=True):
    """One segment: its index in the plan and the range of the file that it covers, in bytes."""

    index: int
    offset: int
    length: int


Plan = tuple[Run, ...]


def grid(size: int) -> Plan:
    """The plan for a file of `size` bytes, 1 or more: 8 MiB segments, or the least whole MiB that needs at most 10,000.

    What is left over at the end is a run of its own.
    """
    length = max(SEGMENT_LENGTH, -(-size // (MAX_SEGMENTS * MIB)) * MIB)
    count, rest = divmod(size, length)
    runs = (Run("literal", length, count),) if count else ()
    return (*runs, Run("literal", rest, 1)) if rest else runs


def count_segments(plan: Plan) -> int:
    """How many segments the plan has."""
    return sum(run.count for run in plan)


def locate(plan: Plan, index: int) -> Segment | None:
    """The segment with this index, or None. Costs the number of runs, not of segments."""
    if index < 0:
        return None
    ends = accumulate((run.count for run in plan), initial=0)
    offsets = accumulate((run.count * run.length for run in plan), initial=0)
    for run, first, offset in zip(plan, ends, offsets, strict=False):
        if index < first + run.count:
            return Segment(index, offset + (index - first) * run.length, run.length)
    return None


def encode(plan: Plan) -> str:
    """The plan as it is stored."""
    return msgspec.json.encode(plan).decode()


def decode(text: str) -> Plan:
    """The plan as it was stored."""
    return _decoder.decode(text)


_decoder = msgspec.json.Decoder(tuple[Run, ...])
