"""The findings as lines for a terminal, in the form of `strictly check`."""

from __future__ import annotations

from strictly_necessary._findings import Severity
from strictly_necessary.audit._finding import AuditFinding
from strictly_necessary.audit._report import Report
from strictly_necessary.audit.report._comparing import Comparison
from strictly_necessary.audit.report._words import STATES, act_in_words, counted, counts, place, told, verdict


def as_text(report: Report, finding: AuditFinding, *, is_new: bool = False) -> str:
    """Code, subject and message; then where it was seen first, where the item is declared, and what to do."""
    warning = "warning: " if finding.severity is Severity.WARNING else ""
    new = "new: " if is_new else ""
    lines = [_clean(f"{finding.code} {new}{warning}{told(finding)}")]
    if finding.sightings:
        first, more = finding.sightings[0], len(finding.sightings) - 1
        others = f", and {counted(more, 'time')} more" if more else ""
        lines.append(_clean(f"    Seen: {first.page} ({STATES[first.state]}, {act_in_words(first.act)}){others}"))
    evidence = finding.evidence
    by = str(evidence.stack[0]) if evidence.stack else evidence.header or evidence.script or evidence.request
    if by:
        lines.append(_clean(f"    By: {by}"))
    where = place(report, finding)
    if where is not None:
        lines.append(f"    Declared: {where}")
    lines.append(_clean(f"    Fix: {finding.fix}"))
    return "\n".join(lines)


def summary(report: Report, comparison: Comparison | None = None) -> str:
    """The verdict and the numbers in one or two lines."""
    pages = counted(sum(page.was_seen for page in report.pages), "page")
    states = counted(sum(stage.pages > 0 for stage in report.stages), "state")
    numbers = counts(report)
    line = f"{verdict(report)}\n{numbers[0].upper()}{numbers[1:]}; {pages} in {states}, {report.seconds:.0f} s."
    if comparison is not None:
        line += (
            f"\nSince the earlier audit: {len(comparison.new)} new, {len(comparison.gone)} gone, "
            f"{len(comparison.same)} as before."
        )
    return line


def _clean(text: str) -> str:
    """Names come from pages: nothing in them may move the terminal's cursor."""
    return "".join(character if character.isprintable() else "\ufffd" for character in text)
