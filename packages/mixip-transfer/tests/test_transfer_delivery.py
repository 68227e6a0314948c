"""Deliveries against a platform that fails in every way that the text promises to survive."""

from __future__ import annotations

import base64
import hashlib
import os
import threading
import time
from pathlib import Path
from typing import Any

import pytest

from mixip_transfer.delivery import Receipt, deliver
from mixip_transfer.errors import (
    FileChangedError,
    NotSignedInError,
    RefusedError,
    StoppedError,
    UnreachableError,
    UnverifiedError,
    UsageError,
)
from mixip_transfer.platform import Platform
from mixip_transfer.retry import Patience

MIB = 1024 * 1024
SIZE = 6 * MIB + 12345  # seven segments of the double
QUICK = Patience(seconds=5, first=0.01, longest=0.05)


class Watched:
    """Keeps what the engine reported."""

    def __init__(self) -> None:
        self.already = 0
        self.across = 0
        self.waits: list[tuple[str, float]] = []
        self.outcome = ""
        self._lock = threading.Lock()

    def started(self, name: str, size: int, already: int) -> None:
        self.already = self.across = already

    def moved(self, count: int) -> None:
        with self._lock:
            self.across += count

    def checking(self, name: str) -> None: ...

    def waiting(self, reason: str, seconds: float) -> None:
        self.waits.append((reason, seconds))

    def finished(self, name: str, outcome: str) -> None:
        self.outcome = outcome


class Sender:
    """Someone who delivers one file to one work."""

    def __init__(self, double: Any, path: Path, patience: Patience = QUICK) -> None:
        self.double = double
        self.path = path
        self.work_id = double.add_work("My film")
        self.watched = Watched()
        self.stop = threading.Event()
        self.patience = patience

    def send(self, *, parallel: int = 4) -> Receipt:
        with Platform(
            self.double.address,
            self.double.token,
            patience=self.patience,
            stop=self.stop,
            waiting=self.watched.waiting,
            connections=parallel,
        ) as platform:
            listed = list(platform.files(self.work_id))
            return deliver(
                platform,
                self.work_id,
                self.path,
                watcher=self.watched,
                stop=self.stop,
                parallel=parallel,
                listed=listed,
            )

    def require_delivered(self, receipt: Receipt) -> None:
        content = self.path.read_bytes()
        assert receipt.file.sha256 == hashlib.sha256(content).hexdigest()
        assert self.double.contents[receipt.file.id] == content
        assert self.watched.across == len(content)


@pytest.fixture
def sender(double: Any, tmp_path: Path) -> Sender:
    path = tmp_path / "master.mov"
    path.write_bytes(os.urandom(SIZE))
    return Sender(double, path)


def test_a_file_arrives_bit_for_bit(sender: Sender) -> None:
    receipt = sender.send()
    sender.require_delivered(receipt)
    assert receipt.outcome == "delivered"
    assert receipt.sent_bytes == SIZE
    assert len(sender.double.asked("PUT")) == 7
    agents = {headers["User-Agent"].split("/")[0] for _, _, headers in sender.double.requests}
    assert agents == {"mixip-transfer"}


def test_one_connection_and_more_connections_than_segments_work_too(sender: Sender) -> None:
    sender.require_delivered(sender.send(parallel=1))
    sender.path.write_bytes(b"x")
    sender.require_delivered(sender.send(parallel=16))


def test_a_file_that_is_listed_already_is_not_sent_again(sender: Sender) -> None:
    sender.send()
    puts = len(sender.double.asked("PUT"))
    receipt = sender.send()
    assert (receipt.outcome, receipt.sent_bytes) == ("already_delivered", 0)
    assert len(sender.double.asked("PUT")) == puts
    assert len(sender.double.files) == 1


def test_a_new_version_of_the_same_size_is_delivered_beside_the_old_one(sender: Sender) -> None:
    first = sender.send()
    sender.path.write_bytes(os.urandom(SIZE))
    second = sender.send()
    assert second.outcome == "delivered"
    assert first.file.sha256 != second.file.sha256
    assert len(sender.double.files) == 2


@pytest.mark.parametrize("after", [0, 100, 500_000])
def test_dropped_connections_are_tried_again(sender: Sender, after: int) -> None:
    sender.double.fault("drop", "PUT", "/segments/", times=5, after=after)
    receipt = sender.send()
    sender.require_delivered(receipt)
    assert receipt.sent_bytes == SIZE
    assert len(sender.watched.waits) == 5
    assert sender.watched.waits[0][0] == "No connection to the platform"


