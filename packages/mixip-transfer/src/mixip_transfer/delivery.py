"""Deliver one file: find or open the delivery, send what is missing, commit, and compare both ends.

No state is kept on this computer. A delivery that was broken off is found again by name, size and time of
modification; the segments that the platform has are compared by digest, the others are sent. Each thread holds at
most 1 MiB of the file. Source: docs/transfer-protocol.md, "Deliver a file" and "Continue after anything".
"""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from mixip_transfer.answers import Delivery, File
from mixip_transfer.digests import sha256_hex
from mixip_transfer.errors import FileChangedError, RefusedError, StoppedError, TransferError, UnverifiedError
from mixip_transfer.names import printable
from mixip_transfer.platform import Platform
from mixip_transfer.sending import Sending
from mixip_transfer.source import Source
from mixip_transfer.watching import Watcher

_ROUNDS = 5  # a platform that crashed may drop segments at commit; more often than this is no accident
_POLL_FIRST_SECONDS = 0.05
_POLL_LONGEST_SECONDS = 2.0
_STALLED_SECONDS = 15.0


@dataclass(frozen=True, slots=True)
class Receipt:
    """What was delivered. `sent_bytes` went over the line now; `outcome` is `delivered` or `already_delivered`."""

    path: Path
    file: File
    outcome: str
    sent_bytes: int


def deliver(
    platform: Platform,
    work_id: str,
    path: Path,
    *,
    watcher: Watcher,
    stop: threading.Event,
    parallel: int = 4,
    listed: Iterable[File] = (),
) -> Receipt:
    """Deliver the file at `path` and return once the platform lists it with the SHA-256 that it has here.

    `listed` are the files of the work: one with the same name, size and SHA-256 is not sent again, so that a command
    for several files may be repeated. Raises TransferError; OSError when the file cannot be read.
    """
    with Source(path) as source:
        twins = [file for file in listed if (file.name, file.size) == (source.name, source.size)]
        if twins:
            watcher.started(source.name, source.size, source.size)
            watcher.checking(source.name)
            sha256 = sha256_hex(source.pieces(0, source.size, stop))
            for twin in twins:
                if twin.sha256 == sha256:
                    watcher.finished(source.name, "was delivered before")
                    return Receipt(path, twin, "already_delivered", 0)
        found = _own_delivery(platform, work_id, source)
        delivery = found or platform.open_delivery(
            work_id, file_name=source.name, size=source.size, last_modified=source.last_modified
        )
        try:
            file, sent = _complete(platform, delivery, source, watcher=watcher, stop=stop, parallel=parallel)
        except FileChangedError:
            # It can never be completed: the file that it was opened for does not exist any more.
            with contextlib.suppress(TransferError):
                platform.cancel_delivery(delivery.id)
            raise
        watcher.finished(source.name, "delivered and verified")
        return Receipt(path, file, "delivered", sent)


def _own_delivery(platform: Platform, work_id: str, source: Source) -> Delivery | None:
    own = (source.name, source.size, source.last_modified)
    for delivery in platform.deliveries(work_id):
        if (delivery.file_name, delivery.size, delivery.last_modified) == own and delivery.state != "delivered":
            return delivery
    return None


def _complete(
    platform: Platform, delivery: Delivery, source: Source, *, watcher: Watcher, stop: threading.Event, parallel: int
) -> tuple[File, int]:
    sha256: str | None = None
    sent = 0
    for _ in range(_ROUNDS):
        if delivery.state == "open":
            sending = Sending(platform, delivery, source, watcher=watcher, stop=stop, whole=sha256 is None)
            sending.run(parallel)
            sent += sending.sent_bytes
            sha256 = sha256 or sending.sha256
            source.require_unchanged()
        watcher.checking(source.name)
        try:
            delivery = _committed(platform, delivery, stop)
        except RefusedError as refusal:
            if refusal.code != "segments_missing":
                raise
            delivery = platform.delivery(delivery.id)
        if delivery.file is not None and delivery.state == "delivered":
            local = sha256 or sha256_hex(source.pieces(0, source.size, stop))
            _require_same(source, delivery.file, local)
            return delivery.file, sent
    raise TransferError(
        f"The platform lost parts of {printable(source.name)} {_ROUNDS} times.",
        "Tell whoever runs the platform; its storage may be failing.",
        code="segments_lost",
    )


def _committed(platform: Platform, delivery: Delivery, stop: threading.Event) -> Delivery:
    """Commit and wait while the platform verifies. Commits again when that stands still, as after a crash."""
    now = platform.commit(delivery.id)
    pause, seen, since = _POLL_FIRST_SECONDS, now.verified_bytes, time.monotonic()
    while now.state == "verifying":
        if stop.wait(pause):
            raise StoppedError
        pause = min(pause * 1.5, _POLL_LONGEST_SECONDS)
        now = platform.delivery(delivery.id)
        if now.verified_bytes != seen:
            seen, since = now.verified_bytes, time.monotonic()
        elif time.monotonic() - since > _STALLED_SECONDS and now.state == "verifying":
            now, since = platform.commit(delivery.id), time.monotonic()
    return now


def _require_same(source: Source, file: File, sha256: str) -> None:
    if (file.size, file.sha256) != (source.size, sha256):
        raise UnverifiedError(
            f"The platform lists {printable(source.name)} with another SHA-256 than it has here:"
            f" {file.sha256} instead of {sha256}.",
            "Do not rely on that copy. Send the file again, and tell whoever runs the platform.",
        )
