"""A real platform on a real socket, in a thread of the test's process, with a clock that can be moved."""

import asyncio
import secrets
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import psycopg
from granian.constants import HTTPModes, Interfaces
from granian.http import HTTP1Settings
from granian.server.embed import Server

from mixip import housekeeping
from mixip.app import Platform, build
from mixip.db import open_database
from mixip.db.migrate import migrate
from mixip.policies import import_first
from mixip.settings import Settings, from_environment
from strictly_necessary import Direction, GuardFinding

# A test that moves the clock must not have the sessions of the others swept away meanwhile; sweeps are tested directly.
housekeeping.INTERVAL_SECONDS = 3600.0


@dataclass
class MovableClock:
    """The real time, plus what a test added."""

    offset: timedelta = field(default_factory=timedelta)

    def __call__(self) -> datetime:
        return datetime.now(UTC) + self.offset


@dataclass
class RunningPlatform:
    """The platform, where it listens, its parts for tests that look inside, and what its guard found."""

    url: str
    settings: Settings
    parts: Platform
    clock: MovableClock
    findings: list[GuardFinding]


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@contextmanager
def empty_database(postgresql_url: str) -> Iterator[str]:
    """A database of its own on this server, up to date and with the first version of the policy; dropped at the end."""
    with new_database(postgresql_url) as url:
        db = open_database(from_environment({"MIXIP_DATABASE_URL": url}).database_url)
        migrate(db)
        import_first(db, None, datetime.now(UTC))
        db.close()
        yield url


@contextmanager
def new_database(postgresql_url: str) -> Iterator[str]:
    """A database of its own on this server, without a table; dropped at the end."""
    name = f"apart_{secrets.token_hex(4)}"
    with psycopg.connect(postgresql_url, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}")
        yield urlsplit(postgresql_url)._replace(path=f"/{name}").geturl()
        connection.execute(f"DROP DATABASE {name} WITH (FORCE)")


def undeclared(running: RunningPlatform) -> list[GuardFinding]:
    """What the platform itself did against its declaration, on the server or in a browser. Requests are not counted:
    anybody can send anything."""
    return [finding for finding in running.findings if finding.direction is not Direction.REQUEST]


class PlatformThread:
    """Starts on entry, stops on exit. `database_url` empty means SQLite."""

    def __init__(self, data: Path, database_url: str = "", **environment: str) -> None:
        self._port = free_port()
        self._environment = {
            "MIXIP_DATA": str(data),
            "MIXIP_PORT": str(self._port),
            "MIXIP_DATABASE_URL": database_url,
            "MIXIP_GUARD": "raise",
            "MIXIP_TRUSTED_PROXIES": "127.0.0.0/8",
            **environment,
        }
        self._ready = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._run()), daemon=True)
        self._fault: BaseException | None = None

    def __enter__(self) -> RunningPlatform:
        settings = from_environment(self._environment)
        clock = MovableClock()
        findings: list[GuardFinding] = []
        self._parts = build(settings, clock, on_finding=findings.append)
        self._thread.start()
        url = f"http://127.0.0.1:{self._port}"
        deadline = time.monotonic() + 20
        while time.monotonic() < deadline:
            try:
                httpx.get(f"{url}/healthz", timeout=2).raise_for_status()
                return RunningPlatform(url, settings, self._parts, clock, findings)
            except httpx.TransportError:
                time.sleep(0.02)
        raise RuntimeError("the platform did not start")

    def __exit__(self, *_: object) -> None:
        self._loop.call_soon_threadsafe(self._server.stop)
        self._thread.join(timeout=20)

    async def _run(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._server = Server(
            self._parts.app,
            port=self._port,
            interface=Interfaces.ASGI,
            http=HTTPModes.http1,
            http1_settings=HTTP1Settings(max_buffer_size=1024 * 1024),
            backlog=1024,
            backpressure=4096,
            websockets=False,
            log_enabled=False,
        )
        await self._server.serve()
