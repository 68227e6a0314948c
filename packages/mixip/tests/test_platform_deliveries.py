"""Deliveries over HTTP, on both databases: what works, what is refused, what survives."""

import hashlib
import os
import socket
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest

from tests.support.people import Person, content_digest, new_person
from tests.support.platform import PlatformThread, RunningPlatform

SEGMENT = 8 * 1024 * 1024


def code(response: object) -> str:
    return str(response.json()["code"])  # type: ignore[attr-defined]


def test_a_file_comes_back_bit_for_bit(owner: Person) -> None:
    data = os.urandom(2 * SEGMENT + 12345)
    file = owner.deliver(owner.create_work(), "mix.wav", data)
    assert file["sha256"] == hashlib.sha256(data).hexdigest()
    assert file["size"] == len(data)
    assert file["delivered_by"] == owner.email
    downloaded = owner.get(file["content_url"])
    assert downloaded.content == data
    assert downloaded.headers["etag"] == f'"{file["sha256"]}"'
    assert "attachment" in downloaded.headers["content-disposition"]


@pytest.mark.parametrize(
    ("asked", "status", "first", "last"),
    [
        ("bytes=0-0", 206, 0, 0),
        ("bytes=5-9", 206, 5, 9),
        ("bytes=-7", 206, 9993, 9999),
        ("bytes=9000-", 206, 9000, 9999),
        ("bytes=9000-999999", 206, 9000, 9999),
        ("bytes=0-3,5-9", 200, 0, 9999),
        ("bytes=9-5", 200, 0, 9999),
        ("lines=1-2", 200, 0, 9999),
    ],
)
def test_ranges(owner: Person, asked: str, status: int, first: int, last: int) -> None:
    data = os.urandom(10_000)
    file = owner.deliver(owner.create_work(), "a.bin", data)
    response = owner.get(file["content_url"], headers={"range": asked})
    assert response.status_code == status
    assert response.content == data[first : last + 1]
    if status == 206:
        assert response.headers["content-range"] == f"bytes {first}-{last}/10000"


def test_a_range_outside_the_file_is_refused(owner: Person) -> None:
    file = owner.deliver(owner.create_work(), "a.bin", b"0123456789")
    response = owner.get(file["content_url"], headers={"range": "bytes=10-"})
    assert response.status_code == 416
    assert code(response) == "range_not_satisfiable"
    assert response.headers["content-range"] == "bytes */10"


def test_validators(owner: Person) -> None:
    file = owner.deliver(owner.create_work(), "a.bin", b"0123456789")
    etag = f'"{file["sha256"]}"'
    assert owner.get(file["content_url"], headers={"if-none-match": etag}).status_code == 304
    other = owner.get(file["content_url"], headers={"range": "bytes=0-1", "if-range": '"other"'})
    assert (other.status_code, other.content) == (200, b"0123456789")
    head = owner.request("HEAD", file["content_url"])
    assert (head.status_code, head.content, head.headers["content-length"]) == (200, b"", "10")


def test_segments_in_any_order_and_twice(owner: Person) -> None:
    data = os.urandom(3 * SEGMENT)
    delivery = owner.open_delivery(owner.create_work(), "a.bin", len(data))
    for index in (2, 0, 2, 1, 0):
        assert owner.send(delivery, index, data[index * SEGMENT : (index + 1) * SEGMENT]).status_code == 204
    assert owner.commit(delivery).json()["file"]["sha256"] == hashlib.sha256(data).hexdigest()


def test_the_last_of_two_different_segments_wins(owner: Person) -> None:
    delivery = owner.open_delivery(owner.create_work(), "a.bin", 4)
    owner.send(delivery, 0, b"old!")
    owner.send(delivery, 0, b"new!")
    assert owner.commit(delivery).json()["file"]["sha256"] == hashlib.sha256(b"new!").hexdigest()


