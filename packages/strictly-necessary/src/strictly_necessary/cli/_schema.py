"""`strictly schema`: print the JSON Schema of declarations."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path

import click

from strictly_necessary.cli._files import OUTPUT, write


@click.command("schema", short_help="Print the JSON Schema, for editors.")
@click.option("--output", "-o", metavar="F", type=OUTPUT, help="Write to this file instead of printing.")
def schema_command(output: Path | None) -> None:
    """Print the JSON Schema of declarations. Editors complete and check a TOML file by it.

    \b
    Example:
      strictly schema --output declaration.schema.json
    Then begin the declaration with this line:
      #:schema ./declaration.schema.json
    """
    write((files("strictly_necessary") / "declaration.schema.json").read_text(encoding="utf-8"), output)
