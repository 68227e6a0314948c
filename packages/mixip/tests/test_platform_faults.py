"""Errors of the store and the database, injected: each gets its code, and nothing is lost."""

import errno
import logging
import os
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from sqlalchemy import insert
from sqlalchemy.exc import IntegrityError, OperationalError

from mixip.db.tables import Work
from mixip.logs import JsonFormatter
from tests.support.people import Person
from tests.support.platform import RunningPlatform


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT])
def test_no_room_to_begin(
    owner: Person, platform: RunningPlatform, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    def full(*_: object) -> None:
        raise OSError(number, os.strerror(number))

    work = owner.create_work()
    monkeypatch.setattr("mixip.storage.disk.os.ftruncate", full)
    response = owner.call("POST", f"/api/works/{work}/deliveries", json={"file_name": "a", "size": 4})
    assert (response.status_code, response.json()["code"]) == (507, "storage_full")
    assert owner.get(f"/api/works/{work}/deliveries").json()["deliveries"] == []


def test_no_room_for_a_segment_and_then_there_is(
    owner: Person, platform: RunningPlatform, monkeypatch: pytest.MonkeyPatch
) -> None:
    delivery = owner.open_delivery(owner.create_work(), "a", 4)

    def full(*_: object) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr("mixip.storage.disk.os.pwrite", full)
        response = owner.send(delivery, 0, b"1234")
    assert (response.status_code, response.json()["code"]) == (507, "storage_full")
    assert owner.get(f"/api/deliveries/{delivery['id']}").json()["received"] == []
    assert owner.send(delivery, 0, b"1234").status_code == 204
    assert owner.commit(delivery).status_code == 200


def test_a_disk_that_fails_while_verifying_is_tried_again(
    owner: Person, platform: RunningPlatform, monkeypatch: pytest.MonkeyPatch
) -> None:
    work = owner.create_work()
    delivery = owner.open_delivery(work, "a", 4)
    owner.send(delivery, 0, b"1234")

    def broken(*_: object) -> None:
        raise OSError(errno.EIO, "Input/output error")

    with monkeypatch.context() as patch:
        patch.setattr("mixip.storage.disk._flush", broken)
        response = owner.commit(delivery)
    assert (response.status_code, response.json()["state"]) == (202, "verifying")
    assert owner.get(f"/api/works/{work}/files").json()["files"] == []
    assert owner.commit(delivery).json()["state"] == "delivered", "a repeated commit takes it up at once"


def test_a_full_database_is_told_as_such(owner: Person, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object, **__: object) -> None:
        raise OperationalError("INSERT", {}, Exception("database or disk is full"))

    monkeypatch.setattr("mixip.works.queries.add", full)
    response = owner.call("POST", "/api/works", json={"title": "x"})
    assert (response.status_code, response.json()["code"]) == (507, "storage_full")


def test_readiness_tells_what_fails(owner: Person, platform: RunningPlatform, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(type(platform.parts.store), "healthy", lambda _: False)
    response = owner.http.get("/readyz")
    assert response.status_code == 503
    assert response.json() == {"status": "failing", "database": "ok", "storage": "failing"}


def test_inspection_goes_on_after_a_fault_of_the_database(
    owner: Person, platform: RunningPlatform, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object, **__: object) -> None:
        raise OperationalError("UPDATE", {}, Exception("database is locked"))

    monkeypatch.setattr("mixip.files.inspection.PAUSE_SECONDS", 0.1)
    work = owner.create_work()
    with monkeypatch.context() as patch:
        patch.setattr("mixip.files.queries.next_without_facts", broken)
        first = owner.deliver(work, "a.txt", b"some text")
        time.sleep(0.3)
    second = owner.deliver(work, "b.txt", b"more text")
    for file in (first, second):
        for _ in range(200):
            if owner.get(f"/api/files/{file['id']}").json()["facts_state"] != "pending":
                break
            time.sleep(0.05)
        else:
            raise AssertionError("never looked into")


def test_a_full_disk_locks_nobody_out(
    visitor: Person, platform: RunningPlatform, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Noting the last use is not worth an error."""

    def full(*_: object) -> None:
        raise OperationalError("UPDATE", {}, Exception("database or disk is full"))

    visitor.sign_up()
    monkeypatch.setattr("mixip.sessions.queries.touch", full)
    platform.clock.offset = timedelta(minutes=5)
    try:
        assert visitor.get("/works").status_code == 200
    finally:
        platform.clock.offset = timedelta()


def test_what_stands_in_the_database_is_not_logged(platform: RunningPlatform) -> None:
    title = "a secret\nof two lines"
    try:
        with platform.parts.db.write() as connection:
            connection.execute(insert(Work).values(id="x" * 26, owner_id="nobody", title=title, kind="film"))
    except IntegrityError:
        record = logging.getLogger("test").makeRecord("test", logging.ERROR, "", 0, "failed", (), sys.exc_info())
    line = JsonFormatter().format(record)
    assert "IntegrityError" in line
    assert "INSERT INTO works" in line
    assert "secret" not in line
    assert "two lines" not in line


def test_readiness_can_be_asked_by_many_at_once(owner: Person) -> None:
    with ThreadPoolExecutor(12) as threads:
        answers = list(threads.map(lambda _: owner.http.get("/readyz").status_code, range(60)))
    assert set(answers) == {200}
