"""Slows down guessing without locking anybody out.

Leaky buckets (the generic cell rate algorithm): a bucket holds `burst` attempts and drips one out every `interval`. A
sign-in takes from three:

- the address and the account together: what one place may try on one account;
- the address: what one place may try on all accounts;
- the account: what all places together may try on it. When this one is full, each place still has one attempt per
  `UNDER_ATTACK.interval`, so a stranger's guesses, from wherever, never lock the owner out.

A success gives back what it took. Keys are hashes; buckets that are empty again are deleted.
"""

import hashlib
from datetime import datetime, timedelta
from typing import NamedTuple

from sqlalchemy import Connection, delete, insert, select, update
from sqlalchemy.exc import IntegrityError

from mixip.db.tables import Throttle


class Rate(NamedTuple):
    """So many attempts at once, then one per interval."""

    name: str
    burst: int
    interval: timedelta


PAIR = Rate("pair", 8, timedelta(seconds=30))
ADDRESS = Rate("address", 40, timedelta(seconds=10))
ACCOUNT = Rate("account", 60, timedelta(seconds=30))
UNDER_ATTACK = Rate("under attack", 1, timedelta(minutes=1))
SIGN_UP = Rate("sign-up", 100, timedelta(seconds=10))


def take(connection: Connection, rate: Rate, subject: str, at: datetime) -> timedelta | None:
    """Take one attempt. Returns None when there was one, else how long until there is."""
    key = _key(rate, subject)
    empty_at = connection.execute(select(Throttle.empty_at).where(Throttle.key == key).with_for_update()).scalar()
    if empty_at is None:
        try:
            with connection.begin_nested():
                connection.execute(insert(Throttle).values(key=key, empty_at=at + rate.interval))
        except IntegrityError:  # another process was first: look again, now there is a row to lock
            return take(connection, rate, subject, at)
        return None
    filled = max(empty_at, at) + rate.interval
    wait = filled - at - rate.burst * rate.interval
    if wait > timedelta(0):
        return wait
    connection.execute(update(Throttle).where(Throttle.key == key).values(empty_at=filled))
    return None


def give_back(connection: Connection, rate: Rate, subject: str) -> None:
    """Undo one `take`."""
    key = _key(rate, subject)
    empty_at = connection.execute(select(Throttle.empty_at).where(Throttle.key == key).with_for_update()).scalar()
    if empty_at is not None:
        connection.execute(update(Throttle).where(Throttle.key == key).values(empty_at=empty_at - rate.interval))


def take_sign_in(connection: Connection, *, network: str, email_key: str, at: datetime) -> timedelta | None:
    """Take one sign-in attempt from the three buckets. Returns how long to wait, or None."""
    pair = f"{network} {email_key}"
    if wait := take(connection, ADDRESS, network, at) or take(connection, PAIR, pair, at):
        return wait
    if take(connection, ACCOUNT, email_key, at):
        return take(connection, UNDER_ATTACK, pair, at)
    return None


def give_back_sign_in(connection: Connection, *, network: str, email_key: str) -> None:
    """A success: the attempt does not count."""
    give_back(connection, ADDRESS, network)
    give_back(connection, PAIR, f"{network} {email_key}")
    give_back(connection, ACCOUNT, email_key)


def sweep_throttles(connection: Connection, at: datetime) -> int:
    """Delete buckets that are empty again."""
    return connection.execute(delete(Throttle).where(Throttle.empty_at <= at)).rowcount


def _key(rate: Rate, subject: str) -> bytes:
    return hashlib.sha256(f"{rate.name}\0{subject}".encode()).digest()
