"""Asking inside a frame, in a world of the audit's own: it shares the document and the storage with the page, and none
of the page's objects, so that a page that replaces `localStorage` or `Array.prototype` bends nothing."""

from __future__ import annotations

from typing import Any

from strictly_necessary.audit.browser._protocol import Connection, RefusedError
from strictly_necessary.audit.browser._watch import WORLD, Frame


async def world_of(connection: Connection, frame: Frame) -> int:
    """The number of the audit's world in this frame. Raises `RefusedError`."""
    if frame.world is None:
        made = await connection.ask(
            "Page.createIsolatedWorld", {"frameId": frame.id, "worldName": WORLD}, frame.session
        )
        frame.world = int(made["executionContextId"])
    return frame.world


async def in_frame(connection: Connection, frame: Frame, expression: str, *, limit: float) -> Any:
    """The value of an expression, waited for if it is a promise; None if there is none within `limit` seconds."""
    try:
        params = {
            "expression": expression,
            "contextId": await world_of(connection, frame),
            "returnByValue": True,
            "awaitPromise": True,
            "userGesture": False,
            "timeout": limit * 1000,
        }
        told = await connection.ask("Runtime.evaluate", params, frame.session, limit=limit)
    except RefusedError:
        return None
    return told["result"].get("value")
