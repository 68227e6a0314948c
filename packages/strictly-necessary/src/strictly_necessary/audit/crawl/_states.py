"""The states of one audit, each with its persons and pages."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field
from urllib.parse import urljoin

from strictly_necessary.audit._observation import Act, Deed, Mishap, Run, State, Trouble, Visit
from strictly_necessary.audit._plan import Plan
from strictly_necessary.audit.browser import Browser, Person, Tab
from strictly_necessary.audit.crawl import _consent, _returning
from strictly_necessary.audit.crawl._browsers import Browsers, has_own
from strictly_necessary.audit.crawl._explore import Explorer, scroll
from strictly_necessary.audit.crawl._frontier import Frontier, Site
from strictly_necessary.audit.crawl._known import Known
from strictly_necessary.audit.crawl._look import offered
from strictly_necessary.audit.crawl._progress import Progress
from strictly_necessary.audit.crawl._room import Room
from strictly_necessary.audit.crawl._sitemaps import listed
from strictly_necessary.audit.crawl._visiting import INTERRUPTED, Deeds, Doing, Visiting, is_www, same_page
from strictly_necessary.audit.script import Part, Player, Scene, Script, Step
from strictly_necessary.declaration import Declaration
from strictly_necessary.declaration._items import Kind

FOLLOWERS = (State.GPC, State.NO_JAVASCRIPT, State.NO_COOKIES)
ANSWERS: dict[State, tuple[Part, _consent.Answer]] = {
    State.REFUSED: (Part.REFUSE, "refuse"),
    State.GIVEN: (Part.GIVE, "accept"),
}
_SCROLLED = frozenset({State.GPC, State.REFUSED, State.GIVEN})
"""Where a no or a yes counts, what comes late does too."""

_NOT_AGAIN = frozenset(
    {
        Trouble.UNREACHABLE,
        Trouble.TLS,
        Trouble.TIMEOUT,
        Trouble.CRASH,
        Trouble.REDIRECTS,
        Trouble.DOWNLOAD,
        Trouble.NOT_HTML,
        Trouble.ROBOTS,
    }
)
"""Pages with such trouble are looked at in one state only: in the others it would be the same, and take as long."""

_LOOKED_FOR_LONG = 2.0
"""Times the limit of a page that exploring it may take."""


@dataclass
class Crawl:
    """One audit under way."""

    plan: Plan
    declaration: Declaration | None
    script: Script | None
    browsers: Browsers
    visiting: Visiting
    room: Room
    known: Known = field(default_factory=Known)
    runs: dict[State, Run] = field(default_factory=dict)
    listed: list[str] | None = None
    """The sitemap's pages, once they have been asked for."""

    # What all states share -----------------------------------------------------------------------------------------

    def tells(self, part: Part) -> bool:
        return self.script is not None and self.script.tells(part)

    def player(self, browser: Browser) -> Player:
        script = self.script or Script("")
        return Player(script, browser, self.plan.url, self.plan.timeout, offered)

    def old(self, state: State) -> list[Visit]:
        """What an interrupted audit had finished."""
        return self.visiting.journal.visits.get(state, [])

    def end(self, state: State, visits: list[Visit], skipped: str | None = None) -> None:
        self.runs[state] = Run(state, tuple(visits), skipped)
        self.visiting.journal.ends(state, skipped)

    def skip(self, state: State, why: str) -> None:
        self.end(state, [], why)

    def is_done(self, state: State) -> bool:
        """Whether an interrupted audit had ended this state; then it is taken from there."""
        ended = self.visiting.journal.ended
        if state in ended:
            self.runs[state] = Run(state, tuple(self.old(state)), ended[state])
        return state in ended

    def place(self, state: State, *, scripted: bool = False) -> AbstractAsyncContextManager[None]:
        """Taken by each person before anything else is waited for, the first visit ahead of all."""
        return self.room.place(own=has_own(state, scripted=scripted))

    @asynccontextmanager
    async def person(self, state: State, *, scripted: bool = False) -> AsyncIterator[tuple[Browser, Person]]:
        async with self.browsers.of(state, scripted=scripted) as browser, browser.person(state) as person:
            yield browser, person

    def tell(self, state: State, done: int, known: int, url: str) -> None:
        self.visiting.tell(Progress(state, done, known, url))

    def frontier(self, leaves: str | None = None) -> Frontier:
        return Frontier(self.visiting.site, exclude=self.plan.exclude, leaves=leaves)

    async def seed(self, frontier: Frontier) -> None:
        """The first pages: the address itself, those that were named, and the sitemap's."""
        plan, site = self.plan, self.visiting.site
        frontier.add(plan.url, asked=True)
        for address in plan.addresses:
            frontier.add(urljoin(plan.url, address), asked=True)
        for scene in self._scenes():
            if scene.page is not None:
                frontier.add(urljoin(plan.url, scene.page), asked=True)
        if len(frontier) < plan.pages:
            if self.listed is None:
                rules = await self.visiting.politeness.rules(plan.url)
                self.listed = await listed(plan, site, rules.sitemaps)
            for address in self.listed:
                frontier.add(address)

    def _scenes(self) -> tuple[Scene, ...]:
        return self.script.scenes if self.script is not None else ()

    # The first visit -----------------------------------------------------------------------------------------------

    async def visit(self, *, returns: bool) -> None:
        """Find the pages and look at each; then, if it `returns`, come back to them in the same browser."""
        try:
            async with self.place(State.VISIT, scripted=self.tells(Part.ACTS)):
                await self._visit(returns=returns)
        finally:
            await self.known.tell(ended=True)

    async def _visit(self, *, returns: bool) -> None:
        frontier = self.frontier()
        await self.seed(frontier)
        old = self.old(State.VISIT)
        visits = list(old)
        for visit in old:
            frontier.knows(visit.url)
            await self._found(frontier, visit, asks=visit.url == self.visiting.journal.asks)
        if self.is_done(State.VISIT) and (not returns or self.is_done(State.RETURNED)):
            return
        async with self.person(State.VISIT, scripted=self.tells(Part.ACTS)) as (browser, person):
            if State.VISIT not in self.runs:
                await self._discover(browser, person, frontier, visits, interrupted=bool(old))
                self.end(State.VISIT, visits)
            await self.known.tell(ended=True)
            if returns and not self.is_done(State.RETURNED):
                await self._return(person, visits, interrupted=bool(old))

    async def _discover(
        self, browser: Browser, person: Person, frontier: Frontier, visits: list[Visit], *, interrupted: bool
    ) -> None:
        explorer = Explorer(self.visiting.site, self.plan.timeout * _LOOKED_FOR_LONG)
        notes = (INTERRUPTED,) if interrupted else ()
        looked_at = len({visit.url for visit in visits})
        while looked_at < self.plan.pages and self.visiting.stopped is None and (url := frontier.next()) is not None:
            if any(visit.url == url for visit in visits):
                continue
            self.tell(State.VISIT, looked_at, looked_at + len(frontier) + 1, url)
            looked_at += 1
            if refusal := await self.visiting.politeness.refusal(url):
                visit = Visit(State.VISIT, url, url, mishaps=(Mishap(Trouble.ROBOTS, refusal),))
                self.visiting.journal.finished(visit)
                visits.append(visit)
                continue
            asks: list[bool] = []
            for deeds in self._deeds(browser, explorer, url, asks, is_first=not visits):
                visit = await self.visiting.visit(person, url, deeds=deeds, notes=notes)
                visits.append(visit)
                notes = ()
            if len(visits) == 1:
                self._settle(visits[0], frontier)
            await self._found(frontier, visit, asks=any(asks))

    def _deeds(
        self, browser: Browser, explorer: Explorer, url: str, asks: list[bool], *, is_first: bool
    ) -> list[Deeds]:
        """What is done on the page, one list for each time it is loaded: first what the script says, so that what it
        chooses is its choice; then, if that led away, what the audit tries by itself."""
        scenes = [each for each in self._scenes() if self._is_scene_of(each, url)]
        plays = bool(scenes) or (is_first and self.script is not None and Part.ACTS in self.script.functions)

        parts: list[tuple[Step, ...] | None] = [scene.steps for scene in scenes]
        if is_first and plays and not scenes:
            parts.append(None)

        async def play(tab: Tab, doing: Doing) -> None:
            player = self.player(browser)
            for steps in parts:
                failure = await player.play(Part.ACTS, tab, steps)
                if failure is not None:
                    doing.mishaps.append(failure.message)

        async def explore(tab: Tab, doing: Doing) -> None:
            if not self.visiting.site.has(tab.address):
                return
            asks.append(bool(await _consent.question(tab)))
            if self.plan.explore:
                doing.links = await explorer.explore(tab, url)
            else:
                await scroll(tab)

        return [play, explore] if plays else [explore]

    def _is_scene_of(self, scene: Scene, url: str) -> bool:
        return same_page(urljoin(self.plan.url, scene.page or ""), url)

    def _settle(self, first: Visit, frontier: Frontier) -> None:
        """The first page may lead to the same site with or without www: then that is the site."""
        site = self.visiting.site
        if not site.has(first.address) and is_www(first.url, first.address):
            moved = Site.of(first.address, {*site.others, site.host})
            self.visiting.site = frontier.site = moved
            frontier.add(first.address, asked=True)

    async def _found(self, frontier: Frontier, visit: Visit, *, asks: bool) -> None:
        for page in visit.pages:
            frontier.add(page, visit.address)
        if not same_page(visit.address, visit.url) and self.visiting.site.has(visit.address):
            frontier.add(visit.address)  # where it leads is a page of its own
        usable = not any(each.trouble in _NOT_AGAIN for each in visit.mishaps)
        if asks and self.known.asks is None:
            self.visiting.journal.asked(visit.url)
        await self.known.tell(visit.url if usable else None, asks=visit.url if asks else None)

    # The same person comes back ------------------------------------------------------------------------------------

    async def _return(self, person: Person, before: list[Visit], *, interrupted: bool) -> None:
        chosen = _returning.pages(_returning.trouble_free(before))
        if not chosen:
            self.skip(State.RETURNED, "no page could be looked at")
            return
        visits: list[Visit] = []
        rounds = [(None, frozenset[Kind]()), *_returning.ROUNDS] if interrupted else list(_returning.ROUNDS)
        total = len(rounds) * (len(chosen) + 1)
        for name, kinds in rounds:
            urls = [(url, None) for url in chosen]
            removing = [] if name is None else [(chosen[0], _removing(person, name, kinds))]
            for url, deeds in [*removing, *urls]:
                if self.visiting.stopped is not None:
                    break
                self.tell(State.RETURNED, len(visits), total, url)
                visits.append(await self.visiting.visit(person, url, state=State.RETURNED, deeds=deeds))
        self.end(State.RETURNED, visits)

    # Those who follow ----------------------------------------------------------------------------------------------

    async def follow(self, state: State) -> None:
        """Somebody else on the same pages."""
        if self.is_done(state):
            return
        async with self.place(state):
            if await self.known.first() is None:
                self.skip(state, "no page could be looked at")
                return
            async with self.person(state) as (_, person):
                await self.pages(state, person, list(self.old(state)))

    async def pages(self, state: State, person: Person, visits: list[Visit], *, own: int = 0) -> None:
        """All that is known; `own` visits were made for another reason."""
        done = max(len(visits) - own, 0)
        notes = (INTERRUPTED,) if done else ()
        at = 0
        async for url in self.known.each():
            at += 1
            if at <= done or self.visiting.stopped is not None:
                continue
            self.tell(state, at - 1, len(self.known.pages), url)
            visits.append(await self.visiting.visit(person, url, state=state, deeds=_late(state), notes=notes))
            notes = ()
        self.end(state, visits)

    async def answer(self, state: State) -> None:
        """Answer the question about consent, and look at the pages."""
        if self.is_done(state):
            return
        part, kind = ANSWERS[state]
        url = await (self.known.first() if self.tells(part) else self.known.question())
        if url is None:
            self.skip(state, self._nothing_asked())
            return
        failures: list[str] = []
        scripted = self.tells(part)
        async with self.place(state, scripted=scripted), self.person(state, scripted=scripted) as (browser, person):

            async def deeds(tab: Tab, doing: Doing) -> None:
                if self.tells(part):
                    mishap = await self.player(browser).play(part, tab)
                    failure = mishap.message if mishap else None
                else:
                    failure = await _consent.answer(tab, kind)
                    if failure is None and await _consent.question(tab):
                        doing.mishaps.append("the question was answered, and is still asked")
                if failure is not None:
                    failures.append(failure)
                    doing.mishaps.append(failure)

            old = list(self.old(state))
            self.tell(state, 0, len(self.known.pages), url)
            first = await self.visiting.visit(person, url, state=state, deeds=deeds)
            if failures:
                self.end(state, [*old, first], failures[0])
                return
            await self.pages(state, person, old or [first], own=1)

    def _nothing_asked(self) -> str:
        gated = self.declaration.gated if self.declaration is not None else ()
        if gated:
            names = ", ".join(item.name for item in gated)
            return f"no page asks for consent, though it is declared that {names} needs it"
        return "no page asks for consent"


def _late(state: State) -> Deeds | None:
    if state not in _SCROLLED:
        return None

    async def deeds(tab: Tab, _doing: Doing) -> None:
        await scroll(tab)

    return deeds


def _removing(person: Person, name: str, kinds: frozenset[Kind]) -> Deeds:
    async def deeds(tab: Tab, doing: Doing) -> None:
        async with tab.act(Act(Deed.REMOVE, name)):
            await person.remove(kinds)
            doing.left = await person.snapshot()

    return deeds
