"""How a report is made: everything in order, and nothing of what people keep in their browsers."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path
from typing import TypeAlias

from strictly_necessary.audit._addresses import without_values
from strictly_necessary.audit._declared import source_of
from strictly_necessary.audit._finding import AuditFinding, Evidence, ItemProof, Judgement, Sighting
from strictly_necessary.audit._observation import Observation, State, Visit
from strictly_necessary.audit._plan import Plan
from strictly_necessary.audit._report import Declared, Look, Option, Page, Party, Report, Stage, UsedWaiver
from strictly_necessary.audit._waivers import Waiver
from strictly_necessary.declaration import Declaration
from strictly_necessary.declaration._items import Jurisdiction

Show: TypeAlias = Callable[[str], str]
"""Leaves values out of a text."""


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

    from strictly_necessary.audit.judge._case import open_case

    # What people keep in their browsers may stand in addresses too, and in what went wrong.
    hidden = open_case(observation, declaration, jurisdictions).identifiers.hider()

    def shown(text: str) -> str:
        return without_values(hidden(text))

    pictures: dict[str, bytes] = {}
    raw = Path(declaration_path).read_bytes() if declaration is not None and declaration_path is not None else None
    declared = None
    if declaration is not None:
        policy = declaration.policy
        file = Path(declaration_path).as_posix() if declaration_path is not None else ""
        declared = Declared(file, policy.service, policy.version, jurisdictions or policy.jurisdictions)
    return Report(
        url=observation.url,
        findings=tuple(_finding(each, shown) for each in judgement.findings),
        items=tuple(_item(each, shown) for each in judgement.items),
        pages=tuple(_pages(observation, pictures, shown)),
        parties=_parties(observation, declaration, shown),
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


def _pages(observation: Observation, pictures: dict[str, bytes], shown: Show) -> Iterable[Page]:
    """In the order of the first state that has them, which is that of the crawl."""
    by_url: dict[str, list[Visit]] = {}
    for visit in observation.visits():
        by_url.setdefault(shown(visit.url), []).append(visit)
    order = {state: place for place, state in enumerate(State)}
    for url, visits in sorted(by_url.items()):
        visits.sort(key=lambda visit: order[visit.state])
        # Signed in, the title may hold somebody's name.
        title = next((visit.title for visit in visits if visit.title and visit.state is State.VISIT), "")
        yield Page(url, shown(title), tuple(_look(visit, pictures, shown) for visit in visits))


def _look(visit: Visit, pictures: dict[str, bytes], shown: Show) -> Look:
    picture = None
    if visit.screenshot:
        picture = hashlib.sha256(visit.screenshot).hexdigest()[:12]
        pictures[picture] = visit.screenshot
    mishaps = tuple(replace(each, message=shown(each.message)) for each in visit.mishaps)
    return Look(visit.state, shown(visit.address), visit.status, mishaps, picture)


def _parties(observation: Observation, declaration: Declaration | None, shown: Show) -> tuple[Party, ...]:
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
        party = next((named for host in names if (named := party_of(host, declaration))), None)
        parties.append(
            Party(
                shown(site),
                tuple(dict.fromkeys(map(shown, names))),
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


def _finding(finding: AuditFinding, shown: Show) -> AuditFinding:
    evidence = finding.evidence
    return replace(
        finding,
        subject=shown(finding.subject),
        message=shown(finding.message),
        fix=shown(finding.fix),
        sightings=tuple(Sighting(each.state, shown(each.page), each.act) for each in finding.sightings),
        evidence=Evidence(
            header=shown(evidence.header) if evidence.header else None,
            script=shown(evidence.script) if evidence.script else None,
            stack=tuple(replace(place, url=shown(place.url)) for place in evidence.stack),
            request=shown(evidence.request) if evidence.request else None,
            detail=tuple((label, shown(text)) for label, text in evidence.detail),
        ),
    )


def _item(item: ItemProof, shown: Show) -> ItemProof:
    return replace(item, writers=tuple(shown(each) for each in item.writers))
