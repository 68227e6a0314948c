"""A ledger in the service's own database by SQLAlchemy 2: SQLite or PostgreSQL. Nothing else in this package imports
SQLAlchemy; `pip install strictly-necessary[sqlalchemy]` brings it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from typing import Any

from sqlalchemy import BigInteger, Column, Connection, Index, Integer, MetaData, Table, Text, func, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import SQLAlchemyError

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

__all__ = ["ConsentTables", "SQLAlchemyLedger", "consent_tables"]

_LOCKS = 0x636F6E73
"""Tells our advisory locks from those of others in the same database."""

_RECEIPT = ("id", "at", "version", "answers", "text", "language", "channel", "account")


@dataclass(frozen=True, slots=True)
class ConsentTables:
    """The three tables. Make them with `consent_tables`."""

    receipts: Table
    answers: Table
    acknowledgements: Table


def consent_tables(metadata: MetaData) -> ConsentTables:
    """Declare the tables in this metadata, so that the service's own migrations make them. A moment is a number of
    microseconds since 1970, and what was asked is text, so that all databases keep the same."""
    # `number` is the order of recording, which no clock decides. SQLite counts by itself only in an INTEGER.
    number = BigInteger().with_variant(Integer(), "sqlite")
    receipts = Table(
        "consent_receipts",
        metadata,
        Column("number", number, primary_key=True, autoincrement=True),
        Column("id", Text, nullable=False, unique=True),
        Column("account", Text),
        Column("at", BigInteger, nullable=False),
        *(Column(name, Text, nullable=False) for name in ("version", "answers", "text", "language", "channel")),
        sqlite_autoincrement=True,
    )
    Index("consent_receipts_of_account", receipts.c.account, receipts.c.number)
    answers = Table(
        "consent_answers",
        metadata,
        *(Column(name, Text, primary_key=True) for name in ("account", "item")),
        *(Column(name, Text, nullable=False) for name in ("action", "version")),
        Column("at", BigInteger, nullable=False),
    )
    acknowledgements = Table(
        "consent_acknowledgements",
        metadata,
        *(Column(name, Text, primary_key=True) for name in ("account", "version")),
        Column("at", BigInteger, nullable=False),
        Column("channel", Text, nullable=False),
    )
    return ConsentTables(receipts, answers, acknowledgements)


Transaction = Callable[[], AbstractContextManager[Connection]]


class SQLAlchemyLedger:
    """A ledger in a database. `read` and `write` each open a transaction, as `engine.connect` and `engine.begin` do;
    `write` commits at the end and rolls back after an exception. `tables` are those of `consent_tables`, in a schema of
    their own if the metadata has one; without it, those without a schema. It makes none: migrations do."""

    def __init__(self, read: Transaction, write: Transaction, *, tables: ConsentTables | None = None) -> None:
        self._read = read
        self._write = write
        self._tables = tables or consent_tables(MetaData())

    def record(self, receipt: Receipt) -> None:
        table = self._tables.receipts
        values = {
            "id": receipt.id,
            "account": receipt.account,
            "at": microseconds(receipt.at),
            "version": receipt.version,
            "answers": write_answers(receipt.answers),
            "text": receipt.text,
            "language": receipt.language,
            "channel": receipt.channel.value,
        }
        # A write comes first, so that SQLite never has to turn a reading transaction into a writing one.
        with _told(self._write) as connection:
            _one_by_one(connection, receipt.account)
            if not _added(connection, table, values):
                kept = connection.execute(select(*(table.c[name] for name in _RECEIPT)).where(table.c.id == receipt.id))
                require_same(receipt_of(*kept.one()), receipt)
            elif receipt.account is not None:
                for answer in receipt.answers:
                    given = {"action": answer.action.value, "version": receipt.version, "at": values["at"]}
                    self._remember(connection, {"account": receipt.account, "item": answer.item.id, **given})

    def _remember(self, connection: Connection, values: dict[str, Any]) -> None:
        statement = _insert(connection, self._tables.answers).values(values)
        changed = {name: statement.excluded[name] for name in ("action", "version", "at")}
        connection.execute(statement.on_conflict_do_update(index_elements=["account", "item"], set_=changed))

    def receipts(self, account: str) -> Sequence[Receipt]:
        table = self._tables.receipts
        chosen = select(*(table.c[name] for name in _RECEIPT)).where(table.c.account == account)
        with _told(self._read) as connection:
            rows = connection.execute(chosen.order_by(table.c.number.desc())).all()
        return tuple(receipt_of(*row) for row in rows)

    def answers(self, account: str) -> Answers:
        table = self._tables.answers
        columns = (table.c.item, table.c.action, table.c.version, table.c.at)
        with _told(self._read) as connection:
            rows = connection.execute(select(*columns).where(table.c.account == account)).all()
        return {item: latest_of(action, version, at) for item, action, version, at in rows}

    def acknowledge(self, acknowledgement: Acknowledgement) -> bool:
        values = {
            "account": acknowledgement.account,
            "version": acknowledgement.version,
            "at": microseconds(acknowledgement.at),
            "channel": acknowledgement.channel.value,
        }
        with _told(self._write) as connection:
            return _added(connection, self._tables.acknowledgements, values)

    def acknowledgements(self, account: str) -> Sequence[Acknowledgement]:
        table = self._tables.acknowledgements
        chosen = select(table.c.version, table.c.at, table.c.channel).where(table.c.account == account)
        with _told(self._read) as connection:
            rows = connection.execute(chosen.order_by(table.c.at.desc(), table.c.version.desc())).all()
        return tuple(acknowledgement_of(account, *row) for row in rows)

    def tally(self) -> Tally:
        seen, said = self._tables.acknowledgements, self._tables.answers
        with _told(self._read) as connection:
            acknowledged = connection.execute(select(seen.c.version, func.count()).group_by(seen.c.version)).all()
            counted = select(said.c.item, said.c.action, func.count()).group_by(said.c.item, said.c.action)
            answered = connection.execute(counted).all()
        return tally_of([tuple(row) for row in acknowledged], [tuple(row) for row in answered])

    def forget(self, account: str) -> None:
        receipts, answers, seen = self._tables.receipts, self._tables.answers, self._tables.acknowledgements
        with _told(self._write) as connection:
            _one_by_one(connection, account)
            connection.execute(receipts.update().where(receipts.c.account == account).values(account=None))
            connection.execute(answers.delete().where(answers.c.account == account))
            connection.execute(seen.delete().where(seen.c.account == account))


@contextmanager
def _told(transaction: Transaction) -> Iterator[Connection]:
    """The transaction, with what goes wrong in it told as a `LedgerError`. SQLAlchemy's own messages show parameters,
    which are people's data."""
    try:
        with transaction() as connection:
            yield connection
    except SQLAlchemyError as error:
        raise LedgerError(f"the database refuses: {type(getattr(error, 'orig', None) or error).__name__}") from error


def _one_by_one(connection: Connection, account: str | None) -> None:
    """Let what is written of one account follow each other until the transaction ends. PostgreSQL would give the second
    of two receipts the later number, and yet might keep the answer of the first. SQLite has one writer anyway."""
    if account is not None and connection.dialect.name == "postgresql":
        connection.execute(select(func.pg_advisory_xact_lock(_LOCKS, func.hashtext(account))))


def _added(connection: Connection, table: Table, values: dict[str, Any]) -> bool:
    """Insert the row, unless its key is there. Another transaction with that key is waited for."""
    statement = _insert(connection, table).values(values).on_conflict_do_nothing()
    return connection.execute(statement, execution_options={"preserve_rowcount": True}).rowcount == 1


def _insert(connection: Connection, table: Table) -> postgresql.Insert | sqlite.Insert:
    match connection.dialect.name:
        case "postgresql":
            return postgresql.insert(table)
        case "sqlite":
            return sqlite.insert(table)
        case other:
            raise LedgerError(f"the ledger knows SQLite and PostgreSQL, and not {other}")
