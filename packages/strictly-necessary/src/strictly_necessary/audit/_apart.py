"""Running a coroutine for somebody who waits, and who may have an event loop already."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Coroutine
from typing import Any, TypeVar

T = TypeVar("T")

_POLL = 0.2
"""Seconds. Somebody who waits without an end cannot be interrupted on every system."""


def run_apart(work: Coroutine[Any, Any, T]) -> T:
    """The result of a coroutine, run to its end in a thread with an event loop of its own: the caller's may have one,
    of an asynchronous program or of Playwright's synchronous interface. What interrupts the caller, such as Ctrl-C or
    a test's time limit, cancels the work, and is raised when the work has cleaned up."""
    outcome: list[T | BaseException] = []
    over = threading.Event()  # an interrupted Thread.join takes a running thread for one that has ended
    loop = asyncio.new_event_loop()
    task = loop.create_task(work)

    def run() -> None:
        try:
            outcome.append(loop.run_until_complete(task))
        except BaseException as error:  # noqa: BLE001 -- it is raised again, in the thread that waits
            outcome.append(error)
        finally:
            loop.run_until_complete(loop.shutdown_asyncgens())
            loop.close()
            over.set()

    threading.Thread(target=run, name="strictly audit", daemon=True).start()
    try:
        while not over.wait(_POLL):
            pass
    except BaseException:
        with contextlib.suppress(RuntimeError):  # it had ended just now
            loop.call_soon_threadsafe(task.cancel)
        over.wait()
        raise
    (result,) = outcome
    if isinstance(result, BaseException):
        raise result
    return result