def test_blake3_digests(owner: Person) -> None:
    from base64 import b64encode

    from blake3 import blake3

    data = os.urandom(1000)
    delivery = owner.open_delivery(owner.create_work(), "a.bin", len(data))
    digest = f"blake3=:{b64encode(blake3(data).digest()).decode()}:"
    assert owner.send(delivery, 0, data, digest).status_code == 204
    shown = owner.get(f"/api/deliveries/{delivery['id']}").json()
    assert shown["received"] == [{"index": 0, "digest": digest}]
    assert owner.commit(delivery).json()["file"]["sha256"] == hashlib.sha256(data).hexdigest()


def test_a_damaged_segment_is_refused_and_not_recorded(owner: Person) -> None:
    delivery = owner.open_delivery(owner.create_work(), "a.bin", 4)
    response = owner.send(delivery, 0, b"evil", content_digest(b"good"))
    assert (response.status_code, code(response)) == (422, "digest_mismatch")
    assert owner.get(f"/api/deliveries/{delivery['id']}").json()["received"] == []
    assert owner.send(delivery, 0, b"good").status_code == 204


def test_a_damaged_repeat_takes_the_segment_back(owner: Person) -> None:
    """The bytes in the store were overwritten, so the earlier record must not stand."""
    delivery = owner.open_delivery(owner.create_work(), "a.bin", 4)
    owner.send(delivery, 0, b"good")
    owner.send(delivery, 0, b"evil", content_digest(b"best"))
    response = owner.commit(delivery)
    assert (response.status_code, code(response)) == (409, "segments_missing")


@pytest.mark.parametrize(
    ("body", "digest", "status", "expected"),
    [
        (b"12345", None, 413, "segment_too_large"),
        (b"123", None, 400, "segment_incomplete"),
        (b"1234", "md5=:abcd:", 400, "digest_missing"),
        (b"1234", "sha-256=:AAAA:", 400, "digest_missing"),
        (b"1234", "nonsense", 400, "digest_missing"),
    ],
)
def test_wrong_segments(owner: Person, body: bytes, digest: str | None, status: int, expected: str) -> None:
    delivery = owner.open_delivery(owner.create_work(), "a.bin", 4)
    response = owner.send(delivery, 0, body, digest)
    assert (response.status_code, code(response)) == (status, expected)
    assert owner.get(f"/api/deliveries/{delivery['id']}").json()["received"] == []


def test_a_body_without_a_length_is_measured_while_it_arrives(owner: Person) -> None:
    delivery = owner.open_delivery(owner.create_work(), "a.bin", 4)

    def pieces(*parts: bytes) -> object:
        yield from parts

    too_long = owner.call(
        "PUT",
        f"/api/deliveries/{delivery['id']}/segments/0",
        content=pieces(b"123", b"456"),
        headers={"content-digest": content_digest(b"123456")},
    )
    assert (too_long.status_code, code(too_long)) == (413, "segment_too_large")
    right = owner.call(
        "PUT",
        f"/api/deliveries/{delivery['id']}/segments/0",
        content=pieces(b"12", b"34"),
        headers={"content-digest": content_digest(b"1234")},
    )
    assert right.status_code == 204


def test_unknown_segments(owner: Person) -> None:
    delivery = owner.open_delivery(owner.create_work(), "a.bin", 4)
    assert code(owner.send(delivery, 1, b"1234")) == "segment_unknown"
    assert owner.send(delivery, 10**30, b"1234").status_code in {400, 404}


def test_nothing_is_listed_before_the_commit(owner: Person) -> None:
    work = owner.create_work()
    delivery = owner.open_delivery(work, "a.bin", SEGMENT + 1)
    owner.send(delivery, 0, bytes(SEGMENT))
    response = owner.commit(delivery)
    assert (response.status_code, code(response)) == (409, "segments_missing")
    assert response.json()["missing"] == [1]
    assert owner.get(f"/api/works/{work}/files").json()["files"] == []
    [unfinished] = owner.get(f"/api/works/{work}/deliveries").json()["deliveries"]
    assert unfinished["received_bytes"] == SEGMENT
    owner.send(delivery, 1, b"x")
    assert owner.commit(delivery).status_code == 200
    assert [file["name"] for file in owner.get(f"/api/works/{work}/files").json()["files"]] == ["a.bin"]
    assert owner.get(f"/api/works/{work}/deliveries").json()["deliveries"] == []


