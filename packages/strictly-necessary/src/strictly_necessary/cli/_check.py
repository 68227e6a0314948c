"""`strictly check`: look for errors in declarations."""

from __future__ import annotations

from pathlib import Path

import click

from strictly_necessary._findings import Finding, Severity
from strictly_necessary.cli._files import INPUT, history_of, is_standard_input, read, shown
from strictly_necessary.cli._printing import as_annotation, as_json, as_text, summary
from strictly_necessary.declaration import examine
from strictly_necessary.declaration._items import Jurisdiction


def profiles(_ctx: click.Context, _param: click.Parameter, value: str | None) -> tuple[Jurisdiction, ...]:
    """Jurisdictions, separated by commas, in any letter case."""
    wanted = []
    for word in value.split(",") if value is not None else ():
        try:
            wanted.append(Jurisdiction(word.strip().upper()))
        except ValueError:
            known = ", ".join(each.value.lower() for each in Jurisdiction)
            raise click.BadParameter(f"{word.strip()!r} is not one of: {known}") from None
    return tuple(wanted)


def _findings(file: Path, jurisdictions: tuple[Jurisdiction, ...]) -> list[Finding]:
    """Of the file and of its released versions; by other rules than its own, of the file alone."""
    raw = read(file)
    if jurisdictions or is_standard_input(file):
        return examine(raw, shown(file), jurisdictions)[1]
    return history_of(raw, file)[1]


@click.command("check", short_help="Look for errors in declarations.")
@click.argument("files", metavar="FILE...", nargs=-1, required=True, type=INPUT)
@click.option(
    "--format",
    "style",
    type=click.Choice(["text", "json", "github"]),
    default="text",
    show_default=True,
    help="For people, for programs, or as annotations of GitHub Actions.",
)
@click.option(
    "--profile",
    "jurisdictions",
    metavar="P,...",
    callback=profiles,
    help="Ask the rules of these (eu, uk, fr), whatever the file says: what would be if.",
)
@click.option("--strict", is_flag=True, help="Fail for warnings too.")
def check_command(
    files: tuple[Path, ...], style: str, jurisdictions: tuple[Jurisdiction, ...], *, strict: bool
) -> None:
    """Look for errors in declarations. A - stands for standard input.

    Looks also at the released versions in the folder beside a file, such as policy.versions beside policy.toml.

    Prints each finding as file:line:column code message, with what to do below it. Exits with 0 if there is no error,
    with 1 if there is, and with 2 if a file cannot be read.

    \b
    Examples:
      strictly check policy.toml
      strictly check --strict --format github policy.toml
      strictly check --profile eu,fr policy.toml
    """
    findings: list[Finding] = []
    for file in files:
        findings += _findings(file, jurisdictions)
    if style == "json":
        click.echo(as_json(findings))
    else:
        for finding in findings:
            click.echo(as_annotation(finding) if style == "github" else as_text(finding))
        click.echo(summary(findings, len(files)), err=True)
    if findings if strict else any(finding.severity is Severity.ERROR for finding in findings):
        raise SystemExit(1)
