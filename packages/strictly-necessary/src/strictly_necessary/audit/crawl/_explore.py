"""Trying what is on a page, one act after the other, without sending a form and without leaving the page."""

from __future__ import annotations

import time
from collections import Counter, deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any

from strictly_necessary.audit._observation import Act, Deed, Link
from strictly_necessary.audit.browser import Tab
from strictly_necessary.audit.crawl._frontier import Site
from strictly_necessary.audit.crawl._look import asking, look

MOST_PRESSED = 25
MOST_TYPED = 3
MOST_LINKS = 10
ENOUGH = 3
"""On so many pages the same control or field is tried, where the same scripts run."""

PATH = ((137, 419), (241, 97), (613, 283), (457, 571), (829, 163), (719, 449))
"""Where the pointer moves, in pixels of the window: numbers that are unlikely to be sent by chance."""

_STEPS = 10
_LETTERS = "bcdfghjkmnpqrtvwxz"
_DIGITS = "23456789"


def canary(url: str, target: str) -> str:
    """Text that nobody types by chance, the same for this field in every run."""
    digest = sha256(f"{url} {target}".encode()).digest()
    letters, digits = digest[:5], digest[5:10]
    pairs = zip(letters, digits, strict=True)
    return "zq" + "".join(_LETTERS[one % len(_LETTERS)] + _DIGITS[other % len(_DIGITS)] for one, other in pairs)


@dataclass
class Explorer:
    """Explores the pages of one state. What is on every page, such as a menu or a search field, is not tried on every
    page: `idle` are controls that did nothing where the same scripts ran, `tried` counts on how many pages the others
    and the fields were tried, and on how many moving and clicking did nothing."""

    site: Site
    limit: float
    """Seconds for one page."""

    idle: set[str] = field(default_factory=set)
    tried: Counter[str] = field(default_factory=Counter)

    async def explore(self, tab: Tab, url: str) -> tuple[Link, ...]:
        """Try everything, and tell the links to other sites before and after they were pressed."""
        end = time.monotonic() + self.limit
        tab.stay = True
        try:
            before = await look(tab, "foreign", hosts=self.site.hosts, most=MOST_LINKS) or []
            await scroll(tab)
            await look(tab, "top")
            scripts = await look(tab, "scripts") or ""
            await self._unless_idle(tab, f"move {scripts}", _move)
            await self._guard(tab)
            if await look(tab, "scripted"):
                await self._unless_idle(tab, f"click {scripts}", _empty)
                for target in await self._targets(tab):
                    if time.monotonic() > end or not tab.alive:
                        break
                    await _type(tab, url, target)
                await self._press(tab, end)
            return await self._links(tab, before)
        finally:
            tab.stay = False

    async def _guard(self, tab: Tab) -> None:
        """No frame sends a form or follows a link. What scripts do beside events, the tab refuses while it stays."""
        await tab.evaluate_everywhere(asking("guard"))

    async def _unless_idle(self, tab: Tab, mark: str, do: Callable[[Tab], Awaitable[None]]) -> None:
        """Not where it did nothing on pages enough with the same scripts."""
        if self.tried[mark] >= ENOUGH:
            return
        before = _activity(tab)
        await do(tab)
        self.tried[mark] += _activity(tab) == before

    async def _targets(self, tab: Tab) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = await look(tab, "fields") or []
        fresh = [each for each in found[:MOST_TYPED] if self.tried[each["mark"]] < ENOUGH]
        self.tried.update({each["mark"] for each in fresh})
        return fresh

    async def _press(self, tab: Tab, end: float) -> None:
        """Press what there is, and next what became visible by it."""
        tried: set[str] = set()
        marks: set[str] = set()
        waiting = deque(await self._controls(tab, tried))
        pressed = 0
        while waiting and pressed < MOST_PRESSED and time.monotonic() < end and tab.alive:
            control = waiting.popleft()
            mark = control["mark"]
            if mark in self.idle or self.tried[mark] >= ENOUGH:
                continue
            place = await look(tab, "middle", at=control["at"])
            if place is None:
                continue
            pressed += 1
            marks.add(mark)
            before = _activity(tab)
            async with tab.act(Act(Deed.PRESS if control["how"] == "press" else Deed.CHOOSE, control["target"])):
                await _do(tab, control, place)
            if _activity(tab) == before:
                self.idle.add(mark)
            found = await self._controls(tab, tried)
            if found and await look(tab, "middle", at=control["at"]) is None:
                await self._guard(tab)  # it may be another document by now
            waiting.extendleft(reversed(found))
        self.tried.update(marks)

    async def _controls(self, tab: Tab, tried: set[str]) -> list[dict[str, Any]]:
        """Those that were not there before, in the order of the document."""
        found: list[dict[str, Any]] = await look(tab, "controls") or []
        fresh = [each for each in found if each["target"] not in tried]
        tried.update(each["target"] for each in fresh)
        return fresh

    async def _links(self, tab: Tab, before: list[dict[str, Any]]) -> tuple[Link, ...]:
        if not before or not tab.alive:
            return ()
        places = [each["at"] for each in before]
        if await look(tab, "scripted"):
            async with tab.act(Act(Deed.CLICK, "links to other sites")):
                await look(tab, "pressLinks", at=places)
        after = await look(tab, "hrefs", at=places) or []
        pairs = zip(before, [*after, *[None] * len(before)], strict=False)
        return tuple(Link(each["before"], now or each["before"], each["text"]) for each, now in pairs)


def _activity(tab: Tab) -> int:
    """Grows with all that the page does."""
    return tab._recording.events


async def scroll(tab: Tab) -> None:
    """To the end in steps."""
    async with tab.act(Act(Deed.SCROLL)):
        size = await look(tab, "height") or {"page": 0, "window": 1}
        steps = min(_STEPS, int(size["page"] / max(size["window"], 1)) + 1)
        for _ in range(steps):
            await tab.wheel(size["window"] * 0.9)
        await look(tab, "bottom")


async def _move(tab: Tab) -> None:
    async with tab.act(Act(Deed.MOVE, " ".join(f"{x},{y}" for x, y in PATH))):
        for x, y in PATH:
            await tab.move(x, y)


async def _empty(tab: Tab) -> None:
    place = await look(tab, "empty")
    if place is not None:
        async with tab.act(Act(Deed.CLICK, "the page")):
            await tab.click(place["x"], place["y"])


async def _type(tab: Tab, url: str, field_: dict[str, Any]) -> None:
    text = canary(url, field_["target"])
    if field_["type"] == "email":
        text = f"{text}@example.com"
    async with tab.act(Act(Deed.TYPE, field_["target"], typed=text)):
        if await look(tab, "focus", at=field_["at"]):
            await tab.type(text)
            await look(tab, "leave", at=field_["at"])
    # Later than the act: who sends it after a while sends what was typed, not nothing.
    await look(tab, "clear", at=field_["at"])


async def _do(tab: Tab, control: dict[str, Any], place: dict[str, Any]) -> None:
    if control["how"] == "choose":
        await look(tab, "next", at=control["at"])
    elif place["free"]:
        await tab.click(place["x"], place["y"])
    else:
        await look(tab, "press", at=control["at"])
