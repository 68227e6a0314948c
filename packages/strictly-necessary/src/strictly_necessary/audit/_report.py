"""The report: what the audit found and how it was made, without a value, ready to be shown in any form.

Everything in here is sorted and the same in every run on the same site, but for `started`, `seconds` and `pictures`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TypeAlias

from strictly_necessary._findings import Severity
from strictly_necessary.audit._addresses import without_values
from strictly_necessary.audit._declared import Excerpt, Source, source_of
from strictly_necessary.audit._finding import AuditFinding, Evidence, ItemProof, Judgement, Sighting
from strictly_necessary.audit._observation import COVERED, Mishap, Observation, State, Visit
from strictly_necessary.audit._plan import Plan
from strictly_necessary.audit._waivers import Waiver
from strictly_necessary.declaration import Declaration
from strictly_necessary.declaration._items import Jurisdiction

Option: TypeAlias = str | int | float | bool | tuple[str, ...] | None


@dataclass(frozen=True, slots=True)
class Look:
    """One page in one state. `picture` is a key of the report's `pictures`."""

    state: State
    address: str
    status: int
    mishaps: tuple[Mishap, ...] = ()
    picture: str | None = None


@dataclass(frozen=True, slots=True)
class Page:
    """One page, and how it was looked at."""

    url: str
    title: str
    looks: tuple[Look, ...]

    @property
    def was_seen(self) -> bool:
        """Whether it could be looked at in any state."""
        return any(all(each.trouble in COVERED for each in look.mishaps) or look.status for look in self.looks)


@dataclass(frozen=True, slots=True)
class Party:
    """Another site from which something was asked. `declared` is the name of the declared third party."""

    site: str
    hosts: tuple[str, ...]
    entity: str | None
    category: str | None
    declared: str | None
    states: tuple[State, ...]


@dataclass(frozen=True, slots=True)
class Stage:
    """One state: how many pages were looked at in it, or why it did not take place."""

    state: State
    pages: int
    skipped: str | None = None


@dataclass(frozen=True, slots=True)
class UsedWaiver:
    """A waiver and how many findings it covers."""

    waiver: Waiver
    covers: int


@dataclass(frozen=True, slots=True)
class Declared:
    """The declaration that was compared: its file as it was named, whose it is, and by which rules it was judged."""

    file: str
    service: str
    version: str
    jurisdictions: tuple[Jurisdiction, ...]


@dataclass(frozen=True)
class Report:
    """All that can be shown of one audit. Make one with `make_report`."""

    url: str
    findings: tuple[AuditFinding, ...]
    items: tuple[ItemProof, ...]
    pages: tuple[Page, ...]
    parties: tuple[Party, ...]
    stages: tuple[Stage, ...]
    waivers: tuple[UsedWaiver, ...]
    options: Mapping[str, Option]
    program: str
    browser: str
    started: str
    seconds: float
    declared: Declared | None = None
    source: Source | None = field(default=None, repr=False)
    pictures: Mapping[str, bytes] = field(default_factory=dict, repr=False)

    @property
    def errors(self) -> tuple[AuditFinding, ...]:
        """Those that no waiver covers."""
        return tuple(each for each in self.findings if each.severity is Severity.ERROR and each.waived is None)

    @property
    def warnings(self) -> tuple[AuditFinding, ...]:
        """Those that no waiver covers."""
        return tuple(each for each in self.findings if each.severity is Severity.WARNING and each.waived is None)

    @property
    def waived(self) -> tuple[AuditFinding, ...]:
        return tuple(each for each in self.findings if each.waived is not None)

    @property
    def fails(self) -> bool:
        """Whether there is an error that no waiver covers."""
        return bool(self.errors)

    @property
    def saw_nothing(self) -> bool:
        """Whether not one page could be looked at, so that nothing is proved."""
        return not any(page.was_seen for page in self.pages)

    def excerpt(self, finding: AuditFinding) -> Excerpt | None:
        """The lines of the declaration that the finding is about."""
        return self.source.excerpt(finding.item, finding.code) if self.source and finding.item else None

    def picture(self, finding: AuditFinding) -> str | None:
        """The key of the picture of the first page where it was seen."""
        shots = {(page.url, look.state): look.picture for page in self.pages for look in page.looks}
        found = (shots.get((each.page, each.state)) for each in finding.sightings)
        return next((key for key in found if key), None)


