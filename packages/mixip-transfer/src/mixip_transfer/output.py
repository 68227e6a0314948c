"""What a person, or a script, gets to read: tables and errors as text, results as JSON. Nothing here knows a secret."""

from __future__ import annotations

import json
import logging
import shutil
import sys
import traceback
from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click
from rich.cells import cell_len, set_cell_size

from mixip_transfer.answers import File, Session, Work
from mixip_transfer.errors import RefusedError, TransferError
from mixip_transfer.names import printable
from mixip_transfer.progress import amount

log = logging.getLogger("mixip_transfer")

_SHORTEST_TITLE = 24


def say_json(value: object) -> None:
    click.echo(json.dumps(value, indent=2, ensure_ascii=True))


def say_table(heads: Sequence[str], rows: Sequence[Sequence[str]], *, shorten: int | None = None) -> None:
    """Columns as wide as they need to be. On a terminal the column `shorten` gives way, so that rows fit its width;
    elsewhere nothing is cut."""
    shown = [[printable(cell) for cell in row] for row in rows]
    widths = [max(cell_len(row[i]) for row in [list(heads), *shown]) for i in range(len(heads))]
    if shorten is not None and sys.stdout.isatty():
        over = sum(widths) + 2 * (len(widths) - 1) - shutil.get_terminal_size().columns
        widths[shorten] = max(min(widths[shorten], _SHORTEST_TITLE), widths[shorten] - max(0, over))
        for row in shown:
            row[shorten] = _shortened(row[shorten], widths[shorten])
    for row in [list(heads), *shown]:
        click.echo("  ".join(c + " " * (w - cell_len(c)) for c, w in zip(row, widths, strict=True)).rstrip())


def say_works(works: Sequence[Work]) -> None:
    rows = [[w.id, w.title, w.kind, str(w.files), amount(w.bytes), w.created_at[:10]] for w in works]
    say_table(["ID", "TITLE", "KIND", "FILES", "SIZE", "CREATED"], rows, shorten=1)


def say_files(files: Sequence[File]) -> None:
    rows = [[f.id, f.name, amount(f.size), f.delivered_at[:19].replace("T", " "), f.sha256] for f in files]
    say_table(["ID", "NAME", "SIZE", "DELIVERED (UTC)", "SHA-256"], rows)


def moment(text: str) -> str:
    """A time of the platform (RFC 3339) for people, such as `2026-11-23 13:00 UTC`; as it came when it is none."""
    try:
        return f"{datetime.fromisoformat(text).astimezone(UTC):%Y-%m-%d %H:%M} UTC"
    except (ValueError, OverflowError):
        return printable(text)


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
    return TransferError(f"{name}: {error.strerror or 'it cannot be read or written'}.", code="local_file")


def error_json(error: TransferError) -> dict[str, Any]:
    return {"code": error.code, "message": error.message, "advice": error.advice}


def facts_json(value: Work | File | Session) -> dict[str, Any]:
    return asdict(value)


def _shortened(text: str, width: int) -> str:
    return text if cell_len(text) <= width else set_cell_size(text, width - 1).rstrip() + "…"


def _lines(text: str) -> str:
    return "\n".join(printable(line) for line in text.split("\n"))
