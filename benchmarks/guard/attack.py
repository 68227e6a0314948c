"""What the guard does with headers that only an attacker sends, and whether its cost grows with their length alone."""

import time
from collections.abc import Callable
from pathlib import Path

from benchmarks.guard.calls import DECLARATION, asgi_call
from strictly_necessary.asgi import Guard

COUNT = 10_000
MEGABYTE = 1_000_000
ROUNDS = 7


def many(times: int) -> bytes:
    return b"; ".join(b"c%d=%d" % (number, number) for number in range(COUNT * times))


HEADERS: dict[str, Callable[[int], bytes]] = {
    "10,000 cookies that are not declared": many,
    "10,000 times a declared one": lambda times: b"; ".join([b"draft=1"] * (COUNT * times)),
    "10,000 nameless ones": lambda times: b"; ".join([b"x"] * (COUNT * times)),
    "10,000 that imitate a prefix": lambda times: b"; ".join([b"__host-session=1"] * (COUNT * times)),
    "1 MB in one value": lambda times: b"draft=" + b"x" * (MEGABYTE * times),
    "1 MB in one name": lambda times: b"x" * (MEGABYTE * times) + b"=1",
    "1 MB of semicolons": lambda times: b";" * (MEGABYTE * times),
    "1 MB of equals signs": lambda times: b"draft=" + b"=" * (MEGABYTE * times),
    "1 MB of spaces": lambda times: b"draft=1;" + b" " * (MEGABYTE * times) + b"; draft=2",
    "1 MB of control characters": lambda times: b"draft=" + b"\x01" * (MEGABYTE * times),
}


def measure_attack(_folder: Path) -> list[dict[str, object]]:
    """Milliseconds of processor time, the best of several rounds, at one, two and four times the size."""
    rows: list[dict[str, object]] = []
    for name, header in HEADERS.items():
        one, two, four = (_milliseconds(header(times)) for times in (1, 2, 4))
        growth = f"{two / one:.1f}, {four / one:.1f}"
        rows.append(
            {"Cookie header": name, "ms": _shown(one), "2×, ms": _shown(two), "4×, ms": _shown(four), "growth": growth}
        )
    return rows


def _milliseconds(header: bytes) -> float:
    async def app(scope: object, receive: object, send: object) -> None:
        pass

    call = asgi_call(Guard(app, DECLARATION, on_finding=lambda _finding: None), header)
    best = float("inf")
    for _ in range(ROUNDS):
        begun = time.process_time()
        call()
        best = min(best, time.process_time() - begun)
    return 1e3 * best


def _shown(milliseconds: float) -> str:
    return f"{milliseconds:.2f}"
