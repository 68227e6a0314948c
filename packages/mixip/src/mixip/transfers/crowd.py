"""How many segments an account may send at once, so that one cannot take all connections."""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

from mixip.errors import Problem

MOST_AT_ONCE = 64  # what the Pro Transfer App uses at most; browsers use 6


class Crowd:
    """Counts, per account, what is going on in this process."""

    def __init__(self) -> None:
        self._going_on: Counter[str] = Counter()

    @contextmanager
    def one_more(self, account_id: str) -> Iterator[None]:
        """Count one more while the block runs. Raises Problem when there are too many already."""
        if self._going_on[account_id] >= MOST_AT_ONCE:
            raise Problem("too_many_at_once", headers={"retry-after": "1"})
        self._going_on[account_id] += 1
        try:
            yield
        finally:
            self._going_on[account_id] -= 1
            if not self._going_on[account_id]:
                del self._going_on[account_id]
