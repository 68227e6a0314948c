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

from strictly_necessary.audit import AuditFinding, Judgement, Plan, State, crawl, judge, observe
from strictly_necessary.audit.browser import Browser, launch
from strictly_necessary.audit.crawl._browsers import Browsers

HERE = Path(__file__).parent
Site = runpy.run_path(str(HERE / "server.py"))["Site"]
NameServer = runpy.run_path(str(HERE / "nameserver.py"))["NameServer"]
load_tricks = runpy.run_path(str(HERE / "tricks.py"))["load_tricks"]

AT_ONCE = 4
"""Audits at the same time."""

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
    """What was told about one trick and its twin."""

    name: str
    title: str
    codes: frozenset[str]
    also: frozenset[str]
    told: tuple[AuditFinding, ...]
    alarms: tuple[AuditFinding, ...]

    @property
    def found(self) -> bool:
        return self.codes <= _codes(self.told) <= self.codes | self.also

    @property
    def problems(self) -> list[str]:
        """What is wrong with it, for whoever mends it."""
        missing = self.codes - _codes(self.told)
        wrong = [each for each in self.told if each.code not in self.codes | self.also]
        return [
            *(f"{self.name}: {code} was not found" for code in sorted(missing)),
            *(f"{self.name}: {_line(each)}" for each in wrong),
            *(f"{self.name}, the clean twin: {_line(each)}" for each in self.alarms),
        ]

    @property
    def row(self) -> str:
        codes, alarms = (", ".join(sorted(each)) for each in (self.codes, _codes(self.alarms)))
        return f"| {self.title} | {codes} | {'yes' if self.found else '**no**'} | {alarms or 'none'} |"


def _codes(findings: Iterable[AuditFinding]) -> frozenset[str]:
    return frozenset(each.code for each in findings)


def _line(finding: AuditFinding) -> str:
    return f"{finding.code} {finding.message} ({', '.join(f'{each.state} {each.act}' for each in finding.sightings)})"


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
    """The server, the name server and the browser, for as many tricks as are to be tried, in one browser."""

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

    def results(self, tricks: Iterable[Any]) -> list[Result]:
        """Audit the tricks and their twins, several at once: most of the time goes by in waiting."""

        async def all_of_them() -> list[Result]:
            gate = asyncio.Semaphore(AT_ONCE)
            return list(await asyncio.gather(*(self._result(each, gate) for each in tricks)))

        return self._runner.run(all_of_them())

    async def _result(self, trick: Any, gate: asyncio.Semaphore) -> Result:
        sides = await asyncio.gather(
            *(self._judgement(each, trick.states, gate) for each in (trick.trick, trick.clean))
        )
        told, alarms = (side.findings for side in sides)
        return Result(trick.name, trick.title, trick.codes, trick.also, told, alarms)

    async def _judgement(self, variant: Any, states: Iterable[str], gate: asyncio.Semaphore) -> Judgement:
        plan = self._plan(variant.url, tuple(map(State, states)))
        if variant.script:
            script = self._folder / f"{variant.name}.toml"
            script.write_text(variant.script)
            plan = replace(plan, script=script)
        declaration = variant.declared()
        async with gate:
            observation = await observe(plan, declaration)
        return judge(observation, declaration)

    def _plan(self, url: str, states: tuple[State, ...] = ()) -> Plan:
        return Plan(
            url,
            pages=4,
            states=states,
            resolve=self._resolve,
            nameserver=self._nameserver.address,
            screenshots=State.NO_COOKIES in states,  # an empty page is known by its picture
            rate=0.0,
        )


def page(results: Iterable[Result]) -> str:
    """The page of the documentation."""
    rows = sorted(results, key=lambda each: (sorted(each.codes), each.title))
    found, alarms = sum(each.found for each in rows), sum(bool(each.alarms) for each in rows)
    head = "| Trick | Codes | Found | False alarms on the twin |\n|---|---|---|---|\n"
    total = f"\n{found} of {len(rows)} tricks found; false alarms on {alarms} of {len(rows)} twins.\n"
    return INTRODUCTION + head + "".join(f"{each.row}\n" for each in rows) + total
