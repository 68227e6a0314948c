"""What a person, or a script, gets to read: tables and errors as text, results as JSON. Nothing here knows a secret."""

from __future__ import annotations

import json
import logging
import sys
import traceback
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import click
from rich.cells import cell_len

from mixip_transfer.answers import File, Work
from mixip_transfer.errors import RefusedError, TransferError
from mixip_transfer.names import printable
from mixip_transfer.progress import amount

log = logging.getLogger("mixip_transfer")


def say_json(value: object) -> None:
    click.echo(json.dumps(value, indent=2, ensure_ascii=True))


def say_table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Columns as wide as they need to be; nothing is cut."""
    shown = [[printable(cell) for cell in row] for row in rows]
    widths = [max(cell_len(row[i]) for row in [list(heads), *shown]) for i in range(len(heads))]
    for row in [list(heads), *shown]:
        click.echo("  ".join(c + " " * (w - cell_len(c)) for c, w in zip(row, widths, strict=True)).rstrip())


def say_works(works: Sequence[Work]) -> None:
    rows = [[w.id, w.title, w.kind, str(w.files), amount(w.bytes), w.created_at[:10]] for w in works]
    say_table(["ID", "TITLE", "KIND", "FILES", "SIZE", "CREATED"], rows)


def say_files(files: Sequence[File]) -> None:
    rows = [[f.id, f.name, amount(f.size), f.delivered_at[:19].replace("T", " "), f.sha256] for f in files]
    say_table(["ID", "NAME", "SIZE", "DELIVERED (UTC)", "SHA-256"], rows)


def say_error(error: TransferError, about: str = "") -> None:
    """Message, advice and, after a fault of the platform, the number to quote; on standard error."""
    prefix = f"{printable(about)}: " if about else ""
    click.echo(prefix + _lines(error.message), err=True)
    if error.advice:
        click.echo(_lines(error.advice), err=True)
    if isinstance(error, RefusedError) and error.request_id:
        click.echo(f"Request id: {printable(error.request_id)}", err=True)
    say_details(error)


def say_details(error: BaseException) -> None:
    """With --verbose: which exceptions led here and where; never their data."""
    seen: BaseException | None = error
    while seen is not None:
        place = traceback.extract_tb(seen.__traceback__)[-1:]
        where = f" at {Path(place[0].filename).name}:{place[0].lineno}" if place else ""
        code = f" {seen.code}" if isinstance(seen, TransferError) else ""
        log.debug("  %s%s%s", type(seen).__name__, code, where)
        seen = seen.__cause__


def speak_up() -> None:
    """Show the details of each request on standard error: method, path, status and time, without headers or bodies."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(logging.Formatter("%(message)s"))
    log.handlers[:] = [handler]
    log.propagate = False
    log.setLevel(logging.DEBUG)


def from_os_error(error: OSError) -> TransferError:
    """A failure of the local disk in the words of the operating system."""
    name = printable(str(error.filename)) if error.filename else "The file"
    return TransferError(f"{name}: {error.strerror or type(error).__name__}.", code="local_file")


def error_json(error: TransferError) -> dict[str, Any]:
    return {"code": error.code, "message": error.message, "advice": error.advice}


def facts_json(value: Work | File) -> dict[str, Any]:
    return asdict(value)


def _lines(text: str) -> str:
    return "\n".join(printable(line) for line in text.split("\n"))
