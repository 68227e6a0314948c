"""One page in one state: opened politely, perhaps acted on, and told as a visit with the pages that it leads to."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import urlsplit

from strictly_necessary.audit._observation import Link, Mishap, Snapshot, State, Stored, Trouble, Visit
from strictly_necessary.audit._plan import Plan
from strictly_necessary.audit.browser import Person, Tab
from strictly_necessary.audit.crawl._fetching import is_local
from strictly_necessary.audit.crawl._frontier import Site, normal
from strictly_necessary.audit.crawl._journal import Journal
from strictly_necessary.audit.crawl._keeping import Keeper
from strictly_necessary.audit.crawl._look import look
from strictly_necessary.audit.crawl._politeness import Politeness
from strictly_necessary.audit.crawl._progress import Progress
from strictly_necessary.audit.script import Secrets

INTERRUPTED = "the audit was interrupted before this page, and went on with an empty browser"

_TOO_MANY = frozenset({429, 503})


@dataclass
class Doing:
    """What was done in a tab, beside what the tab itself records."""

    links: tuple[Link, ...] = ()
    mishaps: list[str] = field(default_factory=list)
    begins_anew: bool = False
    """Only where it leads to in the end counts: before, somebody else looked at the page."""

    left: tuple[Stored, ...] | None = None
    """What the browser still keeps after something was removed, though the tab may have gone with it."""


Deeds = Callable[[Tab, Doing], Awaitable[None]]


@dataclass
class Visiting:
    """One for a whole audit. `stopped` says why no further page is asked for, once that is so."""

    plan: Plan
    site: Site
    politeness: Politeness
    journal: Journal
    tell: Callable[[Progress], None]
    secrets: Secrets = field(default_factory=Secrets)
    keeper: Keeper = field(default_factory=Keeper)
    stopped: str | None = None

    async def visit(
        self,
        person: Person,
        url: str,
        *,
        state: State | None = None,
        deeds: Deeds | None = None,
        notes: tuple[str, ...] = (),
        texts: dict[str, str] | None = None,
    ) -> Visit:
        """Load the page, do the deeds, and end the visit. `state` is another one than the person's. `notes` are told as
        what happened on the way. `texts` takes what the links say, by their address."""
        await self.politeness.turn(url)
        tab = await person.open(url)
        doing = Doing()
        pages = await self._pages(tab, texts)
        if deeds is not None and tab.alive:
            await deeds(tab, doing)
            later = await self._pages(tab, texts)
            pages = later if doing.begins_anew else tuple(dict.fromkeys([*pages, *later]))
        visit = await tab.finish()
        last = max(len(visit.acts) - 1, 0)
        told = [Mishap(Trouble.STEP, each, last) for each in doing.mishaps]
        told += [Mishap(Trouble.LEFT, each) for each in notes]
        if wait := self._told_to_wait(visit):
            self.stopped = wait
            told.append(Mishap(Trouble.ROBOTS, wait))
        if doing.left is not None and visit.snapshots[-1:] and visit.snapshots[-1].act != last:
            visit = replace(visit, snapshots=(*visit.snapshots, Snapshot(last, doing.left)))
        visit = replace(
            visit, state=state or visit.state, pages=pages, links=doing.links, mishaps=(*visit.mishaps, *told)
        )
        visit = self.keeper.keep(self.secrets.without(visit))
        self.journal.finished(visit)
        return visit

    async def _pages(self, tab: Tab, texts: dict[str, str] | None) -> tuple[str, ...]:
        """The pages of the site that the page leads to, in the order of the document. Where the tab went to another
        site, that is recorded, and not followed."""
        if not tab.alive or not self.site.has(tab.address):
            return ()
        found: list[dict[str, Any]] = await look(tab, "links") or []
        pages: dict[str, None] = {}
        for each in found:
            address = normal(each["url"])
            if address is not None and not each["download"] and self.site.has(address):
                pages[address] = None
                if texts is not None:
                    texts.setdefault(address, each["text"])
        return tuple(pages)

    def _told_to_wait(self, visit: Visit) -> str | None:
        """Why the audit leaves the site alone from now on."""
        if visit.status not in _TOO_MANY or is_local(visit.url, self.plan.resolve):
            return None
        answers = [each for each in visit.requests if each.type == "document" and each.status in _TOO_MANY]
        after = next((each.headers["retry-after"] for each in answers if "retry-after" in each.headers), None)
        if after is None and visit.status == 503:
            return None
        when = f"after {after} s" if after and after.isdigit() else f"after {after}" if after else "later"
        return f"the server answered {visit.status} and asks to come back {when}; the audit stopped here"


def same_page(one: str, other: str) -> bool:
    """But for the fragment."""
    return normal(one) == normal(other)


def is_www(one: str, other: str) -> bool:
    """Whether the hosts differ only in www."""
    hosts = [(urlsplit(each).hostname or "").removeprefix("www.") for each in (one, other)]
    return hosts[0] == hosts[1]
