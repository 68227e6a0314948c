"""The second half of a commit: read the object back, check every segment, make it durable, list it.

It survives anything: a delivery stays `verifying` in the database until it is done, whoever finds it unclaimed takes it
up again, and each step can be repeated.
"""

import asyncio
import hashlib
import logging
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

from litestar.concurrency import sync_to_thread

from mixip.clock import Clock
from mixip.db import Database
from mixip.files import add_file
from mixip.storage import Store
from mixip.transfers import queries
from mixip.transfers.digests import HASHERS, Digest, Hasher
from mixip.transfers.plan import Plan
from mixip.transfers.queries import DeliveryRow

log = logging.getLogger("mixip.transfers")

CLAIM = timedelta(seconds=60)
PROGRESS_EVERY = timedelta(seconds=1)


class Gone(Exception):  # noqa: N818  not an error: somebody else took over
    """The delivery is no longer ours to verify."""


class Verifier:
    """Verifies deliveries in threads of its own, two at a time. `on_file` is told of each new file."""

    def __init__(self, db: Database, store: Store, clock: Clock, on_file: Callable[[], None]) -> None:
        self._db = db
        self._store = store
        self._clock = clock
        self._on_file = on_file
        self._threads = ThreadPoolExecutor(2, thread_name_prefix="verify")
        self._hashers = ThreadPoolExecutor(2, thread_name_prefix="sha256")
        self._running: dict[str, asyncio.Future[None]] = {}
        self._turns: dict[str, asyncio.Lock] = {}

    async def verify(self, delivery_id: str, account_id: str, *, patience: float) -> None:
        """Start (or join) the verification and wait up to `patience` seconds for its end.

        An account's deliveries are verified one after the other, so that nobody waits behind all of somebody else's.
        """
        job = self._running.get(delivery_id)
        if job is None:
            job = asyncio.ensure_future(self._in_turn(delivery_id, account_id))
            self._running[delivery_id] = job
            job.add_done_callback(lambda _: self._running.pop(delivery_id, None))
        await asyncio.wait([job], timeout=patience)

    async def _in_turn(self, delivery_id: str, account_id: str) -> None:
        turn = self._turns.setdefault(account_id, asyncio.Lock())
        async with turn:
            await asyncio.get_running_loop().run_in_executor(self._threads, self._run, delivery_id)
        if not turn.locked():
            self._turns.pop(account_id, None)

    async def take_up(self) -> None:
        """Start what waits and nobody holds: after a restart, or when another instance died."""
        for delivery_id, account_id in await sync_to_thread(self._waiting):
            await self.verify(delivery_id, account_id, patience=0)

    def _waiting(self) -> list[tuple[str, str]]:
        with self._db.read() as connection:
            return queries.unclaimed(connection, self._clock())

    def close(self) -> None:
        """Let running verifications go: they are taken up again."""
        self._threads.shutdown(wait=False, cancel_futures=True)
        self._hashers.shutdown(wait=False, cancel_futures=True)

    def _run(self, delivery_id: str) -> None:
        try:
            self._verify(delivery_id)
        except Gone:
            pass
        except Exception:
            log.exception("verification failed; it will be tried again", extra={"delivery": delivery_id})
            with self._db.write() as connection:
                queries.release(connection, delivery_id)

    def _verify(self, delivery_id: str) -> None:
        with self._db.write() as connection:
            row = queries.claim(connection, delivery_id, at=self._clock(), until=self._clock() + CLAIM)
            there = queries.received(connection, delivery_id) if row else {}
        if row is None:
            return
        try:
            self._store.seal(delivery_id)
            sha256, damaged = self._read_back(row, there)
        except FileNotFoundError:
            damaged = list(there)
            sha256 = ""
        if damaged:
            self._reopen(row, damaged)
            return
        self._store.finish(delivery_id)
        with self._db.write() as connection:
            if not queries.change_state(connection, delivery_id, was="verifying", now="delivered", at=self._clock()):
                raise Gone
            queries.forget(connection, delivery_id, list(there))
            add_file(
                connection,
                file_id=delivery_id,
                work_id=row.work_id,
                account_id=row.account_id,
                name=row.file_name,
                size=row.size,
                sha256=sha256,
                at=self._clock(),
            )
        self._on_file()

    def _reopen(self, row: DeliveryRow, damaged: list[int]) -> None:
        """Some segments are not what was sent: ask for them again."""
        log.warning("segments were damaged in the store", extra={"delivery": row.id, "segments": len(damaged)})
        with self._db.write() as connection:
            for start in range(0, len(damaged), 500):
                queries.forget(connection, row.id, damaged[start : start + 500])
            queries.change_state(connection, row.id, was="verifying", now="open", at=self._clock())
        self._store.unseal(row.id)

    def _read_back(self, row: DeliveryRow, there: dict[int, Digest]) -> tuple[str, list[int]]:
        """The SHA-256 of the whole, and the indexes of segments that are not what was sent.

        The two digests are computed side by side: the whole one in a thread of its own.
        """
        whole = hashlib.sha256()
        pending = None
        checker = _SegmentChecker(row.plan, there)
        done, told = 0, self._clock()
        for piece in self._store.read(row.id, length=row.size):
            if pending is not None:
                pending.result()
            pending = self._hashers.submit(whole.update, piece)
            checker.take(piece)
            done += len(piece)
            if self._clock() - told >= PROGRESS_EVERY:
                told = self._clock()
                with self._db.write() as connection:
                    if not queries.note_progress(connection, row.id, done, told + CLAIM):
                        raise Gone
        if pending is not None:
            pending.result()
        return whole.hexdigest(), checker.damaged


class _SegmentChecker:
    """Compares a stream of bytes, segment by segment, with recorded digests."""

    def __init__(self, plan: Plan, there: dict[int, Digest]) -> None:
        self.damaged: list[int] = []
        self._there = there
        self._lengths: Iterator[int] = (run.length for run in plan for _ in range(run.count))
        self._index = -1
        self._left = 0
        self._hasher: Hasher
        self._next()

    def take(self, piece: bytes) -> None:
        view = memoryview(piece)
        while view:
            part = view[: self._left]
            self._hasher.update(part)  # type: ignore[arg-type]
            self._left -= len(part)
            view = view[len(part) :]
            if self._left == 0:
                if self._expected is None or self._hasher.digest() != self._expected.value:
                    self.damaged.append(self._index)
                self._next()

    def _next(self) -> None:
        self._left = next(self._lengths, 0)
        self._index += 1
        if self._left:
            self._expected = self._there.get(self._index)  # a segment that is not recorded counts as damaged
            self._hasher = HASHERS[self._expected.algorithm if self._expected else "blake3"]()
