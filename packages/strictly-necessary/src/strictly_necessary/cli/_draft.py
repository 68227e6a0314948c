"""`strictly draft`: write a first declaration from what a browser saw."""

from __future__ import annotations

from pathlib import Path

import click

from strictly_necessary.audit import Plan
from strictly_necessary.cli._files import OUTPUT
from strictly_necessary.cli._plan import plan_options


@click.command("draft", short_help="Write a first declaration from what a browser sees.")
@plan_options
@click.option("--service", metavar="NAME", help="What the site is called; its host if left out.")
@click.option("--output", "-o", metavar="F", type=OUTPUT, help="Write to this file instead of printing.")
def draft_command(plan: Plan, service: str | None, output: Path | None) -> None:
    """Look at a site with a real browser, and write a declaration of what it keeps: each with its life and attributes
    as seen, and with a guess what it is for. Lines that are guessed end in "look at this": only you know whether they
    are right. Never overwrites a file. Needs strictly-necessary[audit] and Chromium.

    \b
    Examples:
      strictly draft http://localhost:8000
      strictly draft https://shop.example --service "The shop" --login sign-in.toml -o policy.toml
    """
    # Every other command would wait for it too.
    from strictly_necessary.cli._auditing import drafted

    drafted(plan, service, output)
