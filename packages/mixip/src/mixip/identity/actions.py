"""Sign up, sign in. Each owns its transaction; a refusal raises Problem."""

import math
import re
import unicodedata
from datetime import datetime, timedelta

from sqlalchemy.exc import IntegrityError

from mixip.db import Database, new_id
from mixip.errors import Problem
from mixip.identity import passwords, queries, throttle
from mixip.sessions import NewSession, end_session, start_session

_EMAIL = re.compile(
    r"[^\s@\x00-\x1f\x7f<>\"(),:;\[\]\\]+@[^\s@\x00-\x1f\x7f<>\"(),:;\[\]\\.]+(\.[^\s@.<>\"(),:;\[\]\\]+)*"
)


def email_key(email: str) -> str:
    """The form in which addresses are compared: NFKC, without case."""
    return unicodedata.normalize("NFKC", email.strip()).casefold()


def sign_up(db: Database, *, email: str, password: str, network: str, device: str, at: datetime) -> NewSession:
    """Make an account and start its first session."""
    address, key = email.strip(), email_key(email)
    if len(address) > 254 or len(key) > 254 or not _EMAIL.fullmatch(address):
        raise Problem("email_invalid")
    if len(password) < passwords.MIN_LENGTH:
        raise Problem("password_too_short")
    if len(password) > passwords.MAX_LENGTH:
        raise Problem("password_too_long")
    if email_key(password) == key:
        raise Problem("password_is_email")
    with db.write() as connection:
        wait = throttle.take(connection, throttle.SIGN_UP, network, at)
    if wait:
        raise _wait(wait)
    password_hash = passwords.hash_password(password)
    account_id = new_id()
    try:
        with db.write() as connection:
            queries.add_account(
                connection, account_id=account_id, email=address, email_key=key, password_hash=password_hash, at=at
            )
            return start_session(connection, account_id=account_id, kind="browser", name=device, at=at)
    except IntegrityError:
        raise Problem("email_taken") from None


def sign_in(
    db: Database,
    *,
    email: str,
    password: str,
    network: str,
    device: str,
    replaces: tuple[str, str] | None,
    at: datetime,
) -> NewSession:
    """Check a password and start a session with a new token.

    `replaces` is the (account id, session id) that the browser used until now; it ends.
    """
    key = email_key(email)[:320]
    with db.write() as connection:
        wait = throttle.take_sign_in(connection, network=network, email_key=key, at=at)
    if wait:
        raise _wait(wait)
    with db.read() as connection:
        credential = queries.credential(connection, key)
    too_long = len(password) > passwords.MAX_LENGTH
    if not passwords.verify_password("" if too_long else password, credential.hash if credential else None):
        raise Problem("sign_in_failed")
    if credential is None or too_long:
        raise Problem("sign_in_failed")
    renewed = passwords.hash_password(password) if passwords.needs_rehash(credential.hash) else None
    with db.write() as connection:
        throttle.give_back_sign_in(connection, network=network, email_key=key)
        if renewed:
            queries.replace_hash(connection, credential.account_id, renewed)
        if replaces:
            end_session(connection, replaces[0], only=replaces[1])
        return start_session(connection, account_id=credential.account_id, kind="browser", name=device, at=at)


def _wait(wait: timedelta) -> Problem:
    seconds = math.ceil(wait.total_seconds())
    return Problem(
        "too_many_attempts",
        detail=f"There were many attempts in a short time. Try again in {seconds} seconds.",
        extra={"retry_after": seconds},
        headers={"retry-after": str(seconds)},
    )
