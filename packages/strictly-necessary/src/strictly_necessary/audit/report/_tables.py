"""What was looked at, and what of the declaration was seen: the parts of the report beside the findings."""

from __future__ import annotations

import shlex
from collections.abc import Iterable

from strictly_necessary._findings import Severity
from strictly_necessary.audit._finding import ItemProof
from strictly_necessary.audit._observation import State
from strictly_necessary.audit._plan import Plan
from strictly_necessary.audit._report import Look, Page, Report
from strictly_necessary.audit.report._marks import Section, badge, bullets, code, esc, table
from strictly_necessary.audit.report._words import KINDS, STATES, STATES_IN_FULL, TROUBLES, act_in_words, counted

_SHOWN = 4


def items_section(report: Report) -> Section | None:
    if report.declared is None:
        return None
    lead = "What was seen of each declared item. Broken are those with a finding; not seen are those that never came."
    if not report.items:
        return Section("items", "Declared items", '<p class="none">Nothing is declared.</p>')
    rows = [_item(report, item) for item in report.items]
    return Section(
        "items",
        "Declared items",
        table("Declared items", ("Item", "Result", "Brought by", "Written by", "Seen in"), rows),
        lead,
    )


def _item(report: Report, item: ItemProof) -> tuple[str, ...]:
    excerpt = report.source.excerpt(item.item) if report.source else None
    place = f" · line {excerpt.line}" if excerpt else ""
    name = f"{code(item.name)} <span>{esc(KINDS.get(item.kind, item.kind))} · id {esc(item.item)}{place}</span>"
    if item.broken:
        links = ", ".join(f'<a href="#{each}">{each}</a>' for each in item.broken)
        errors = {each.code for each in report.findings if each.severity is Severity.ERROR and each.item == item.item}
        is_broken = bool(errors & set(item.broken))
        unbroken = badge("See", "warning") if item.states else badge("Not seen", "warning")
        result = f"{badge('Broken', 'error') if is_broken else unbroken} {links}"
    else:
        result = badge("Holds", "good") if item.states else badge("Not seen", "warning")
    acts = bullets((esc(act_in_words(each)) for each in item.acts), fold_after=_SHOWN) if item.acts else ""
    writers = bullets((code(each) for each in item.writers), fold_after=_SHOWN) if item.writers else ""
    return name, result, acts, writers, esc(", ".join(STATES[state] for state in item.states))


def pages_section(report: Report) -> Section:
    states = [stage.state for stage in report.stages if stage.pages]
    rows = [_page(page, states) for page in report.pages]
    if not rows:
        return Section("pages", "Pages", '<p class="none">No page was looked at.</p>')
    return Section("pages", "Pages", table("Pages", ("Page", "Looked at", "On the way"), rows))


def _page(page: Page, states: list[State]) -> tuple[str, ...]:
    title = f" <span>{esc(page.title)}</span>" if page.title else ""
    looked = [look.state for look in page.looks]
    if len(states) > 1 and set(looked) == set(states):
        told = f"in all {len(states)} states"
    else:
        told = ", ".join(dict.fromkeys(STATES[state] for state in looked))
    told_of: dict[str, list[str]] = {}
    for look in page.looks:
        for line in _troubles(page, look):
            told_of.setdefault(line, []).append(STATES[look.state])
    lines = (f"{line} <span>({esc(', '.join(dict.fromkeys(where)))})</span>" for line, where in told_of.items())
    return code(page.url) + title, esc(told), bullets(lines, fold_after=_SHOWN) if told_of else ""


def _troubles(page: Page, look: Look) -> Iterable[str]:
    if look.status >= 400:
        yield f"answered with {look.status}"
    if look.address and look.address.rstrip("/") != page.url.rstrip("/"):
        yield f"ended at {code(look.address)}"
    for each in look.mishaps:
        yield f"{esc(TROUBLES[each.trouble])}: {esc(each.message)}"


def parties_section(report: Report) -> Section:
    lead = "Sites from which something was asked, in any state, whoever asked for it."
    if not report.parties:
        return Section(
            "parties", "Sites of others", '<p class="none">Nothing was asked from the site of anybody else.</p>'
        )
    rows = [
        (
            code(party.site) + _others(party.site, party.hosts),
            esc(party.entity or "not in the list"),
            esc(party.category or ""),
            esc(party.declared) if party.declared else badge("Not declared", "warning"),
            esc(", ".join(STATES[state] for state in party.states)),
        )
        for party in report.parties
    ]
    heads = ("Site", "Whose", "What the list says it is for", "Declared as", "In")
    return Section("parties", "Sites of others", table("Sites of others", heads, rows), lead)


def _others(site: str, hosts: tuple[str, ...]) -> str:
    names = [host for host in hosts if host != site]
    return f" <span>{esc(', '.join(names))}</span>" if names else ""


def states_section(report: Report) -> Section:
    rows = [
        (
            esc(STATES[stage.state]),
            esc(STATES_IN_FULL[stage.state]),
            esc(f"left out: {stage.skipped}" if stage.skipped else counted(stage.pages, "page")),
        )
        for stage in report.stages
    ]
    return Section("states", "States", table("States", ("State", "What it is", "Looked at"), rows))


def waivers_section(report: Report) -> Section | None:
    if not report.waivers:
        return None
    rows = [
        (
            f"<strong>{esc(used.waiver.code)}</strong> {code(used.waiver.subject)}",
            esc(used.waiver.reason),
            esc(used.waiver.until.isoformat()),
            str(used.covers),
        )
        for used in report.waivers
    ]
    heads = ("What may pass", "Why", "Until", "Findings")
    return Section(
        "waivers", "Waivers", table("Waivers", heads, rows), "What somebody looked at and lets pass for a time."
    )


def made_section(report: Report) -> Section:
    """So that somebody else can do it again."""
    facts = [
        ("Command", f"<pre>{esc(command(report))}</pre>"),
        ("Program", esc(f"strictly-necessary {report.program}")),
        ("Browser", esc(report.browser)),
        ("Begun", esc(report.started)),
        ("Took", esc(counted(round(report.seconds), "second"))),
    ]
    rows = "".join(f"<div><dt>{label}</dt><dd>{text}</dd></div>" for label, text in facts if text)
    return Section("made", "How it was made", f"<dl>{rows}</dl>")


_OPTIONS = {
    "pages": "--pages",
    "script": "--login",
    "addresses": "--page",
    "exclude": "--exclude",
    "timeout": "--timeout",
    "patience": "--patience",
    "resolve": "--resolve",
    "nameserver": "--nameserver",
    "rate": "--rate",
    "insecure": "--insecure",
    "ignore_robots": "--ignore-robots",
}
"""How each option is written on the command line; `states` and `explore` have a form of their own."""


def command(report: Report) -> str:
    """The command that makes such an audit again."""
    words = ["strictly", "audit", report.url]
    if report.declared and report.declared.file:
        words += ["--declaration", report.declared.file]
    states = report.options.get("states")
    if isinstance(states, tuple) and states:
        words += ["--states", ",".join(states)]
    for name, option in _OPTIONS.items():
        value = report.options.get(name)
        if isinstance(value, tuple):
            words += [word for each in value for word in (option, each)]
        elif value is True:
            words.append(option)
        elif value not in {None, False, _usual(name)}:
            words += [option, f"{value:g}" if isinstance(value, float) else str(value)]
    if report.options.get("explore") is False:
        words.append("--no-explore")
    return shlex.join(words)


def _usual(name: str) -> object:
    """What holds if nobody says anything else."""
    return getattr(Plan(""), name)
