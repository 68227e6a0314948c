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
    """An asynchronous context; at its end all browsers are closed."""

    plan: Plan
    version: str = ""
    _shared: Browser | None = None
    _lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    _stack: AsyncExitStack = field(default_factory=AsyncExitStack)

    async def __aenter__(self) -> Browsers:
        return self

    async def __aexit__(self, *error: object) -> None:
        await self._stack.aclose()

    @asynccontextmanager
    async def of(self, state: State, *, scripted: bool = False) -> AsyncIterator[Browser]:
        """The browser for a state. Where a script is played, Playwright attaches itself to everything in the browser,
        so it has one of its own; so has the person who blocks cookies. Raises BrowserError."""
        if scripted or state is State.NO_COOKIES:
            async with launch(self.plan, cookies=state is not State.NO_COOKIES) as browser:
                self.version = self.version or browser.version
                yield browser
            return
        async with self._lock:
            if self._shared is None:
                self._shared = await self._stack.enter_async_context(launch(self.plan))
                self.version = self.version or self._shared.version
        yield self._shared
