"""Releasing the next version, and taking one back that has not started."""

import os
import tempfile
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path

from sqlalchemy.exc import IntegrityError

from mixip.db import Database
from mixip.edge.policy import declaration as shipped
from mixip.policies import queries
from mixip.policies.importing import shipped_policy
from mixip.policies.imprint import Imprint, in_the_name_of
from mixip.policies.own import missing, unsigned
from mixip.policies.reading import history_of, read
from mixip.policies.running import MARGIN, OPEN_TABS, POLL_SECONDS
from strictly_necessary import Finding
from strictly_necessary.declaration import examine
from strictly_necessary.versions import History, Release, Significance, folder_of, plan_release


class RefusedError(Exception):
    """It cannot be done; the message says why, line by line."""


@dataclass(frozen=True, slots=True)
class Plan:
    """A release before it is made, after the `history` that it follows. `file` is None for the policy that comes along,
    which stays as it is."""

    release: Release
    history: History | None
    stamps: queries.Stamps
    file: Path | None

    @property
    def refusals(self) -> tuple[str, ...]:
        """Why it cannot be made; empty if it can."""
        return (*self.release.refusals, *(str(finding) for finding in self.release.findings))

    @property
    def advice(self) -> tuple[str, ...]:
        """The refusals for people: below each finding, what mends it."""
        return (*self.release.refusals, *(advised(finding) for finding in self.release.findings))


@dataclass(frozen=True, slots=True)
class Wishes:
    """What the operator wants of a release; what is left out follows from the difference."""

    version: str | None = None
    starts: datetime | None = None
    change: Significance | None = None
    summary: str | None = None
    translations: Mapping[str, str] = field(default_factory=dict)
    ask: tuple[str, ...] = ()


def advised(finding: Finding) -> str:
    """A finding in a working file, and below it what mends it."""
    return f"{finding}\n    Fix: {finding.fix}"


def released_history(db: Database) -> tuple[History | None, queries.Stamps]:
    """The released versions, word for word, and what tells this state of them from another."""
    with db.read() as connection:
        rows = queries.released(connection)
    return (history_of(rows) if rows else None), tuple(row[:4] for row in rows)


def plan_version(db: Database, file: Path | None, wishes: Wishes, now: datetime, *, operator: str) -> Plan:
    """What the working file would become as the next version. It starts `MARGIN` from now at the earliest, and after
    two minutes more if it asks people, so that all instances and all open tabs have heard of it. Raises OSError if the
    file cannot be read, DeclarationError or UnfitError if a released version cannot."""
    raw, shown = (shipped_policy(), "policy.toml") if file is None else (file.read_bytes(), str(file))
    history, stamps = released_history(db)
    written = examine(raw, shown)[0]
    if history is not None and written is not None and written.policy.operator == operator:
        # Whose name stood in for that of the authors has written it down now. That is no other operator.
        history = _named(history, operator)
    earliest = now + MARGIN
    starts = wishes.starts
    found = _plan(history, raw, shown, wishes, starts, earliest)
    if found.refusals and not found.findings and starts is None:
        late = earliest + OPEN_TABS + timedelta(seconds=1)
        if written is not None and written.policy.starts is not None and written.policy.starts < late:
            # Such as that of a version that was taken back, or when it started with the authors of the software.
            starts = late
            found = _plan(history, raw, shown, wishes, starts, earliest)
    refusals = list(found.refusals)
    if not found.findings:
        declaration = read(found.text.decode(), shown, fit=False)
        refusals += [*missing(declaration), *unsigned(declaration, operator)]
    if starts is not None and now <= starts < earliest:
        refusals = [each for each in refusals if "in the past" not in each]
        seconds = int(MARGIN.total_seconds())
        refusals.append(f"{starts.isoformat()} is too soon: every instance hears of it within {seconds} seconds")
    return Plan(replace(found, refusals=tuple(refusals)), history, stamps, file)


