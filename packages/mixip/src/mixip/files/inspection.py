"""Reads facts about new files in the background, one at a time, in a process of its own (`mixip.media`)."""

import asyncio
import logging
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

from mixip.clock import Clock
from mixip.db import Database
from mixip.files import queries
from mixip.media.facts import write_facts
from mixip.media.limits import Limits
from mixip.media.run import inspect_file
from mixip.storage import Store

log = logging.getLogger("mixip.files")

CLAIM = timedelta(minutes=5)
PAUSE_SECONDS = 5.0  # after a fault of the database or the disk
PREVIEW_TYPES = {"preview.jpg": "image/jpeg", "preview.webp": "image/webp"}


class Inspector:
    """Looks into files that wait for it. `wake` may be called from any thread."""

    def __init__(self, db: Database, store: Store, clock: Clock) -> None:
        self._db = db
        self._store = store
        self._clock = clock
        self._last_account = ""
        self._loop: asyncio.AbstractEventLoop | None = None
        self._waiting = asyncio.Event()
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="inspect")

    def wake(self) -> None:
        """There may be something to do."""
        if self._loop is not None:
            self._loop.call_soon_threadsafe(self._waiting.set)

    async def run(self) -> None:
        """Work until cancelled."""
        self._loop = asyncio.get_running_loop()
        while True:
            self._waiting.clear()
            try:
                while await self._loop.run_in_executor(self._thread, self.inspect_next):
                    pass
            except Exception:
                log.exception("inspection failed; it will be tried again")
                await asyncio.sleep(PAUSE_SECONDS)
                continue
            await self._waiting.wait()

    def close(self) -> None:
        """Let a running inspection go: it is done again."""
        self._thread.shutdown(wait=False, cancel_futures=True)

    def inspect_next(self) -> bool:
        """Look into one file. Returns whether there was one."""
        at = self._clock()
        with self._db.read() as connection:
            waiting = queries.next_without_facts(connection, at, after=self._last_account)
        if waiting is None:
            return False
        file_id, self._last_account = waiting
        with self._db.write() as connection:
            claimed = queries.claim(connection, file_id, at=at, until=at + CLAIM)
        if claimed is None:
            return True
        key, name = claimed
        try:
            facts = inspect_file(self._store.local_path(key), self._store.preview_folder(key), name, limits=Limits())
        except OSError:
            log.exception("a file could not be inspected", extra={"file": file_id})
            facts = None
        preview = PREVIEW_TYPES.get(facts.preview or "") if facts else None
        with self._db.write() as connection:
            queries.set_facts(
                connection,
                file_id,
                state="ready" if facts else "none",
                facts=write_facts(facts).decode() if facts else None,
                preview=preview,
            )
        return True
