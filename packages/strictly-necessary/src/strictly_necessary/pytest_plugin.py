"""The pytest plugin: `strictly_audit` audits a site from inside a test, and fails the test with what was found.

```python
def test_policy(strictly_audit, live_server):
    strictly_audit(live_server.url, declaration="policy.toml")
```

Nothing of the audit is imported before the first test asks for it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import pytest

if TYPE_CHECKING:
    from strictly_necessary.audit import AuditFinding, Report

PATHS = {
    "declaration": "the declaration to compare with, where a test names none",
    "chromium": "the browser's program; without it, one is looked for",
    "report": "a folder for the reports of all audits, as HTML and JSON",
}
SKIP = "strictly_skip_without_browser"
PROPERTY = "strictly_audit"
"""Its name among the properties of a test, which pytest-xdist and JUnit files carry on."""


def pytest_addoption(parser: pytest.Parser) -> None:
    """`--strictly-declaration`, `--strictly-chromium`, `--strictly-report`, and the same in the configuration."""
    group = parser.getgroup("strictly", "the audit of strictly-necessary")
    for name, told in PATHS.items():
        group.addoption(f"--strictly-{name}", metavar="PATH", help=told)
        parser.addini(f"strictly_{name}", told)
    told = "where there is no browser to audit with, skip the tests that audit instead of letting them fail"
    parser.addini(SKIP, told, type="bool", default=False)


@pytest.fixture
def strictly_audit(request: pytest.FixtureRequest) -> Auditor:
    """Call it with the address of a site that is running: `strictly_audit(url, declaration="policy.toml")`."""
    return Auditor(request)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """One line for each audit, whatever came of its test."""
    reports = (report for group in terminalreporter.stats.values() for report in group)
    properties = (
        each
        for report in reports
        if isinstance(report, pytest.TestReport) and report.when == "call"
        for each in report.user_properties
    )
    told = [str(text) for name, text in properties if name == PROPERTY]
    if told:
        terminalreporter.section("strictly audit")
        for text in told:
            terminalreporter.line(text)


@dataclass
class Auditor:
    """What the fixture gives. One test may audit several sites."""

    request: pytest.FixtureRequest
    _audits: int = field(default=0, init=False)

    def __call__(
        self,
        url: str,
        *,
        declaration: Path | str | None = None,
        login: Path | str | None = None,
        waivers: Path | str | None = None,
        jurisdictions: Iterable[str] = (),
        fails: bool = True,
        **plan: Any,
    ) -> Report:
        """Audit the site at `url` and return the report. The test fails if there is an error that no waiver covers, and
        is told each of them; with `fails=False` it is left to the test to look at the report.

        `declaration`, `login` and `waivers` are files: what is declared, the script of acts, what is let pass.
        Without a declaration that of the configuration is taken, and without any the audit tells what nobody may do.
        `jurisdictions` are words such as `eu`. All further names are those of `Plan`.

        Raises DeclarationError for a faulty file and OSError for one that cannot be read.
        """
        __tracebackhide__ = True
        self._require_browser(plan.setdefault("chromium", self._configured("chromium")))
        from strictly_necessary.audit import AuditError, Plan, State, audit, load_waivers
        from strictly_necessary.declaration._items import Jurisdiction

        options: dict[str, Any] = {
            name: tuple(value) if isinstance(value, list) else value for name, value in plan.items()
        }
        options["states"] = tuple(State(each) for each in plan.get("states", ()))
        try:
            report = audit(
                Plan(url, script=None if login is None else Path(login), **options),
                self._configured("declaration") if declaration is None else declaration,
                jurisdictions=tuple(Jurisdiction(word.upper()) for word in jurisdictions),
                waivers=() if waivers is None else load_waivers(waivers),
            )
        except AuditError as error:
            pytest.fail(str(error), pytrace=False)
        self._tell(report)
        if fails and (report.fails or report.saw_nothing):
            pytest.fail("\n".join([_summary(report), *map(in_words, report.errors)]), pytrace=False)
        return report

    def _require_browser(self, chromium: str | None) -> None:
        __tracebackhide__ = True
        try:
            from strictly_necessary.audit.browser import BrowserError
            from strictly_necessary.audit.browser._process import find_chromium
        except ModuleNotFoundError as error:
            self._give_up(f"the audit needs {error.name}: pip install 'strictly-necessary[audit]'")
        try:
            find_chromium(chromium)
        except BrowserError as error:
            self._give_up(str(error))

    def _give_up(self, reason: str) -> NoReturn:
        __tracebackhide__ = True
        if self.request.config.getini(SKIP):
            pytest.skip(reason)
        pytest.fail(reason, pytrace=False)

    def _configured(self, name: str) -> str | None:
        """A path from the command line, where it belongs to the current folder, or from the configuration, where it
        belongs to the folder of that file. A program may also be a name to look for."""
        config = self.request.config
        folder, path = config.invocation_params.dir, config.getoption(f"strictly_{name}")
        if not path:
            folder = config.inipath.parent if config.inipath else config.rootpath
            path = config.getini(f"strictly_{name}")
        if not path:
            return None
        return str(path) if name == "chromium" and Path(path).name == path else str(folder / path)

    def _tell(self, report: Report) -> None:
        """Leave a line for the end of the run, and the report in its folder."""
        self._audits += 1
        line = _summary(report)
        folder = self._configured("report")
        if folder is not None:
            from strictly_necessary.audit.report import as_html, as_json

            name = re.sub(r"[^\w.-]+", "-", self.request.node.nodeid.replace("::", "-")).strip("-")
            path = Path(folder) / (name if self._audits == 1 else f"{name}-{self._audits}")
            path.parent.mkdir(parents=True, exist_ok=True)
            path.with_name(path.name + ".html").write_text(as_html(report), encoding="utf-8")
            path.with_name(path.name + ".json").write_text(as_json(report), encoding="utf-8")
            line += f" Report: {path}.html"
        self.request.node.user_properties.append((PROPERTY, line))


def _summary(report: Report) -> str:
    from strictly_necessary.audit.report._words import counted, counts

    pages = counted(sum(page.was_seen for page in report.pages), "page")
    states = counted(sum(stage.pages > 0 for stage in report.stages), "state")
    return f"{report.url}: {pages} in {states}, {counts(report)}."


def in_words(finding: AuditFinding) -> str:
    """One finding in one line: its code, what it is about, what is wrong, where it was seen first, and what to do."""
    from strictly_necessary.audit.report._words import STATES, act_in_words, counted

    where = ""
    if finding.sightings:
        first, more = finding.sightings[0], len(finding.sightings) - 1
        others = f", and {counted(more, 'time')} more" if more else ""
        where = f" Seen: {first.page} ({STATES[first.state]}, {act_in_words(first.act)}){others}."
    subject, message = finding.subject, finding.message
    said = message if message.startswith(subject) else f"{subject}: {message}"
    line = f"{finding.code} {said}.{where} Fix: {finding.fix}."
    # Names come from pages: nothing in them may end the line.
    return "".join(letter if letter.isprintable() else "\ufffd" for letter in line)
