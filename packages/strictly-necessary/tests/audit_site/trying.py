"""Audits tricks and their twins, and makes of what was found the table in the documentation."""

from __future__ import annotations

import asyncio
import runpy
from collections.abc import AsyncIterator, Iterable
from contextlib import AsyncExitStack, ExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from unittest.mock import patch

from strictly_necessary.audit import Judgement, Observation, Plan, State, crawl, judge, observe
from strictly_necessary.audit.browser import Browser, launch
from strictly_necessary.audit.crawl._browsers import Browsers

HERE = Path(__file__).parent
Site = runpy.run_path(str(HERE / "server.py"))["Site"]
NameServer = runpy.run_path(str(HERE / "nameserver.py"))["NameServer"]
load_tricks = runpy.run_path(str(HERE / "tricks.py"))["load_tricks"]

INTRODUCTION = """# What the audit finds

A site of ours plays every trick that we know, each on a page of its own, and has a clean twin of each: the same page as
it should be, as similar as it honestly can be. The audit looks at both. This is what it finds, printed by
`scripts/tricks` and compared with a new run by the tests.

- **Codes**: what is wrong on the trick's page. [Rules and codes](rules.md#what-the-audit-tells) has them all.
- **Found**: whether the audit told all of them, and nothing that is not so.
- **False alarms**: what it told about the twin.

"""


@dataclass(frozen=True, slots=True)
class Result:
    """What was told about one trick and its twin. `codes` are the trick's own, `told` those that the audit told."""

    name: str
    title: str
    codes: frozenset[str]
    also: frozenset[str]
    told: frozenset[str]
    alarms: frozenset[str]

    @property
    def found(self) -> bool:
        return self.codes <= self.told <= self.codes | self.also

    @property
    def row(self) -> str:
        cells = (
            self.title,
            ", ".join(sorted(self.codes)),
            "yes" if self.found else "**no**",
            ", ".join(sorted(self.alarms)),
        )
        return "| " + " | ".join(cell or "none" for cell in cells) + " |"


class Shared(Browsers):
    """One browser for all audits: starting one for each would take longer than all tricks together. What needs a
    browser of its own still has it."""

    running: Browser

    @asynccontextmanager
    async def of(self, state: State, *, scripted: bool = False) -> AsyncIterator[Browser]:
        if scripted or state is State.NO_COOKIES:
            async with super().of(state, scripted=scripted) as browser:
                yield browser
        else:
            self.version = self.running.version
            yield self.running


class Trials:
    """The server, the name server and the browser, for as many tricks as are to be tried, one after the other."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.tricks = load_tricks()
        variants = [variant for trick in self.tricks for variant in (trick.trick, trick.clean)]
        pages = {key: page for variant in variants for key, page in variant.pages.items()}
        hosts = {host for _, host, _ in pages if not host.endswith((".localhost", ".test"))}
        self.site = Site(pages)
        self._nameserver = NameServer({alias: name for each in variants for alias, name in each.names.items()})
        self._resolve = dict.fromkeys((*sorted(hosts), "*.localhost", "*.test"), self.site.address)
        self._runner = asyncio.Runner()
        self._browsers = AsyncExitStack()
        self._stack = ExitStack()

    def __enter__(self) -> Trials:
        with ExitStack() as stack:
            stack.enter_context(self._runner)
            stack.enter_context(self.site)
            stack.enter_context(self._nameserver)
            stack.callback(lambda: self._runner.run(self._browsers.aclose()))
            running = self._runner.run(self._browsers.enter_async_context(launch(self._plan("http://shop.localhost/"))))
            shared = type("Shared", (Shared,), {"running": running})
            stack.enter_context(patch.object(crawl, "Browsers", shared))
            self._stack = stack.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def result(self, trick: Any) -> Result:
        """Audit the trick and its twin."""
        told, alarms = (self.codes(each, trick.states) for each in (trick.trick, trick.clean))
        return Result(trick.name, trick.title, trick.codes, trick.also, told, alarms)

    def codes(self, variant: Any, states: Iterable[str]) -> frozenset[str]:
        return frozenset(each.code for each in self.judgement(variant, states).findings)

    def judgement(self, variant: Any, states: Iterable[str]) -> Judgement:
        return judge(self.observation(variant, states), variant.declared())

    def observation(self, variant: Any, states: Iterable[str]) -> Observation:
        plan = self._plan(variant.url, tuple(map(State, states)))
        if variant.script:
            script = self._folder / f"{variant.name}.toml"
            script.write_text(variant.script)
            plan = replace(plan, script=script)
        return self._runner.run(observe(plan, variant.declared()))

    def _plan(self, url: str, states: tuple[State, ...] = ()) -> Plan:
        return Plan(
            url,
            pages=4,
            states=states,
            resolve=self._resolve,
            nameserver=self._nameserver.address,
            screenshots=False,
            rate=0.0,
        )


def page(results: Iterable[Result]) -> str:
    """The page of the documentation."""
    rows = sorted(results, key=lambda each: (sorted(each.codes), each.title))
    found, alarms = sum(each.found for each in rows), sum(bool(each.alarms) for each in rows)
    head = "| Trick | Codes | Found | False alarms on the twin |\n|---|---|---|---|\n"
    total = f"\n{found} of {len(rows)} tricks found; false alarms on {alarms} of {len(rows)} twins.\n"
    return INTRODUCTION + head + "".join(f"{each.row}\n" for each in rows) + total
