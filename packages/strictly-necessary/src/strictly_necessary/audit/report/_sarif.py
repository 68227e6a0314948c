"""The report as SARIF 2.1.0 (OASIS), which GitHub and editors show beside the lines of the declaration.

What is about no item is told at the first line of the declaration, because GitHub shows no result without a file of the
repository; the script and the page that it is about are related locations.
"""

from __future__ import annotations

import json
from typing import Any

from strictly_necessary._codes import AUDIT_CODES, FIXES, WARNINGS
from strictly_necessary.audit._finding import AuditFinding
from strictly_necessary.audit._report import Report
from strictly_necessary.audit.report._comparing import Comparison, Known
from strictly_necessary.audit.report._json import fingerprint
from strictly_necessary.audit.report._words import STATES, act_in_words, told
from strictly_necessary.rules._explained import explanations

_SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"
_KEY = "strictlyNecessary/v1"


def as_sarif(report: Report, comparison: Comparison | None = None) -> str:
    """One run with one result for each finding, waived ones with their suppression. With a comparison, each says
    whether it is new, and those that are gone are `absent`."""
    findings = list(report.findings)
    gone = comparison.gone if comparison else ()
    codes = sorted({finding.code for finding in findings} | {known.code for known in gone})
    results = [_result(report, each, codes, comparison) for each in findings]
    results += [_absent(report, each, codes) for each in gone]
    run = {
        "tool": {
            "driver": {
                "name": "strictly-necessary",
                "version": report.program,
                "semanticVersion": report.program,
                "rules": [_rule(code) for code in codes],
            }
        },
        "columnKind": "unicodeCodePoints",
        "invocations": [{"executionSuccessful": not report.saw_nothing}],
        "automationDetails": {"id": "strictly-necessary/audit/"},
        "results": results,
    }
    return json.dumps({"$schema": _SCHEMA, "version": "2.1.0", "runs": [run]}, indent=2, ensure_ascii=False) + "\n"


def _rule(code: str) -> dict[str, Any]:
    text, explanation = AUDIT_CODES[code], explanations()[code]
    fix = FIXES[code]
    return {
        "id": code,
        "name": _pascal(text),
        "shortDescription": {"text": f"{text[0].upper()}{text[1:]}."},
        "fullDescription": {"text": explanation.text.replace("`", "")},
        "help": {
            "text": f"{explanation.text}\n\nSource: {explanation.source}\n\nTo mend it: {fix}.".replace("`", ""),
            "markdown": f"{explanation.text}\n\n**Source**: {explanation.source}\n\n**To mend it**: {fix}.",
        },
        "defaultConfiguration": {"level": "warning" if code in WARNINGS else "error"},
        "properties": {"tags": ["privacy"], "precision": "high"},
    }


def _result(report: Report, finding: AuditFinding, codes: list[str], comparison: Comparison | None) -> dict[str, Any]:
    result: dict[str, Any] = {
        "ruleId": finding.code,
        "ruleIndex": codes.index(finding.code),
        "level": str(finding.severity),
        "message": {"text": f"{told(finding)}.{_where(finding)}\nTo mend it: {finding.fix}."},
        "locations": [_declared(report, finding)],
        "partialFingerprints": {_KEY: fingerprint(finding.code, finding.subject)},
    }
    related = list(_related(finding))
    if related:
        result["relatedLocations"] = related
    if finding.evidence.stack:
        result["stacks"] = [_stack(finding)]
    if finding.waived is not None:
        result["suppressions"] = [{"kind": "external", "status": "accepted", "justification": finding.waived}]
    if comparison is not None:
        result["baselineState"] = "new" if comparison.is_new(finding.code, finding.subject) else "unchanged"
    return result


def _absent(report: Report, known: Known, codes: list[str]) -> dict[str, Any]:
    return {
        "ruleId": known.code,
        "ruleIndex": codes.index(known.code),
        "level": known.severity,
        "message": {"text": f"{known.subject}: {known.message}"},
        "locations": [_location(report.declared.file if report.declared else report.url, 1)],
        "partialFingerprints": {_KEY: fingerprint(known.code, known.subject)},
        "baselineState": "absent",
    }


def _where(finding: AuditFinding) -> str:
    if not finding.sightings:
        return ""
    first, more = finding.sightings[0], len(finding.sightings) - 1
    others = f", and {more} more" if more else ""
    return f" Seen on {first.page}, {STATES[first.state]}, {act_in_words(first.act)}{others}."


def _declared(report: Report, finding: AuditFinding) -> dict[str, Any]:
    """The item's line; else the script or the page itself if there is no declaration to point at."""
    excerpt = report.excerpt(finding)
    if report.declared and report.declared.file:
        return _location(report.declared.file, excerpt.line if excerpt else 1)
    stack = finding.evidence.stack
    if stack:
        return _location(stack[0].url, max(1, stack[0].line), max(1, stack[0].column))
    return _location(finding.sightings[0].page if finding.sightings else report.url, 1)


def _related(finding: AuditFinding) -> list[dict[str, Any]]:
    """The script with its line, and the first page where it was seen."""
    found = []
    evidence = finding.evidence
    if evidence.stack:
        top = evidence.stack[0]
        found.append(_location(top.url, max(1, top.line), max(1, top.column)) | {"message": {"text": "the script"}})
    elif evidence.script:
        found.append(_location(evidence.script, 1) | {"message": {"text": "the script"}})
    if finding.sightings:
        found.append(_location(finding.sightings[0].page, 1) | {"message": {"text": "the page"}})
    return [each | {"id": number} for number, each in enumerate(found)]


def _stack(finding: AuditFinding) -> dict[str, Any]:
    frames = []
    for at in finding.evidence.stack:
        location = _location(at.url, max(1, at.line), max(1, at.column))
        if at.function:
            location["logicalLocations"] = [{"fullyQualifiedName": at.function}]
        frames.append({"location": location})
    return {"message": {"text": "what wrote it"}, "frames": frames}


def _location(uri: str, line: int, column: int | None = None) -> dict[str, Any]:
    region: dict[str, int] = {"startLine": line}
    if column is not None:
        region["startColumn"] = column
    return {"physicalLocation": {"artifactLocation": {"uri": _uri(uri)}, "region": region}}


def _uri(text: str) -> str:
    """A reference as RFC 3986 allows it; `…` and spaces are not among its characters."""
    from urllib.parse import quote

    return quote(text, safe="/:?#[]@!$&'()*+,;=%-._~")


def _pascal(text: str) -> str:
    return "".join(word.capitalize() for word in text.replace("-", " ").split() if word.isalnum())
