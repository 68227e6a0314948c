"""SQL of files. Whoever owns the work may see its files; every statement a person's request reaches says so."""

from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import Connection, Select, case, insert, or_, select, update

from mixip.db.tables import Account, File, Work

PAGE = 100


class FileRow(NamedTuple):
    """A file and who delivered it."""

    id: str
    work_id: str
    name: str
    size: int
    sha256: str
    object_key: str
    delivered_at: datetime
    delivered_by: str
    facts_state: str
    facts: str | None
    preview_type: str | None


_SELECT = (
    select(
        File.id,
        File.work_id,
        File.name,
        File.size,
        File.sha256,
        File.object_key,
        File.delivered_at,
        Account.email,
        File.facts_state,
        File.facts,
        File.preview_type,
    )
    .join(Work, Work.id == File.work_id)
    .join(Account, Account.id == File.account_id)
)


def _seen_by(account_id: str) -> Select[*tuple[Any, ...]]:
    return _SELECT.where(Work.owner_id == account_id)


def add(connection: Connection, **values: object) -> None:
    """Insert a file."""
    connection.execute(insert(File).values(**values))


def find(connection: Connection, account_id: str, file_id: str) -> FileRow | None:
    """The file with this id, if the account may see it."""
    row = connection.execute(_seen_by(account_id).where(File.id == file_id)).one_or_none()
    return FileRow(*row) if row else None


def of_work(connection: Connection, account_id: str, work_id: str, *, before: str | None) -> list[FileRow]:
    """The newest files of a work, one more than a page, from `before` on when it is given."""
    statement = _seen_by(account_id).where(File.work_id == work_id).order_by(File.id.desc()).limit(PAGE + 1)
    if before is not None:
        statement = statement.where(File.id < before)
    return [FileRow(*row) for row in connection.execute(statement)]


def next_without_facts(connection: Connection, at: datetime, *, after: str) -> tuple[str, str] | None:
    """The (id, account id) of a file that nobody has looked into and nobody holds.

    Accounts take turns, the one after `after` first, so that nobody waits behind all files of somebody else.
    """
    waiting = select(File.id, File.account_id).where(
        File.facts_state == "pending", or_(File.claimed_until.is_(None), File.claimed_until <= at)
    )
    turn = case((File.account_id > after, 0), else_=1)
    row = connection.execute(waiting.order_by(turn, File.account_id, File.id).limit(1)).one_or_none()
    return (row[0], row[1]) if row else None


def claim(connection: Connection, file_id: str, *, at: datetime, until: datetime) -> tuple[str, str] | None:
    """Take a file to look into, unless somebody else holds it. Returns its object key and name."""
    taken = connection.execute(
        update(File)
        .where(
            File.id == file_id,
            File.facts_state == "pending",
            or_(File.claimed_until.is_(None), File.claimed_until <= at),
        )
        .values(claimed_until=until)
    ).rowcount
    if not taken:
        return None
    row = connection.execute(select(File.object_key, File.name).where(File.id == file_id)).one()
    return row[0], row[1]


def set_facts(connection: Connection, file_id: str, *, state: str, facts: str | None, preview: str | None) -> None:
    """Store what was found."""
    connection.execute(
        update(File)
        .where(File.id == file_id)
        .values(facts_state=state, facts=facts, preview_type=preview, claimed_until=None)
    )


def drop_claims(connection: Connection) -> None:
    """Forget who holds what: right only where no other process uses this database."""
    connection.execute(update(File).values(claimed_until=None))
