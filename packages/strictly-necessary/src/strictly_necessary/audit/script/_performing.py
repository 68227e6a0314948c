"""One step in a page: finding what it names, in all frames, and doing it as a person would."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, Any
from urllib.parse import urljoin

from strictly_necessary.audit.script._steps import Step, Target, Verb

if TYPE_CHECKING:
    from playwright.async_api import Frame, Locator, Page

_LOOK_AGAIN = 0.05

_DOING = 15.0
"""Seconds that the doing may take, once that is found which it is done to."""


class MissingError(Exception):
    """What the step names is not there. The message says what was looked for."""


async def perform(step: Step, page: Page, home: str, limit: float) -> None:
    """Do it, and look for what it needs for about `limit` seconds at most. Raises MissingError and Playwright's."""
    milliseconds = _DOING * 1000
    if step.target is not None:
        await _to(step, await _find(step.target, page, limit), page, milliseconds)
    elif step.verb is Verb.GO:
        await page.goto(urljoin(home, step.text), wait_until="domcontentloaded", timeout=milliseconds)
    elif step.verb is Verb.PRESS:
        await page.keyboard.press(step.text)
    elif step.verb is Verb.SCROLL:
        await page.mouse.wheel(0, step.amount or 0)
    elif step.amount is not None:
        await asyncio.sleep(step.amount)
    else:
        await _find(Target("text", step.text), page, limit)


async def _to(step: Step, found: Locator, page: Page, limit: float) -> None:
    if step.verb is Verb.TYPE:
        await found.fill("", timeout=limit)
        await found.press_sequentially(step.text, timeout=limit)
        if step.text and not await found.input_value(timeout=limit):
            await found.fill(step.text, timeout=limit)  # dates and colours do not take letters
    elif step.verb is Verb.CHECK:
        await found.check(timeout=limit)
    elif step.verb is Verb.CHOOSE:
        await _choose(step, found, page, limit)
    elif step.verb is Verb.SUBMIT and await found.evaluate("element => element instanceof HTMLFormElement"):
        await found.evaluate("form => form.requestSubmit()")
    else:
        await found.click(timeout=limit)


async def _choose(step: Step, found: Locator, page: Page, limit: float) -> None:
    if not await found.evaluate("element => element instanceof HTMLSelectElement"):
        await found.click(timeout=limit)
        await (await _find(Target("option", step.text), page, limit / 1000)).click(timeout=limit)
        return
    labels: list[str] = await found.evaluate("element => [...element.options].map((option) => option.label.trim())")
    if step.text in labels:
        await found.select_option(label=step.text, timeout=limit)
        return
    values: list[str] = await found.evaluate("element => [...element.options].map((option) => option.value)")
    if step.text not in values:
        raise MissingError(f'{step.target} has no option "{step.text}", but {", ".join(labels)}')
    await found.select_option(value=step.text, timeout=limit)


async def _find(target: Target, page: Page, limit: float) -> Locator:
    """The first that can be seen, in any frame: with exactly this name, else with one that has it inside."""
    from playwright.async_api import Error

    end = time.monotonic() + limit
    while True:
        for exact in (True, False):
            for frame in page.frames:
                try:
                    seen = _locators(target, frame, exact=exact).filter(visible=True)
                    if await seen.count():
                        return seen.first
                except Error as error:  # the frame went, or the selector is none
                    if "selector" in str(error).lower() and "parsing" in str(error).lower():
                        raise MissingError(f"{target} is not a selector of CSS") from None
        if time.monotonic() > end:
            raise MissingError(f"{target} is not there")
        await asyncio.sleep(_LOOK_AGAIN)


def _locators(target: Target, frame: Frame, *, exact: bool) -> Locator:
    if target.by == "css":
        return frame.locator(target.name)
    if target.by == "text":
        return frame.get_by_text(target.name, exact=exact)
    if target.by == "label":
        labelled = frame.get_by_label(target.name, exact=exact)
        return labelled.or_(frame.get_by_placeholder(target.name, exact=exact))
    role: Any = target.by  # one of Playwright's roles, as reading made sure
    return frame.get_by_role(role, name=target.name, exact=exact)