def test_a_commit_can_be_repeated_and_closes(owner: Person) -> None:
    delivery = owner.open_delivery(owner.create_work(), "a.bin", 4)
    owner.send(delivery, 0, b"1234")
    first, second = owner.commit(delivery), owner.commit(delivery)
    assert first.json()["file"] is not None
    assert second.json()["file"]["id"] == first.json()["file"]["id"]
    assert code(owner.send(delivery, 0, b"1234")) == "delivery_closed"
    assert code(owner.call("DELETE", f"/api/deliveries/{delivery['id']}")) == "delivery_closed"


def test_bytes_that_rot_in_the_store_are_found_at_the_commit(owner: Person, platform: RunningPlatform) -> None:
    data = os.urandom(2 * SEGMENT)
    delivery = owner.open_delivery(owner.create_work(), "a.bin", len(data))
    for index in (0, 1):
        owner.send(delivery, index, data[index * SEGMENT : (index + 1) * SEGMENT])
    stored = platform.settings.data / "storage" / "uploads" / delivery["id"]
    with stored.open("r+b") as upload:
        upload.seek(SEGMENT + 5)
        upload.write(b"\0\0\0\0rot")
    response = owner.commit(delivery)
    assert response.status_code == 202
    shown = owner.get(f"/api/deliveries/{delivery['id']}").json()
    assert shown["state"] == "open"
    assert [segment["index"] for segment in shown["received"]] == [0]
    owner.send(delivery, 1, data[SEGMENT:])
    assert owner.commit(delivery).json()["file"]["sha256"] == hashlib.sha256(data).hexdigest()


def test_cancelling_removes_everything(owner: Person, platform: RunningPlatform) -> None:
    work = owner.create_work()
    delivery = owner.open_delivery(work, "a.bin", 4)
    stored = platform.settings.data / "storage" / "uploads" / delivery["id"]
    assert stored.exists()
    assert owner.call("DELETE", f"/api/deliveries/{delivery['id']}").status_code == 204
    assert not stored.exists()
    assert code(owner.get(f"/api/deliveries/{delivery['id']}")) == "not_found"
    assert code(owner.send(delivery, 0, b"1234")) == "not_found"


@pytest.mark.parametrize(
    "name",
    ["../evil", "a/b", "a\\b", "", ".", "..", "a\0b", "a\nb", "x" * 256, "ü" * 128, "   ", "\u2028"],
)
def test_file_names_that_are_refused(owner: Person, name: str) -> None:
    response = owner.call("POST", f"/api/works/{owner.create_work()}/deliveries", json={"file_name": name, "size": 4})
    assert (response.status_code, code(response)) == (422, "file_name_invalid")


@pytest.mark.parametrize(
    "name", ["master.mov", "Ünïcode 漢字 🎬.wav", "x" * 255, ".hidden", "a..b", "con", 'quote".mp3']
)
def test_file_names_that_are_kept(owner: Person, name: str) -> None:
    file = owner.deliver(owner.create_work(), name, b"1234")
    assert file["name"] == name
    response = owner.get(file["content_url"])
    assert response.content == b"1234"
    assert "\r" not in response.headers["content-disposition"]
    assert name in owner.get(f"/works/{file['work_id']}").text.replace("&quot;", '"')


@pytest.mark.parametrize(("size", "expected"), [(0, "file_empty"), (-1, "file_empty"), (6 * 1024**4, "file_too_large")])
def test_sizes_that_are_refused(owner: Person, size: int, expected: str) -> None:
    response = owner.call("POST", f"/api/works/{owner.create_work()}/deliveries", json={"file_name": "a", "size": size})
    assert (response.status_code, code(response)) == (422, expected)


