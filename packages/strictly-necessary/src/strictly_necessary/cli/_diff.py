"""`strictly diff`: say what changed, and what that means for people."""

from __future__ import annotations

import dataclasses
import json
import sys
from pathlib import Path
from typing import Any

import click

from strictly_necessary._findings import Severity
from strictly_necessary.cli._files import INPUT, complain, history_of, is_standard_input, read, shown
from strictly_necessary.declaration import Declaration, examine
from strictly_necessary.versions import Change, Difference, Significance, diff
from strictly_necessary.versions._telling import tell, why

_LIMITS = ("editorial", "significant", "consent")


@click.command("diff", short_help="Say what changed, and what that means for people.")
@click.argument("old", metavar="[OLD]", type=INPUT)
@click.argument("new", metavar="FILE", type=INPUT, required=False)
@click.option(
    "--format",
    "style",
    type=click.Choice(["text", "json"]),
    default="text",
    show_default=True,
    help="For people, or for programs.",
)
@click.option(
    "--fail-on",
    type=click.Choice(_LIMITS),
    help="Exit with 1 if something changed, if it is significant, or if people have to be asked.",
)
def diff_command(old: Path, new: Path | None, style: str, fail_on: str | None) -> None:
    """Say what changed from OLD to FILE, or to FILE from its version that was released last. A - stands for standard
    input.

    Order, comments and formatting never count. Each change is editorial or significant, and asks people again or does
    not. Exits with 0 whatever changed, unless --fail-on says otherwise.

    \b
    Examples:
      strictly diff policy.toml
      strictly diff policy.versions/1.toml policy.versions/2.toml
      git show main:policy.toml | strictly diff - policy.toml --fail-on consent
    """
    before, after = (_released(old), _read(old)) if new is None else (_read(old), _read(new))
    difference = diff(before, after)
    if style == "json":
        click.echo(json.dumps(as_document(difference), indent=2))
    else:
        print_difference(difference)
    limits = {
        None: False,
        "editorial": bool(difference.changes),
        "significant": difference.significance is Significance.SIGNIFICANT,
        "consent": difference.needs_consent,
    }
    if limits[fail_on]:
        raise SystemExit(1)


def _read(file: Path) -> Declaration:
    """What the file says, whether or not it keeps the rules. Ends with 1 if it cannot be read as a whole."""
    declaration, findings = examine(read(file), shown(file))
    # What breaks a rule can be compared; what was not read would be told as removed.
    unread = [each for each in findings if each.severity is Severity.ERROR and each.code < "SN1"]
    if declaration is None or unread:
        complain(unread)
        raise SystemExit(1)
    return declaration


def _released(file: Path) -> Declaration:
    if is_standard_input(file):
        raise click.UsageError("Standard input has no released versions; name two files.")
    history, findings = history_of(read(file), file)
    if history is None:
        complain([each for each in findings if each.severity is Severity.ERROR])
        raise SystemExit(1)
    return history.versions[-1].declaration


def print_difference(difference: Difference) -> None:
    """What changed, why that is significant or not, and what it means in all."""
    for change in difference.changes:
        click.echo(f"{_weight(change):<11}  {tell(change)}\n{'':13}{_reason(change)}")
    if difference.changes:
        click.echo()
    click.echo(verdict(difference))


def verdict(difference: Difference) -> str:
    """One or two sentences."""
    if difference.significance is None:
        return "No difference."
    if difference.significance is Significance.EDITORIAL:
        return "Editorial: it stands on the page. Nobody is asked."
    asked = (
        f"People are asked about: {', '.join(sorted(difference.to_ask))}." if difference.to_ask else "Nobody is asked."
    )
    return f"Significant: people are told of it. {asked}"


def as_document(difference: Difference) -> dict[str, Any]:
    """The difference for programs."""
    return {
        "significance": difference.significance,
        "needs_consent": difference.needs_consent,
        "to_ask": sorted(difference.to_ask),
        "changes": [
            {
                **dataclasses.asdict(change),
                "significance": change.significance,
                "told": tell(change),
                "why": why(change),
            }
            for change in difference.changes
        ],
    }


def _weight(change: Change) -> str:
    text = "consent" if change.needs_consent else change.significance.value
    colour = {"consent": "red", "significant": "yellow"}.get(text)
    # Pad before the colour, whose characters would count.
    return click.style(f"{text:<11}", fg=colour) if colour and sys.stdout.isatty() else text


def _reason(change: Change) -> str:
    return f"Because {why(change)}." + (" People are asked." if change.needs_consent else "")
