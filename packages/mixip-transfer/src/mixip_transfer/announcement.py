"""Telling, once, that the cookie policy has changed.

Source: the cookie policy, section 8. Only a person at a terminal is told, after the command has done its work, and only
what has been printed is acknowledged, for the account: then the browser does not tell it again. The command does not
fail because of it, whatever the platform answers, and hardly waits. Nothing is kept on this computer.
"""

from __future__ import annotations

import logging
import os
import queue
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TypeVar

import click

from mixip_transfer.answers import PolicyState
from mixip_transfer.platform import Platform
from mixip_transfer.policy import consent_lines, news_lines
from mixip_transfer.retry import Patience

T = TypeVar("T")

WAIT_SECONDS = 2.0  # a new connection by satellite takes that long; the command has just made one of its own
STALE_SECONDS = 5.0
_ONCE = Patience(seconds=0)

log = logging.getLogger("mixip_transfer")


@contextmanager
def announcing(address: str, token: str, *, wanted: bool = True, even_without_news: bool = False) -> Iterator[None]:
    """Around a command that talks to the platform: ask while it runs, tell after it has succeeded.

    That something needs consent is told with news, and with `even_without_news` on its own. Adds at most
    `WAIT_SECONDS` for each of: the answer that is still out, a second look after a long command, and acknowledging.
    """
    if not (wanted and is_terminal()):
        yield
        return
    started = time.monotonic()
    first = _meanwhile(lambda: _ask(address, token))
    yield
    try:
        state = first(WAIT_SECONDS)
        if state is not None and state.news and time.monotonic() - started > STALE_SECONDS:
            # Perhaps it was told in the browser while this command ran.
            state = _meanwhile(lambda: _ask(address, token))(WAIT_SECONDS)
        if state is None:
            return
        lines = list(news_lines(state, address))
        if lines or even_without_news:
            lines += consent_lines(state)
        if lines and told(lines) and state.news:
            acknowledge(address, token, state)
    except KeyboardInterrupt:
        return  # the command itself has succeeded, and what was not told whole is told next time


def is_terminal() -> bool:
    """Whether a person reads standard error."""
    try:
        return sys.stderr.isatty()
    except (AttributeError, ValueError):  # there is none, or it is closed
        return False


def told(lines: Sequence[str]) -> bool:
    """Whether all lines have reached standard error."""
    try:
        click.echo("\n" + "\n".join(lines), err=True)
    except OSError:
        # The interpreter must not try it again at its end, and make a failure of it.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stderr.fileno())
        return False
    return True


def acknowledge(address: str, token: str, state: PolicyState) -> None:
    """Tell the platform that the news of this state have been told; they are told again if it does not hear of it."""
    last = state.news[-1].version
    _meanwhile(lambda: _acknowledge(address, token, last))(WAIT_SECONDS)


def _ask(address: str, token: str) -> PolicyState:
    with Platform(address, token, patience=_ONCE) as platform:
        return platform.policy()


def _acknowledge(address: str, token: str, version: str) -> PolicyState:
    with Platform(address, token, patience=_ONCE) as platform:
        return platform.answer_policy("acknowledge", version=version, items=())


def _meanwhile(call: Callable[[], T]) -> Callable[[float], T | None]:
    """Start the call now; what is returned waits for its result for some seconds. None: it failed, or takes longer."""
    results: queue.SimpleQueue[T | None] = queue.SimpleQueue()

    def run() -> None:
        try:
            results.put(call())
        except Exception as failure:  # noqa: BLE001  no failure of this may become one of the command
            log.debug("The cookie policy: %s", type(failure).__name__)
            results.put(None)

    def wait(seconds: float) -> T | None:
        try:
            return results.get(timeout=seconds)
        except queue.Empty:
            return None

    threading.Thread(target=run, daemon=True).start()
    return wait
