"""The question about consent: whether a page asks it, and answering it as a person would."""

from __future__ import annotations

from typing import Any, Literal

from strictly_necessary.audit._observation import Act, Deed
from strictly_necessary.audit.browser import Tab
from strictly_necessary.audit.crawl._look import asking, look

Answer = Literal["accept", "refuse"]

DEEDS: dict[Answer, Deed] = {"accept": Deed.GIVE, "refuse": Deed.REFUSE}


async def question(tab: Tab) -> dict[str, Any]:
    """The buttons of a question that the page asks, by what they answer; empty if it asks none."""
    if not tab.alive:
        return {}
    found = [each for each in await tab.evaluate_everywhere(asking("question")) if each]
    return next((each for each in found if "accept" in each or "refuse" in each), {})


async def answer(tab: Tab, kind: Answer) -> str | None:
    """Answer the question that this page asks; why that could not be done, or None."""
    asks = await question(tab)
    if not asks:
        return "the question that was there before is not asked here now"
    if kind not in asks and "settings" in asks:
        async with tab.act(Act(Deed.CLICK, asks["settings"]["target"])):
            await _press(tab, "settings")
        asks = await question(tab)
    if kind not in asks:
        offers = ", ".join(each["target"] for each in asks.values()) or "nothing that is known"
        return f"the question offers no button to {kind}, but {offers}"
    async with tab.act(Act(DEEDS[kind], asks[kind]["target"])):
        await _press(tab, kind)
    return None


async def _press(tab: Tab, kind: str) -> None:
    """With the mouse, where the main frame asks and nothing covers the button; else without."""
    here = (await look(tab, "question") or {}).get(kind)
    place = await look(tab, "middle", at=here["at"]) if here else None
    if place and place["free"]:
        await tab.click(place["x"], place["y"])
    else:
        await tab.evaluate_everywhere(asking("answer", kind=kind))
