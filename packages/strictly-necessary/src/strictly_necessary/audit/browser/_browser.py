"""One Chromium, from start to end, with a context for each person."""

from __future__ import annotations

import asyncio
import ipaddress
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from fnmatch import fnmatchcase
from importlib.metadata import version
from typing import Any
from urllib.parse import urlsplit

from strictly_necessary.audit._observation import State
from strictly_necessary.audit._plan import Plan
from strictly_necessary.audit.browser._agent import agent
from strictly_necessary.audit.browser._person import Person
from strictly_necessary.audit.browser._process import Process, find_chromium, flags, start
from strictly_necessary.audit.browser._protocol import BrowserError, Connection, RefusedError, open_connection
from strictly_necessary.audit.browser._watch import EVERYTHING, Watch

_START_LIMIT = 30.0


class Browser:
    """Made by `launch`."""

    def __init__(self, plan: Plan, *, cookies: bool) -> None:
        self._plan = plan
        self._cookies = cookies
        self._watches: dict[str, Watch] = {}
        self._owners: dict[str, Watch] = {}
        self._process: Process
        self._connection: Connection
        self._agent: dict[str, Any] = {}
        self._starts = 0
        self._starting = asyncio.Lock()
        self.version = ""

    @property
    def endpoint(self) -> str:
        """Where Playwright can join."""
        return self._process.endpoint

    @property
    def pid(self) -> int:
        return self._process.pid

    async def start(self) -> None:
        """Raises `BrowserError`."""
        self._starts += 1
        self._process = await start(find_chromium(self._plan.chromium), flags(self._plan), cookies=self._cookies)
        self._connection = await open_connection(self.endpoint, self._take)
        try:
            told = await self._connection.ask("Browser.getVersion", limit=_START_LIMIT)
            await self._connection.ask("Target.setAutoAttach", EVERYTHING, limit=_START_LIMIT)
        except RefusedError as problem:
            raise BrowserError(f"Chromium was started, but does not answer: {problem}") from problem
        self.version = told["product"].replace("/", " ")
        self._agent = agent(told, None if is_local(self._plan) else version("strictly-necessary"))

    async def stop(self) -> None:
        if hasattr(self, "_connection"):
            await self._connection.close()
        if hasattr(self, "_process"):
            await self._process.stop()

    async def _again(self) -> None:
        """A browser that has died is started once more; twice is no accident."""
        async with self._starting:
            if not self._connection.lost.is_set():
                return
            if self._starts > 1:
                raise BrowserError(
                    "Chromium has ended twice; look at the machine's memory, or try fewer states at once"
                )
            await self.stop()
            await self.start()

    @asynccontextmanager
    async def person(self, state: State) -> AsyncIterator[Person]:
        """Somebody with an empty browser. Raises `BrowserError` if the browser has gone."""
        if self._connection.lost.is_set():
            await self._again()
        connection = self._connection
        try:
            told = await connection.ask("Target.createBrowserContext", {"disposeOnDetach": True}, limit=_START_LIMIT)
            context: str = told["browserContextId"]
            refuse = {"behavior": "deny", "browserContextId": context, "eventsEnabled": True}
            await connection.ask("Browser.setDownloadBehavior", refuse, limit=_START_LIMIT)
        except RefusedError as problem:
            raise BrowserError(f"Chromium has ended or does not answer: {problem}") from problem
        watch = self._watches[context] = Watch(connection, context, state, self._agent)
        try:
            yield Person(self._plan, connection, context, state, watch)
        finally:
            del self._watches[context]
            self._owners = {session: owner for session, owner in self._owners.items() if owner is not watch}
            with suppress(RefusedError):
                await connection.ask("Target.disposeBrowserContext", {"browserContextId": context})

    def _take(self, event: str, params: dict[str, Any], session: str) -> None:
        if event == "Target.attachedToTarget":
            self._attached(params)
        elif event == "Target.detachedFromTarget":
            if owner := self._owners.pop(params["sessionId"], None):
                owner.detached(params["sessionId"])
        elif event == "Browser.downloadWillBegin":
            for watch in self._watches.values():
                if params["frameId"] in watch.frames:
                    watch.download(params)
        elif owner := self._owners.get(session):
            owner.take(event, params, session)

    def _attached(self, params: dict[str, Any]) -> None:
        owner = self._watches.get(params["targetInfo"].get("browserContextId", ""))
        if owner is None:
            self._connection.post("Runtime.runIfWaitingForDebugger", None, params["sessionId"])
            return
        self._owners[params["sessionId"]] = owner
        owner.attached(params)


def is_local(plan: Plan) -> bool:
    """Whether the site is on this machine or in a test: nobody there has to be told who comes."""
    host = urlsplit(plan.url).hostname or ""
    if host == "localhost" or host.endswith(".localhost") or any(fnmatchcase(host, each) for each in plan.resolve):
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


@asynccontextmanager
async def launch(plan: Plan, *, cookies: bool = True) -> AsyncIterator[Browser]:
    """A browser of its own for this audit; `cookies=False` is one whose owner blocks them. Raises `BrowserError`."""
    browser = Browser(plan, cookies=cookies)
    try:
        await browser.start()
        yield browser
    finally:
        await browser.stop()
