"""What the first state found out, for the others, who follow it from page to page."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field


@dataclass
class Known:
    """`pages` grows while the first state goes on; `asks` is the first page that asks a question about consent."""

    pages: list[str] = field(default_factory=list)
    asks: str | None = None
    ended: bool = False
    _news: asyncio.Condition = field(default_factory=asyncio.Condition)

    async def tell(self, page: str | None = None, *, asks: str | None = None, ended: bool = False) -> None:
        """There is something new."""
        async with self._news:
            if page is not None:
                self.pages.append(page)
            self.asks = self.asks or asks
            self.ended = self.ended or ended
            self._news.notify_all()

    async def each(self) -> AsyncIterator[str]:
        """All pages in order, also those that are not known yet."""
        at = 0
        while True:
            async with self._news:
                while at >= len(self.pages) and not self.ended:
                    await self._news.wait()
                if at >= len(self.pages):
                    return
            yield self.pages[at]
            at += 1

    async def first(self) -> str | None:
        """The page where everything begins, or None if there is none to look at."""
        async for page in self.each():
            return page
        return None

    async def question(self) -> str | None:
        """The first page that asks, once that is known."""
        async with self._news:
            await self._news.wait_for(lambda: self.asks is not None or self.ended)
        return self.asks
