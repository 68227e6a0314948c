"""How much memory and processor time a process and all that it started use together, while it runs. Linux only."""

import os
import re
import threading
from pathlib import Path

EVERY = 0.5
TICKS = os.sysconf("SC_CLK_TCK")


class Usage(threading.Thread):
    """Looks twice a second, from `start` to `stop`. `peak` is in bytes: what several processes share counts once,
    since it is the proportional set size (proc(5), `smaps_rollup`), and where that cannot be read the resident one.
    `processor` is in seconds; what a process uses after the last look at it is not in there."""

    def __init__(self, pid: int) -> None:
        super().__init__(daemon=True)
        self._pid = pid
        self._over = threading.Event()
        self._spent: dict[int, float] = {}
        self.peak = 0

    @property
    def processor(self) -> float:
        return sum(self._spent.values())

    def run(self) -> None:
        looks = 0
        while not self._over.wait(EVERY):
            pids = family(self._pid)
            for pid in pids:
                self._spent[pid] = max(self._spent.get(pid, 0.0), spent(pid))
            if looks % 6 == 0:  # adding up pages costs the kernel some time, which it takes from what is measured
                self.peak = max(self.peak, sum(map(held, pids)))
            looks += 1

    def stop(self) -> None:
        self._over.set()
        self.join()


def family(pid: int) -> list[int]:
    """The process and all below it."""
    children: dict[int, list[int]] = {}
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            above = int((folder / "stat").read_text().rpartition(")")[2].split()[1])
        except OSError:  # it has just ended
            continue
        children.setdefault(above, []).append(int(folder.name))
    found = [pid]
    for each in found:
        found += children.get(each, [])
    return found


def held(pid: int) -> int:
    """What the process holds, in bytes; 0 if it has ended."""
    folder = Path(f"/proc/{pid}")
    try:
        try:
            size = re.search(r"^Pss:\s+(\d+)", (folder / "smaps_rollup").read_text(), re.M)
        except PermissionError:
            size = re.search(r"^VmRSS:\s+(\d+)", (folder / "status").read_text(), re.M)
    except OSError:
        return 0
    return int(size[1]) * 1024 if size else 0


def spent(pid: int) -> float:
    """Seconds of a processor that it has used so far; 0 if it has ended."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return 0.0
    return (int(fields[11]) + int(fields[12])) / TICKS
