"""Guessing is slow from everywhere, and nobody is locked out by it. On both databases."""

import itertools
import random
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from ipaddress import IPv4Address, IPv6Network

import pytest
from sqlalchemy import Connection, func, select

from mixip.db.tables import Throttle
from mixip.edge.address import network_name
from mixip.identity import throttle
from tests.support.platform import RunningPlatform

START = datetime(2026, 11, 23, 12, tzinfo=UTC)
FAR = START + timedelta(days=36500)
SECOND = timedelta(seconds=1)
OWNER = ["192.0.2.77", "2001:0db8:00aa:0001::/64"]


class Door:
    """Sign-in as the throttle sees it, in one transaction."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def tried(self, network: str, at: datetime, account: str = "owner") -> bool:
        """Whether a wrong password from there is looked at."""
        return throttle.take_sign_in(self._connection, network=network, email_key=account, at=at) is None

    def succeeded(self, network: str, at: datetime, account: str = "owner") -> bool:
        """Whether the right password from there is looked at, and so lets in."""
        if not self.tried(network, at, account):
            return False
        throttle.give_back_sign_in(self._connection, network=network, email_key=account, at=at)
        return True

    def sweep(self, at: datetime) -> int:
        """Returns how many rows are left."""
        throttle.sweep_throttles(self._connection, at)
        return self._connection.execute(select(func.count()).select_from(Throttle)).scalar_one()


@pytest.fixture
def door(platform: RunningPlatform) -> Iterator[Door]:
    with platform.parts.db.write() as connection:
        made = Door(connection)
        assert made.sweep(FAR) == 0
        yield made
        made.sweep(FAR)


def ipv4_elsewhere(n: int) -> str:
    """One in each /24 of 100.64.0.0/10 and so on."""
    return str(IPv4Address(int(IPv4Address("100.64.0.9")) + 256 * n))


def ipv6_elsewhere(n: int) -> str:
    return network_name(str(IPv6Network("2001:db8::/32")[(n + 0x100) << 80]))


def same_24(n: int) -> str:
    """Neighbours of the first owner."""
    return f"192.0.2.{n % 70 + 1}"


def same_48(n: int) -> str:
    """Neighbours of the second owner."""
    return network_name(f"2001:db8:aa:{n + 2:x}::1")


@pytest.mark.parametrize("owner", OWNER)
@pytest.mark.parametrize("stranger", [ipv4_elsewhere, ipv6_elsewhere, same_24, same_48])
def test_strangers_never_lock_out_an_owner_where_they_signed_in_before(
    door: Door, owner: str, stranger: Callable[[int], str]
) -> None:
    assert door.succeeded(owner, START)
    at = START
    for minute in range(10):
        at = START + minute * timedelta(minutes=1)
        for n in range(40):
            door.tried(stranger(40 * minute + n), at)
        assert door.succeeded(owner, at)
    assert [door.tried(owner, at) for _ in range(throttle.PAIR.burst)] == [True] * throttle.PAIR.burst
    assert not door.tried(owner, at), "somebody who guesses where the owner sits is slowed down too"


def test_a_neighbour_in_the_same_network_who_tries_other_accounts_does_not_lock_the_owner_out(door: Door) -> None:
    assert door.succeeded(OWNER[0], START)
    for n in range(100):
        door.tried(OWNER[0], START, f"victim{n}")
    assert not door.tried(OWNER[0], START, "one more"), "the network's own bucket is full"
    assert door.succeeded(OWNER[0], START)


@pytest.mark.parametrize("stranger", [ipv4_elsewhere, ipv6_elsewhere])
def test_strangers_share_what_they_may_try_on_one_account(door: Door, stranger: Callable[[int], str]) -> None:
    tried = sum(door.tried(stranger(n), START) for n in range(200))
    assert tried == throttle.ACCOUNT.burst + throttle.STRANGERS.burst
    ten_minutes = sum(door.tried(stranger(200 + n), START + n * 6 * SECOND) for n in range(100))
    assert 26 <= ten_minutes <= 31, "two a minute of the account's and one a minute of the strangers'"


def test_an_owner_in_a_new_place_gets_in_during_an_attack(door: Door) -> None:
    chance = random.Random(1)
    for n in range(80):
        door.tried(ipv4_elsewhere(n), START)
    assert not door.succeeded(OWNER[0], START)
    for step in itertools.count(1):
        at = START + step * 30 * SECOND
        crowd = [ipv4_elsewhere(n) for n in range(20)] + [OWNER[0]]
        chance.shuffle(crowd)
        if OWNER[0] in [network for network in crowd if door.tried(network, at)]:
            break
        assert step < 240, "not within two hours"


def test_after_an_attack_a_new_place_is_let_in_within_a_minute(door: Door) -> None:
    for n in range(100):
        door.tried(ipv4_elsewhere(n), START)
    assert not door.succeeded(OWNER[0], START)
    assert door.succeeded(OWNER[0], START + timedelta(minutes=1))


@pytest.mark.parametrize(("stranger", "rate"), [(same_48, throttle.RANGE_6), (same_24, throttle.RANGE_4)])
def test_a_range_of_networks_has_a_bucket_too(door: Door, stranger: Callable[[int], str], rate: throttle.Rate) -> None:
    tries = 2 * rate.burst
    assert sum(door.tried(stranger(n), START, f"victim{n}") for n in range(tries)) == rate.burst
    assert door.tried(ipv4_elsewhere(1), START, "somebody else"), "others do not notice"
    later = START + rate.interval
    assert [door.tried(stranger(n), later, f"more{n}") for n in range(2)] == [True, False]


def test_what_a_narrow_bucket_refuses_costs_nothing_in_a_wider_one(door: Door) -> None:
    for _ in range(400):
        door.tried(OWNER[0], START, "victim")
    assert door.tried(OWNER[0], START, "a colleague")
    assert door.tried(same_24(1), START, "a neighbour")


def test_people_who_know_their_passwords_are_never_slowed_down(door: Door) -> None:
    for n in range(100):
        assert door.succeeded(OWNER[0], START, f"colleague{n}")
    for _ in range(100):
        assert door.succeeded(OWNER[1], START)


def test_a_network_is_forgotten_after_90_days_without_use(door: Door) -> None:
    def attack(at: datetime) -> None:
        for n in range(80):
            door.tried(ipv4_elsewhere(n), at)

    door.succeeded(OWNER[0], START)
    again = START + timedelta(days=60)
    door.sweep(again)
    attack(again)
    assert door.succeeded(OWNER[0], again), "remembered, and from now on anew"
    attack(again + timedelta(days=89))
    assert door.succeeded(OWNER[0], again + timedelta(days=89))
    attack(again + timedelta(days=180))
    assert not door.succeeded(OWNER[0], again + timedelta(days=180))


def test_nothing_stays_of_those_who_did_not_get_in(door: Door) -> None:
    for n in range(20):
        door.tried(ipv6_elsewhere(n), START)
    assert door.sweep(START + timedelta(hours=1)) == 0


def test_a_peer_without_an_address_is_slowed_down_all_the_same(door: Door) -> None:
    assert sum(door.tried("unknown", START, f"victim{n}") for n in range(60)) == throttle.ADDRESS.burst
