"""The findings: grouped by code, with the rule once, and a card for each."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import groupby

from strictly_necessary._codes import AUDIT_CODES
from strictly_necessary._findings import Severity
from strictly_necessary.audit._finding import AuditFinding
from strictly_necessary.audit._observation import Stack
from strictly_necessary.audit._report import Report
from strictly_necessary.audit.report._comparing import Comparison
from strictly_necessary.audit.report._marks import Section, badge, bullets, code, esc, prose
from strictly_necessary.audit.report._pictures import Album, anchor
from strictly_necessary.audit.report._words import STATES, act_in_words, counts
from strictly_necessary.rules._explained import explanations

MOST = 400
"""Cards in one report; what comes after is a line each. A page with 10,000 keys is told all the same."""

_SHOWN = 3
_STACK = 4


def findings_section(report: Report, album: Album, comparison: Comparison | None) -> Section:
    """All findings in their order, with a list of the codes that leads to them."""
    if not report.findings:
        return Section("findings", "Findings", '<p class="none">Nothing was found.</p>')
    groups = [(name, list(group)) for name, group in groupby(report.findings, key=lambda each: each.code)]
    parts, left = [], MOST
    for name, group in groups:
        parts.append(_group(report, name, group, album, comparison, left))
        left = max(0, left - len(group))
    body = "\n".join(parts)
    if len(groups) > 1:
        links = "".join(
            f'<li class="{_mood(group)}"><a href="#{name}"><strong>{name}</strong> {esc(AUDIT_CODES[name])} '
            f'<span class="number">{len(group)}</span></a></li>'
            for name, group in groups
        )
        body = f'<nav aria-label="By code"><ul class="codes">{links}</ul></nav>\n{body}'
    told = counts(report)
    return Section("findings", "Findings", body, f"{told[0].upper()}{told[1:]}.")


def _group(
    report: Report, name: str, group: list[AuditFinding], album: Album, comparison: Comparison | None, left: int
) -> str:
    explanation = explanations()[name]
    cards = "\n".join(_card(report, each, album, comparison) for each in group[:left])
    lines = [f"{code(each.subject)} {esc(each.message)}" for each in group[left:]]
    rest = f"<details><summary>{len(lines)} more, without their evidence</summary>{bullets(lines)}</details>"
    return (
        f'<details class="group" open id="{name}">\n<summary><h3><span class="number">{name}</span> '
        f"{esc(_sentence(AUDIT_CODES[name]))}</h3></summary>\n"
        f'<div class="rule"><p>{prose(explanation.text)}</p>'
        f'<p class="source">Source: {esc(explanation.source)}</p></div>\n'
        f"{cards}{rest if lines else ''}\n</details>"
    )


def _card(report: Report, finding: AuditFinding, album: Album, comparison: Comparison | None) -> str:
    is_error = finding.severity is Severity.ERROR
    mood = _mood([finding])
    badges = badge("Error" if is_error else "Warning", mood)
    if finding.waived is not None:
        badges += badge("Waived", mood)
    if comparison is not None and comparison.is_new(finding.code, finding.subject):
        badges += badge("New", "new")
    facts = "".join(f"<div><dt>{label}</dt><dd>{text}</dd></div>" for label, text in _facts(report, finding))
    label = anchor(finding)
    picture = album.thumbnail(report.picture(finding))
    return (
        f'<article class="finding {mood}" id="{label}" aria-labelledby="{label}-h">\n'
        f'<header><h4 id="{label}-h"><span class="number">{finding.code}</span> {esc(finding.subject)}</h4>'
        f'<p class="badges">{badges}</p></header>\n'
        f'<p class="message">{esc(_ended(_below(finding)))}</p>\n'
        f'<div class="body"><dl>{facts}</dl>{picture}</div>\n</article>'
    )


def _mood(findings: list[AuditFinding]) -> str:
    if all(each.waived is not None for each in findings):
        return "waived"
    return str(findings[0].severity)


def _facts(report: Report, finding: AuditFinding) -> Iterable[tuple[str, str]]:
    if finding.waived is not None:
        yield "Waived because", esc(finding.waived)
    yield "What to change", esc(_sentence(finding.fix))
    if finding.sightings:
        seen = (
            f"{code(each.page)} <span>{esc(STATES[each.state])}, {esc(act_in_words(each.act))}</span>"
            for each in finding.sightings
        )
        yield "Seen on", bullets(seen, fold_after=_SHOWN)
    evidence = finding.evidence
    if evidence.header:
        yield "Header", f"<pre>{esc(evidence.header)}</pre>"
    if evidence.request:
        yield "Request", code(evidence.request)
    if evidence.script:
        yield "Script", code(evidence.script)
    if evidence.stack:
        yield "Stack", _stack(evidence.stack)
    for label, text in evidence.detail:
        yield esc(_capital(label)), esc(text)
    yield from _declared(report, finding)


def _stack(stack: Stack) -> str:
    lines = [
        f"{code(each.function or '(no name)')} <span>{esc(each.url)}:{each.line}:{each.column}</span>" for each in stack
    ]
    return f'<div class="stack">{bullets(lines, fold_after=_STACK)}</div>'


def _declared(report: Report, finding: AuditFinding) -> Iterable[tuple[str, str]]:
    excerpt = report.excerpt(finding)
    if excerpt is None or report.declared is None:
        return
    lines = []
    for number, line in enumerate(excerpt.lines, excerpt.first):
        shown = f'<span class="line">{number}</span>{esc(line)}'
        lines.append(f"<mark>{shown}</mark>" if number == excerpt.line else shown)
    place = f"{report.declared.file}:{excerpt.line}"
    yield "Declared", f"{code(place)}<details><summary>The lines</summary><pre>{chr(10).join(lines)}</pre></details>"


def _sentence(text: str) -> str:
    return _ended(_capital(text))


def _below(finding: AuditFinding) -> str:
    """The message where its subject stands above it."""
    rest = finding.message.removeprefix(f"{finding.subject} ")
    return finding.message if rest == finding.message else f"It {rest}"


def _ended(text: str) -> str:
    """What a judge says may begin with a name, which stays as it is written."""
    return text if text.endswith((".", "?", "!", "…")) else f"{text}."


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
