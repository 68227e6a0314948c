"""One person: a browser context with its own cookies, keys and cache, and one tab."""

from __future__ import annotations

import asyncio
import time

from strictly_necessary.audit._observation import State, Stored
from strictly_necessary.audit._plan import Plan
from strictly_necessary.audit.browser._cookies import stored_cookies
from strictly_necessary.audit.browser._protocol import BrowserError, Connection, RefusedError
from strictly_necessary.audit.browser._snapshot import in_order
from strictly_necessary.audit.browser._tab import Tab, close_tab, ensure_tab
from strictly_necessary.audit.browser._watch import Watch
from strictly_necessary.declaration._items import Kind

_TYPES = {
    Kind.LOCAL: "local_storage",
    Kind.INDEXEDDB: "indexeddb",
    Kind.CACHE: "cache_storage",
    Kind.SERVICE_WORKER: "service_workers",
    Kind.OPFS: "file_systems",
}
"""The words of `Storage.clearDataForOrigin`."""


class Person:
    """Made by `Browser.person`."""

    def __init__(self, plan: Plan, connection: Connection, context: str, state: State, watch: Watch) -> None:
        self._plan = plan
        self._connection = connection
        self._watch = watch
        self.context = context
        self.state = state
        self._keys: dict[str, tuple[Stored, ...]] = {}

    async def open(self, url: str) -> Tab:
        """Load a page, and let what comes late come. What the page does wrong is a mishap of the visit. Raises
        `BrowserError` only if the browser itself has gone."""
        if self._connection.lost.is_set():
            raise BrowserError("Chromium has ended; start the audit again")
        tab = Tab(self._plan, self._connection, self, self._watch, url, self._keys)
        await tab.load()
        return tab

    async def snapshot(self) -> tuple[Stored, ...]:
        """All that the browser keeps for this person: the jar as it is, the rest as it was seen last."""
        cookies = await self._cookies()
        return in_order(cookies + [each for frame in self._keys.values() for each in frame])

    async def _cookies(self) -> list[Stored]:
        try:
            told = await self._connection.ask("Storage.getCookies", {"browserContextId": self.context})
        except RefusedError:
            return []
        return stored_cookies(told["cookies"], time.time(), self._watch.recording.lives)

    async def remove(self, kinds: frozenset[Kind]) -> None:
        """Remove these kinds of all that this person has met; never the HTTP cache."""
        ask = self._connection.ask
        if not self._watch.page:
            await ensure_tab(self._connection, self._watch)
        types = ",".join(_TYPES[kind] for kind in sorted(kinds) if kind in _TYPES)
        waiting = []
        if Kind.COOKIE in kinds:
            waiting.append(ask("Storage.clearCookies", {"browserContextId": self.context}))
        if types:
            waiting += [
                ask("Storage.clearDataForStorageKey", {"storageKey": key, "storageTypes": types}, self._watch.page)
                for key in sorted(self._watch.storage_keys)
            ]
        await asyncio.gather(*waiting, return_exceptions=True)
        if Kind.SESSION in kinds and self._watch.target:
            await close_tab(self._connection, self._watch)
        for frame, stored in list(self._keys.items()):
            self._keys[frame] = tuple(each for each in stored if each.kind not in kinds)
