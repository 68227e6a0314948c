"""What is done now and then: take up what was interrupted, remove what is over."""

import asyncio
import logging

from litestar.concurrency import sync_to_thread

from mixip.clock import Clock
from mixip.db import Database
from mixip.desktop import sweep_codes
from mixip.files import Inspector
from mixip.files import drop_claims as drop_file_claims
from mixip.identity import sweep_throttles
from mixip.sessions import sweep_sessions
from mixip.settings import Settings
from mixip.storage import Store
from mixip.transfers import Verifier, sweep_deliveries
from mixip.transfers import drop_claims as drop_delivery_claims

log = logging.getLogger("mixip")

INTERVAL_SECONDS = 60.0


class Housekeeping:
    """Runs at the start and then every minute. Every part of it may run on several instances at once."""

    def __init__(
        self,
        db: Database,
        store: Store,
        clock: Clock,
        settings: Settings,
        verifier: Verifier,
        inspector: Inspector,
    ) -> None:
        self._db = db
        self._store = store
        self._clock = clock
        self._settings = settings
        self._verifier = verifier
        self._inspector = inspector

    async def run(self) -> None:
        """Work until cancelled."""
        if self._db.embedded:
            await sync_to_thread(self._drop_claims)
        while True:
            try:
                await self._verifier.take_up()
                self._inspector.wake()
                await sync_to_thread(self.sweep)
            except Exception:
                log.exception("housekeeping failed; it will be tried again")
            await asyncio.sleep(INTERVAL_SECONDS)

    def sweep(self) -> None:
        """Remove what is over."""
        at = self._clock()
        sweep_deliveries(self._db, self._store, max_age=self._settings.delivery_max_age, at=at)
        sweep_sessions(self._db, at)
        sweep_codes(self._db, at)
        with self._db.write() as connection:
            sweep_throttles(connection, at)

    def _drop_claims(self) -> None:
        """SQLite is used by this process alone, so whoever held a claim is gone."""
        with self._db.write() as connection:
            drop_delivery_claims(connection)
            drop_file_claims(connection)
