"""One place where what the judges saw becomes findings: one per thing and code, with every place where it was seen.

The order in which things were seen changes nothing: sightings are sorted, and the evidence is that of the first one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace

from strictly_necessary._codes import FIXES, WARNINGS
from strictly_necessary._findings import Severity
from strictly_necessary.audit._finding import AuditFinding, Evidence, Sighting
from strictly_necessary.audit._observation import Place, State, Visit

Hide = Callable[[str], str]
"""Takes what people keep in their browser out of a text."""

_STATES = {state: index for index, state in enumerate(State)}


@dataclass(frozen=True, slots=True)
class Raw:
    """What a judge saw once. `subject` and `code` say what it is; a `fix` of None means the code's own."""

    code: str
    subject: str
    message: str
    sighting: Sighting
    evidence: Evidence = field(default_factory=Evidence)
    item: str | None = None
    fix: str | None = None


def seen(visit: Visit, act: int) -> Sighting:
    """The place of the act with this index: the state, the address that was asked for, and the act in words."""
    told = str(visit.acts[act]) if 0 <= act < len(visit.acts) else "load"
    return Sighting(visit.state, visit.url, told)


def merge(raw: Iterable[Raw], hide: Hide = lambda text: text) -> tuple[AuditFinding, ...]:
    """The findings, sorted by severity, code and subject. `hide` is applied to every text, before things are compared:
    what differs only in a value is one thing."""
    things: dict[tuple[str, str], list[Raw]] = {}
    for each in raw:
        shown = _shown(each, hide)
        things.setdefault((shown.code, shown.subject), []).append(shown)
    findings = (_finding(group) for group in things.values())
    return tuple(sorted(findings, key=lambda each: (each.severity is not Severity.ERROR, each.code, each.subject)))


def _finding(group: list[Raw]) -> AuditFinding:
    first = min(group, key=_order)
    places = sorted({each.sighting for each in group}, key=_when)
    severity = Severity.WARNING if first.code in WARNINGS else Severity.ERROR
    return AuditFinding(
        code=first.code,
        severity=severity,
        subject=first.subject,
        message=first.message,
        fix=FIXES[first.code] if first.fix is None else first.fix,
        sightings=tuple(places),
        evidence=first.evidence,
        item=first.item,
    )


def _when(sighting: Sighting) -> tuple[int, str, str]:
    return _STATES[sighting.state], sighting.page, sighting.act


def _order(each: Raw) -> tuple[tuple[int, str, str], bool, str]:
    """By place; among equals the one that names a script or a header, then by its text, so that chance has no say."""
    evidence = each.evidence
    bare = evidence.header is None and not evidence.stack and evidence.script is None
    return _when(each.sighting), bare, repr((each.message, evidence, each.item or "", each.fix or ""))


def _shown(each: Raw, hide: Hide) -> Raw:
    return replace(
        each,
        subject=hide(each.subject),
        message=hide(each.message),
        fix=None if each.fix is None else hide(each.fix),
        sighting=Sighting(each.sighting.state, hide(each.sighting.page), hide(each.sighting.act)),
        evidence=_shown_evidence(each.evidence, hide),
    )


def _shown_evidence(evidence: Evidence, hide: Hide) -> Evidence:
    def text(value: str | None) -> str | None:
        return None if value is None else hide(value)

    return Evidence(
        header=text(evidence.header),
        script=text(evidence.script),
        stack=tuple(Place(hide(at.url), at.line, at.column, at.function) for at in evidence.stack),
        request=text(evidence.request),
        detail=tuple((label, hide(value)) for label, value in evidence.detail),
    )
