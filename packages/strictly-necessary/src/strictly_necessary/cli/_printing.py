"""Findings for people, for programs and for GitHub."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Sequence

from strictly_necessary._findings import Finding, Severity


def as_text(finding: Finding) -> str:
    """`file:line:column code message`, and what to do on a second line."""
    warning = "warning: " if finding.severity is Severity.WARNING else ""
    place = f"{finding.file}:{finding.line}:{finding.column}"
    return f"{place} {finding.code} {warning}{finding.message}\n    Fix: {finding.fix}"


def as_json(findings: Sequence[Finding]) -> str:
    """One object with all findings."""
    return json.dumps({"findings": [dataclasses.asdict(finding) for finding in findings]}, indent=2)


def as_annotation(finding: Finding) -> str:
    """A workflow command of GitHub Actions, which shows the finding beside its line."""
    place = f"file={_property(finding.file)},line={finding.line},col={finding.column},title={finding.code}"
    text = _data(f"{finding.message}\nFix: {finding.fix}")
    return f"::{finding.severity.value} {place}::{text}"


def summary(findings: Sequence[Finding], files: int) -> str:
    """One sentence with the numbers."""
    if not findings:
        return "No findings." if files == 1 else f"No findings in {files} files."
    errors = sum(finding.severity is Severity.ERROR for finding in findings)
    parts = [_counted(errors, "error"), _counted(len(findings) - errors, "warning")]
    return f"{', '.join(part for part in parts if part)}."


def _counted(number: int, word: str) -> str:
    return f"{number} {word}{'' if number == 1 else 's'}" if number else ""


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
