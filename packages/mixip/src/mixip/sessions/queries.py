"""SQL of sessions."""

from datetime import datetime
from typing import NamedTuple

from sqlalchemy import Connection, bindparam, delete, insert, select, update

from mixip.db.tables import Account, Session


class Found(NamedTuple):
    """What a valid token stands for."""

    session_id: str
    account_id: str
    email: str
    since: datetime
    kind: str
    last_used_at: datetime


class SessionRow(NamedTuple):
    """A session as its owner sees it."""

    id: str
    kind: str
    name: str
    created_at: datetime
    last_used_at: datetime
    expires_at: datetime


# Built once: every request runs it, and building a statement costs more than running it.
_FIND = (
    select(
        Session.id,
        Session.account_id,
        Account.email,
        Account.created_at,
        Session.kind,
        Session.last_used_at,
        Session.expires_at,
    )
    .join(Account, Account.id == Session.account_id)
    .where(Session.token_hash == bindparam("token_hash"))
)


def add(connection: Connection, **values: object) -> None:
    """Insert a session."""
    connection.execute(insert(Session).values(**values))


def find(connection: Connection, token_hash: bytes, at: datetime) -> Found | None:
    """The session with this token that has not expired."""
    row = connection.execute(_FIND, {"token_hash": token_hash}).one_or_none()
    return None if row is None or row.expires_at <= at else Found(*row[:6])


def touch(connection: Connection, session_id: str, at: datetime) -> None:
    """Note that a session was used."""
    connection.execute(update(Session).where(Session.id == session_id).values(last_used_at=at))


def sessions_of(connection: Connection, account_id: str, at: datetime) -> list[SessionRow]:
    """The account's sessions, last used first."""
    rows = connection.execute(
        select(Session.id, Session.kind, Session.name, Session.created_at, Session.last_used_at, Session.expires_at)
        .where(Session.account_id == account_id, Session.expires_at > at)
        .order_by(Session.last_used_at.desc(), Session.id.desc())
    )
    return [SessionRow(*row) for row in rows]


def remove(connection: Connection, account_id: str, *, only: str | None = None, but: str | None = None) -> int:
    """Delete one session of the account, or all but one. Returns how many there were."""
    statement = delete(Session).where(Session.account_id == account_id)
    if only is not None:
        statement = statement.where(Session.id == only)
    if but is not None:
        statement = statement.where(Session.id != but)
    return connection.execute(statement).rowcount


def exists(connection: Connection, token_hash: bytes) -> bool:
    """Whether there is a session with this token, ended by time or not."""
    return connection.scalar(select(Session.id).where(Session.token_hash == token_hash)) is not None


def remove_token(connection: Connection, token_hash: bytes) -> None:
    """Delete the session with this token."""
    connection.execute(delete(Session).where(Session.token_hash == token_hash))


def remove_expired(connection: Connection, at: datetime, idle: dict[str, datetime]) -> int:
    """Delete sessions past their end, and those of each kind that were last used before `idle[kind]`."""
    gone = connection.execute(delete(Session).where(Session.expires_at <= at)).rowcount
    for kind, before in idle.items():
        gone += connection.execute(delete(Session).where(Session.kind == kind, Session.last_used_at <= before)).rowcount
    return gone
