"""The process: it starts quickly, ends cleanly, keeps everything in one folder, and survives being killed."""

import contextlib
import hashlib
import os
import socket
import stat
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest

from tests.support.people import Person, content_digest, new_person
from tests.support.process import PlatformProcess

pytestmark = pytest.mark.slow

SEGMENT = 8 * 1024 * 1024


def somebody(process: PlatformProcess) -> Person:
    person = new_person(process.http)
    assert person.sign_up().status_code == 303
    return person


@pytest.fixture
def process(tmp_path: Path) -> Iterator[PlatformProcess]:
    """A platform that is not started yet."""
    with PlatformProcess(tmp_path / "var") as made:
        yield made


def test_it_starts_again_within_three_seconds_and_ctrl_c_ends_it(process: PlatformProcess) -> None:
    process.start()
    code, output = process.interrupt()
    assert code == 0
    assert output == f"Mix-IP is at {process.url}\nCtrl-C ends it.\nStopping.\n"
    fastest = 60.0
    for _ in range(5):  # other programs may need the processor at the same time
        fastest = min(fastest, process.start())
        assert process.interrupt()[0] == 0
        if fastest < 3:
            break
    assert fastest < 3


def test_all_state_is_under_mixip_data(tmp_path: Path) -> None:
    data = tmp_path / "elsewhere" / "var"
    work = tmp_path / "cwd"
    work.mkdir()
    here = Path.cwd()
    os.chdir(work)
    try:
        with PlatformProcess(data) as process:
            process.start()
            person = somebody(process)
            person.deliver(person.create_work(), "a.bin", b"1234")
    finally:
        os.chdir(here)
    assert list(work.iterdir()) == []
    assert sorted(path.name for path in data.iterdir() if not path.name.endswith(("-wal", "-shm"))) == [
        "mixip.sqlite3",
        "storage",
    ]
    assert stat.S_IMODE(data.stat().st_mode) == 0o700


