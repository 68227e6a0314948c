"""The report as JUnit XML, which GitLab, Jenkins and others show as tests: one for each finding, one for each declared
item, and one for each page in each state."""

from __future__ import annotations

import re
from collections.abc import Iterable
from xml.etree import ElementTree as ET

from strictly_necessary._findings import Severity
from strictly_necessary.audit._finding import AuditFinding
from strictly_necessary.audit._observation import COVERED
from strictly_necessary.audit._report import Page, Report
from strictly_necessary.audit.report._words import KINDS, STATES, act_in_words, place, told

# What XML 1.0 cannot hold, not even escaped.
_FORBIDDEN = re.compile("[^\t\n\r -\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def as_junit(report: Report) -> str:
    """Errors fail. Warnings pass, and say what they are in `system-out`; what a waiver covers is skipped."""
    suites = [
        ("strictly audit: findings", [_of_finding(report, each) for each in report.findings]),
        ("strictly audit: declared items", list(_of_items(report))),
        ("strictly audit: pages", [case for page in report.pages for case in _of_page(page)]),
    ]
    root = ET.Element("testsuites", name="strictly audit")
    for name, cases in suites:
        suite = ET.SubElement(root, "testsuite", name=name, timestamp=report.started[:19])
        suite.extend(cases)
        _count(suite, cases)
    _count(root, [case for _, cases in suites for case in cases])
    root.set("time", f"{report.seconds:.1f}")
    ET.indent(root)
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + ET.tostring(root, encoding="unicode") + "\n"


def _of_finding(report: Report, finding: AuditFinding) -> ET.Element:
    case = _case("strictly audit.findings", f"{finding.code} {finding.subject}", place(report, finding))
    if finding.waived is not None:
        ET.SubElement(case, "skipped", message=_text(f"waived: {finding.waived}"))
    elif finding.severity is Severity.ERROR:
        failure = ET.SubElement(case, "failure", type=finding.code, message=_text(finding.message))
        failure.text = _text(_told(finding))
    else:
        ET.SubElement(case, "system-out").text = _text(f"warning: {_told(finding)}")
    return case


def _of_items(report: Report) -> Iterable[ET.Element]:
    """An item holds unless an error about it is open; such a finding fails once, and its item says which."""
    open_codes = {(each.item, each.code) for each in report.errors}
    for item in report.items:
        excerpt = report.source.excerpt(item.item) if report.source else None
        at = f"{report.declared.file}:{excerpt.line}" if report.declared and excerpt else None
        case = _case("strictly audit.items", f"{KINDS.get(item.kind, item.kind)} {item.name} ({item.item})", at)
        broken = [code for code in item.broken if (item.item, code) in open_codes]
        if broken:
            ET.SubElement(case, "failure", type=broken[0], message=_text(f"not as declared: {', '.join(broken)}"))
        elif not item.states:
            ET.SubElement(case, "skipped", message="never seen")
        yield case


def _of_page(page: Page) -> Iterable[ET.Element]:
    for look in page.looks:
        case = _case("strictly audit.pages", f"{page.url} · {STATES[look.state]}", None)
        troubles = [each for each in look.mishaps if each.trouble not in COVERED]
        if troubles and not look.status:
            ET.SubElement(case, "failure", type=str(troubles[0].trouble), message=_text(troubles[0].message))
        elif look.mishaps:
            lines = "\n".join(f"{each.trouble}: {each.message}" for each in look.mishaps)
            ET.SubElement(case, "system-out").text = _text(lines)
        yield case


def _told(finding: AuditFinding) -> str:
    lines = [told(finding), f"To mend it: {finding.fix}", ""]
    lines += [f"{each.page} · {STATES[each.state]} · {act_in_words(each.act)}" for each in finding.sightings]
    evidence = finding.evidence
    lines += [text for text in (evidence.header, evidence.request, evidence.script) if text]
    lines += [f"    at {at}" for at in evidence.stack]
    return "\n".join(lines)


def _case(group: str, name: str, file: str | None) -> ET.Element:
    case = ET.Element("testcase", classname=group, name=_text(name))
    if file:
        case.set("file", file.rpartition(":")[0])
        case.set("line", file.rpartition(":")[2])
    return case


def _count(element: ET.Element, cases: list[ET.Element]) -> None:
    element.set("tests", str(len(cases)))
    element.set("failures", str(sum(case.find("failure") is not None for case in cases)))
    element.set("errors", "0")
    element.set("skipped", str(sum(case.find("skipped") is not None for case in cases)))


def _text(text: str) -> str:
    return _FORBIDDEN.sub("\ufffd", text)
