"""`mixip policy`: what operators do with the versions of the cookie policy."""

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from textwrap import indent
from typing import TYPE_CHECKING, Any, NoReturn

import click

from mixip.cli.reading import read_settings, unfit_policies

if TYPE_CHECKING:  # a command that is only asked for its help waits for none of it
    from mixip.db import Database
    from mixip.policies import Plan, Wishes
    from mixip.settings import Settings

FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
AS_JSON = click.option("--json", "as_json", is_flag=True, help="For programs.")


@click.group()
def policy() -> None:
    """Versions of the cookie policy: look at them, try the next one, release it, or take it back.

    FILE is the working file. Without it, that of MIXIP_POLICY is meant, or the one that the platform comes with.
    """


@policy.command()
@AS_JSON
def status(*, as_json: bool) -> None:
    """Say which version holds, which one is scheduled, what is not released yet, and what people answered."""
    from mixip.policies import NoPolicyError, status_of

    with _opened() as (db, settings):
        try:
            found = status_of(db, settings.policy, _now(), operator=settings.operator)
        except NoPolicyError as error:
            _refuse(f"{error} Run: mixip migrate, or mixip policy release")
    if as_json:
        click.echo(json.dumps(found, indent=2))
        return
    for line in _status_lines(found):
        click.echo(line)


@policy.command()
@click.argument("file", required=False, type=FILE)
@click.option("--version", metavar="V", help="Its name; the one before counted up if left out.")
@click.option("--starts", metavar="T", callback=lambda *given: _moment(given[2]), help="When it comes into force, as "
    "2026-12-01T09:00:00Z. Left out: in half a minute, and two minutes later if people are asked.")  # fmt: skip
@click.option("--as", "change", type=click.Choice(["editorial", "significant"]), help="What the change is to people; "
    "what the rules say if left out.")  # fmt: skip
@click.option("--summary", metavar="TEXT", help="What has changed, in a sentence for people.")
@click.option("--translation", "translations", metavar="L TEXT", nargs=2, multiple=True, help="The summary in another "
    "language of the policy: --translation de “…”.")  # fmt: skip
@click.option("--ask", metavar="ITEM", multiple=True, help="Ask people again about this item, by its id.")
@click.option("--dry-run", is_flag=True, help="Show what would be, and release nothing.")
@click.option("--yes", is_flag=True, help="Release it without a question.")
@AS_JSON
def release(
    file: Path | None,
    version: str | None,
    starts: datetime | None,
    change: str | None,
    summary: str | None,
    translations: tuple[tuple[str, str], ...],
    ask: tuple[str, ...],
    *,
    dry_run: bool,
    yes: bool,
    as_json: bool,
) -> None:
    """Release the working file as the next version, on all instances at the same moment.

    Says first what changed and whether people have to be asked. Refuses a significant change that is called editorial,
    and a policy that lacks what the platform itself sets. Nothing is restarted. The working file is written with the
    name and the date of the version. Exits with 1 if it is refused.
    """
    from mixip.policies import RefusedError, Wishes, plan_version, release_version
    from strictly_necessary.versions import Significance

    if translations and summary is None:
        raise click.UsageError("--translation goes with --summary.")
    wishes = Wishes(version, starts, Significance(change) if change else None, summary, dict(translations), ask)
    with _opened() as (db, settings):
        planned = plan_version(db, file or settings.policy, wishes, _now(), operator=settings.operator)
        may_be = not planned.refusals
        if not as_json:
            _print(planned)
        if may_be and not dry_run and not yes:
            planned = _confirmed(db, planned, settings, wishes)
        told: list[str] = []
        if may_be and not dry_run:
            try:
                told = release_version(db, planned, _now())
            except RefusedError as error:
                _refuse(str(error))
    if as_json:
        click.echo(json.dumps({**_document(planned), "released": may_be and not dry_run}, indent=2))
    if not may_be:
        _refuse("It is not released:", *(indent(refusal, "  ") for refusal in planned.advice))
    for line in told:
        click.echo(line, err=True)
    if not as_json:
        done = f"Version {planned.release.version} is released." if not dry_run else "Nothing was released."
        click.echo(done)


@policy.command()
@click.argument("file", required=False, type=FILE)
@click.option("--out", "folder", metavar="FOLDER", required=True, type=click.Path(file_okay=False, path_type=Path),
    help="Where the pages are written; it is made if it is not there.")  # fmt: skip
def preview(file: Path | None, folder: Path) -> None:
    """Write what people would see of the working file: the policy, its changes, the announcement and the question.

    One HTML file for each, in each language of the policy. They open without a server.
    """
    from mixip.policies import Imprint, Wishes, plan_version, write_preview

    with _opened() as (db, settings):
        planned = plan_version(db, file or settings.policy, Wishes(), _now(), operator=settings.operator)
        _print(planned)
        if planned.release.findings:
            _refuse(*planned.advice)
        try:
            written = write_preview(planned, Imprint(settings.operator, settings.contact), folder)
        except ValueError as error:  # such as a language without words
            _refuse(str(error), *planned.refusals)
    for refusal in planned.refusals:
        click.echo(f"It could not be released: {refusal}", err=True)
    click.echo(f"{len(written)} pages are in {folder}; begin with {folder / 'index.html'}.")


