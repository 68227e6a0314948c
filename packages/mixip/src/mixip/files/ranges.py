"""Range requests (RFC 9110 section 14). One range is answered; several are answered with the whole, as is allowed."""

import re
from typing import NamedTuple

_BYTES = re.compile(r"bytes=(\d*)-(\d*)")
_MAX_DIGITS = 20


class Range(NamedTuple):
    """Bytes `first` to `last`, both included."""

    first: int
    last: int

    @property
    def length(self) -> int:
        """How many bytes."""
        return self.last - self.first + 1


class Unsatisfiable(NamedTuple):
    """The range lies outside the file."""


def parse_range(header: str | None, size: int) -> Range | Unsatisfiable | None:
    """The range to send of `size` bytes, or None for the whole: no header, another unit, several ranges, nonsense."""
    match = _BYTES.fullmatch((header or "").strip())
    if not match or any(len(digits) > _MAX_DIGITS for digits in match.groups()):
        return None
    start, end = match.groups()
    if not start and not end:
        return None
    if not start:
        suffix = int(end)
        return Range(max(0, size - suffix), size - 1) if suffix and size else Unsatisfiable()
    first = int(start)
    last = min(int(end), size - 1) if end else size - 1
    if end and int(end) < first:
        return None
    return Range(first, last) if first < size else Unsatisfiable()
