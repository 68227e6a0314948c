"""What to audit and how: one frozen object from the command, the pytest plugin and the tests."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from strictly_necessary.audit._observation import State

ALWAYS = (State.VISIT, State.RETURNED, State.GPC, State.NO_JAVASCRIPT, State.NO_COOKIES)
"""States that need nothing from the person who asks. Consent is refused and given where a question is found, or where
something declared needs it; signing in and out needs a script."""


@dataclass(frozen=True, slots=True)
class Plan:
    """`pages` is how many pages at most, `timeout` how many seconds one page may take, `patience` how many seconds of
    the page's own clock pass while the audit waits for what comes late (the clock runs ahead; it costs no real time).

    `resolve` sends a host (or `*.example.test`) to another address, as `host` or `host:port`; `nameserver` is
    `ip:port`. `rate` is the least number of seconds between two pages of a site that is not on this machine; None asks
    robots.txt, then 1. `explore` presses what is on a page by itself; without it the audit only loads, waits and
    scrolls.
    """

    url: str
    pages: int = 50
    states: tuple[State, ...] = ()
    """Empty: all that can be done."""

    script: Path | None = None
    addresses: tuple[str, ...] = ()
    """Further pages, which no link leads to. Relative ones belong to `url`."""

    exclude: tuple[str, ...] = ()
    """Path patterns (`/admin/*`) that are left out."""

    timeout: float = 15.0
    patience: float = 30.0
    explore: bool = True
    resolve: Mapping[str, str] = field(default_factory=dict)
    nameserver: str | None = None
    insecure: bool = False
    """Accept certificates that do not hold, for a site in a test."""

    rate: float | None = None
    ignore_robots: bool = False
    chromium: str | None = None
    """The browser's program; None looks for one."""

    parallel: int = 3
    """States at once that have a browser of their own; of those that share one, there are twice as many."""

    screenshots: bool = True
    resume: Path | None = None
    """Where the journal of an interrupted audit is kept."""
