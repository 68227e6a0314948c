"""The engine and its two kinds of transaction."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from sqlite3 import Connection as SqliteConnection
from typing import Any

from sqlalchemy import Connection, create_engine, event
from sqlalchemy.engine import Engine
from sqlalchemy.pool import QueuePool

CLOSE_SECONDS = 2.0
CONNECTIONS = 24  # at least as many as there are threads that run actions


class Database:
    """Where actions open their transactions, to read or to write; they pass the connection on."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine

    @property
    def embedded(self) -> bool:
        """Whether this is SQLite, used by this process alone."""
        return self.engine.dialect.name == "sqlite"

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """A consistent view; nothing can be changed through it for others to see."""
        with self.engine.connect() as connection:
            yield connection

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """One transaction, committed at the end and rolled back on any exception.

        SQLite takes its write lock at the beginning, so a transaction that starts is one that can finish.
        """
        with self.engine.connect() as connection:
            connection.execution_options(mixip_write=True)
            with connection.begin():
                yield connection

    def close(self) -> None:
        """Close every connection. Those in use are waited for, two seconds at most."""
        pool = self.engine.pool
        deadline = time.monotonic() + CLOSE_SECONDS
        while isinstance(pool, QueuePool) and pool.checkedout() and time.monotonic() < deadline:
            time.sleep(0.01)
        self.engine.dispose()


def open_database(url: str) -> Database:
    """Make the engine for a SQLAlchemy address: `sqlite:///FILE` or `postgresql+psycopg://…`. Connects only on use."""
    if not url.startswith("sqlite"):
        return Database(create_engine(url, pool_size=CONNECTIONS, pool_pre_ping=True, hide_parameters=True))
    engine = create_engine(
        url,
        poolclass=QueuePool,
        pool_size=CONNECTIONS,
        hide_parameters=True,  # errors are logged, and parameters are people's data
        connect_args={"check_same_thread": False, "timeout": 30},
    )
    event.listen(engine, "connect", _prepare_sqlite)
    event.listen(engine, "begin", _begin_sqlite)
    return Database(engine)


def _prepare_sqlite(connection: SqliteConnection, _record: Any) -> None:
    connection.isolation_level = None  # we say BEGIN ourselves, below
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", "busy_timeout=30000"):
        connection.execute(f"PRAGMA {pragma}")


def _begin_sqlite(connection: Connection) -> None:
    writes = connection.get_execution_options().get("mixip_write", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")
