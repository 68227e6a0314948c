"""A platform in a process of its own, as `make run` starts it, that a test can kill."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import httpx

from tests.support.platform import free_port


class PlatformProcess:
    """`mixip serve` on a folder of data. It can be killed and started again on the same port."""

    def __init__(self, data: Path, **environment: str) -> None:
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.data = data
        self._environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith("MIXIP_")},
            "MIXIP_DATA": str(data),
            "MIXIP_PORT": str(self.port),
            **environment,
        }
        self._process: subprocess.Popen[str] | None = None
        self.http = httpx.Client(base_url=self.url, timeout=30)

    def start(self) -> float:
        """Start it and wait until it answers. Returns how many seconds it worked for that, at most as many as passed.

        The tests share two processors with each other, so the time that passes says little.
        """
        begun = time.monotonic()
        self._process = subprocess.Popen(
            [str(Path(sys.executable).with_name("mixip")), "serve"],
            env=self._environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        while time.monotonic() - begun < 30:
            try:
                httpx.get(f"{self.url}/healthz", timeout=2).raise_for_status()
                return min(time.monotonic() - begun, self._cpu_seconds())
            except httpx.TransportError:
                if self._process.poll() is not None:
                    break
                time.sleep(0.02)
        raise RuntimeError(f"the platform did not start: {self._process.communicate()[0]}")

    def _cpu_seconds(self) -> float:
        try:
            fields = Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()
        except FileNotFoundError:  # not Linux
            return float("inf")
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    def kill(self) -> None:
        """SIGKILL: no warning, no cleaning up."""
        assert self._process is not None
        self._process.kill()
        self._process.communicate()

    def interrupt(self) -> tuple[int, str]:
        """SIGINT, as Ctrl-C sends it. Returns the exit code and what was printed."""
        assert self._process is not None
        self._process.send_signal(signal.SIGINT)
        output, _ = self._process.communicate(timeout=20)
        return self._process.returncode, output

    def __enter__(self) -> "PlatformProcess":
        return self

    def __exit__(self, *_: object) -> None:
        self.http.close()
        if self._process is not None and self._process.poll() is None:
            self.interrupt()
