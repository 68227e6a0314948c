"""The commands `send` and `get`: one file after another, each with its outcome, and an exit code for all."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import click

from mixip_transfer import output
from mixip_transfer.answers import File, Work
from mixip_transfer.delivery import deliver
from mixip_transfer.errors import (
    NotSignedInError,
    SomeFailedError,
    StoppedError,
    TransferError,
    UnreachableError,
    UsageError,
)
from mixip_transfer.fetch import fetch
from mixip_transfer.names import printable
from mixip_transfer.platform import Platform
from mixip_transfer.progress import progress
from mixip_transfer.retry import TRANSFERRING
from mixip_transfer.source import Source
from mixip_transfer.watching import Watcher
from mixip_transfer.works import choose_files, find_work

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one file: `path` as the person knows it, and either `file` and `state`, or `error`."""

    path: str
    state: str
    file: File | None = None
    error: TransferError | None = None


def send_files(
    address: str,
    token: str,
    paths: Sequence[Path],
    *,
    work: str,
    create: str | None,
    parallel: int,
    as_json: bool,
    quiet: bool,
) -> None:
    """Deliver each path. What cannot be delivered at all is refused before anything is sent."""
    _require_deliverable(paths)
    stop = threading.Event()
    with (
        progress(sys.stderr, quiet=quiet or as_json) as watcher,
        _platform(address, token, parallel, stop, watcher) as platform,
    ):
        target = find_work(platform, work, create=create)
        listed = list(platform.files(target.id))

        def one(path: Path) -> Outcome:
            receipt = deliver(platform, target.id, path, watcher=watcher, stop=stop, parallel=parallel, listed=listed)
            return Outcome(str(path), receipt.outcome, receipt.file)

        outcomes = _each(paths, one, str)
    _report(target, outcomes, as_json=as_json)


def get_files(
    address: str,
    token: str,
    names: Sequence[str],
    *,
    work: str,
    folder: Path,
    overwrite: bool,
    as_json: bool,
    quiet: bool,
) -> None:
    """Get each file into `folder`, which is made when it is missing."""
    stop = threading.Event()
    with (
        progress(sys.stderr, quiet=quiet or as_json) as watcher,
        _platform(address, token, 1, stop, watcher) as platform,
    ):
        source = find_work(platform, work)
        chosen, errors, notes = choose_files(list(platform.files(source.id)), names, work_id=source.id)
        folder.mkdir(parents=True, exist_ok=True)

        def one(file: File) -> Outcome:
            got = fetch(platform, file, folder, overwrite=overwrite, watcher=watcher, stop=stop)
            return Outcome(str(got.path), got.outcome, file)

        outcomes = _each(chosen, one, lambda file: file.name)
    outcomes += [Outcome("", "failed", error=error) for error in errors]
    if not as_json:
        for note in notes:
            click.echo(note, err=True)
    _report(source, outcomes, as_json=as_json)


def _require_deliverable(paths: Sequence[Path]) -> None:
    """Raise UsageError that names every path that cannot be delivered, so that one look mends them all."""
    faults: list[TransferError] = []
    for path in paths:
        try:
            with Source(path):
                pass
        except OSError as error:
            faults.append(output.from_os_error(error))
        except UsageError as error:
            faults.append(error)
    if len(faults) == 1:
        raise UsageError(faults[0].message, faults[0].advice)
    if faults:
        raise UsageError("\n".join(fault.message for fault in faults), "Nothing was sent.")


def _platform(address: str, token: str, parallel: int, stop: threading.Event, watcher: Watcher) -> Platform:
    return Platform(address, token, patience=TRANSFERRING, connections=parallel, stop=stop, waiting=watcher.waiting)


def _each(items: Sequence[T], one: Callable[[T], Outcome], called: Callable[[T], str]) -> list[Outcome]:
    """An outcome per item. What would stop the others too ends all: no session, stopped, no way to the platform."""
    outcomes: list[Outcome] = []
    for item in items:
        try:
            outcomes.append(one(item))
        except (NotSignedInError, StoppedError):
            raise
        except UnreachableError as error:
            outcomes += [Outcome(called(left), "failed", error=error) for left in items[len(outcomes) :]]
            break
        except TransferError as error:
            outcomes.append(Outcome(called(item), "failed", error=error))
        except OSError as error:
            outcomes.append(Outcome(called(item), "failed", error=output.from_os_error(error)))
    return outcomes


def _report(work: Work, outcomes: Sequence[Outcome], *, as_json: bool) -> None:
    """Say what became of the files; raises when any failed, with the exit code that fits."""
    failed = [outcome for outcome in outcomes if outcome.error is not None]
    if as_json:
        output.say_json({"work": output.facts_json(work), "files": [_json(outcome) for outcome in outcomes]})
    else:
        for outcome in outcomes:
            if outcome.file is not None:
                click.echo(f"{outcome.file.sha256}  {printable(outcome.path)}")
        for outcome in failed:
            if outcome.error is not None and len(outcomes) > 1:
                output.say_error(outcome.error, outcome.path)
    if not failed:
        return
    first = failed[0].error
    if first is not None and len(outcomes) == 1:
        raise first
    summary = f"{len(failed)} of {len(outcomes)} files failed."
    if len(failed) < len(outcomes):
        raise SomeFailedError(summary, "The same command tries again what failed.", code="some_failed")
    if all(isinstance(outcome.error, UsageError) for outcome in failed):
        raise UsageError(summary)
    raise TransferError(summary, "The same command tries again.")


def _json(outcome: Outcome) -> dict[str, Any]:
    return {
        "path": outcome.path or None,
        "state": outcome.state,
        "file": None if outcome.file is None else output.facts_json(outcome.file),
        "error": None if outcome.error is None else output.error_json(outcome.error),
    }
