"""How much memory a process and all that it started hold together, while it runs."""

import re
import threading
from pathlib import Path

EVERY = 0.5


class Memory(threading.Thread):
    """Looks every half second, from `start` to `stop`; `peak` is in bytes. What several processes share counts once: it
    is the proportional set size (proc(5), `smaps_rollup`), and where that cannot be read the resident one."""

    def __init__(self, pid: int) -> None:
        super().__init__(daemon=True)
        self._pid = pid
        self._over = threading.Event()
        self.peak = 0
        self.parts: dict[str, int] = {}

    def run(self) -> None:
        while not self._over.wait(EVERY):
            parts: dict[str, int] = {}
            for pid in family(self._pid):
                name, size = held(pid)
                parts[name] = parts.get(name, 0) + size
            if sum(parts.values()) > self.peak:
                self.peak, self.parts = sum(parts.values()), parts

    def stop(self) -> int:
        self._over.set()
        self.join()
        return self.peak


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


def held(pid: int) -> tuple[str, int]:
    """Its program and what it holds, in bytes; nothing if it has ended."""
    folder = Path(f"/proc/{pid}")
    try:
        name = (folder / "comm").read_text().strip()
        try:
            size = re.search(r"^Pss:\s+(\d+)", (folder / "smaps_rollup").read_text(), re.M)
        except PermissionError:
            size = re.search(r"^VmRSS:\s+(\d+)", (folder / "status").read_text(), re.M)
    except OSError:
        return "", 0
    return name, int(size[1]) * 1024 if size else 0
