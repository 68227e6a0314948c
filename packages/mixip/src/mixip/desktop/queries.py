"""SQL of authorization codes."""

from datetime import datetime
from typing import NamedTuple

from sqlalchemy import Connection, delete, insert, select, update

from mixip.db.tables import AuthorizationCode


class CodeRow(NamedTuple):
    """A code that was given out."""

    account_id: str
    redirect_uri: str
    code_challenge: str
    device: str
    expires_at: datetime
    session_id: str | None


def add(connection: Connection, **values: object) -> None:
    """Insert a code."""
    connection.execute(insert(AuthorizationCode).values(**values))


def find(connection: Connection, code_hash: bytes) -> CodeRow | None:
    """The code with this hash, locked until the transaction ends, so that it is good once."""
    row = connection.execute(
        select(
            AuthorizationCode.account_id,
            AuthorizationCode.redirect_uri,
            AuthorizationCode.code_challenge,
            AuthorizationCode.device,
            AuthorizationCode.expires_at,
            AuthorizationCode.session_id,
        )
        .where(AuthorizationCode.code_hash == code_hash)
        .with_for_update()
    ).one_or_none()
    return CodeRow(*row) if row else None


def mark_used(connection: Connection, code_hash: bytes, session_id: str) -> None:
    """Note which session a code became."""
    connection.execute(
        update(AuthorizationCode).where(AuthorizationCode.code_hash == code_hash).values(session_id=session_id)
    )


def remove_old(connection: Connection, before: datetime) -> int:
    """Delete codes that expired before."""
    return connection.execute(delete(AuthorizationCode).where(AuthorizationCode.expires_at < before)).rowcount
