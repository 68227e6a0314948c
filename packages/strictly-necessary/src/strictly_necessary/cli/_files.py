"""The files that commands read and write, and what they say when that fails."""

from __future__ import annotations

import datetime as dt
import sys
from pathlib import Path

import click

from strictly_necessary._findings import Finding, Severity
from strictly_necessary.cli._printing import as_text
from strictly_necessary.declaration import Declaration, examine
from strictly_necessary.versions import History
from strictly_necessary.versions._loading import examine_history

INPUT = click.Path(path_type=Path, dir_okay=False, allow_dash=True)
OUTPUT = click.Path(path_type=Path, dir_okay=False)
_STANDARD_INPUT = Path("-")


class Unusable(click.ClickException):
    """A file that cannot be read or written."""

    exit_code = 2

    def __init__(self, file: Path, error: OSError) -> None:
        super().__init__(f"{file}: {error.strerror or error}")


def read(file: Path) -> bytes:
    """What is in the file, or what comes from standard input for `-`. Raises `Unusable`."""
    try:
        return sys.stdin.buffer.read() if file == _STANDARD_INPUT else file.read_bytes()
    except OSError as error:
        raise Unusable(file, error) from error


def is_standard_input(file: Path) -> bool:
    return file == _STANDARD_INPUT


def history_of(raw: bytes, file: Path) -> tuple[History | None, list[Finding]]:
    """The history of the declaration with these bytes in the file, as far as it can be read, and all findings. Raises
    `Unusable`."""
    try:
        return examine_history(raw, file, dt.datetime.now(dt.UTC))
    except OSError as error:
        raise Unusable(Path(error.filename or file), error) from error


def shown(file: Path) -> str:
    """What findings call the file."""
    return "<stdin>" if file == _STANDARD_INPUT else str(file)


def declaration_in(file: Path) -> Declaration:
    """The declaration in the file. If it has errors, prints them and ends with 1. Raises `Unusable`."""
    declaration, findings = examine(read(file), shown(file))
    errors = [finding for finding in findings if finding.severity is Severity.ERROR]
    if declaration is None or errors:
        complain(errors)
        raise SystemExit(1)
    return declaration


def write(text: str, output: Path | None) -> None:
    """Print the text, or write it to the file. Raises `Unusable`."""
    if output is None:
        click.echo(text, nl=False)
        return
    try:
        output.write_text(text, encoding="utf-8")
    except OSError as error:
        raise Unusable(output, error) from error


def complain(errors: list[Finding]) -> None:
    for finding in errors:
        click.echo(as_text(finding), err=True)