def test_somebody_elses_work_is_like_an_unknown_one(owner: Person, outsider: Person) -> None:
    work = owner.create_work()
    file = owner.deliver(work, "a.bin", b"1234")
    delivery = owner.open_delivery(work, "b.bin", 4)
    unknown = "0" * 26
    tries = [
        ("GET", "/api/works/{}", work),
        ("GET", "/api/works/{}/files", work),
        ("GET", "/api/works/{}/deliveries", work),
        ("POST", "/api/works/{}/deliveries", work),
        ("GET", "/works/{}", work),
        ("GET", "/api/files/{}", file["id"]),
        ("GET", "/api/files/{}/content", file["id"]),
        ("GET", "/api/files/{}/preview", file["id"]),
        ("GET", "/api/files/{}/media", file["id"]),
        ("GET", "/api/deliveries/{}", delivery["id"]),
        ("POST", "/api/deliveries/{}/commit", delivery["id"]),
        ("DELETE", "/api/deliveries/{}", delivery["id"]),
    ]
    for method, path, known in tries:
        body = {"json": {"file_name": "a", "size": 4}} if method == "POST" and "works" in path else {}
        answers = [outsider.call(method, path.format(name), **body) for name in (known, unknown)]
        told = [{**answer.json(), "request_id": ""} for answer in answers]
        assert told[0] == told[1], path
        assert answers[0].status_code == answers[1].status_code == 404, path
    sent = [outsider.send({"id": name}, 0, b"1234") for name in (delivery["id"], unknown)]
    assert [answer.status_code for answer in sent] == [404, 404]
    assert owner.get(f"/api/deliveries/{delivery['id']}").json()["received"] == []


def test_stale_deliveries_are_removed_and_live_ones_stay(owner: Person, platform: RunningPlatform) -> None:
    from datetime import timedelta

    from mixip.transfers import sweep_deliveries

    work = owner.create_work()
    old, live = owner.open_delivery(work, "old", 4), owner.open_delivery(work, "live", 4)
    done = owner.deliver(work, "done", b"1234")
    orphan = platform.settings.data / "storage" / "uploads" / "left-by-a-crash"
    orphan.write_bytes(b"1234")
    later = platform.clock() + timedelta(days=8)
    with platform.parts.db.write() as connection:
        from mixip.transfers import queries
        from mixip.transfers.digests import Digest

        queries.record(connection, live["id"], 0, Digest("sha-256", bytes(32)), later - timedelta(days=1))
    sweep_deliveries(platform.parts.db, platform.parts.store, max_age=timedelta(days=7), at=later)
    assert owner.get(f"/api/deliveries/{old['id']}").status_code == 404
    assert not (platform.settings.data / "storage" / "uploads" / old["id"]).exists()
    assert not orphan.exists()
    assert owner.get(f"/api/deliveries/{live['id']}").status_code == 200
    assert owner.get(done["content_url"]).content == b"1234"


