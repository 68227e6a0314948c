"""The platform under measurement: a process of its own, whose processor time and memory can be read."""

import os
import re
import subprocess
import sys
import time
from pathlib import Path
from types import TracebackType

import httpx

from tests.support.people import Person, new_person
from tests.support.platform import free_port

TICKS = os.sysconf("SC_CLK_TCK")


class Server:
    """`mixip serve` on a folder of data. Linux only: figures come from /proc."""

    def __init__(self, data: Path) -> None:
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith("MIXIP_")},
            "MIXIP_DATA": str(data),
            "MIXIP_PORT": str(self.port),
        }
        self._process = subprocess.Popen(
            [str(Path(sys.executable).with_name("mixip")), "serve"], env=environment, stdout=subprocess.DEVNULL
        )
        self.http = httpx.Client(base_url=self.url, timeout=60)

    def __enter__(self) -> "Server":
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline:
            try:
                self.http.get("/healthz").raise_for_status()
            except httpx.TransportError:
                time.sleep(0.05)
            else:
                return self
        raise RuntimeError("the platform did not start")

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        self.http.close()
        self._process.terminate()
        self._process.wait(timeout=30)

    def cpu_seconds(self) -> float:
        """Processor time of the platform's process so far, user and system."""
        fields = Path(f"/proc/{self._process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / TICKS

    def peak_memory(self) -> int:
        """The most memory that the process held at once, in bytes."""
        status = Path(f"/proc/{self._process.pid}/status").read_text()
        found = re.search(r"VmHWM:\s+(\d+) kB", status)
        assert found
        return int(found[1]) * 1024

    def somebody(self) -> Person:
        """Somebody with an account."""
        person = new_person(self.http)
        response = person.sign_up()
        assert response.status_code == 303, response.text
        return person
