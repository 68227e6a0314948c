"""The page's own clock, which runs ahead of real time as far as it is told and then stands still (virtual time of
Chromium, https://chromedevtools.github.io/devtools-protocol/tot/Emulation/#method-setVirtualTimePolicy)."""

from __future__ import annotations

import time
from typing import Literal

from strictly_necessary.audit.browser._protocol import Connection
from strictly_necessary.audit.browser._watch import Watch
from strictly_necessary.audit.browser._worlds import in_frame

Policy = Literal["pauseIfNetworkFetchesPending", "advance"]

_PATIENT = 0.1
"""Seconds of real time after which a budget is taken to be stuck or lost with its page."""


class Clock:
    """The clock of one tab. It stands still until it is told to run."""

    def __init__(self, connection: Connection, watch: Watch) -> None:
        self._connection = connection
        self._watch = watch
        self._granted_at = 0.0
        self._expired_then = -1
        self._ran: frozenset[str] = frozenset()

    def run(self, milliseconds: float, *, policy: Policy = "pauseIfNetworkFetchesPending") -> None:
        """Let it run so far, without waiting. Budgets do not replace each other, and the first that ends stops the
        clock; so who gives one to go on with asks `is_still` first."""
        params = {"policy": policy, "budget": milliseconds, "maxVirtualTimeTaskStarvationCount": 1000}
        self._ran = frozenset(self._watch.sessions)  # each worker has a clock of its own
        for session in self._ran:
            self._connection.post("Emulation.setVirtualTimePolicy", params, session)
        self._granted_at, self._expired_then = time.monotonic(), self._watch.expired

    def run_late_workers(self, milliseconds: float, before: frozenset[str]) -> bool:
        """Give those that were started since their share. Whether there are any."""
        params = {"policy": "pauseIfNetworkFetchesPending", "budget": milliseconds}
        late = [each.id for each in self._watch.sessions.values() if each.id not in before and each.worker]
        for session in late:
            self._connection.post("Emulation.setVirtualTimePolicy", params, session)
        return bool(late)

    @property
    def is_still(self) -> bool:
        """Whether what was granted last is used up, or seems to be lost."""
        return self._watch.expired > self._expired_then or time.monotonic() - self._granted_at > _PATIENT

    async def now(self) -> float | None:
        """What the page takes the time to be, in milliseconds since 1970."""
        frame = self._watch.frames.get(self._watch.target)
        if frame is None:
            return None
        told = await in_frame(self._connection, frame, "Date.now()", limit=2.0)
        return float(told) if isinstance(told, int | float) else None

    async def run_and_wait(
        self, milliseconds: float, limit: float, *, policy: Policy = "pauseIfNetworkFetchesPending"
    ) -> float:
        """Let so much of the page's time pass, for at most `limit` seconds of ours. What is left over, in
        milliseconds: 0 if all of it has passed."""
        end = time.monotonic() + limit
        left, start = milliseconds, await self.now()
        while left > 0 and time.monotonic() < end:
            before = self._watch.expired
            self.run(left, policy=policy)
            while self._watch.expired == before:
                if not self._watch.alive or self._watch.stopped or time.monotonic() >= end:
                    break
                await self._watch.wait(min(0.1, end - time.monotonic()))
            else:
                now = await self.now()
                if start is None or now is None or now < start:  # another document, which has its own clock
                    return 0.0
                left = milliseconds - (now - start)
                continue
            break
        return max(0.0, left)
