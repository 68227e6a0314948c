"""One Chromium, from start to end, with a context for each person."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Any

from strictly_necessary.audit._observation import State
from strictly_necessary.audit._plan import Plan
from strictly_necessary.audit.browser._person import Person
from strictly_necessary.audit.browser._process import Process, find_chromium, flags, start
from strictly_necessary.audit.browser._protocol import BrowserError, Connection, Refused, open_connection
from strictly_necessary.audit.browser._watch import EVERYTHING, Watch


class Browser:
    """Made by `launch`."""

    def __init__(self, plan: Plan, process: Process) -> None:
        self._plan = plan
        self._process = process
        self._watches: dict[str, Watch] = {}
        self._owners: dict[str, Watch] = {}
        self._connection: Connection
        self.version = ""
        self.endpoint = process.endpoint
        self._agent: str | None = None

    async def connect(self) -> None:
        """Raises `BrowserError`."""
        self._connection = await open_connection(self.endpoint, self._take)
        try:
            told = await self._connection.ask("Browser.getVersion")
            await self._connection.ask("Target.setAutoAttach", EVERYTHING)
        except Refused as problem:
            raise BrowserError(f"Chromium was started, but does not answer: {problem}") from problem
        self.version = told["product"].replace("HeadlessChrome", "Chromium").replace("/", " ")

    @asynccontextmanager
    async def person(self, state: State) -> AsyncIterator[Person]:
        """Somebody with an empty browser. Raises `BrowserError` if the browser has gone."""
        ask = self._connection.ask
        try:
            context: str = (await ask("Target.createBrowserContext", {"disposeOnDetach": True}))["browserContextId"]
            await ask(
                "Browser.setDownloadBehavior", {"behavior": "deny", "browserContextId": context, "eventsEnabled": True}
            )
        except Refused as problem:
            raise BrowserError(f"Chromium has ended: {problem}") from problem
        watch = self._watches[context] = Watch(self._connection, context, state, self._agent)
        try:
            yield Person(self._plan, self._connection, context, state, watch)
        finally:
            del self._watches[context]
            self._owners = {session: owner for session, owner in self._owners.items() if owner is not watch}
            with suppress(Refused):
                await ask("Target.disposeBrowserContext", {"browserContextId": context})

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

    async def close(self) -> None:
        await self._connection.close()


@asynccontextmanager
async def launch(plan: Plan, *, cookies: bool = True) -> AsyncIterator[Browser]:
    """A browser of its own for this audit; `cookies=False` is one whose owner blocks them. Raises `BrowserError`."""
    process = await start(find_chromium(plan.chromium), flags(plan), cookies=cookies)
    try:
        browser = Browser(plan, process)
        await browser.connect()
        try:
            yield browser
        finally:
            await browser.close()
    finally:
        await process.stop()
