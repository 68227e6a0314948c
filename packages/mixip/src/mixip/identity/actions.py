"""Sign up, sign in. Each owns its transaction; a refusal raises Problem."""

import math
import re
import unicodedata
from datetime import datetime, timedelta

from litestar.concurrency import sync_to_thread
from sqlalchemy import Connection
from sqlalchemy.exc import IntegrityError

from mixip.db import Database, new_id
from mixip.errors import Problem
from mixip.identity import passwords, queries, throttle
from mixip.identity.common_passwords import is_common
from mixip.identity.passwords import PasswordRoom
from mixip.sessions import NewSession, end_session, start_session

_EMAIL = re.compile(
    r"[^\s@\x00-\x1f\x7f<>\"(),:;\[\]\\]+@[^\s@\x00-\x1f\x7f<>\"(),:;\[\]\\.]+(\.[^\s@.<>\"(),:;\[\]\\]+)*"
)

Replaces = tuple[str, str] | None
"""The (account id, session id) that a browser used until now, which ends when it signs in anew."""


def email_key(email: str) -> str:
    """The form in which addresses are compared: NFKC, without case."""
    return unicodedata.normalize("NFKC", email.replace("\0", " ").strip()).casefold()


async def sign_up(
    db: Database,
    room: PasswordRoom,
    *,
    email: str,
    password: str,
    network: str,
    device: str,
    replaces: Replaces,
    at: datetime,
) -> NewSession:
    """Make an account and start its first session. `replaces` is the session that the browser used until now."""
    address, key = email.strip(), email_key(email)
    if len(address) > 254 or len(key) > 254 or not _EMAIL.fullmatch(address):
        raise Problem("email_invalid")
    if len(password) < passwords.MIN_LENGTH:
        raise Problem("password_too_short")
    if len(password) > passwords.MAX_LENGTH:
        raise Problem("password_too_long")
    if email_key(password) == key:
        raise Problem("password_is_email")
    if await sync_to_thread(is_common, password):
        raise Problem("password_common")
    await sync_to_thread(_take_sign_up, db, network, at)
    password_hash = await room.hash(password)

    def store() -> NewSession:
        account_id = new_id()
        with db.write() as connection:
            queries.add_account(
                connection, account_id=account_id, email=address, email_key=key, password_hash=password_hash, at=at
            )
            throttle.remember(connection, network=network, email_key=key, at=at)
            return _start(connection, account_id, device, replaces, at)

    try:
        return await sync_to_thread(store)
    except IntegrityError:
        raise Problem("email_taken") from None


async def sign_in(
    db: Database,
    room: PasswordRoom,
    *,
    email: str,
    password: str,
    network: str,
    device: str,
    replaces: Replaces,
    at: datetime,
) -> NewSession:
    """Check a password and start a session with a new token. `replaces` as in `sign_up`."""
    key = email_key(email)[:320]
    credential = await sync_to_thread(_take_sign_in, db, key, network, at)
    too_long = len(password) > passwords.MAX_LENGTH
    right = await room.verify("" if too_long else password, credential.hash if credential else None)
    if credential is None or too_long or not right:
        raise Problem("sign_in_failed")
    renewed = await room.hash(password) if passwords.needs_rehash(credential.hash) else None

    def store() -> NewSession:
        with db.write() as connection:
            throttle.give_back_sign_in(connection, network=network, email_key=key, at=at)
            if renewed:
                queries.replace_hash(connection, credential.account_id, renewed)
            return _start(connection, credential.account_id, device, replaces, at)

    return await sync_to_thread(store)


def _take_sign_up(db: Database, network: str, at: datetime) -> None:
    with db.write() as connection:
        wait = throttle.take(connection, throttle.SIGN_UP, network, at)
    if wait:
        raise _wait(wait)


def _take_sign_in(db: Database, key: str, network: str, at: datetime) -> queries.Credential | None:
    """Take an attempt, and look up what the password is compared with."""
    with db.write() as connection:
        wait = throttle.take_sign_in(connection, network=network, email_key=key, at=at)
    if wait:
        raise _wait(wait)
    with db.read() as connection:
        return queries.credential(connection, key)


def _start(connection: Connection, account_id: str, device: str, replaces: Replaces, at: datetime) -> NewSession:
    if replaces:
        end_session(connection, replaces[0], only=replaces[1])
    return start_session(connection, account_id=account_id, kind="browser", name=device, at=at)


def _wait(wait: timedelta) -> Problem:
    seconds = math.ceil(wait.total_seconds())
    return Problem(
        "too_many_attempts",
        detail=f"There were many attempts in a short time. Try again in {seconds} seconds.",
        extra={"retry_after": seconds},
        headers={"retry-after": str(seconds)},
    )
