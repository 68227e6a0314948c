"""A ledger in one SQLite file, for a service on one machine, with any number of threads and processes."""

from __future__ import annotations

import os
import sqlite3
import threading
import time
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path

from strictly_necessary.consent._archive import write_answers
from strictly_necessary.consent._ledger import LedgerError
from strictly_necessary.consent._receipts import Acknowledgement, Answers, Receipt, Tally
from strictly_necessary.consent._rows import (
    acknowledgement_of,
    latest_of,
    microseconds,
    receipt_of,
    require_same,
    tally_of,
)

__all__ = ["SQLiteLedger"]

SCHEMA = 1
"""Of the tables. A file with a later one is refused."""

BUSY_SECONDS = 5.0
"""How long to wait for another process that is writing."""

# `number` is the order of recording, which no clock decides. AUTOINCREMENT never uses a number twice.
_TABLES = (
    "CREATE TABLE IF NOT EXISTS consent_schema (version INTEGER NOT NULL)",
    """CREATE TABLE IF NOT EXISTS consent_receipts (
        number INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE, account TEXT, at INTEGER NOT NULL,
        version TEXT NOT NULL, answers TEXT NOT NULL, text TEXT NOT NULL, language TEXT NOT NULL, channel TEXT NOT NULL
    )""",
    "CREATE INDEX IF NOT EXISTS consent_receipts_of_account ON consent_receipts (account, number)",
    """CREATE TABLE IF NOT EXISTS consent_answers (
        account TEXT NOT NULL, item TEXT NOT NULL, action TEXT NOT NULL, version TEXT NOT NULL, at INTEGER NOT NULL,
        PRIMARY KEY (account, item)
    ) WITHOUT ROWID""",
    """CREATE TABLE IF NOT EXISTS consent_acknowledgements (
        account TEXT NOT NULL, version TEXT NOT NULL, at INTEGER NOT NULL, channel TEXT NOT NULL,
        PRIMARY KEY (account, version)
    ) WITHOUT ROWID""",
)
_RECEIPT = "id, at, version, answers, text, language, channel, account"
_LATEST = "SELECT item, action, version, at FROM consent_answers WHERE account = ?"
_REMEMBER = """INSERT INTO consent_answers (account, item, action, version, at) VALUES (?, ?, ?, ?, ?)
    ON CONFLICT (account, item) DO UPDATE SET action = excluded.action, version = excluded.version, at = excluded.at"""


