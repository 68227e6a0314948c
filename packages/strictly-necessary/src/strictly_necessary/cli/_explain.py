"""`strictly explain`: say what a code means."""

from __future__ import annotations

import re
import textwrap
from functools import cache
from importlib.resources import files

import click

from strictly_necessary._codes import AUDIT_CODES, FILE_CODES, FIXES, GUARD_CODES, VERSION_CODES, WARNINGS
from strictly_necessary.declaration._items import Jurisdiction
from strictly_necessary.rules import RULES
from strictly_necessary.rules._explained import explanations

_WIDTH = 100
_RULES = {rule.code: rule for rule in RULES}
_TEXTS = dict(
    sorted(
        (
            FILE_CODES | GUARD_CODES | AUDIT_CODES | VERSION_CODES | {code: rule.text for code, rule in _RULES.items()}
        ).items()
    )
)
_SECTION = re.compile(r"^### (SN\d{3}): .*\n\n.*\n\n((?:(?!^##).*\n)*)", re.MULTILINE)
_FENCE = re.compile(r"^```toml\n(.*?)^```\n", re.MULTILINE | re.DOTALL)


@click.command("explain", short_help="Say what a code means, and what to do.")
@click.argument("codes", metavar="[CODE...]", nargs=-1)
def explain_command(codes: tuple[str, ...]) -> None:
    """Say what a code means, where it comes from, and what to do. Without a code, list all of them. SN may be left out.

    \b
    Examples:
      strictly explain SN202
      strictly explain 202
      strictly explain
    """
    wanted = [code.upper() if code.upper().startswith("SN") else f"SN{code}" for code in codes]
    for code, given in zip(wanted, codes, strict=True):
        if code not in _TEXTS:
            raise click.UsageError(f"There is no code {given!r}. “strictly explain” lists all of them.")
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
    audited = explanations().get(code)
    if audited is not None:
        parts[1:1] = [f"Source: {audited.source}"]
    lines = [textwrap.fill(part, _WIDTH, subsequent_indent="    ") for part in parts]
    if audited is not None:
        lines += ["", textwrap.fill(audited.text, _WIDTH)]
    if rule is not None:
        lines += ["", _sections()[code]]
    return "\n".join(lines)


@cache
def _sections() -> dict[str, str]:
    """Why there is each rule, with an example that keeps it and one that breaks it, from the page about the rules."""
    page = (files("strictly_necessary.rules") / "rules.md").read_text(encoding="utf-8")
    return {code: _plain(body) for code, body in _SECTION.findall(page)}


def _plain(body: str) -> str:
    """Without fences, and without the fix, which was told already."""
    told = body.rpartition("To mend it: ")[0].strip()
    return _FENCE.sub(lambda found: textwrap.indent(found[1], "    "), f"{told}\n").rstrip()
