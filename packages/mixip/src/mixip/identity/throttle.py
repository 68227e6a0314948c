"""Slows down guessing without locking anybody out.

Leaky buckets (the generic cell rate algorithm): a bucket holds `burst` attempts and drips one out every `interval`.

A network is what `edge.address.network_of` says: an IPv4 address, or the /64 of an IPv6 host or home. One that signed
in to the account within the last `MEMORY` takes from a bucket of its own and from no other:

- PAIR, network and account: what one place may try on one account.

So nothing that strangers do elsewhere reaches it. Every other network takes from these, from the narrowest on, and what
one refuses costs nothing in the next:

- PAIR, as above;
- ADDRESS, the network: what one place may try on all accounts;
- RANGE_6 or RANGE_4, the IPv6 /48 or IPv4 /24 around it: a /48 costs its one owner nothing and has 65,536 networks. The
  256 addresses of a /24 often belong to as many people, so it may do twice as much;
- ACCOUNT: what all strange networks together may try on it. When it is full there is STRANGERS, a small one that all of
  them share: slow for guessers with however many addresses, and yet an owner in a new place gets in, with patience.

Two people in one network cannot be told apart: who guesses from where the owner sits uses up the owner's PAIR.

A success gives back what it took, and the network is remembered. Keys are hashes; buckets that are empty again, and
networks that were not used for `MEMORY`, are deleted.
"""

import hashlib
from contextlib import suppress
from datetime import datetime, timedelta
from ipaddress import ip_network
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
RANGE_6 = Rate("IPv6 /48", 120, timedelta(seconds=10))
RANGE_4 = Rate("IPv4 /24", 240, timedelta(seconds=5))
ACCOUNT = Rate("account", 60, timedelta(seconds=30))
STRANGERS = Rate("strangers", 5, timedelta(minutes=1))
SIGN_UP = Rate("sign-up", 30, timedelta(seconds=10))
MEMORY = timedelta(days=90)

Bucket = tuple[Rate, str]
"""A rate, and whom or what it is for."""


def take(connection: Connection, rate: Rate, subject: str, at: datetime) -> timedelta | None:
    """Take one attempt. Returns None when there was one, else how long until there is."""
    key = _key(rate.name, subject)
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
    key = _key(rate.name, subject)
    empty_at = connection.execute(select(Throttle.empty_at).where(Throttle.key == key).with_for_update()).scalar()
    if empty_at is not None:
        connection.execute(update(Throttle).where(Throttle.key == key).values(empty_at=empty_at - rate.interval))


def take_sign_in(connection: Connection, *, network: str, email_key: str, at: datetime) -> timedelta | None:
    """Take one sign-in attempt. Returns how long to wait, or None."""
    pair = _pair(network, email_key)
    if wait := take(connection, PAIR, pair, at):
        return wait
    if _is_remembered(connection, pair, at):
        return None
    for rate, subject in _places(network):
        if wait := take(connection, rate, subject, at):
            return wait
    if take(connection, ACCOUNT, email_key, at):
        return take(connection, STRANGERS, email_key, at)
    return None


def give_back_sign_in(connection: Connection, *, network: str, email_key: str, at: datetime) -> None:
    """A success, of the attempt that was taken `at` this time: it does not count, and the network is remembered."""
    pair = _pair(network, email_key)
    give_back(connection, PAIR, pair)
    if not _is_remembered(connection, pair, at):
        for rate, subject in _places(network):
            give_back(connection, rate, subject)
        # Perhaps it was one of STRANGERS. Then they have one attempt more: only the owner can give it to them.
        give_back(connection, ACCOUNT, email_key)
    remember(connection, network=network, email_key=email_key, at=at)


def remember(connection: Connection, *, network: str, email_key: str, at: datetime) -> None:
    """The owner of the account was in this network `at` this time."""
    key = _key("remembered", _pair(network, email_key))
    if connection.execute(update(Throttle).where(Throttle.key == key).values(empty_at=at + MEMORY)).rowcount:
        return
    with suppress(IntegrityError), connection.begin_nested():  # another process was first, and that is as good
        connection.execute(insert(Throttle).values(key=key, empty_at=at + MEMORY))


def sweep_throttles(connection: Connection, at: datetime) -> int:
    """Delete buckets that are empty again, and networks that were not used for long."""
    return connection.execute(delete(Throttle).where(Throttle.empty_at <= at)).rowcount


def _is_remembered(connection: Connection, pair: str, at: datetime) -> bool:
    until = connection.execute(select(Throttle.empty_at).where(Throttle.key == _key("remembered", pair))).scalar()
    return until is not None and until > at


def _places(network: str) -> list[Bucket]:
    """The buckets of a network and of what is around it, the narrower first."""
    address = (ADDRESS, network)
    try:
        parsed = ip_network(network)
    except ValueError:  # a peer without an address, such as a socket of this computer
        return [address]
    if parsed.version == 6:
        return [address, (RANGE_6, str(parsed.supernet(new_prefix=48)))]
    return [address, (RANGE_4, str(parsed.supernet(new_prefix=24)))]


def _pair(network: str, email_key: str) -> str:
    return f"{network} {email_key}"


def _key(name: str, subject: str) -> bytes:
    return hashlib.sha256(f"{name}\0{subject}".encode()).digest()