def _named(history: History, operator: str) -> History:
    """The history as people read it, but for the address."""
    imprint = Imprint(operator, shipped().policy.contact)
    return History.of(in_the_name_of(imprint, version.declaration) for version in history.versions)


def _plan(
    history: History | None, raw: bytes, shown: str, wishes: Wishes, starts: datetime | None, now: datetime
) -> Release:
    return plan_release(
        history,
        raw,
        now=now,
        version=wishes.version,
        starts=starts,
        change=wishes.change,
        summary=wishes.summary,
        translations=wishes.translations,
        ask=wishes.ask,
        file=shown,
    )


def release_version(db: Database, planned: Plan, now: datetime) -> list[str]:
    """Release it for all instances, and write into the working file what it now is. Returns what could not be written,
    in words. Raises RefusedError if it cannot be made, or if it is too late to make it as planned."""
    if planned.refusals:
        raise RefusedError("\n".join(planned.refusals))
    release = planned.release
    if planned.history is not None and release.starts < now + timedelta(seconds=POLL_SECONDS):
        raise RefusedError("Meanwhile it would start before every instance has heard of it. Release it again.")
    try:
        with db.write() as connection:
            if queries.stamps(connection) != planned.stamps:
                raise RefusedError("Meanwhile another version was released or withdrawn. Look at it, and try again.")
            queries.add(
                connection,
                version=release.version,
                text=release.text.decode(),
                starts_at=release.starts,
                released_at=now,
            )
    except IntegrityError:
        raise RefusedError("Meanwhile another version was released. Look at it, and try again.") from None
    return [] if planned.file is None else _kept(planned.file, release)


def check_withdrawal(db: Database, version: str, now: datetime) -> datetime:
    """When this version would start. Raises RefusedError unless it can be taken back."""
    history, _ = released_history(db)
    found = None if history is None else next((each for each in history.versions if each.number == version), None)
    if history is None or found is None:
        raise RefusedError(f"There is no version {version}.")
    if len(history.versions) == 1:
        raise RefusedError("It is the only version, and there is always one.")
    if found.starts <= now:  # said first: withdrawing what follows it would not help
        raise RefusedError(f"Version {version} has started, and people were told of it. Release another one after it.")
    if found is not history.versions[-1]:
        raise RefusedError(f"Version {history.versions[-1].number} follows it. Withdraw that first.")
    if found.starts <= now + MARGIN:
        raise RefusedError(_too_late(version))
    return found.starts


def withdraw_version(db: Database, version: str, now: datetime) -> None:
    """Take back a version that has not started. Raises RefusedError for any other one."""
    check_withdrawal(db, version, now)
    with db.write() as connection:
        if not queries.remove_last(connection, version, now + MARGIN):
            raise RefusedError(_too_late(version))


def _too_late(version: str) -> str:
    seconds = int(MARGIN.total_seconds())
    return (
        f"Version {version} starts within {seconds} seconds, and some instances would not hear of it in time. "
        "Release another one after it."
    )


def _kept(file: Path, release: Release) -> list[str]:
    """Write the file, and its copy among the released versions if there is such a folder."""
    places = [file]
    if folder_of(file).is_dir():
        places.append(folder_of(file) / f"{release.version}.toml")
    failed = []
    for place in places:
        try:
            _write(place, release.text)
        except OSError as error:
            failed.append(f"{place} could not be written: {error.strerror}. It still says what it said before.")
    return failed


def _write(place: Path, text: bytes) -> None:
    """All of it or nothing, with the permissions that the file has."""
    if place.exists() and place.read_bytes() == text:
        return
    place = place.resolve()
    handle, name = tempfile.mkstemp(dir=place.parent, prefix=f".{place.name}.")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(text)
        Path(name).chmod(place.stat().st_mode & 0o777 if place.exists() else 0o644)
        Path(name).replace(place)
    except BaseException:
        with suppress(FileNotFoundError):
            Path(name).unlink()
        raise
