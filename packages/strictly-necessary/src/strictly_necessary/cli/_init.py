"""`strictly init`: write a first declaration."""

from __future__ import annotations

import datetime as dt
from importlib.resources import files
from pathlib import Path

import click

from strictly_necessary.cli._files import OUTPUT, Unusable


@click.command("init", short_help="Write a first declaration.")
@click.argument("file", metavar="[FILE]", default="policy.toml", type=OUTPUT)
def init_command(file: Path) -> None:
    """Write a first declaration, with comments, to FILE (policy.toml). It passes the check. Never overwrites a file.

    \b
    Example:
      strictly init policy.toml
    """
    text = (files("strictly_necessary") / "first.toml").read_text(encoding="utf-8")
    today = dt.datetime.now(dt.UTC).date()
    if not file.parent.is_dir():
        raise Unusable(file, FileNotFoundError(None, f"there is no folder {file.parent}; make it first"))
    try:
        with file.open("x", encoding="utf-8") as output:
            output.write(text.replace("2026-11-23", today.isoformat()))
    except OSError as error:
        raise Unusable(file, error) from error
    click.echo(f"Wrote {file}. Change it to what your site keeps, then run: strictly check {file}", err=True)
