"""Asking a page what is there. All questions are one script, so that links, controls and names are alike in each."""

from __future__ import annotations

import json
from functools import cache
from importlib.resources import files
from typing import Any

from strictly_necessary.audit.browser import Tab
from strictly_necessary.audit.crawl._words import WORDS


@cache
def _source() -> str:
    return files(__package__).joinpath("look.js").read_text(encoding="utf-8").rstrip()


def asking(command: str, **given: Any) -> str:
    """The expression that asks."""
    return f"({_source()})({json.dumps(command)}, {json.dumps({'words': WORDS, **given})})"


async def look(tab: Tab, command: str, **given: Any) -> Any:
    """The page's answer, or None if it gives none: it has gone, or crashed, or bent what the question needs."""
    return await tab.evaluate(asking(command, **given)) if tab.alive else None


async def offered(tab: Tab) -> str:
    """What people could press or fill on the page, for a message about what is not there."""
    offers = await look(tab, "offers")
    if not offers:
        return "the page offers nothing to press or to fill"
    return f"the page offers {', '.join(map(str, offers))}"
