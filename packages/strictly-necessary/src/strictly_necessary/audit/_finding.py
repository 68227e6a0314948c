"""What the audit tells: one finding per thing and code, with every place where it was seen."""

from __future__ import annotations

from dataclasses import dataclass, field

from strictly_necessary._findings import Severity
from strictly_necessary.audit._observation import Stack, State


@dataclass(frozen=True, slots=True, order=True)
class Sighting:
    """Where it was seen: the state, the page's address, and the act in words (`load`, `click button "Dark"`)."""

    state: State
    page: str
    act: str


@dataclass(frozen=True, slots=True)
class Evidence:
    """What proves it, from the first sighting. `header` has no value in it; `detail` are further facts, a label and a
    text each, that are the same in every run."""

    header: str | None = None
    script: str | None = None
    stack: Stack = ()
    request: str | None = None
    detail: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class AuditFinding:
    """One thing that the audit found. `subject` names it the same way in every run, such as `cookie _ga of
    example.org`, and together with `code` is its identity. `item` is the declared item it is about. `fix` says what to
    do here."""

    code: str
    severity: Severity
    subject: str
    message: str
    fix: str
    sightings: tuple[Sighting, ...]
    evidence: Evidence = field(default_factory=Evidence)
    item: str | None = None
    waived: str | None = None
    """The reason of the waiver that covers it."""


@dataclass(frozen=True, slots=True)
class ItemProof:
    """What was seen of one declared item: the other direction. `acts` are the acts that brought it, in words; `writers`
    are `header of ADDRESS` or a script's address; `broken` are the codes of the findings about it. An item that was
    never seen has no `states`."""

    item: str
    name: str
    kind: str
    states: tuple[State, ...]
    acts: tuple[str, ...]
    writers: tuple[str, ...]
    broken: tuple[str, ...]

    @property
    def holds(self) -> bool:
        return bool(self.states) and not self.broken


@dataclass(frozen=True, slots=True)
class Judgement:
    """All findings, sorted by severity, code and subject, and what was seen of each declared item, in the file's
    order."""

    findings: tuple[AuditFinding, ...]
    items: tuple[ItemProof, ...] = ()

    @property
    def fails(self) -> bool:
        """Whether there is an error that no waiver covers."""
        return any(each.severity is Severity.ERROR and each.waived is None for each in self.findings)
