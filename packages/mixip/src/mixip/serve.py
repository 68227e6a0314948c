"""Runs the platform: one process, granian in front of the app."""

import asyncio
import logging
import os
import resource
import signal
import socket
import sys

from granian.constants import HTTPModes, Interfaces
from granian.http import HTTP1Settings
from granian.server.embed import Server
from sqlalchemy.exc import SQLAlchemyError

from mixip.app import build
from mixip.db.migrate import OutdatedError
from mixip.edge.asgi import App
from mixip.logs import configure_logs
from mixip.policies import NoPolicyError, UnfitError
from mixip.settings import Settings
from strictly_necessary import DeclarationError

GRACE_SECONDS = 5
READ_BUFFER = 1024 * 1024  # per connection, as far as it is filled: uploads then cost a fifth less
HEADER_SECONDS = 15  # for a request's headers, the first byte included; so idle connections end too
CONNECTIONS = 4096  # more wait in the kernel

log = logging.getLogger("mixip")


def serve(settings: Settings) -> int:
    """Serve until SIGINT or SIGTERM. Returns the exit code."""
    configure_logs()
    os.umask(0o077)  # what we write is for this user alone
    _allow_open_files(CONNECTIONS * 2)
    try:
        port = _free_port(settings.host, settings.port)
    except OSError as error:
        where = f"{settings.host}:{settings.port}"
        print(f"Cannot listen on {where}: {error.strerror}. Choose another with MIXIP_PORT.", file=sys.stderr)
        return 1
    try:
        platform = build(settings)
    except OutdatedError as error:
        print(f"{error} Run: mixip migrate", file=sys.stderr)
        return 1
    except NoPolicyError as error:
        print(f"{error} Run: mixip migrate, or mixip policy release", file=sys.stderr)
        return 1
    except (DeclarationError, UnfitError) as error:
        print(f"This cookie policy cannot be used:\n{error}", file=sys.stderr)
        return 1
    except SQLAlchemyError as error:
        print(f"Cannot use the database: {type(error.__cause__ or error).__name__}.", file=sys.stderr)
        return 1
    except OSError as error:
        print(f"Cannot use MIXIP_DATA={settings.data}: {error.strerror}.", file=sys.stderr)
        return 1
    code = asyncio.run(_serve(platform.app, settings, port))
    # Everything is closed. Connections that outlived the grace period still have threads of the server's own, which
    # must not find the interpreter half gone.
    logging.shutdown()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


async def _serve(app: App, settings: Settings, port: int) -> int:
    server = Server(
        app,
        address=settings.host,
        port=port,
        interface=Interfaces.ASGI,
        http=HTTPModes.http1,
        http1_settings=HTTP1Settings(max_buffer_size=READ_BUFFER, header_read_timeout=HEADER_SECONDS * 1000),
        backlog=1024,
        backpressure=CONNECTIONS,
        websockets=False,
        log_enabled=False,
    )
    loop = asyncio.get_running_loop()
    stopping = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stopping.set)
    running = asyncio.ensure_future(server.serve())
    stopped = asyncio.ensure_future(stopping.wait())
    waiting = asyncio.ensure_future(_announce(settings.host, port))
    await asyncio.wait([running, stopped], return_when=asyncio.FIRST_COMPLETED)
    waiting.cancel()
    if running.done():
        log.error("the server ended by itself", exc_info=running.exception())
        return 1
    print("Stopping.", flush=True)
    server.stop()  # type: ignore[no-untyped-call]
    await asyncio.wait([running], timeout=GRACE_SECONDS)
    return 0


async def _announce(host: str, port: int) -> None:
    """Print the address once the socket answers."""
    while True:
        try:
            _, writer = await asyncio.open_connection(_reachable(host), port)
        except OSError:
            await asyncio.sleep(0.02)
            continue
        writer.close()
        shown = f"[{host}]" if ":" in host else host
        print(f"Mix-IP is at http://{shown}:{port}\nCtrl-C ends it.", flush=True)
        return


def _allow_open_files(wanted: int) -> None:
    """Raise the limit of open files towards what so many connections need, as far as the system lets us."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    most = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
    if soft != resource.RLIM_INFINITY and soft < most:
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))


def _reachable(host: str) -> str:
    return {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104  compared, not bound


def _free_port(host: str, port: int) -> int:
    """The port, if it can be had; for 0 one that is free now. Raises OSError."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        probe.bind((host, port))
        chosen: int = probe.getsockname()[1]
        return chosen