class SQLiteLedger:
    """A ledger in the file at `path`, which is made if it is not there, readable by its owner alone. What was recorded
    survives a crash of the process and of the machine. Raises `LedgerError` if the file cannot be used."""

    def __init__(self, path: Path | str, *, busy_seconds: float = BUSY_SECONDS) -> None:
        if not str(path) or str(path) == ":memory:":
            raise ValueError("the path of a file is needed: what is only in memory proves nothing tomorrow")
        self.path = Path(path)
        self._busy_seconds = busy_seconds
        self._closed = threading.Event()
        self._process = os.getpid()
        self._idle: deque[sqlite3.Connection] = deque()
        self._inherited: list[deque[sqlite3.Connection]] = []
        try:
            os.close(
                os.open(self.path, os.O_CREAT | os.O_RDWR, 0o600)
            )  # SQLite gives its two other files the same mode
        except OSError as error:
            raise LedgerError(f"{self.path} cannot be opened: {error.strerror}") from error
        with self._connection() as connection:
            _prepare(connection, self.path)

    def record(self, receipt: Receipt) -> None:
        answers = write_answers(receipt.answers)
        values = (receipt.id, microseconds(receipt.at), receipt.version, answers, receipt.text, receipt.language)
        with self._transaction() as connection:
            added = connection.execute(
                f"INSERT INTO consent_receipts ({_RECEIPT}) VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",  # noqa: S608  a constant
                (*values, receipt.channel.value, receipt.account),
            )
            if not added.rowcount:
                kept = connection.execute(f"SELECT {_RECEIPT} FROM consent_receipts WHERE id = ?", (receipt.id,))  # noqa: S608
                require_same(receipt_of(*kept.fetchone()), receipt)
            elif receipt.account is not None:
                given = (receipt.version, microseconds(receipt.at))
                rows = [(receipt.account, each.item.id, each.action.value, *given) for each in receipt.answers]
                connection.executemany(_REMEMBER, rows)

    def receipts(self, account: str) -> Sequence[Receipt]:
        sql = f"SELECT {_RECEIPT} FROM consent_receipts WHERE account = ? ORDER BY number DESC"  # noqa: S608
        with self._connection() as connection:
            return tuple(receipt_of(*row) for row in connection.execute(sql, (account,)).fetchall())

    def answers(self, account: str) -> Answers:
        with self._connection() as connection:
            rows = connection.execute(_LATEST, (account,)).fetchall()
            return {item: latest_of(*latest) for item, *latest in rows}

    def acknowledge(self, acknowledgement: Acknowledgement) -> bool:
        values = (acknowledgement.account, acknowledgement.version, microseconds(acknowledgement.at))
        with self._transaction() as connection:
            added = connection.execute(
                "INSERT INTO consent_acknowledgements (account, version, at, channel) VALUES (?, ?, ?, ?) "
                "ON CONFLICT DO NOTHING",
                (*values, acknowledgement.channel.value),
            )
            return added.rowcount == 1

    def acknowledgements(self, account: str) -> Sequence[Acknowledgement]:
        sql = (
            "SELECT version, at, channel FROM consent_acknowledgements WHERE account = ? ORDER BY at DESC, version DESC"
        )
        with self._connection() as connection:
            rows = connection.execute(sql, (account,)).fetchall()
            return tuple(acknowledgement_of(account, *row) for row in rows)

    def tally(self) -> Tally:
        with self._connection() as connection:
            connection.execute("BEGIN")  # both numbers are of one moment
            seen = connection.execute("SELECT version, count(*) FROM consent_acknowledgements GROUP BY version")
            acknowledged = seen.fetchall()
            sql = "SELECT item, action, count(*) FROM consent_answers GROUP BY item, action"
            answered = connection.execute(sql).fetchall()
            connection.execute("COMMIT")
        return tally_of(acknowledged, answered)

    def forget(self, account: str) -> None:
        with self._transaction() as connection:
            connection.execute("UPDATE consent_receipts SET account = NULL WHERE account = ?", (account,))
            connection.execute("DELETE FROM consent_answers WHERE account = ?", (account,))
            connection.execute("DELETE FROM consent_acknowledgements WHERE account = ?", (account,))

    def close(self) -> None:
        """Close the file. After that every method raises `LedgerError`."""
        self._closed.set()
        while self._idle and self._process == os.getpid():
            self._idle.pop().close()

    @contextmanager
    def _connection(self) -> Iterator[sqlite3.Connection]:
        """A connection that nobody else uses meanwhile. After any error it is closed, which rolls back."""
        if self._closed.is_set():
            raise LedgerError("the ledger is closed")
        if self._process != os.getpid():  # a connection must not cross a fork; to close one here would undo its locks
            self._inherited.append(self._idle)
            self._idle, self._process = deque(), os.getpid()
        try:
            try:
                connection = self._idle.pop()
            except IndexError:
                connection = self._open()
            try:
                yield connection
            except BaseException:
                connection.close()
                raise
        except sqlite3.Error as error:
            raise LedgerError(self._explained(error)) from error
        self._idle.append(connection)
        if self._closed.is_set():
            self.close()

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        """One that can write from its beginning, so that it never has to give up in the middle."""
        with self._connection() as connection:
            connection.execute("BEGIN IMMEDIATE")
            yield connection
            connection.execute("COMMIT")

    def _open(self) -> sqlite3.Connection:
        address = f"{self.path.absolute().as_uri()}?mode=rw"  # a file that was taken away is not made anew, empty
        connection = sqlite3.connect(
            address, uri=True, timeout=self._busy_seconds, isolation_level=None, check_same_thread=False
        )
        try:
            _switch_to_wal(connection, time.monotonic() + self._busy_seconds)
            connection.execute("PRAGMA synchronous=FULL")
            connection.execute("PRAGMA secure_delete=ON")  # what is forgotten is not left in free pages
        except BaseException:
            connection.close()
            raise
        return connection

    def _explained(self, error: sqlite3.Error) -> str:
        if "locked" in str(error) or "busy" in str(error):
            return f"{self.path} is locked by another process for longer than {self._busy_seconds:g} s"
        return f"{self.path} cannot be used: {error}"


def _switch_to_wal(connection: sqlite3.Connection, deadline: float) -> None:
    """Readers then do not wait for a writer. While two processes open a new file, SQLite refuses one at once."""
    while True:
        try:
            (mode,) = connection.execute("PRAGMA journal_mode=WAL").fetchone()
        except sqlite3.OperationalError as error:
            if "locked" not in str(error) or time.monotonic() >= deadline:
                raise
            time.sleep(0.01)
            continue
        if mode != "wal":
            raise LedgerError("the ledger's file is where SQLite cannot keep a write-ahead log; use a local disk")
        return


def _prepare(connection: sqlite3.Connection, path: Path) -> None:
    """Make the tables if they are not there."""
    connection.execute("BEGIN IMMEDIATE")
    with closing(connection.cursor()) as cursor:
        for statement in _TABLES:
            cursor.execute(statement)
        found = cursor.execute("SELECT max(version) FROM consent_schema").fetchone()[0]
        if found is None:
            cursor.execute("INSERT INTO consent_schema (version) VALUES (?)", (SCHEMA,))
        elif found != SCHEMA:
            raise LedgerError(f"{path} has tables of version {found}, and this package knows version {SCHEMA}")
    connection.execute("COMMIT")