@pytest.mark.parametrize("status", [408, 429, 502, 503, 504])
def test_a_busy_platform_is_asked_again(sender: Sender, status: int) -> None:
    for method, path in (("GET", "/files"), ("GET", "/deliveries"), ("PUT", "/segments/3"), ("POST", "/commit")):
        sender.double.fault("status", method, path, status=status)
    sender.require_delivered(sender.send())
    assert len(sender.watched.waits) == 4


def test_retry_after_is_obeyed(sender: Sender) -> None:
    sender.double.fault("status", "PUT", "/segments/0", status=429, headers={"Retry-After": "1"})
    began = time.monotonic()
    sender.require_delivered(sender.send())
    assert time.monotonic() - began >= 1
    assert sender.watched.waits[0] == ("The platform is busy", 1.0)


def test_a_longer_wait_than_agreed_is_refused_with_the_platforms_words(sender: Sender) -> None:
    sender.double.fault(
        "status",
        "PUT",
        "/segments/0",
        status=503,
        headers={"Retry-After": "3600"},
        body={"title": "Not now", "detail": "We are moving.", "action": "Come back at noon.", "code": "unavailable"},
    )
    with pytest.raises(RefusedError) as caught:
        sender.send()
    assert caught.value.message == "Not now: We are moving."
    assert (caught.value.advice, caught.value.code, caught.value.status) == ("Come back at noon.", "unavailable", 503)


def test_opening_is_not_repeated_when_it_may_have_arrived(sender: Sender) -> None:
    sender.double.fault("drop", "POST", "/deliveries", after=10_000)
    with pytest.raises(UnreachableError):
        sender.send()
    assert len(sender.double.asked("POST", "/deliveries")) == 1
    sender.require_delivered(sender.send())


def test_garbled_segments_are_sent_again(sender: Sender) -> None:
    sender.double.fault("garble", "PUT", "/segments/2", times=2)
    sender.require_delivered(sender.send())
    assert len(sender.double.asked("PUT", "/segments/2")) == 3


def test_a_line_that_always_garbles_is_reported(sender: Sender) -> None:
    sender.double.fault("garble", "PUT", "/segments/2", times=99)
    with pytest.raises(RefusedError, match="arrived damaged"):
        sender.send()
    assert sender.double.files == []


def test_only_what_is_missing_is_sent_after_a_break(sender: Sender) -> None:
    sender.double.fault("status", "PUT", "/segments/4", status=507, body={"title": "The storage is full"})
    with pytest.raises(RefusedError, match="storage is full"):
        sender.send(parallel=1)
    assert sender.double.files == []
    sender.double.requests.clear()
    receipt = sender.send(parallel=1)
    sender.require_delivered(receipt)
    assert [path.rsplit("/", 1)[1] for path in sender.double.asked("PUT")] == ["4", "5", "6"]
    assert receipt.sent_bytes == 2 * MIB + 12345
    assert sender.watched.already == 4 * MIB
    assert sender.double.asked("POST", "/deliveries") == ["/api/deliveries/d1/commit"]


def test_a_decomposed_name_is_found_again(sender: Sender) -> None:
    sender.path = sender.path.rename(sender.path.with_name("U\u0308bung.mov"))
    sender.double.fault("status", "PUT", "/segments/4", status=507)
    with pytest.raises(RefusedError):
        sender.send(parallel=1)
    sender.require_delivered(sender.send())
    assert list(sender.double.deliveries) == ["d1"]
    assert sender.double.files[0]["name"] == "\u00dcbung.mov"
    assert sender.send().outcome == "already_delivered"


def test_segments_that_differ_are_sent_again_whoever_hashed_them(sender: Sender) -> None:
    sender.double.fault("status", "PUT", "/segments/4", status=507)
    with pytest.raises(RefusedError):
        sender.send(parallel=1)
    content = sender.path.read_bytes()
    digest = hashlib.sha256(content[:MIB]).digest()
    received = sender.double.deliveries["d1"]["received"]
    received[0]["digest"] = f"sha-256=:{base64.b64encode(digest).decode()}:"  # as a browser would have sent it
    received[1]["digest"] = f"sha-256=:{base64.b64encode(digest).decode()}:"  # another content
    received[2]["digest"] = "whirlpool=:AAAA:"  # not known here
    sender.double.requests.clear()
    sender.require_delivered(sender.send(parallel=1))
    assert [path.rsplit("/", 1)[1] for path in sender.double.asked("PUT")] == ["1", "2", "4", "5", "6"]


def test_segments_that_the_platform_lost_in_a_crash_are_sent_again(sender: Sender) -> None:
    sender.double.lose_at_commit = {1, 5}
    receipt = sender.send()
    sender.require_delivered(receipt)
    assert len(sender.double.asked("PUT")) == 9
    assert receipt.sent_bytes == SIZE + 2 * MIB


