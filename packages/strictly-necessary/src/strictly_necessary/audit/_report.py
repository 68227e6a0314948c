"""The report: what the audit found and how it was made, without a value, ready to be shown in any form.

Everything in here is sorted and the same in every run on the same site, but for `started`, `seconds` and `pictures`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

from strictly_necessary._findings import Severity
from strictly_necessary.audit._declared import Excerpt, Source
from strictly_necessary.audit._finding import AuditFinding, ItemProof
from strictly_necessary.audit._observation import COVERED, Mishap, State
from strictly_necessary.audit._waivers import Waiver
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
