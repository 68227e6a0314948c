"""How many persons there may be at once."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

_OWN, _SHARED = 2, 1
"""What a browser of their own takes, and a place in the one that most states share: about half its memory and time."""


class Room:
    """For `parallel` persons with browsers of their own, or twice as many in a shared one. Who asks first comes first,
    so that nobody waits for somebody who waits for them."""

    def __init__(self, parallel: int) -> None:
        self._places = asyncio.Semaphore(max(parallel, 1) * _OWN)
        self._door = asyncio.Lock()

    @asynccontextmanager
    async def place(self, *, own: bool) -> AsyncIterator[None]:
        """Room for one person, once there is some."""
        size, taken = _OWN if own else _SHARED, 0
        try:
            async with self._door:
                while taken < size:
                    await self._places.acquire()
                    taken += 1
            yield
        finally:
            for _ in range(taken):
                self._places.release()