def test_the_verification_is_awaited(sender: Sender) -> None:
    sender.double.polls_until_delivered = 3
    sender.require_delivered(sender.send())
    assert len(sender.double.asked("GET", "/api/deliveries/d1")) == 3


def test_a_delivery_that_is_being_verified_is_taken_up(sender: Sender) -> None:
    sender.double.polls_until_delivered = 10_000
    threading.Timer(0.5, sender.stop.set).start()
    with pytest.raises(StoppedError):
        sender.send()
    sender.stop.clear()
    puts = len(sender.double.asked("PUT"))
    sender.double.polls_until_delivered = 1
    receipt = sender.send()
    assert receipt.file.sha256 == hashlib.sha256(sender.path.read_bytes()).hexdigest()
    assert len(sender.double.asked("PUT")) == puts


def test_a_wrong_sha256_is_never_called_delivered(sender: Sender) -> None:
    sender.double.wrong_sha256 = True
    with pytest.raises(UnverifiedError, match="another SHA-256"):
        sender.send()
    assert sender.watched.outcome == ""


def test_a_file_that_changes_while_it_is_sent_is_not_delivered(sender: Sender) -> None:
    def change(index: int) -> None:
        if index == 3:
            with sender.path.open("r+b") as stream:
                stream.write(b"new")
            os.utime(sender.path, ns=(0, time.time_ns() + 5_000_000_000))

    sender.double.on_segment = change
    with pytest.raises(FileChangedError):
        sender.send()
    assert sender.double.files == []
    assert sender.double.deliveries == {}, "the delivery that can never be completed is removed"
    sender.double.on_segment = lambda _index: None
    sender.require_delivered(sender.send())


@pytest.mark.parametrize("what", ["truncate", "replace", "remove"])
def test_a_file_that_is_cut_replaced_or_removed_meanwhile_is_not_delivered(sender: Sender, what: str) -> None:
    def change(index: int) -> None:
        if index == 1 and sender.path.exists():
            if what == "truncate":
                os.truncate(sender.path, 10)
            elif what == "replace":
                other = sender.path.with_name("other")
                other.write_bytes(os.urandom(SIZE))
                other.replace(sender.path)
            else:
                sender.path.unlink()

    sender.double.on_segment = change
    with pytest.raises(FileChangedError):
        sender.send(parallel=1)
    assert sender.double.files == []


def test_stopping_ends_soon_and_the_delivery_continues(sender: Sender) -> None:
    sender.double.on_segment = lambda index: sender.stop.set() if index == 3 else None
    with pytest.raises(StoppedError):
        sender.send(parallel=2)
    sender.stop.clear()
    there = len(sender.double.deliveries["d1"]["received"])
    assert 0 < there < 7
    sender.double.requests.clear()
    sender.require_delivered(sender.send())
    assert len(sender.double.asked("PUT")) == 7 - there


def test_an_ended_session_stops_the_delivery_at_once(sender: Sender) -> None:
    token = sender.double.token

    def end(index: int) -> None:
        if index == 2:
            sender.double.tokens.clear()

    sender.double.on_segment = end
    sender.double.tokens = {token}
    with pytest.raises(NotSignedInError, match="has ended"):
        sender.send(parallel=1)
    assert len(sender.double.asked("PUT")) <= 4


def test_two_senders_of_one_file_share_one_delivery(sender: Sender) -> None:
    first = threading.Event()
    receipts: list[Receipt] = []
    twin = Sender(sender.double, sender.path)
    twin.work_id = sender.work_id

    def start_twin(index: int) -> None:
        if not first.is_set():
            first.set()
            thread.start()

    thread = threading.Thread(target=lambda: receipts.append(twin.send()))
    sender.double.on_segment = start_twin
    receipts.append(sender.send())
    thread.join(30)
    assert len(receipts) == 2
    assert {receipt.file.sha256 for receipt in receipts} == {hashlib.sha256(sender.path.read_bytes()).hexdigest()}


def test_a_platform_that_is_gone_is_reported_after_the_agreed_time(sender: Sender) -> None:
    sender.double.address = "http://127.0.0.1:9"
    sender.patience = Patience(seconds=0.2, first=0.01, longest=0.05)
    with pytest.raises(UnreachableError, match="cannot be reached"):
        sender.send()


def test_what_cannot_be_delivered_is_refused_before_anything_is_asked(double: Any, tmp_path: Path) -> None:
    (tmp_path / "empty.mov").touch()
    os.mkfifo(tmp_path / "pipe")
    for name, message in (
        ("empty.mov", "is empty"),
        ("pipe", "not a regular file"),
        (".", "is a folder"),
    ):
        with pytest.raises(UsageError, match=message):
            Sender(double, tmp_path / name).send()
    with pytest.raises(FileNotFoundError):
        Sender(double, tmp_path / "absent").send()
    assert double.asked("POST") == []
