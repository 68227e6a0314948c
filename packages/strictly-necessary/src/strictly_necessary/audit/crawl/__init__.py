"""The crawl: from one address to everything that was seen there, in every state."""

from __future__ import annotations

import asyncio
import datetime as dt
import time
from collections.abc import Callable, Coroutine
from typing import Any

from strictly_necessary.audit._observation import Observation, State
from strictly_necessary.audit._plan import Plan
from strictly_necessary.audit.crawl._account import sign_in
from strictly_necessary.audit.crawl._browsers import Browsers
from strictly_necessary.audit.crawl._frontier import Site, normal
from strictly_necessary.audit.crawl._journal import Journal, JournalError
from strictly_necessary.audit.crawl._names import chains, hosts_of
from strictly_necessary.audit.crawl._politeness import Politeness
from strictly_necessary.audit.crawl._progress import Progress
from strictly_necessary.audit.crawl._room import Room
from strictly_necessary.audit.crawl._states import ANSWERS, FOLLOWERS, Crawl
from strictly_necessary.audit.crawl._visiting import Visiting
from strictly_necessary.audit.script import Part, Script, Secrets, read_script
from strictly_necessary.declaration import Declaration

__all__ = ["JournalError", "Progress", "observe"]


async def observe(
    plan: Plan, declaration: Declaration | None = None, *, progress: Callable[[Progress], None] | None = None
) -> Observation:
    """Look at the site, and write down what happened. `progress` is called before each page.

    Pages never stop it. Raises ValueError for an address that is none, ScriptError for a script that cannot be read or
    played, JournalError for a journal of something else, and BrowserError if there is no browser or it ends. If it is
    cancelled, the browsers are closed and the journal stays.
    """
    if normal(plan.url) is None:
        raise ValueError(f"{plan.url} is not the address of a page; it begins with http:// or https://")
    script = read_script(plan.script) if plan.script is not None else None
    journal = Journal.open(plan)
    started, clock = dt.datetime.now(dt.UTC), time.monotonic()
    has_ended = False
    try:
        browsers = Browsers(plan)
        crawl = _crawl(plan, declaration, script, browsers, journal, progress)
        await _all(_jobs(plan, crawl, script))
        runs = tuple(crawl.runs[state] for state in State if state in crawl.runs)
        names = await chains(hosts_of(runs), plan.nameserver)
        has_ended = True
    finally:
        journal.close(remove=has_ended)
    return Observation(
        url=plan.url,
        browser=browsers.version,
        runs=runs,
        names=names,
        started=started.isoformat(timespec="seconds"),
        seconds=round(time.monotonic() - clock, 3),
    )


def _crawl(
    plan: Plan,
    declaration: Declaration | None,
    script: Script | None,
    browsers: Browsers,
    journal: Journal,
    progress: Callable[[Progress], None] | None,
) -> Crawl:
    visiting = Visiting(
        plan=plan,
        site=Site.of(plan.url, declaration.policy.hosts if declaration is not None else ()),
        politeness=Politeness(plan),
        journal=journal,
        tell=progress or (lambda _: None),
        secrets=script.secrets if script is not None else Secrets(),
    )
    return Crawl(plan, declaration, script, browsers, visiting, Room(plan.parallel))


def _jobs(plan: Plan, crawl: Crawl, script: Script | None) -> list[Coroutine[Any, Any, None]]:
    """The states that were asked for, or all; the first visit always, since it finds the pages. Next comes what takes
    longest: signing in and out is one after the other."""
    wanted = plan.states or tuple(State)
    jobs = [crawl.visit(returns=State.RETURNED in wanted)]
    signed = [state for state in (State.SIGNED_IN, State.SIGNED_OUT) if state in wanted]
    if script is not None and script.tells(Part.SIGN_IN):
        if signed:
            jobs.append(sign_in(crawl, stays=State.SIGNED_IN in signed, leaves=State.SIGNED_OUT in signed))
    else:
        for state in signed:
            crawl.skip(state, "no script says how to sign in")
    jobs += [crawl.follow(state) for state in FOLLOWERS if state in wanted]
    jobs += [crawl.answer(state) for state in ANSWERS if state in wanted]
    return jobs


async def _all(jobs: list[Coroutine[Any, Any, None]]) -> None:
    """Until all are done. The first that fails ends the others, and its error is raised as it is."""
    try:
        async with asyncio.TaskGroup() as group:
            for job in jobs:
                group.create_task(job)
    except BaseExceptionGroup as errors:
        error: BaseException = errors
        while isinstance(error, BaseExceptionGroup):
            error = error.exceptions[0]
        raise error from None
