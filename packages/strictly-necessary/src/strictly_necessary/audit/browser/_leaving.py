"""Whether a page does anything when it is left. One that does not may stand until the next takes its place, which saves
the time of an empty page between each two."""

from __future__ import annotations

import asyncio
from typing import Any

from strictly_necessary.audit._observation import State
from strictly_necessary.audit.browser._protocol import Connection, RefusedError
from strictly_necessary.audit.browser._recording import Recording
from strictly_necessary.audit.browser._watch import Watch

_FAREWELLS = frozenset({"beforeunload", "freeze", "navigate", "pagehide", "pageswap", "unload", "visibilitychange"})
"""What a page is told before it goes (HTML, section 7.4.2.4; Page Lifecycle, section 4)."""

_OWN = 1
"""The probe listens once, for `pagehide`."""

_LATER = "fetchLater"
"""Asks for something when the page goes, without listening (Fetch, section 5.7)."""

_GROUP = "strictly-leaving"


async def is_silent(connection: Connection, watch: Watch, recording: Recording) -> bool:
    """Whether the page is one document alone, without workers, and nothing in it waits for the end. Where that cannot
    be known, it is not."""
    if len(watch.frames) != 1 or len(watch.sessions) != 1 or not watch.loaded or recording.mishaps:
        return False
    if watch.state is State.NO_JAVASCRIPT:
        return True
    if any(api == _LATER for api, *_ in recording.calls):
        return False
    try:
        counts = await asyncio.gather(*(_listening(connection, watch.page, each) for each in ("window", "document")))
    except (RefusedError, KeyError):
        return False
    connection.post("Runtime.releaseObjectGroup", {"objectGroup": _GROUP}, watch.page)
    return sum(counts) <= _OWN


async def _listening(connection: Connection, session: str, target: str) -> int:
    asked = {"expression": target, "objectGroup": _GROUP, "timeout": 500}
    told: dict[str, Any] = await connection.ask("Runtime.evaluate", asked, session, limit=1.0)
    of = {"objectId": told["result"]["objectId"]}
    found = await connection.ask("DOMDebugger.getEventListeners", of, session, limit=1.0)
    return sum(each["type"] in _FAREWELLS for each in found["listeners"])
