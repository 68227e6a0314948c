"""The report as JSON. What it may hold is in report.schema.json; its times stand under `times`, and nothing else in it
differs between two audits of the same site."""

from __future__ import annotations

import hashlib
import json
from importlib.resources import files
from typing import Any

from strictly_necessary._codes import AUDIT_CODES
from strictly_necessary.audit._finding import AuditFinding, ItemProof
from strictly_necessary.audit._report import Page, Report
from strictly_necessary.audit.report._words import verdict
from strictly_necessary.rules._explained import explanations

SCHEMA_VERSION = "strictly-necessary-audit-1"


def report_schema() -> str:
    """The JSON Schema of reports."""
    return (files("strictly_necessary.audit.report") / "report.schema.json").read_text(encoding="utf-8")


def as_json(report: Report) -> str:
    """The report as one JSON object, with a line end."""
    return json.dumps(as_document(report), indent=2, ensure_ascii=False) + "\n"


def as_document(report: Report) -> dict[str, Any]:
    """The same as what `json.dumps` takes."""
    declared = report.declared
    return {
        "schema_version": SCHEMA_VERSION,
        "url": report.url,
        "verdict": {
            "sentence": verdict(report),
            "fails": report.fails,
            "errors": len(report.errors),
            "warnings": len(report.warnings),
            "waived": len(report.waived),
            "items": len(report.items),
            "items_that_hold": sum(item.holds for item in report.items),
            "pages": sum(page.was_seen for page in report.pages),
        },
        "declaration": None
        if declared is None
        else {
            "file": declared.file,
            "service": declared.service,
            "version": declared.version,
            "jurisdictions": [str(each) for each in declared.jurisdictions],
        },
        "findings": [_finding(report, each) for each in report.findings],
        "items": [_item(report, each) for each in report.items],
        "pages": [_page(each) for each in report.pages],
        "third_parties": [
            {
                "site": party.site,
                "hosts": list(party.hosts),
                "entity": party.entity,
                "category": party.category,
                "declared": party.declared,
                "states": [str(state) for state in party.states],
            }
            for party in report.parties
        ],
        "states": [
            {"state": str(stage.state), "pages": stage.pages, "skipped": stage.skipped} for stage in report.stages
        ],
        "waivers": [
            {
                "code": used.waiver.code,
                "subject": used.waiver.subject,
                "reason": used.waiver.reason,
                "until": used.waiver.until.isoformat(),
                "covers": used.covers,
            }
            for used in report.waivers
        ],
        "made": {
            "program": "strictly-necessary",
            "version": report.program,
            "browser": report.browser,
            "options": {name: list(each) if isinstance(each, tuple) else each for name, each in report.options.items()},
        },
        "times": {"started": report.started, "seconds": round(report.seconds, 1)},
    }


def fingerprint(code: str, subject: str) -> str:
    """What the finding is known by from one audit to the next: 16 hexadecimal digits, of the code and the subject."""
    return hashlib.sha256(f"{code} {subject}".encode()).hexdigest()[:16]


def _finding(report: Report, finding: AuditFinding) -> dict[str, Any]:
    excerpt, evidence = report.excerpt(finding), finding.evidence
    explanation = explanations().get(finding.code)
    return {
        "code": finding.code,
        "title": AUDIT_CODES.get(finding.code, finding.code),
        "severity": str(finding.severity),
        "subject": finding.subject,
        "fingerprint": fingerprint(finding.code, finding.subject),
        "message": finding.message,
        "fix": finding.fix,
        "source": explanation.source if explanation else "",
        "item": finding.item,
        "waived": finding.waived,
        "place": {
            "file": report.declared.file,
            "line": excerpt.line,
            "first": excerpt.first,
            "lines": list(excerpt.lines),
        }
        if excerpt and report.declared
        else None,
        "sightings": [{"state": str(each.state), "page": each.page, "act": each.act} for each in finding.sightings],
        "evidence": {
            "header": evidence.header,
            "script": evidence.script,
            "stack": [
                {"url": at.url, "line": at.line, "column": at.column, "function": at.function} for at in evidence.stack
            ],
            "request": evidence.request,
            "detail": [{"label": label, "text": text} for label, text in evidence.detail],
        },
    }


def _item(report: Report, item: ItemProof) -> dict[str, Any]:
    excerpt = report.source.excerpt(item.item) if report.source else None
    return {
        "id": item.item,
        "name": item.name,
        "kind": item.kind,
        "holds": item.holds,
        "seen": bool(item.states),
        "states": [str(state) for state in item.states],
        "acts": list(item.acts),
        "writers": list(item.writers),
        "broken": list(item.broken),
        "line": excerpt.line if excerpt else None,
    }


def _page(page: Page) -> dict[str, Any]:
    return {
        "url": page.url,
        "title": page.title,
        "looks": [
            {
                "state": str(look.state),
                "address": look.address,
                "status": look.status,
                "mishaps": [{"trouble": str(each.trouble), "message": each.message} for each in look.mishaps],
            }
            for look in page.looks
        ],
    }
