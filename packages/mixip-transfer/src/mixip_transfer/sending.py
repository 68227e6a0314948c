"""Send the missing segments of a delivery with a few threads, and hash the whole file beside them.

The segments go in order, so the bytes that one thread has just read for its segment are still in the system's cache
when the hash of the whole file comes by.
"""

from __future__ import annotations

import hashlib
import threading
import time
from collections.abc import Callable, Iterator

from mixip_transfer.answers import Delivery
from mixip_transfer.digests import algorithm_of, content_digest
from mixip_transfer.errors import RefusedError, StoppedError
from mixip_transfer.plan import Segment, segments
from mixip_transfer.platform import Platform
from mixip_transfer.source import Source
from mixip_transfer.watching import Watcher

_ATTEMPTS_AFTER_MISMATCH = 3
_LEAVE_SECONDS = 2.0


class Sending:
    """One round of sending. After `run`, everything is at the platform and, with `whole`, `sha256` is known."""

    def __init__(
        self,
        platform: Platform,
        delivery: Delivery,
        source: Source,
        *,
        watcher: Watcher,
        stop: threading.Event,
        whole: bool,
    ) -> None:
        self.sha256: str | None = None
        self.sent_bytes = 0
        self._platform = platform
        self._delivery = delivery
        self._source = source
        self._watcher = watcher
        self._stop = stop
        self._whole = whole
        self._segments = segments(delivery.plan, source.size)
        self._taken = 0
        self._turn = threading.Condition()
        self._halt = threading.Event()  # ends this round; `stop` is the person's
        self._failures: list[BaseException] = []

    def run(self, parallel: int) -> None:
        """Raises the first failure of any thread; StoppedError when stopped."""
        received = self._delivery.received
        already = sum(segment.length for segment in self._segments if segment.index in received)
        self._watcher.started(self._source.name, self._source.size, already)
        jobs: list[Callable[[], None]] = [self._send_all] * max(1, min(parallel, len(self._segments)))
        if self._whole:
            jobs.append(self._hash_whole)
        # Daemons: a thread that hangs in a dead connection must not keep the program from ending.
        crew = [threading.Thread(target=self._guarded, args=(job,), daemon=True) for job in jobs]
        for thread in crew:
            thread.start()
        try:
            for thread in crew:
                while thread.is_alive() and not self._halt.is_set():
                    thread.join(0.1)
                    if self._stop.is_set():
                        raise StoppedError
        finally:
            self._halt.set()
            end = time.monotonic() + _LEAVE_SECONDS
            for thread in crew:
                thread.join(max(0.0, end - time.monotonic()))
        if self._failures:
            raise self._failures[0]

    def _guarded(self, job: Callable[[], None]) -> None:
        try:
            job()
        except BaseException as failure:  # noqa: BLE001  it is raised again in the thread that waits
            if not (isinstance(failure, StoppedError) and self._halt.is_set()):
                self._failures.append(failure)
            self._halt.set()

    def _send_all(self) -> None:
        while (segment := self._take()) is not None:
            self._settle(segment)

    def _take(self) -> Segment | None:
        with self._turn:
            if self._halt.is_set() or self._taken == len(self._segments):
                return None
            self._taken += 1
            self._turn.notify_all()
            return self._segments[self._taken - 1]

    def _hash_whole(self) -> None:
        state = hashlib.sha256()
        for segment in self._segments:
            with self._turn:
                while self._taken <= segment.index:
                    if self._halt.is_set():
                        return
                    self._turn.wait(0.1)
            for piece in self._pieces(segment):
                state.update(piece)
        self.sha256 = state.hexdigest()

    def _settle(self, segment: Segment) -> None:
        """Leave the segment alone when the platform has it as it is here; else send it."""
        recorded = self._delivery.received.get(segment.index)
        if recorded is not None:
            algorithm = algorithm_of(recorded)
            if algorithm and content_digest(algorithm, self._pieces(segment)) == recorded:
                return
            self._watcher.moved(-segment.length)
        for attempt in range(1, _ATTEMPTS_AFTER_MISMATCH + 1):
            digest = content_digest("blake3", self._pieces(segment))
            try:
                self._send(segment, digest)
            except RefusedError as refusal:
                if refusal.code == "delivery_closed":  # the same command elsewhere was faster; the commit will tell
                    return
                # Either the file changed between hashing and sending, or the line garbled it.
                self._source.require_unchanged()
                if refusal.code != "digest_mismatch" or attempt == _ATTEMPTS_AFTER_MISMATCH:
                    raise
            else:
                return

    def _send(self, segment: Segment, digest: str) -> None:
        counted = 0

        def attempt() -> Iterator[bytes]:
            nonlocal counted
            uncount()
            for piece in self._pieces(segment):
                yield piece
                counted += len(piece)
                self._watcher.moved(len(piece))

        def uncount() -> None:
            nonlocal counted
            if counted:
                self._watcher.moved(-counted)
            counted = 0

        try:
            self._platform.put_segment(
                self._delivery.id, segment.index, length=segment.length, digest=digest, pieces=attempt
            )
        except BaseException:
            uncount()
            raise
        with self._turn:
            self.sent_bytes += segment.length

    def _pieces(self, segment: Segment) -> Iterator[bytes]:
        return self._source.pieces(segment.offset, segment.length, self._halt, self._stop)
