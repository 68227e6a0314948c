"""What `strictly audit` and `strictly draft` do once their command lines are understood."""

from __future__ import annotations

import datetime as dt
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import click

from strictly_necessary.audit import AuditError, Plan, Report, Waiver, audit, observe
from strictly_necessary.audit._apart import run_apart
from strictly_necessary.audit._waivers import read_waivers
from strictly_necessary.audit.report import Comparison, as_html, as_json, as_junit, as_sarif, compare
from strictly_necessary.audit.report._lines import as_text, summary
from strictly_necessary.cli._files import Unusable, complain, declaration_in, read, shown, write
from strictly_necessary.cli._progress import ProgressLine
from strictly_necessary.declaration._items import Jurisdiction

T = TypeVar("T")

_FORMS: dict[str, tuple[str, Callable[[Report, Comparison | None], str]]] = {
    "html": ("audit.html", as_html),
    "json": ("audit.json", lambda report, _: as_json(report)),
    "sarif": ("audit.sarif", as_sarif),
    "junit": ("audit.junit.xml", lambda report, _: as_junit(report)),
}
_INTERRUPTED = 130
"""What a shell says of a program that Ctrl-C ended."""


@dataclass(frozen=True, slots=True)
class Order:
    """What is to be audited, compared and written."""

    plan: Plan
    declaration: Path | None
    jurisdictions: tuple[Jurisdiction, ...]
    waivers: Path | None
    forms: tuple[str, ...]
    output: Path
    earlier: Path | None


def carry_out(order: Order, *, style: str, only_new: bool, strict: bool) -> int:
    """The exit code. Raises click's exceptions for files that cannot be used."""
    # What is wrong with a file is told before the browser starts.
    if order.declaration is not None:
        declaration_in(order.declaration)
    kept = _waivers(order.waivers) if order.waivers is not None else ()
    before = read(order.earlier).decode("utf-8", "replace") if order.earlier is not None else None
    if before is not None and order.earlier is not None:
        _compared(order.earlier, before, before)
    if order.forms:
        _make(order.output)
    report = _driven(
        order.plan,
        lambda line: audit(
            order.plan, order.declaration, jurisdictions=order.jurisdictions, waivers=kept, progress=line
        ),
    )
    document = as_json(report)
    comparison = (
        _compared(order.earlier, before, document) if order.earlier is not None and before is not None else None
    )
    paths = [_written(order.output, form, report, comparison) for form in order.forms]
    if style == "json":
        click.echo(document, nl=False)
    else:
        for finding in report.findings:
            is_new = comparison is None or comparison.is_new(finding.code, finding.subject)
            if finding.waived is None and (is_new or not only_new):
                click.echo(as_text(report, finding, is_new=comparison is not None and is_new))
    click.echo(summary(report, comparison), err=True)
    if paths:
        click.echo(f"Reports: {', '.join(str(path) for path in paths)}", err=True)
    if report.saw_nothing:
        return 2
    return int(_fails(report, comparison if only_new else None, strict=strict))


def _fails(report: Report, comparison: Comparison | None, *, strict: bool) -> bool:
    if comparison is not None:
        return bool(comparison.new) if strict else comparison.fails
    return report.fails or (strict and bool(report.warnings))


def drafted(plan: Plan, service: str | None, output: Path | None) -> None:
    """Write a declaration of what is seen. A file that is there already is left alone."""
    if output is not None and output.exists():
        raise Unusable(output, FileExistsError(None, "it is there already; name another file, or remove it"))
    from strictly_necessary.audit.draft import draft

    observation = _driven(plan, lambda line: run_apart(observe(plan, progress=line)))
    if not any(visit.status for visit in observation.visits()):
        told = dict.fromkeys(each.message for visit in observation.visits() for each in visit.mishaps)
        raise _Impossible("; ".join(["No page could be looked at", *told]) + ".")
    write(draft(observation, service=service or ""), output)
    if output is not None:
        click.echo(
            f"Wrote {output}. Look at it, above all at each line that says so, then run: strictly check {output}",
            err=True,
        )


def _driven(plan: Plan, work: Callable[[ProgressLine], T]) -> T:
    """What the work gives. Tells how far it is, and how to go on when it is interrupted."""
    line = ProgressLine()
    try:
        with _ended_as_by_hand():
            return work(line)
    except AuditError as error:
        line.end()
        raise _Impossible(str(error)) from error
    except KeyboardInterrupt:
        line.end()
        if plan.resume is not None:
            click.echo(f"Interrupted. The same command goes on from {plan.resume}.", err=True)
        else:
            click.echo("Interrupted. With --resume FILE, what is done is kept, and the next one goes on.", err=True)
        sys.exit(_INTERRUPTED)
    finally:
        line.end()


@contextmanager
def _ended_as_by_hand() -> Iterator[None]:
    """What cancels a job in CI sends SIGTERM. It is taken as Ctrl-C, so that no browser goes on alone."""
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


class _Impossible(click.ClickException):
    exit_code = 2


def _waivers(file: Path) -> tuple[Waiver, ...]:
    waivers, findings = read_waivers(read(file), shown(file), dt.datetime.now(dt.UTC).date())
    if findings:
        complain(findings)
        raise SystemExit(1)
    return waivers


def _compared(file: Path, before: str, after: str) -> Comparison:
    try:
        return compare(before, after)
    except ValueError as error:
        raise click.UsageError(f"{file} cannot be compared: {error}.") from error


def _make(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise Unusable(folder, error) from error


def _written(folder: Path, form: str, report: Report, comparison: Comparison | None) -> Path:
    name, render = _FORMS[form]
    path = folder / name
    try:
        path.write_text(render(report, comparison), encoding="utf-8")
    except OSError as error:
        raise Unusable(path, error) from error
    return path
