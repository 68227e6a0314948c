"""What happens to sessions. Limits are NIST SP 800-63B's AAL1 with margin: see docs/security.md."""

import hashlib
import logging
import secrets
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Literal

from litestar.concurrency import sync_to_thread
from sqlalchemy import Connection
from sqlalchemy.exc import OperationalError

from mixip.db import Database, new_id
from mixip.edge.caller import SignedIn
from mixip.sessions import queries

log = logging.getLogger("mixip.sessions")

Kind = Literal["browser", "app"]

ABSOLUTE_LIMIT: dict[str, timedelta] = {"browser": timedelta(days=7), "app": timedelta(days=90)}
IDLE_LIMIT: dict[str, timedelta] = {"browser": timedelta(days=1), "app": timedelta(days=30)}
TOUCH_INTERVAL = timedelta(minutes=1)  # last use is kept to the minute, so most requests write nothing


@dataclass(frozen=True, slots=True)
class NewSession:
    """A session just started. The token is shown to its owner once and never kept."""

    id: str
    token: str = field(repr=False)
    expires_at: datetime


def hash_token(token: str) -> bytes:
    """SHA-256: enough for 256 random bits, and quick."""
    return hashlib.sha256(token.encode()).digest()


def start_session(connection: Connection, *, account_id: str, kind: Kind, name: str, at: datetime) -> NewSession:
    """Start a session with a new token of 256 random bits."""
    session = NewSession(new_id(), secrets.token_urlsafe(32), at + ABSOLUTE_LIMIT[kind])
    queries.add(
        connection,
        id=session.id,
        token_hash=hash_token(session.token),
        account_id=account_id,
        kind=kind,
        name=name[:120],
        created_at=at,
        last_used_at=at,
        expires_at=session.expires_at,
    )
    return session


async def find_session(db: Database, token: str, at: datetime) -> SignedIn | None:
    """What a token stands for, or None. Notes the use, at most once a minute.

    On SQLite the look-up runs on the event loop: two rows by index, from a reader that waits for no writer, cost less
    than half of what a thread costs.
    """
    found = _look_up(db, token, at) if db.embedded else await sync_to_thread(_look_up, db, token, at)
    if found is None:
        return None
    if at - found.last_used_at > TOUCH_INTERVAL:
        await sync_to_thread(_touch, db, found.session_id, at)
    return SignedIn(found.account_id, found.email, found.since, found.session_id, found.kind)


def _look_up(db: Database, token: str, at: datetime) -> queries.Found | None:
    with db.read() as connection:
        found = queries.find(connection, hash_token(token), at)
    return None if found is None or at - found.last_used_at > IDLE_LIMIT[found.kind] else found


def _touch(db: Database, session_id: str, at: datetime) -> None:
    try:
        with db.write() as connection:
            queries.touch(connection, session_id, at)
    except OperationalError:  # a full disk must not lock out those who want to make room
        log.warning("the last use of a session could not be noted")


def end_session(connection: Connection, account_id: str, *, only: str | None = None, but: str | None = None) -> int:
    """End one session of the account, or all but one. It is over with the next request."""
    return queries.remove(connection, account_id, only=only, but=but)


def end_token(db: Database, token: str) -> None:
    """End the session with this token, if there is one. Writes nothing when there is none, whoever asks."""
    with db.read() as connection:
        known = queries.exists(connection, hash_token(token))
    if known:
        with db.write() as connection:
            queries.remove_token(connection, hash_token(token))


def sweep_sessions(db: Database, at: datetime) -> int:
    """Delete sessions past a limit. Returns how many."""
    with db.write() as connection:
        return queries.remove_expired(connection, at, {kind: at - limit for kind, limit in IDLE_LIMIT.items()})
