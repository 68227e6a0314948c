"""Errors of the store and the database, injected: each gets its code, and nothing is lost."""

import errno
import os

import pytest
from sqlalchemy.exc import OperationalError

from tests.support.people import Person
from tests.support.platform import RunningPlatform


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT])
def test_no_room_to_begin(
    owner: Person, platform: RunningPlatform, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    def full(*_: object) -> None:
        raise OSError(number, os.strerror(number))

    work = owner.create_work()
    monkeypatch.setattr("os.posix_fallocate", full)
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
