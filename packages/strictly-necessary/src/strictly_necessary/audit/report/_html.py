"""The report as one HTML file, for a lawyer and for an engineer: no script, no foreign request, readable on a phone, in
the dark and on paper."""

from __future__ import annotations

import base64
import hashlib
from functools import cache
from importlib.resources import files

from strictly_necessary.audit._report import Report
from strictly_necessary.audit.report._cards import findings_section
from strictly_necessary.audit.report._comparing import Comparison
from strictly_necessary.audit.report._marks import Section, code, esc
from strictly_necessary.audit.report._pictures import album_of
from strictly_necessary.audit.report._tables import (
    items_section,
    made_section,
    pages_section,
    parties_section,
    states_section,
    waivers_section,
)
from strictly_necessary.audit.report._words import counted, verdict


def as_html(report: Report, comparison: Comparison | None = None) -> str:
    """A whole document. With a comparison, it says what is new since the earlier audit."""
    album = album_of(report)
    sections = [
        findings_section(report, album, comparison),
        _gone(comparison),
        items_section(report),
        pages_section(report),
        parties_section(report),
        states_section(report),
        waivers_section(report),
        album.section(),
        made_section(report),
    ]
    shown = [each for each in sections if each is not None]
    links = "\n".join(f'<li><a href="#{each.id}">{esc(each.title)}</a></li>' for each in shown)
    body = "\n".join(each.html for each in shown)
    style = _style()
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{_policy(style)}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        '<meta name="color-scheme" content="light dark">\n<meta name="referrer" content="no-referrer">\n'
        f"<title>Audit of {esc(report.url)}</title>\n<style>{style}</style>\n</head>\n<body>\n"
        '<a class="skip" href="#findings">To the findings</a>\n'
        f"{album.store()}{_top(report, comparison)}\n"
        f'<nav aria-label="In this report">\n<ul>\n{links}\n</ul>\n</nav>\n'
        f"<main>\n{body}\n</main>\n{_foot(report)}</body>\n</html>\n"
    )


def _top(report: Report, comparison: Comparison | None) -> str:
    mood = "bad" if report.fails or report.saw_nothing else "good"
    sign = {"bad": "✕", "good": "✓"}[mood]
    if report.declared:
        file = f" in {code(report.declared.file)}" if report.declared.file else ""
        compared = (
            f"Compared with the declaration of {esc(report.declared.service)}, version {esc(report.declared.version)},"
            f"{file}, by the rules of {esc(', '.join(report.declared.jurisdictions))}."
        )
    else:
        compared = "Nothing is declared, so whatever is kept or sent is told."
    return (
        f'<header class="top {mood}">\n<p class="kicker">Audit of {code(report.url)}</p>\n'
        f'<h1><span class="sign" aria-hidden="true">{sign}</span> {esc(verdict(report))}</h1>\n'
        f"<p>{compared} {_when(report)}</p>\n{_since(comparison)}{_figures(report)}\n</header>"
    )


def _when(report: Report) -> str:
    """`2026-11-23T22:15:04Z` as people read it."""
    started = f"<time>{esc(report.started[:16].replace('T', ', '))} UTC</time>"
    return f"Begun {started}; it took {counted(round(report.seconds), 'second')}." if report.started else ""


def _since(comparison: Comparison | None) -> str:
    if comparison is None:
        return ""
    parts = [f"{len(comparison.new)} new", f"{len(comparison.gone)} gone", f"{len(comparison.same)} as before"]
    lines = [f"<strong>Since the earlier audit</strong>: {', '.join(parts)}."]
    for text, names in (
        ("Sites of others that are new", comparison.sites),
        ("Sites of others that are gone", comparison.sites_gone),
        ("Pages that are new", comparison.pages),
        ("Pages that are gone", comparison.pages_gone),
        ("The two audits were not made alike; these options differ", comparison.made),
    ):
        if names:
            lines.append(f"{text}: {', '.join(code(name) for name in names)}.")
    return "".join(f'<p class="since">{line}</p>\n' for line in lines)


def _figures(report: Report) -> str:
    holding = sum(item.holds for item in report.items)
    figures = [
        (str(len(report.errors)), "error" if len(report.errors) == 1 else "errors", "bad" if report.errors else ""),
        (str(len(report.warnings)), "warning" if len(report.warnings) == 1 else "warnings", ""),
        (str(len(report.waived)), "waived", ""),
        (f"{holding} of {len(report.items)}", "declared items hold", ""),
        (str(sum(page.was_seen for page in report.pages)), "pages looked at", ""),
        (str(sum(stage.pages > 0 for stage in report.stages)), "states", ""),
        (str(len(report.parties)), "sites of others", ""),
    ]
    if not report.items:
        figures = [each for each in figures if each[1] != "declared items hold"]
    # The term comes first in the source, as it has to, and the style puts the number above it.
    rows = "".join(f'<div class="{mood}"><dt>{label}</dt><dd>{number}</dd></div>' for number, label, mood in figures)
    return f'<dl class="figures">{rows}</dl>'


def _gone(comparison: Comparison | None) -> Section | None:
    if comparison is None or not comparison.gone:
        return None
    lines = "".join(
        f"<li><strong>{esc(each.code)}</strong> {code(each.subject)}: {esc(each.message)}</li>"
        for each in comparison.gone
    )
    return Section("gone", "No longer found", f"<ul>{lines}</ul>")


def _foot(report: Report) -> str:
    return (
        f"<footer><p>Made by strictly-necessary {esc(report.program)}. An audit shows what happened on the pages and "
        "in the states named here, and not what happens elsewhere. It is not legal advice.</p></footer>\n"
    )


@cache
def _style() -> str:
    return (files("strictly_necessary.audit.report") / "report.css").read_text(encoding="utf-8")


def _policy(style: str) -> str:
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    return f"default-src 'none'; style-src 'sha256-{digest}'; img-src data:; base-uri 'none'; form-action 'none'"
