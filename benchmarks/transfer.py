"""A file of 1 GiB up and down over loopback, beside `cp` and `sha256sum` of the same file."""

import os
import shutil
import subprocess
import threading
import time
from collections.abc import Callable
from pathlib import Path

from benchmarks.server import Server
from mixip_transfer.delivery import deliver
from mixip_transfer.fetch import fetch
from mixip_transfer.platform import Platform
from mixip_transfer.watching import Silent
from tests.support.people import Person, ranges

MIB = 1024 * 1024
SIZE = int(os.environ.get("MIXIP_BENCH_MIB", "1024")) * MIB
ROUNDS = 3


def measure(folder: Path) -> list[dict[str, object]]:
    """The best of three rounds of each, in turn, so that all meet the same machine."""
    _warm(folder / "warm.bin", SIZE * 8)
    source = folder / "source.bin"
    with source.open("wb") as output:
        for _ in range(SIZE // MIB):
            output.write(os.urandom(MIB))
    rows: dict[str, dict[str, object]] = {}
    with Server(folder / "transfer") as server:
        person = server.somebody()
        work = person.create_work("Benchmark")
        tasks: dict[str, Callable[[], object]] = {
            "cp": lambda: _copy(source, folder / "copy.bin"),
            "sha256sum": lambda: subprocess.run(["sha256sum", str(source)], check=True, stdout=subprocess.DEVNULL),
            "deliver with sha-256, as browsers do, one connection": lambda: _deliver_plainly(person, work, source),
            "deliver with the Pro Transfer App's engine (blake3, four connections)": lambda: _deliver(
                server, person, work, source
            ),
            "download with the Pro Transfer App's engine, verified": lambda: _fetch(server, person, work, folder),
        }
        for _ in range(ROUNDS):
            for name, task in tasks.items():
                spent, begun = server.cpu_seconds(), time.monotonic()
                task()
                seconds, cpu = time.monotonic() - begun, server.cpu_seconds() - spent
                if name not in rows or seconds < float(str(rows[name]["seconds"])):
                    rows[name] = {
                        "what": name,
                        "seconds": round(seconds, 2),
                        "GB/s": round(SIZE / 1e9 / seconds, 2),
                        "server CPU, s/GB": round(cpu / (SIZE / 1e9), 2) if "deliver" in name or "down" in name else "",
                    }
        peak = server.peak_memory()
    copied = float(str(rows["cp"]["seconds"]))
    for row in rows.values():
        row["time beside cp"] = round(float(str(row["seconds"])) / copied, 1)
    return [*rows.values(), {"what": f"most memory of the server in all of this: {peak // MIB} MiB"}]


def _warm(path: Path, size: int) -> None:
    """Fill the page cache once. A virtual machine's memory is dear the first time it is touched, several times what
    writing costs afterwards, and whoever came first in a round would pay for it."""
    block = bytes(MIB)
    with path.open("wb") as output:
        for _ in range(size // MIB):
            output.write(block)
    path.unlink()


def _copy(source: Path, target: Path) -> None:
    target.unlink(missing_ok=True)
    subprocess.run(["cp", str(source), str(target)], check=True)


def _deliver_plainly(person: Person, work: str, source: Path) -> None:
    delivery = person.open_delivery(work, "plain.bin", SIZE)
    with source.open("rb") as file:
        for index, (start, end) in enumerate(ranges(delivery["plan"])):
            assert person.send(delivery, index, file.read(end - start)).status_code == 204
    answer = person.commit(delivery).json()
    while answer["state"] == "verifying":
        time.sleep(0.05)
        answer = person.get(f"/api/deliveries/{delivery['id']}").json()
    assert answer["state"] == "delivered"


def _deliver(server: Server, person: Person, work: str, source: Path) -> None:
    fresh = source.with_name("engine.bin")
    fresh.unlink(missing_ok=True)
    os.link(source, fresh)
    with Platform(server.url, token=person.session) as platform:
        deliver(platform, work, fresh, watcher=Silent(), stop=threading.Event())


def _fetch(server: Server, person: Person, work: str, folder: Path) -> None:
    target = folder / "down"
    shutil.rmtree(target, ignore_errors=True)
    target.mkdir()
    with Platform(server.url, token=person.session) as platform:
        file = next(iter(platform.files(work)))
        fetch(platform, file, target, overwrite=False, watcher=Silent(), stop=threading.Event())
