"""`strictly explain`: say what a code means."""

from __future__ import annotations

import textwrap

import click

from strictly_necessary._codes import FILE_CODES, FIXES, GUARD_CODES, WARNINGS
from strictly_necessary.declaration._items import Jurisdiction
from strictly_necessary.rules import RULES

_WIDTH = 100
_RULES = {rule.code: rule for rule in RULES}
_TEXTS = {**FILE_CODES, **{code: rule.text for code, rule in _RULES.items()}, **GUARD_CODES}


@click.command("explain", short_help="Say what a code means, and what to do.")
@click.argument("codes", metavar="[CODE...]", nargs=-1)
def explain_command(codes: tuple[str, ...]) -> None:
    """Say what a code means, where it comes from, and what to do. Without a code, list all of them.

    \b
    Examples:
      strictly explain SN202
      strictly explain
    """
    wanted = [code.upper() for code in codes]
    for code in wanted:
        if code not in _TEXTS:
            raise click.UsageError(f"There is no code {code!r}. “strictly explain” lists all of them.")
    if not wanted:
        for code, text in _TEXTS.items():
            click.echo(f"{code}  {text}")
    click.echo("\n\n".join(_explained(code) for code in wanted), nl=bool(wanted))


def _explained(code: str) -> str:
    rule = _RULES.get(code)
    if rule is None:
        severity, fix = "warning" if code in WARNINGS else "error", FIXES[code]
    else:
        severity, fix = rule.severity.value, rule.fix
    parts = [f"{code} {severity}: {_TEXTS[code]}", f"To mend it: {fix}"]
    if rule is not None:
        profiles = ", ".join(each.value for each in Jurisdiction if each in rule.jurisdictions)
        parts[1:1] = [f"Source: {rule.source}", f"Asked in: {profiles}", f"Key: {rule.field}"]
    return "\n".join(textwrap.fill(part, _WIDTH, subsequent_indent="    ") for part in parts)