def test_killed_in_the_middle_only_the_missing_part_is_sent(process: PlatformProcess) -> None:
    data = os.urandom(5 * SEGMENT + 77)
    process.start()
    person = somebody(process)
    work = person.create_work()
    delivery = person.open_delivery(work, "master.mov", len(data), last_modified=1)
    for index in (0, 1, 2):
        assert person.send(delivery, index, data[index * SEGMENT : (index + 1) * SEGMENT]).status_code == 204

    def half_a_segment() -> None:
        def slowly() -> object:
            yield data[3 * SEGMENT : 3 * SEGMENT + SEGMENT // 2]
            process.kill()
            yield b"never arrives"

        with pytest.raises(httpx.TransportError):
            person.call(
                "PUT",
                f"/api/deliveries/{delivery['id']}/segments/3",
                content=slowly(),
                headers={"content-digest": content_digest(data[3 * SEGMENT : 4 * SEGMENT])},
            )

    sending = threading.Thread(target=half_a_segment)
    sending.start()
    sending.join(timeout=30)
    process.start()
    assert person.get(f"/api/works/{work}/files").json()["files"] == [], "nothing is listed early"
    [found] = person.get(f"/api/works/{work}/deliveries").json()["deliveries"]
    assert (found["file_name"], found["last_modified"]) == ("master.mov", 1)
    assert [segment["index"] for segment in found["received"]] == [0, 1, 2], "nothing that arrived is lost"
    for index in (3, 4, 5):
        assert person.send(found, index, data[index * SEGMENT : (index + 1) * SEGMENT]).status_code == 204
    file = person.commit(found).json()["file"]
    assert file["sha256"] == hashlib.sha256(data).hexdigest()
    assert person.get(file["content_url"]).content == data


def test_killed_while_it_verifies_it_finishes_after_the_restart(process: PlatformProcess) -> None:
    data = os.urandom(8 * SEGMENT)
    process.start()
    person = somebody(process)
    work = person.create_work()
    delivery = person.open_delivery(work, "master.mov", len(data))
    for index in range(8):
        person.send(delivery, index, data[index * SEGMENT : (index + 1) * SEGMENT])
    killer = threading.Timer(0.02, process.kill)
    killer.start()
    with contextlib.suppress(httpx.TransportError):
        person.commit(delivery)
    killer.join()
    process.start()
    for _ in range(200):
        shown = person.get(f"/api/deliveries/{delivery['id']}").json()
        if shown["state"] == "delivered":
            break
        person.commit(delivery)
    assert shown["file"]["sha256"] == hashlib.sha256(data).hexdigest()
    assert person.get(shown["file"]["content_url"]).content == data


def test_a_port_in_use_is_said_plainly(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        result = subprocess.run(
            [str(Path(sys.executable).with_name("mixip")), "serve"],
            env={**os.environ, "MIXIP_DATA": str(tmp_path), "MIXIP_PORT": str(port)},
            capture_output=True,
            text=True,
            timeout=30,
            check=False,
        )
    assert result.returncode == 1
    assert f"Cannot listen on 127.0.0.1:{port}" in result.stderr
    assert "MIXIP_PORT" in result.stderr
    assert "Traceback" not in result.stderr


@pytest.mark.parametrize(
    ("environment", "told"),
    [
        ({"MIXIP_PORT": "eight"}, "MIXIP_PORT=eight"),
        ({"MIXIP_PORT": "70000"}, "0 to 65535"),
        ({"MIXIP_GUARD": "off"}, "one of enforce, raise is needed"),
        ({"MIXIP_DATABASE_URL": "mysql://x"}, "postgresql://"),
        ({"MIXIP_TRUSTED_PROXIES": "everybody"}, "MIXIP_TRUSTED_PROXIES"),
        ({"MIXIP_DTA": "/x"}, "MIXIP_DTA: no such setting; did you mean MIXIP_DATA?"),
        ({"MIXIP_MAX_FILE_BYTES": "0"}, "above 0"),
    ],
)
def test_wrong_settings_stop_it_with_a_reason(tmp_path: Path, environment: dict[str, str], told: str) -> None:
    result = subprocess.run(
        [str(Path(sys.executable).with_name("mixip")), "serve"],
        env={**os.environ, "MIXIP_DATA": str(tmp_path), **environment},
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert result.returncode == 2
    assert told in result.stderr
    assert "Traceback" not in result.stderr


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="only root can mount a small disk")
def test_a_full_disk_is_refused_and_nothing_is_lost(tmp_path: Path) -> None:
    """A disk of 40 MB, really."""
    small = tmp_path / "small"
    small.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=40m", "tmpfs", str(small)], check=False).returncode:
        pytest.skip("this machine lets nobody mount")
    try:
        with PlatformProcess(small) as process:
            process.start()
            person = somebody(process)
            work = person.create_work()
            kept = person.deliver(work, "fits.bin", bytes(20 * 1024 * 1024))
            refused = person.call(
                "POST", f"/api/works/{work}/deliveries", json={"file_name": "large.bin", "size": 30 * 1024 * 1024}
            )
            assert (refused.status_code, refused.json()["code"]) == (507, "storage_full")
            assert person.get(f"/api/works/{work}/deliveries").json()["deliveries"] == []
            assert list((small / "storage" / "uploads").iterdir()) == [], "nothing is left behind"
            assert person.get(kept["content_url"]).status_code == 200
            assert person.deliver(work, "small.bin", b"1234")["size"] == 4, "what fits is still taken"
    finally:
        for _ in range(50):  # a program that looked into the file may still be ending
            if subprocess.run(["umount", str(small)], check=False, stderr=subprocess.DEVNULL).returncode == 0:
                break
            time.sleep(0.1)


def test_silent_connections_keep_nobody_out(process: PlatformProcess) -> None:
    """Whoever connects and says nothing takes no place from others, and is shown out."""
    process.start()
    silent = [socket.create_connection(("127.0.0.1", process.port), timeout=60) for _ in range(300)]
    try:
        assert process.http.get("/healthz", timeout=5).status_code == 200
        silent[0].settimeout(40)
        assert silent[0].recv(1) == b"", "closed after the time for a request's headers"
    finally:
        for connection in silent:
            connection.close()


@pytest.mark.postgresql
def test_a_database_that_was_not_migrated_is_said_plainly(tmp_path: Path, postgresql_url: str) -> None:
    import psycopg

    with psycopg.connect(postgresql_url, autocommit=True) as connection:
        connection.execute("DROP DATABASE IF EXISTS outdated")
        connection.execute("CREATE DATABASE outdated")
    parts = urlsplit(postgresql_url)
    environment = {
        **os.environ,
        "MIXIP_DATA": str(tmp_path),
        "MIXIP_PORT": "0",
        "MIXIP_DATABASE_URL": parts._replace(path="/outdated").geturl(),
    }

    def mixip(*arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [str(Path(sys.executable).with_name("mixip")), *arguments],
            env=environment,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    refused = mixip("serve")
    assert refused.returncode == 1
    assert "revision none" in refused.stderr
    assert "mixip migrate" in refused.stderr
    assert "Traceback" not in refused.stderr
    migrated = mixip("migrate").stdout
    assert migrated == "The database was brought up to date.\nThe cookie policy was released for the first time.\n"
    assert mixip("migrate").stdout == "The database is up to date.\n"


def test_a_database_that_cannot_be_reached_is_said_plainly(tmp_path: Path) -> None:
    address = "postgresql://nobody:secret@127.0.0.1:1/none"
    result = subprocess.run(
        [str(Path(sys.executable).with_name("mixip")), "serve"],
        env={**os.environ, "MIXIP_DATA": str(tmp_path), "MIXIP_DATABASE_URL": address, "MIXIP_PORT": "0"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert result.returncode == 1
    assert "Cannot use the database" in result.stderr
    assert "secret" not in result.stderr
    assert "Traceback" not in result.stderr


def test_a_variable_of_another_version_is_told_and_ignored(tmp_path: Path) -> None:
    result = subprocess.run(
        [str(Path(sys.executable).with_name("mixip")), "settings"],
        env={**os.environ, "MIXIP_DATA": str(tmp_path), "MIXIP_REPLICATION_FACTOR": "3"},
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert result.returncode == 0
    assert "MIXIP_REPLICATION_FACTOR is no setting of this version" in result.stderr