def slow_put(platform: RunningPlatform, person: Person, delivery: dict[str, Any], data: bytes) -> socket.socket:
    """Begin to send segment 0 and stop half way."""
    parts = urlsplit(platform.url)
    head = (
        f"PUT /api/deliveries/{delivery['id']}/segments/0 HTTP/1.1\r\nHost: {parts.netloc}\r\n"
        f"Cookie: {person.headers['cookie']}\r\nX-CSRF-Token: {person.csrf}\r\nContent-Length: {len(data)}\r\n"
        f"Content-Digest: {content_digest(data)}\r\nConnection: close\r\n\r\n"
    )
    connection = socket.create_connection((parts.hostname or "", parts.port or 0), timeout=30)
    connection.sendall(head.encode() + data[: len(data) // 2])
    time.sleep(0.5)
    return connection


def test_nobody_writes_to_a_file_that_was_delivered(owner: Person, platform: RunningPlatform) -> None:
    """Somebody who was still sending when it was committed must not change what is listed."""
    good, evil = os.urandom(4 * 1024 * 1024), b"E" * (4 * 1024 * 1024)
    delivery = owner.open_delivery(owner.create_work(), "a.bin", len(good))
    with slow_put(platform, owner, delivery, evil) as late:
        assert owner.send(delivery, 0, good).status_code == 204
        file = owner.commit(delivery).json()["file"]
        late.sendall(evil[len(evil) // 2 :])
        answer = late.recv(65536)
    assert b" 409 " in answer.split(b"\r\n")[0]
    content = owner.get(file["content_url"]).content
    assert hashlib.sha256(content).hexdigest() == file["sha256"] == hashlib.sha256(good).hexdigest()


def test_a_commit_between_two_sends_never_gets_stuck(owner: Person) -> None:
    """Whatever the order, the delivery ends as delivered, or open with what is missing."""
    work = owner.create_work()
    for number in range(12):
        delivery = owner.open_delivery(work, f"{number}.bin", 1000)
        owner.send(delivery, 0, b"a" * 1000)
        with ThreadPoolExecutor(5) as threads:
            for letter in (b"b", b"c", b"d", b"e"):
                threads.submit(owner.send, delivery, 0, letter * 1000)
            threads.submit(owner.commit, delivery)
        shown = owner.get(f"/api/deliveries/{delivery['id']}").json()
        if shown["state"] == "open":
            assert owner.send(delivery, 0, b"f" * 1000).status_code == 204
            shown = owner.commit(delivery).json()
        assert shown["state"] == "delivered"
        content = owner.get(shown["file"]["content_url"]).content
        assert hashlib.sha256(content).hexdigest() == shown["file"]["sha256"]


def test_a_wrong_length_does_not_cost_the_segment_that_is_there(owner: Person) -> None:
    delivery = owner.open_delivery(owner.create_work(), "a.bin", 4)
    owner.send(delivery, 0, b"good")
    assert code(owner.send(delivery, 0, b"bad")) == "segment_incomplete"
    assert owner.commit(delivery).status_code == 200


def test_an_account_has_its_share(tmp_path: Path) -> None:
    with (
        PlatformThread(tmp_path, MIXIP_ACCOUNT_QUOTA_BYTES="1000") as small,
        httpx.Client(base_url=small.url) as http,
    ):
        person = new_person(http)
        person.sign_up()
        work = person.create_work()
        person.deliver(work, "a", bytes(600))
        held = person.open_delivery(work, "b", 300)
        refused = person.call("POST", f"/api/works/{work}/deliveries", json={"file_name": "c", "size": 101})
        assert (refused.status_code, code(refused)) == (409, "quota_exceeded")
        person.call("DELETE", f"/api/deliveries/{held['id']}")
        assert person.open_delivery(work, "c", 101)["state"] == "open"


def test_one_account_cannot_take_all_connections(
    owner: Person, outsider: Person, platform: RunningPlatform, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("mixip.transfers.crowd.MOST_AT_ONCE", 1)
    delivery = owner.open_delivery(owner.create_work(), "a.bin", 2000)
    with slow_put(platform, owner, delivery, bytes(2000)):
        response = owner.send(delivery, 0, bytes(2000))
        assert (response.status_code, code(response)) == (429, "too_many_at_once")
        assert outsider.deliver(outsider.create_work(), "b", b"1234")["size"] == 4


def test_a_segment_that_trickles_is_ended(
    owner: Person, platform: RunningPlatform, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("mixip.transfers.receiving.PATIENCE_SECONDS", 0.8)
    delivery = owner.open_delivery(owner.create_work(), "a.bin", 2000)
    with slow_put(platform, owner, delivery, bytes(2000)) as connection:
        answer = connection.recv(65536)
    assert b" 400 " in answer.split(b"\r\n")[0]
    assert b"segment_incomplete" in answer
    assert owner.send(delivery, 0, bytes(2000)).status_code == 204


@pytest.mark.parametrize("moment", [2**63, 2**70, -(2**70)])
def test_moments_that_cannot_be(owner: Person, moment: int) -> None:
    body = {"file_name": "a", "size": 4, "last_modified": moment}
    response = owner.call("POST", f"/api/works/{owner.create_work()}/deliveries", json=body)
    assert (response.status_code, code(response)) == (400, "malformed_request")
