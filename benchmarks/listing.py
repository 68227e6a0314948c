"""The signed-in list of works, 50 rows: requests per second, and processor time per request on the server."""

import http.client
import threading
import time
from collections.abc import Mapping
from pathlib import Path

from benchmarks.server import Server

CLIENTS = 4
SECONDS = 5.0


def measure(folder: Path) -> list[dict[str, object]]:
    """One row per address, all on the same server: health is the floor that every request pays."""
    rows = []
    with Server(folder / "listing") as server:
        person = server.somebody()
        for number in range(50):
            person.create_work(f"Work number {number} with a title of a usual length")
        for name, path, headers in (
            ("health: no session, no database", "/healthz", {}),
            ("list of 50 works, JSON", "/api/works", person.headers),
            ("list of 50 works, page", "/works", person.headers),
        ):
            _load(server.port, path, headers, 1.0)
            before = server.cpu_seconds()
            count, seconds = _load(server.port, path, headers, SECONDS)
            spent = server.cpu_seconds() - before
            rows.append(
                {
                    "what": name,
                    "requests per second": round(count / seconds),
                    "server CPU per request, µs": round(1e6 * spent / count),
                }
            )
    return rows


def _load(port: int, path: str, headers: Mapping[str, str], seconds: float) -> tuple[int, float]:
    """Ask again and again over kept connections. Returns the number of answers and the time they took."""
    counts = [0] * CLIENTS
    end = time.monotonic() + seconds

    def ask(index: int) -> None:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
        while time.monotonic() < end:
            connection.request("GET", path, headers=dict(headers))
            response = connection.getresponse()
            response.read()
            if response.status != 200:
                raise RuntimeError(f"{path} answered {response.status}")
            counts[index] += 1
        connection.close()

    begun = time.monotonic()
    threads = [threading.Thread(target=ask, args=(index,)) for index in range(CLIENTS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return sum(counts), time.monotonic() - begun