@policy.command()
@click.argument("version")
@click.option("--yes", is_flag=True, help="Take it back without a question.")
def withdraw(version: str, *, yes: bool) -> None:
    """Take back VERSION, which must not have started yet. One that people were told of stays for good."""
    from mixip.policies import RefusedError, check_withdrawal, withdraw_version

    with _opened() as (db, _):
        try:
            starts = check_withdrawal(db, version, _now())
            _ask(f"Version {version} would start on {_written(starts)}. Take it back?", yes=yes)
            withdraw_version(db, version, _now())
        except RefusedError as error:
            _refuse(str(error))
    click.echo(f"Version {version} is withdrawn; nobody will see it.")


@contextmanager
def _opened() -> Iterator[tuple["Database", "Settings"]]:
    """The database, at the version that this software needs."""
    settings = read_settings()
    with unfit_policies():
        from mixip.db import open_database
        from mixip.db.migrate import OutdatedError, require_current

        if settings.database_url.startswith("sqlite") and not settings.data.is_dir():
            _refuse(f"There is no database in {settings.data} yet. Run: mixip serve, or mixip migrate")
        db = open_database(settings.database_url)
        try:
            require_current(db)
            yield db, settings
        except OutdatedError as error:
            _refuse(f"{error} Run: mixip migrate")
        finally:
            db.close()


def _confirmed(db: "Database", planned: "Plan", settings: "Settings", wishes: "Wishes") -> "Plan":
    """The plan as it is after the answer, since the time until it starts begins with that."""
    from mixip.policies import plan_version

    asks = " People are asked for their consent." if planned.release.needs_consent else ""
    _ask(f"{asks} Release version {planned.release.version}?".strip(), yes=False)
    again = plan_version(db, planned.file, wishes, _now(), operator=settings.operator)
    if again.refusals or again.release.difference != planned.release.difference:
        _refuse("Meanwhile something else has changed. Look at it, and try again.", *again.refusals)
    return again


def _ask(question: str, *, yes: bool) -> None:
    if yes:
        return
    if not sys.stdin.isatty():
        _refuse(f"{question} Nobody can answer here; say --yes.")
    if not click.confirm(question, err=True):
        _refuse("Nothing was changed.")


def _refuse(*reasons: str) -> NoReturn:
    for number, reason in enumerate(reasons):  # what follows the first may begin with the name of a file
        click.echo(reason if number else reason[:1].upper() + reason[1:], err=True)
    sys.exit(1)


def _print(planned: "Plan") -> None:
    from mixip.policies import sentences, verdict

    found = planned.release
    if found.findings:
        return
    if planned.history is not None and found.difference.changes:
        for sentence in sentences(planned):
            click.echo(f"- {sentence}")
    click.echo(verdict(found.difference, found.significance) if planned.history else "This is the first version.")
    if not planned.refusals:
        click.echo(f"Version {found.version} starts on {_written(found.starts)}, on all instances.")


def _document(planned: "Plan") -> dict[str, Any]:
    from mixip.policies import difference_document

    found = planned.release
    return {
        "version": found.version,
        "starts": _written(found.starts),
        "significance": found.significance,
        "refusals": list(planned.refusals),
        **difference_document(planned),
    }


def _status_lines(found: dict[str, Any]) -> Iterator[str]:
    held = found["in_force"]
    yield f"Version {held['version']} is in force since {held['starts']} (released {held['released_at']})."
    for each in found["scheduled"]:
        yield f"Version {each['version']} is scheduled for {each['starts']}."
    working = found["working_file"]
    if working["problem"]:
        yield f"The working file {working['file']} cannot be used:\n{working['problem']}"
    elif not working["changes"]:
        yield f"The working file {working['file']} has nothing that is not released."
    else:
        yield f"The working file {working['file']} has changes that are not released:"
        yield from (f"- {change}" for change in working["changes"])
        yield working["verdict"]
        yield from (f"It could not be released: {refusal}" for refusal in working["refusals"])
    yield f"Accounts: {found['accounts']}."
    for version, count in found["acknowledged"].items():
        yield f"Version {version} was acknowledged by {count}."
    for item, answers in found["answered"].items():
        told = ", ".join(f"{count} {action}" for action, count in answers.items())
        yield f"{item}: {told}."


def _moment(value: str | None) -> datetime | None:
    if value is None:
        return None
    try:
        given = datetime.fromisoformat(value)
    except ValueError:
        raise click.BadParameter(f"{value!r} is not such as 2026-12-01T09:00:00Z") from None
    if given.tzinfo is None:
        raise click.BadParameter(f"{value!r} has no offset; write {given.isoformat()}Z for UTC")
    return given.astimezone(UTC)


def _written(moment: datetime) -> str:
    return f"{moment.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"


def _now() -> datetime:
    return datetime.now(UTC)
