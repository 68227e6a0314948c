"""`strictly schema`: print the JSON Schema of declarations, or of the audit's reports."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path

import click

from strictly_necessary.audit.report import report_schema
from strictly_necessary.cli._files import OUTPUT, write


@click.command("schema", short_help="Print the JSON Schema, for editors.")
@click.argument("what", type=click.Choice(["declaration", "audit"]), default="declaration")
@click.option("--output", "-o", metavar="F", type=OUTPUT, help="Write to this file instead of printing.")
def schema_command(what: str, output: Path | None) -> None:
    """Print the JSON Schema of declarations, or of the reports of an audit. Editors complete and check a TOML file by
    the first.

    \b
    Examples:
      strictly schema audit --output audit.schema.json
      strictly schema --output declaration.schema.json
    Then begin the declaration with this line:
      #:schema ./declaration.schema.json
    """
    if what == "audit":
        write(report_schema(), output)
        return
    write((files("strictly_necessary") / "declaration.schema.json").read_text(encoding="utf-8"), output)
