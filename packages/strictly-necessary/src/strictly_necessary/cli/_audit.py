"""`strictly audit`: look with a real browser whether what is declared is what happens."""

from __future__ import annotations

from pathlib import Path

import click

from strictly_necessary.audit import Plan
from strictly_necessary.cli._check import profiles
from strictly_necessary.cli._files import INPUT, is_standard_input
from strictly_necessary.cli._plan import plan_options
from strictly_necessary.declaration._items import Jurisdiction

_FOLDER = "strictly-audit"
_FORMS = ("html", "json", "sarif", "junit")


def _forms(_ctx: click.Context, _param: click.Parameter, value: str) -> tuple[str, ...]:
    wanted = tuple(dict.fromkeys(word.strip().lower() for word in value.split(",")))
    for word in wanted:
        if word not in {*_FORMS, "none"}:
            raise click.BadParameter(f"{word!r} is not one of: {', '.join(_FORMS)}, none")
    return tuple(word for word in wanted if word != "none")


@click.command("audit", short_help="Look with a real browser whether the declaration is true.")
@plan_options
@click.option("--declaration", "-d", metavar="F", type=INPUT, help="Compare with this; else nothing is declared.")
@click.option(
    "--profile", "jurisdictions", metavar="P,...", callback=profiles, help="Judge by the rules of these (eu, uk, fr)."
)
@click.option("--waivers", metavar="F", type=INPUT, help="Let these findings pass for a time.")
@click.option(
    "--report",
    "forms",
    metavar="R,...",
    callback=_forms,
    default="html,json",
    show_default=True,
    help="Of html, json, sarif and junit; or none.",
)
@click.option(
    "--output",
    "-o",
    metavar="DIR",
    type=click.Path(path_type=Path, file_okay=False),
    default=_FOLDER,
    show_default=True,
    help="Write the reports there.",
)
@click.option("--compare", "earlier", metavar="OLD.json", type=INPUT, help="Say what is new since this report.")
@click.option("--only-new", is_flag=True, help="With --compare, print and fail for what is new only.")
@click.option("--strict", is_flag=True, help="Fail for warnings too.")
@click.option(
    "--format",
    "style",
    type=click.Choice(["text", "json"]),
    default="text",
    show_default=True,
    help="What is printed: findings for people, or the report for programs.",
)
def audit_command(
    plan: Plan,
    declaration: Path | None,
    jurisdictions: tuple[Jurisdiction, ...],
    waivers: Path | None,
    forms: tuple[str, ...],
    output: Path,
    earlier: Path | None,
    style: str,
    *,
    only_new: bool,
    strict: bool,
) -> None:
    """Look at a site with a real browser, and compare what it does with the declaration, in both directions: what is
    kept and was not declared, and what was declared and is not true.

    Follows the links of the site, comes as several kinds of people (for the first time, signed in, with Global Privacy
    Control, with cookies blocked and others), presses what can be pressed without sending a form, and leaves what
    people would have to agree to first. It never sends a form that no script told it to.

    Prints each finding as code, subject and message, with where it was seen and what to do, and writes reports. Exits
    with 0 if there is no error, with 1 if there is, and with 2 if nothing could be looked at. Needs
    strictly-necessary[audit] and Chromium.

    \b
    Examples:
      strictly audit http://localhost:8000 --declaration policy.toml
      strictly audit https://shop.example -d policy.toml --login sign-in.toml --pages 100
      strictly audit https://shop.example -d policy.toml --report html,sarif,junit --output reports
      strictly audit https://shop.example -d policy.toml --compare last/audit.json --only-new
      strictly audit https://shop.example --profile eu,uk,fr --waivers waivers.toml
    """
    if only_new and earlier is None:
        raise click.UsageError("--only-new goes with --compare.")
    if declaration is not None and is_standard_input(declaration):
        raise click.UsageError("The audit shows lines of the declaration, so it needs a file and not standard input.")
    # Every other command would wait for it too.
    from strictly_necessary.cli._auditing import Order, carry_out

    order = Order(plan, declaration, jurisdictions, waivers, forms, output, earlier)
    raise SystemExit(carry_out(order, style=style, only_new=only_new, strict=strict))
