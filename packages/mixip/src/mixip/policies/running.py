"""The versions that this instance keeps to. The database is the truth for all of them; each looks there every few
seconds and takes over what was released or withdrawn, so that none has to be restarted."""

import asyncio
import logging
from datetime import timedelta

from litestar.concurrency import sync_to_thread

from mixip.db import Database
from mixip.edge.policy import declaration as shipped
from mixip.policies import queries
from mixip.policies.imprint import Imprint, in_the_name_of
from mixip.policies.queries import Released
from mixip.policies.reading import UnfitError, declaration_of
from strictly_necessary import Declaration, DeclarationError
from strictly_necessary.versions import History

log = logging.getLogger("mixip.policies")

POLL_SECONDS = 10.0
MARGIN = timedelta(seconds=3 * POLL_SECONDS)
"""Every instance hears of a release within this time, so that none starts or is taken back sooner."""
OPEN_TABS = timedelta(minutes=2)
"""Every tab that is open hears of a version within this time (decision 10)."""


class NoPolicyError(Exception):
    """No version was released in this database."""


class Policies:
    """The history in force, for whoever calls it. Which of its versions holds is a matter of the clock, so that all
    instances switch at the same moment.

    What cannot be read takes nothing down: the instance keeps what it has, and says so in the log.
    """

    def __init__(self, db: Database, imprint: Imprint) -> None:
        self.imprint = imprint
        self._db = db
        self._known: dict[str, tuple[Released, Declaration]] = {}
        with db.read() as connection:
            rows = queries.released(connection)
        if not rows:
            raise NoPolicyError("No cookie policy was released in this database.")
        self._stamps = tuple(row[:4] for row in rows)
        self._history = self._history_of(rows) or History.of([in_the_name_of(imprint, shipped())])

    def __call__(self) -> History:
        """The history, without a look at the database."""
        return self._history

    def refresh(self) -> bool:
        """Look at the database once, and take over what is new. Says whether anything was."""
        with self._db.read() as connection:
            if queries.stamps(connection) == self._stamps:
                return False
            rows = queries.released(connection)
        self._stamps = tuple(row[:4] for row in rows)  # also of what cannot be read: that is told once
        history = self._history_of(rows)
        if history is None or history == self._history:
            return False
        self._history = history
        log.info("the policy has %d versions now", len(history.versions))
        return True

    async def run(self) -> None:
        """Refresh every few seconds, until cancelled."""
        reached = True
        while True:
            await asyncio.sleep(POLL_SECONDS)
            try:
                await sync_to_thread(self.refresh)
            except Exception:
                if reached:  # once, and not every few seconds while the database is away
                    log.exception("the released versions could not be looked up; it will be tried again")
                reached = False
            else:
                reached = True

    def _history_of(self, rows: list[Released]) -> History | None:
        """The history of what can be read, or None if there is none."""
        declarations = [each for each in map(self._declaration, rows) if each is not None]
        if not declarations:
            return None
        try:
            return History.of(in_the_name_of(self.imprint, each) for each in declarations)
        except ValueError:
            log.exception("the released versions do not follow each other")
            return None

    def _declaration(self, row: Released) -> Declaration | None:
        """The declaration of a row; if it cannot be read, the one that it was before; if there was none, None."""
        known, declaration = self._known.get(row.version, (None, None))
        if known == row:
            return declaration
        try:
            declaration = declaration_of(row)
        except (DeclarationError, UnfitError) as error:
            log.error("version %s of the policy cannot be read: %s", row.version, error)  # noqa: TRY400  no fault of ours
            return declaration
        self._known[row.version] = (row, declaration)
        return declaration
