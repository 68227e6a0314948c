"""Running a script: Playwright joins the audit's own tab, and each step is an act of the visit."""

from __future__ import annotations

import asyncio
import contextlib
import traceback
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from strictly_necessary.audit._observation import Act, Deed, Mishap, Trouble
from strictly_necessary.audit.browser import Browser, Tab
from strictly_necessary.audit.script._performing import MissingError, perform
from strictly_necessary.audit.script._steps import Fault, Part, Script, ScriptError, Step

if TYPE_CHECKING:
    from playwright.async_api import Page

_LONGEST_STEP = 10.0
"""Seconds that a step looks for what it needs."""

_BEAT = 0.01
_LONGEST_LINE = 200

_WHOLE = {
    Part.SIGN_IN: Deed.SIGN_IN,
    Part.SIGN_OUT: Deed.SIGN_OUT,
    Part.GIVE: Deed.GIVE,
    Part.REFUSE: Deed.REFUSE,
    Part.ACTS: Deed.CLICK,
}


@dataclass(frozen=True, slots=True)
class Player:
    """Plays the parts of one script in a browser. `home` is the address that paths belong to; `timeout` is the plan's,
    in seconds; `offered` tells what people could press on the page."""

    script: Script
    browser: Browser
    home: str
    timeout: float
    offered: Callable[[Tab], Awaitable[str]]

    async def play(self, part: Part, tab: Tab, steps: tuple[Step, ...] | None = None) -> Mishap | None:
        """Play the part, or these of its steps, in this tab; what it could not do, or None. Secrets are in neither.
        Raises ScriptError if Playwright is not installed."""
        async with _joined(self.browser, tab) as page:
            if part in self.script.functions:
                failure = await self._function(part, page, tab)
            else:
                failure = await self._steps(self.script.steps.get(part, ()) if steps is None else steps, page, tab)
        if failure is not None:
            return Mishap(Trouble.STEP, self.script.secrets.without(failure))
        if part is not Part.ACTS and part not in self.script.functions:
            async with tab.act(Act(_WHOLE[part], told=True)):
                pass
        return None

    async def _steps(self, steps: tuple[Step, ...], page: Page, tab: Tab) -> str | None:
        limit = min(self.timeout, _LONGEST_STEP)
        for step in steps:
            place = f"{self.script.file}:{step.line}"
            try:
                async with tab.act(step.act()), _clock(tab):
                    await perform(step, page, self.home, limit)
            except MissingError as problem:
                return f"{place} {problem}; {await self.offered(tab)}"
            except _playwright_error() as error:
                return f"{place} {step.act()}: {_first_line(error)}; {await self.offered(tab)}"
        return None

    async def _function(self, part: Part, page: Page, tab: Tab) -> str | None:
        @asynccontextmanager
        async def act(deed: str, target: str | None = None) -> AsyncIterator[None]:
            async with tab.act(Act(Deed(deed), target, told=True)):
                yield

        function = self.script.functions[part]
        page.set_default_timeout(min(self.timeout, _LONGEST_STEP) * 1000)
        try:
            async with _clock(tab):
                if part is Part.ACTS:
                    await function(page, act)
                else:
                    async with tab.act(Act(_WHOLE[part], told=True)):
                        await function(page)
        except Exception as error:  # noqa: BLE001  whatever somebody's script raises, the audit tells it and goes on
            file = Path(self.script.file)
            frames = [each.lineno for each in traceback.extract_tb(error.__traceback__) if Path(each.filename) == file]
            line = next((each for each in reversed(frames) if each), 1)
            return f"{self.script.file}:{line} {type(error).__name__}: {_first_line(error)}; {await self.offered(tab)}"
        return None


@asynccontextmanager
async def _joined(browser: Browser, tab: Tab) -> AsyncIterator[Page]:
    """Playwright's page for our tab. What it brings ends with it; the tab stays."""
    try:
        from playwright.async_api import async_playwright
    except ImportError:
        raise _no_playwright() from None
    async with async_playwright() as playwright:
        joined = await playwright.chromium.connect_over_cdp(browser.endpoint)
        try:
            async with _clock(tab):
                page = await _ours([page for context in joined.contexts for page in context.pages], tab.target_id)
            yield page
        finally:
            with contextlib.suppress(_playwright_error()):
                await joined.close()


async def _ours(pages: list[Page], target: str) -> Page:
    for page in pages:
        session = await page.context.new_cdp_session(page)
        told = await session.send("Target.getTargetInfo")
        await session.detach()
        if told["targetInfo"]["targetId"] == target:
            return page
    raise MissingError("the audit's tab is gone")


@asynccontextmanager
async def _clock(tab: Tab) -> AsyncIterator[None]:
    """The page's clock stands still between two acts; while somebody works in the page, it has to run."""

    async def run() -> None:
        while True:
            if tab.alive and tab._clock.is_still:
                tab._clock.run(20)
            await asyncio.sleep(_BEAT)

    running = asyncio.create_task(run())
    try:
        yield
    finally:
        running.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await running


def _first_line(error: BaseException) -> str:
    """What the error says, without the log that Playwright writes behind it: what was typed stands there."""
    lines = str(error).strip().splitlines()
    return lines[0][:_LONGEST_LINE] if lines else "no reason given"


def _playwright_error() -> type[Exception]:
    from playwright.async_api import Error

    return Error


def _no_playwright() -> ScriptError:
    text = "needs Playwright to run: pip install 'strictly-necessary[audit]'"
    return ScriptError((Fault("the script", 1, text),))
