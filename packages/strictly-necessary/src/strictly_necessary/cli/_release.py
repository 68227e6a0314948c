"""`strictly release`: make the next version."""

from __future__ import annotations

import datetime as dt
import json
from pathlib import Path

import click

from strictly_necessary._findings import Severity
from strictly_necessary.cli._diff import as_document, print_difference
from strictly_necessary.cli._files import OUTPUT, Unusable, complain, history_of, read
from strictly_necessary.versions import History, Release, Significance, plan_release
from strictly_necessary.versions._loading import released_files
from strictly_necessary.versions._release import moment
from strictly_necessary.versions._writing import write_release


def _moment(_ctx: click.Context, _param: click.Parameter, value: str | None) -> dt.datetime | str | None:
    """A moment with its offset, or `now`, which is later when a question was answered before."""
    if value is None or value == "now":
        return value
    try:
        given = dt.datetime.fromisoformat(value)
    except ValueError:
        raise click.BadParameter(f"{value!r} is not such as 2026-12-01T09:00:00Z, or now") from None
    if given.tzinfo is None:
        raise click.BadParameter(f"{value!r} has no offset; write {given.isoformat()}Z for UTC")
    return given


@click.command("release", short_help="Make the next version.")
@click.argument("file", metavar="FILE", type=OUTPUT)
@click.option("--version", metavar="V", help="Its name; the one before counted up if left out.")
@click.option(
    "--starts",
    metavar="T",
    callback=_moment,
    help="When it comes into force, such as 2026-12-01T09:00:00Z, or now. Now if left out, and in two minutes if it "
    "changes what people agree to.",
)
@click.option(
    "--as",
    "change",
    type=click.Choice([each.value for each in Significance]),
    help="What the change is to people; what the rules say if left out.",
)
@click.option("--summary", metavar="TEXT", help="What has changed, in a sentence for people.")
@click.option(
    "--translation",
    "translations",
    metavar="L TEXT",
    nargs=2,
    multiple=True,
    help="The summary in another language of the policy, such as: --translation de “…”.",
)
@click.option("--ask", metavar="ITEM", multiple=True, help="Ask people again about this item, by its id.")
@click.option("--dry-run", is_flag=True, help="Show what would be, and write nothing.")
@click.option("--yes", is_flag=True, help="Release also what needs consent, without a question.")
@click.option(
    "--format",
    "style",
    type=click.Choice(["text", "json"]),
    default="text",
    show_default=True,
    help="For people, or for programs.",
)
def release_command(
    file: Path,
    version: str | None,
    starts: dt.datetime | str | None,
    change: str | None,
    summary: str | None,
    translations: tuple[tuple[str, str], ...],
    ask: tuple[str, ...],
    style: str,
    *,
    dry_run: bool,
    yes: bool,
) -> None:
    """Make the next version of the declaration in FILE: write into it what it is called and when it starts, and keep a
    copy in the folder beside it, such as policy.versions/2.toml beside policy.toml.

    Shows what changed since the last one. Refuses a significant change that is called editorial, and asks before it
    makes a version for which people have to give their consent anew. Exits with 1 if it refuses.

    \b
    Examples:
      strictly release policy.toml --dry-run
      strictly release policy.toml --summary "The basket is kept for two days."
      strictly release policy.toml --starts 2026-12-01T09:00:00Z --yes
    """
    if translations and summary is None:
        raise click.UsageError("--translation goes with --summary.")

    def plan(raw: bytes) -> Release:
        now = dt.datetime.now(dt.UTC)
        return plan_release(
            _history(raw, file),
            raw,
            now=now,
            version=version,
            starts=now if isinstance(starts, str) else starts,
            change=Significance(change) if change is not None else None,
            summary=summary,
            translations=dict(translations),
            ask=ask,
            file=str(file),
        )

    raw = read(file)
    release = plan(raw)
    if style == "text":
        _print(release)
    if _may_be_written(release) and not dry_run and release.needs_consent and not yes:
        click.confirm("People are asked for their consent. Release it?", abort=True, err=True)
        release = plan(raw)  # the time until it starts begins with the answer
    is_written = _may_be_written(release) and not dry_run
    copy = _write(file, raw, release) if is_written else None
    if style == "json":
        click.echo(json.dumps(_document(release, is_written=is_written), indent=2))
    if not _may_be_written(release):
        complain(list(release.findings))
        for refusal in release.refusals:
            click.echo(f"Refused: {refusal}.", err=True)
        raise SystemExit(1)
    click.echo(_told(file, release, copy, dry_run=dry_run), err=True)


def _may_be_written(release: Release) -> bool:
    return release.is_made or not release.refusals


def _history(raw: bytes, file: Path) -> History | None:
    """The versions before, or None for the first one. What is wrong with them by rules that came later is what the next
    version mends; without an order among them, there is no next one, and this ends with 1."""
    if not released_files(file):
        return None
    history, findings = history_of(raw, file)
    if history is None:
        complain([each for each in findings if each.severity is Severity.ERROR])
        raise SystemExit(1)
    return history


def _write(file: Path, raw: bytes, release: Release) -> Path | None:
    try:
        return write_release(file, raw, release)
    except FileExistsError as error:
        click.echo(f"Refused: {error.strerror or f'{error.filename2 or error.filename} is there already'}.", err=True)
        raise SystemExit(1) from error
    except OSError as error:
        raise Unusable(Path(error.filename or file), error) from error


def _print(release: Release) -> None:
    if release.is_first:
        click.echo(f"Version {release.version} is the first one.")
    elif not release.is_made and release.difference.changes:
        print_difference(release.difference)
        if release.significance is Significance.SIGNIFICANT is not release.difference.significance:
            click.echo("It is to be significant all the same: people are told of it.")
        if release.version and not release.refusals:
            click.echo(f"\nVersion {release.version} starts at {moment(release.starts)}.")


def _told(file: Path, release: Release, copy: Path | None, *, dry_run: bool) -> str:
    if dry_run:
        return "Nothing was written."
    if release.is_made:
        return f"Nothing has changed since version {release.version}; {file} says so again."
    return f"Released version {release.version} as {copy}."


def _document(release: Release, *, is_written: bool) -> dict[str, object]:
    return {
        "version": release.version,
        "starts": moment(release.starts),
        "last_updated": release.starts.astimezone(dt.UTC).date().isoformat(),
        "change": release.significance,
        "is_first": release.is_first,
        "refusals": release.refusals,
        "is_written": is_written,
        "difference": as_document(release.difference),
    }
