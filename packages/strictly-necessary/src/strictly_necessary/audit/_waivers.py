"""Waivers: findings that somebody looked at and lets pass, with a reason and an end."""

from __future__ import annotations

import datetime as dt
import re
import tomllib
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from strictly_necessary._codes import AUDIT_CODES, FIXES
from strictly_necessary._findings import DeclarationError, Finding, Severity
from strictly_necessary.audit._finding import AuditFinding, Evidence, Judgement
from strictly_necessary.declaration._positions import Positions, scan

LONGEST = dt.timedelta(days=366)
"""How far ahead a waiver may end: somebody is to look again within a year."""

_KEYS = ("code", "subject", "reason", "until")


@dataclass(frozen=True, slots=True)
class Waiver:
    """Lets the findings pass that have this code and whose subject matches `subject`, in which `*` stands for anything,
    until the end of the day `until`. `place` is `file:line`."""

    code: str
    subject: str
    reason: str
    until: dt.date
    place: str = ""

    def covers(self, finding: AuditFinding) -> bool:
        """Whether the finding is meant, whatever day it is."""
        pattern = ".*".join(re.escape(part) for part in self.subject.split("*"))
        return finding.code == self.code and re.fullmatch(pattern, finding.subject, re.DOTALL) is not None


def load_waivers(path: Path | str, *, today: dt.date | None = None) -> tuple[Waiver, ...]:
    """The waivers in the file. Raises `DeclarationError` with all that is wrong with it, OSError if it cannot be read.
    `today` is for tests; the day in UTC if left out."""
    waivers, findings = read_waivers(Path(path).read_bytes(), str(path), today or dt.datetime.now(dt.UTC).date())
    if findings:
        raise DeclarationError(tuple(findings))
    return waivers


def read_waivers(raw: bytes, file: str, today: dt.date) -> tuple[tuple[Waiver, ...], list[Finding]]:
    """The sound waivers in these bytes, and everything that is wrong. `file` is what findings call it. Never raises."""
    try:
        text = raw.decode("utf-8").removeprefix("\ufeff")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        return (), [_finding(file, line, 1, "SN002", "the file is not UTF-8")]
    text = text.replace("\r\n", "\n")
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        line, column = _place(str(error))
        return (), [_finding(file, line, column, "SN001", f"not TOML: {error}")]
    reading = _Reading(file, scan(text), today)
    for key in document:
        if key != "waivers":
            reading.fault("SN003", f"{key} is unknown here; write [[waivers]]", key)
    tables = document.get("waivers", [])
    if not isinstance(tables, list) or not all(isinstance(each, dict) for each in tables):
        reading.fault("SN005", "waivers is not a list of tables; write [[waivers]]", "waivers")
        tables = []
    waivers = [reading.waiver(index, table) for index, table in enumerate(tables)]
    seen: set[tuple[str, str]] = set()
    for index, waiver in enumerate(waivers):
        if waiver is not None and (waiver.code, waiver.subject) in seen:
            reading.fault("SN008", f"{waiver.code} is waived twice for {waiver.subject!r}", "waivers", index)
        elif waiver is not None:
            seen.add((waiver.code, waiver.subject))
    reading.findings.sort(key=lambda each: (each.line, each.column, each.code))
    return tuple(waiver for waiver in waivers if waiver is not None), reading.findings


@dataclass(slots=True)
class _Reading:
    file: str
    positions: Positions
    today: dt.date
    findings: list[Finding]

    def __init__(self, file: str, positions: Positions, today: dt.date) -> None:
        self.file, self.positions, self.today, self.findings = file, positions, today, []

    def fault(self, code: str, message: str, *path: str | int, fix: str | None = None) -> None:
        place = self.positions.of(*path)
        self.findings.append(_finding(self.file, place.line, place.column, code, message, fix))

    def waiver(self, index: int, table: dict[str, Any]) -> Waiver | None:
        at = ("waivers", index)
        before = len(self.findings)
        for key in table:
            if key not in _KEYS:
                self.fault("SN003", f"{key} is unknown in a waiver; it has {', '.join(_KEYS)}", *at, key)
        code, subject, reason = (self._text(table, key, at) for key in _KEYS[:3])
        if code and code not in AUDIT_CODES:
            fix = "write a code of the audit, SN401 to SN454; strictly explain lists them"
            self.fault("SN006", f"code is {code!r}, which the audit never tells", *at, "code", fix=fix)
        until = self._until(table, at)
        if len(self.findings) > before or until is None:
            return None
        line = self.positions.of(*at).line
        return Waiver(code, subject, reason, until, f"{self.file}:{line}")

    def _text(self, table: dict[str, Any], key: str, at: tuple[str | int, ...]) -> str:
        value = table.get(key)
        if value is None:
            self.fault("SN004", f"{key} is missing in a waiver", *at)
        elif not isinstance(value, str):
            self.fault("SN005", f"{key} is not a text", *at, key)
        elif not value.strip():
            self.fault("SN006", f"{key} is empty", *at, key, fix=f"write the {key}")
        else:
            return value.strip()
        return ""

    def _until(self, table: dict[str, Any], at: tuple[str | int, ...]) -> dt.date | None:
        value = table.get("until")
        if value is None:
            self.fault("SN004", "until is missing in a waiver", *at, fix="write the last day, such as 2027-01-31")
        elif not isinstance(value, dt.date) or isinstance(value, dt.datetime):
            self.fault("SN005", "until is not a day, such as 2027-01-31, without quotes", *at, "until")
        elif value > self.today + LONGEST:
            fix = "end it within a year, so that somebody looks again"
            self.fault("SN006", f"until is {value}, more than a year ahead", *at, "until", fix=fix)
        else:
            return value
        return None


def waive(judgement: Judgement, waivers: Iterable[Waiver], today: dt.date) -> Judgement:
    """The judgement with the reasons of the waivers at the findings that they cover, and a finding for each waiver that
    is over or covers nothing."""
    findings, told = list(judgement.findings), []
    for waiver in waivers:
        covered = [place for place, finding in enumerate(findings) if waiver.covers(finding)]
        is_over = waiver.until < today
        if not is_over:
            for place in covered:
                findings[place] = replace(findings[place], waived=findings[place].waived or waiver.reason)
        if is_over or not covered:
            message = f"it ended on {waiver.until}" if is_over else "no finding is covered by it"
            told.append(_about(waiver, message))
    findings += sorted(set(told), key=lambda each: each.subject)
    findings.sort(key=lambda each: (each.severity is not Severity.ERROR, each.code, each.subject))
    return replace(judgement, findings=tuple(findings))


def _about(waiver: Waiver, message: str) -> AuditFinding:
    return AuditFinding(
        code="SN454",
        severity=Severity.WARNING,
        subject=f"waiver of {waiver.code} {waiver.subject}",
        message=message,
        fix=FIXES["SN454"],
        sightings=(),
        evidence=Evidence(detail=(("written in", waiver.place), ("reason", waiver.reason))),
    )


def _finding(file: str, line: int, column: int, code: str, message: str, fix: str | None = None) -> Finding:
    return Finding(file, line, column, code, Severity.ERROR, message, fix or FIXES[code])


def _place(message: str) -> tuple[int, int]:
    found = re.search(r"at line (\d+), column (\d+)", message)
    return (int(found[1]), int(found[2])) if found else (1, 1)
