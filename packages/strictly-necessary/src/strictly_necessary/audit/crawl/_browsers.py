"""The browsers of one audit: one that most states share, each as a person of their own, and others where that would
not do."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field

from strictly_necessary.audit._observation import State
from strictly_necessary.audit._plan import Plan
from strictly_necessary.audit.browser import Browser, launch


@dataclass
class Browsers:
    """One for a whole audit. The shared browser is there while anybody uses it."""

    plan: Plan
    version: str = ""
    _shared: Browser | None = None
    _users: int = 0
    _lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    _stack: AsyncExitStack = field(default_factory=AsyncExitStack)

    @asynccontextmanager
    async def of(self, state: State, *, scripted: bool = False) -> AsyncIterator[Browser]:
        """The browser for a state. Raises BrowserError."""
        if has_own(state, scripted=scripted):
            async with launch(self.plan, cookies=state is not State.NO_COOKIES) as browser:
                self.version = self.version or browser.version
                yield browser
            return
        async with self._lock:
            if self._shared is None:
                self._shared = await self._stack.enter_async_context(launch(self.plan))
                self.version = self.version or self._shared.version
            self._users += 1
        try:
            yield self._shared
        finally:
            async with self._lock:
                self._users -= 1
                if self._users == 0:
                    self._shared = None
                    await self._stack.aclose()


def has_own(state: State, *, scripted: bool) -> bool:
    """Whether the state has a browser of its own: where a script is played, Playwright attaches itself to everything in
    the browser; and who blocks cookies blocks them in all of it."""
    return scripted or state is State.NO_COOKIES
