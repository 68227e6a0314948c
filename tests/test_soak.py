"""Long runs, bounded: deliveries through a server that is killed again and again, and memory that stays flat.

MIXIP_SOAK_SECONDS is how long each runs (60), MIXIP_SOAK_SEED what they do (1).
"""

import hashlib
import os
import random
import re
import time
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.support.people import Person, content_digest, new_person, ranges
from tests.support.process import PlatformProcess

pytestmark = pytest.mark.soak

MIB = 1024 * 1024
SECONDS = float(os.environ.get("MIXIP_SOAK_SECONDS", "60"))
SEED = int(os.environ.get("MIXIP_SOAK_SEED", "1"))


def test_deliveries_survive_a_server_that_is_killed_again_and_again(tmp_path: Path) -> None:
    """Whatever is listed is whole, and whatever was delivered is listed once."""
    chance = random.Random(SEED)
    end = time.monotonic() + SECONDS
    with PlatformProcess(tmp_path / "var") as process:
        process.start()
        person = new_person(process.http)
        person.sign_up()
        work = person.create_work()
        expected: dict[str, str] = {}
        kills = 0
        while time.monotonic() < end or not kills:
            name, data = f"file {len(expected)}", chance.randbytes(chance.randrange(1, 30 * MIB))
            expected[name] = hashlib.sha256(data).hexdigest()
            while True:
                try:
                    _deliver(person, process, chance, work, name, data)
                except (httpx.TransportError, _Killed):
                    kills += 1
                    process.start()
                    listed = _listed(person, work)
                    assert listed.items() <= expected.items(), "nothing is listed that is not whole"
                    if name in listed:
                        break
                else:
                    break
        assert _listed(person, work) == expected
        for file in person.get(f"/api/works/{work}/files").json()["files"]:
            content = person.get(file["content_url"]).content
            assert hashlib.sha256(content).hexdigest() == expected[file["name"]]
        assert person.get(f"/api/works/{work}/deliveries").json()["deliveries"] == []
    print(f"{len(expected)} files through {kills} kills")


class _Killed(Exception):  # noqa: N818  what happened, not an error
    """The server was killed between two requests."""


def _deliver(
    person: Person, process: PlatformProcess, chance: random.Random, work: str, name: str, data: bytes
) -> None:
    """Deliver or continue; now and then the server is killed in the middle."""

    def perhaps_kill() -> None:
        if chance.random() < 0.15:
            process.kill()
            raise _Killed

    open_ones = person.get(f"/api/works/{work}/deliveries").json()["deliveries"]
    found: dict[str, Any] | None = next((one for one in open_ones if one["file_name"] == name), None)
    delivery = found or person.open_delivery(work, name, len(data))
    there = {segment["index"]: segment["digest"] for segment in delivery["received"]}
    for index, (start, stop) in enumerate(ranges(delivery["plan"])):
        if there.get(index) == content_digest(data[start:stop]):
            continue
        perhaps_kill()
        answer = person.send(delivery, index, data[start:stop])
        assert answer.status_code == 204 or answer.json()["code"] == "delivery_closed"
    perhaps_kill()
    shown = person.commit(delivery).json()
    for _ in range(600):
        if shown["state"] == "delivered":
            return
        time.sleep(0.05)
        shown = person.get(f"/api/deliveries/{delivery['id']}").json()
    raise AssertionError(f"still {shown['state']}")


def _listed(person: Person, work: str) -> dict[str, str]:
    files = person.get(f"/api/works/{work}/files").json()["files"]
    assert len({file["name"] for file in files}) == len(files), "nothing is listed twice"
    return {file["name"]: file["sha256"] for file in files}


def test_memory_stays_flat_however_much_is_delivered(tmp_path: Path) -> None:
    """The first hundred megabytes may warm things up; after that, gigabytes leave no trace."""
    data = random.Random(SEED).randbytes(64 * MIB)
    with PlatformProcess(tmp_path / "var") as process:
        process.start()
        person = new_person(process.http)
        person.sign_up()
        work = person.create_work()
        for number in range(3):
            person.deliver(work, f"warm {number}", data)
        warm = _resident(process.pid)
        end = time.monotonic() + SECONDS
        number = 0
        while time.monotonic() < end:
            file = person.deliver(work, f"file {number}", data)
            assert person.get(file["content_url"]).content == data
            number += 1
        grown = _resident(process.pid) - warm
    print(f"{number} files of 64 MiB: {grown / MIB:.1f} MiB more than after the first three")
    assert grown < 64 * MIB


def _resident(pid: int) -> int:
    found = re.search(r"VmRSS:\s+(\d+) kB", Path(f"/proc/{pid}/status").read_text())
    assert found
    return int(found[1]) * 1024