def make_report(
    plan: Plan,
    observation: Observation,
    judgement: Judgement,
    declaration: Declaration | None = None,
    declaration_path: Path | str | None = None,
    *,
    jurisdictions: tuple[Jurisdiction, ...] = (),
    waivers: Iterable[Waiver] = (),
) -> Report:
    """What was seen and judged, as it may be shown. `waivers` are those that `waive` was given. The declaration's file
    is read again for its lines; raises OSError if that fails."""
    from importlib.metadata import version  # slow to load, and needed by few commands

    pictures: dict[str, bytes] = {}
    raw = Path(declaration_path).read_bytes() if declaration is not None and declaration_path is not None else None
    declared = None
    if declaration is not None:
        policy = declaration.policy
        file = Path(declaration_path).as_posix() if declaration_path is not None else ""
        declared = Declared(file, policy.service, policy.version, jurisdictions or policy.jurisdictions)
    return Report(
        url=observation.url,
        findings=tuple(_shown(each) for each in judgement.findings),
        items=tuple(_shown_item(each) for each in judgement.items),
        pages=tuple(_pages(observation, pictures)),
        parties=_parties(observation, declaration),
        stages=tuple(
            Stage(run.state, len({visit.url for visit in run.visits}), run.skipped) for run in observation.runs
        ),
        waivers=tuple(UsedWaiver(each, _covered(each, judgement)) for each in waivers),
        options=_options(plan),
        program=version("strictly-necessary"),
        browser=observation.browser,
        started=observation.started,
        seconds=observation.seconds,
        declared=declared,
        source=source_of(raw) if raw is not None else None,
        pictures=pictures,
    )


def _covered(waiver: Waiver, judgement: Judgement) -> int:
    """How many findings pass by it. One that is over has none."""
    return sum(each.waived == waiver.reason and waiver.covers(each) for each in judgement.findings)


def _pages(observation: Observation, pictures: dict[str, bytes]) -> Iterable[Page]:
    """In the order of the first state that has them, which is that of the crawl."""
    by_url: dict[str, list[Visit]] = {}
    for visit in observation.visits():
        by_url.setdefault(without_values(visit.url), []).append(visit)
    order = {state: place for place, state in enumerate(State)}
    for url, visits in sorted(by_url.items()):
        visits.sort(key=lambda visit: order[visit.state])
        # Signed in, the title may hold somebody's name.
        title = next((visit.title for visit in visits if visit.title and visit.state is State.VISIT), "")
        yield Page(url, title, tuple(_look(visit, pictures) for visit in visits))


def _look(visit: Visit, pictures: dict[str, bytes]) -> Look:
    picture = None
    if visit.screenshot:
        picture = hashlib.sha256(visit.screenshot).hexdigest()[:12]
        pictures[picture] = visit.screenshot
    mishaps = tuple(replace(each, message=without_values(each.message)) for each in visit.mishaps)
    return Look(visit.state, without_values(visit.address), visit.status, mishaps, picture)


def _parties(observation: Observation, declaration: Declaration | None) -> tuple[Party, ...]:
    # They read lists of names, which nobody needs who only shows a report.
    from strictly_necessary.audit.judge._sites import host_of, is_third, party_of, site_of
    from strictly_necessary.audit.judge._trackers import entity_of, tracker_of

    hosts: dict[str, set[str]] = {}
    states: dict[str, set[State]] = {}
    for visit in observation.visits():
        for request in visit.requests:
            if is_third(request.url, request.top or visit.address, declaration):
                host = host_of(request.url)
                hosts.setdefault(site_of(host), set()).add(host)
                states.setdefault(site_of(host), set()).add(visit.state)
    parties = []
    for site in sorted(hosts):
        names = sorted(hosts[site])
        entity = next((found for host in names if (found := tracker_of(host) or entity_of(host))), None)
        party = next((found for host in names if (found := party_of(host, declaration))), None)
        parties.append(
            Party(
                site,
                tuple(names),
                entity.name if entity else None,
                entity.category if entity else None,
                party.name if party else None,
                tuple(state for state in State if state in states[site]),
            )
        )
    return tuple(parties)


def _options(plan: Plan) -> dict[str, Option]:
    """What another audit needs to be the same, without what differs from machine to machine."""
    return {
        "pages": plan.pages,
        "states": tuple(str(each) for each in plan.states),
        "script": plan.script.name if plan.script else None,
        "addresses": plan.addresses,
        "exclude": plan.exclude,
        "timeout": plan.timeout,
        "patience": plan.patience,
        "explore": plan.explore,
        "resolve": tuple(f"{host}:{address}" for host, address in sorted(plan.resolve.items())),
        "nameserver": plan.nameserver,
        "insecure": plan.insecure,
        "rate": plan.rate,
        "ignore_robots": plan.ignore_robots,
    }


def _shown(finding: AuditFinding) -> AuditFinding:
    evidence = finding.evidence
    return replace(
        finding,
        subject=without_values(finding.subject),
        message=without_values(finding.message),
        fix=without_values(finding.fix),
        sightings=tuple(Sighting(each.state, without_values(each.page), each.act) for each in finding.sightings),
        evidence=Evidence(
            header=without_values(evidence.header) if evidence.header else None,
            script=without_values(evidence.script) if evidence.script else None,
            stack=tuple(replace(place, url=without_values(place.url)) for place in evidence.stack),
            request=without_values(evidence.request) if evidence.request else None,
            detail=tuple((label, without_values(text)) for label, text in evidence.detail),
        ),
    )


def _shown_item(item: ItemProof) -> ItemProof:
    return replace(item, writers=tuple(without_values(each) for each in item.writers))
