"""What everything is called in a report, and what it comes to in one sentence."""

from __future__ import annotations

from strictly_necessary.audit._finding import AuditFinding
from strictly_necessary.audit._observation import State, Trouble
from strictly_necessary.audit._report import Report

STATES = {
    State.VISIT: "First visit",
    State.SIGNED_IN: "Signed in",
    State.SIGNED_OUT: "After signing out",
    State.REFUSED: "Consent refused",
    State.GIVEN: "Consent given",
    State.GPC: "Global Privacy Control",
    State.NO_JAVASCRIPT: "Without JavaScript",
    State.NO_COOKIES: "Cookies blocked",
    State.RETURNED: "Back, after removing",
}

STATES_IN_FULL = {
    State.VISIT: "An empty browser comes for the first time, and answers nothing.",
    State.SIGNED_IN: "Signed in by the script; then only what the script says is done.",
    State.SIGNED_OUT: "It goes on where the browser was signed in, after signing out.",
    State.REFUSED: "An empty browser that says no when it is asked.",
    State.GIVEN: "An empty browser that says yes when it is asked.",
    State.GPC: "An empty browser that says no by itself, in a header and to scripts.",
    State.NO_JAVASCRIPT: "An empty browser that runs no script.",
    State.NO_COOKIES: "A browser that keeps nothing.",
    State.RETURNED: "The browser of the first visit comes back, after parts of what it kept were removed.",
}

TROUBLES = {
    Trouble.UNREACHABLE: "could not be reached",
    Trouble.TLS: "the certificate does not hold",
    Trouble.TIMEOUT: "took too long",
    Trouble.CRASH: "crashed",
    Trouble.REDIRECTS: "too many redirects",
    Trouble.DOWNLOAD: "a download",
    Trouble.NOT_HTML: "not a page",
    Trouble.STATUS: "answered with an error",
    Trouble.DIALOG: "a dialog",
    Trouble.POPUP: "a new window",
    Trouble.TOO_MUCH: "too much to look at",
    Trouble.LEFT: "left by itself",
    Trouble.ROBOTS: "left out by robots.txt",
    Trouble.STEP: "a step failed",
}

KINDS = {
    "cookie": "cookie",
    "local": "local storage",
    "session": "session storage",
    "indexeddb": "database",
    "cache": "cache",
    "service-worker": "service worker",
    "opfs": "file",
}

_ACTS = {
    "load": "while it loads",
    "wait": "by itself, some time later",
    "scroll": "on scrolling",
    "move": "on moving the pointer",
    "remove": "after removing what was kept",
    "sign-in": "on signing in",
    "sign-out": "on signing out",
    "give-consent": "on giving consent",
    "refuse-consent": "on refusing consent",
}


_DEEDS = {
    "click": "on pressing",
    "type": "on typing into",
    "press": "on pressing",
    "choose": "on choosing in",
    "submit": "on sending",
    "go": "on going to",
    "remove": "after removing",
}


def act_in_words(act: str) -> str:
    """`load` as `while it loads`, `click button "Dark"` as `on pressing button "Dark"`."""
    deed, _, target = act.partition(" ")
    if act in _ACTS:
        return _ACTS[act]
    return f"{_DEEDS[deed]} {target}" if target and deed in _DEEDS else f"on {act}"


def told(finding: AuditFinding) -> str:
    """The message, with the subject in front unless the message names it."""
    rest = finding.subject.partition(" ")[2]  # `page ADDRESS`, of which a message says the address
    is_named = finding.subject in finding.message or (rest and rest in finding.message)
    return finding.message if is_named else f"{finding.subject}: {finding.message}"


def counted(number: int, word: str) -> str:
    return f"{number} {word}{'' if number == 1 else 's'}"


def verdict(report: Report) -> str:
    """The one sentence at the top: whether what is declared is what happens."""
    seen = sum(page.was_seen for page in report.pages)
    where = f"on {counted(seen, 'page')}"
    if report.saw_nothing:
        return "No page could be looked at, so nothing is proved."
    if report.declared is None:
        if report.fails:
            return f"Nothing was compared, for want of a declaration; {counted(len(report.errors), 'error')} {where}."
        return f"There is no declaration, and nothing that would need one was seen {where}."
    if report.fails:
        return f"What is declared is not what happens: {counted(len(report.errors), 'error')} {where}."
    passed = f", but for {counted(len(report.waived), 'waived finding')}" if report.waived else ""
    return f"What is declared is what happens, {where}{passed}."


def counts(report: Report) -> str:
    """The numbers of findings in one line, such as `2 errors, 1 warning, 1 waived`."""
    parts = [
        counted(len(report.errors), "error") if report.errors else "",
        counted(len(report.warnings), "warning") if report.warnings else "",
        f"{len(report.waived)} waived" if report.waived else "",
    ]
    return ", ".join(part for part in parts if part) or "no findings"


def place(report: Report, finding: AuditFinding) -> str | None:
    """`file:line` of the declared item."""
    excerpt = report.excerpt(finding)
    return f"{report.declared.file}:{excerpt.line}" if report.declared and excerpt else None
