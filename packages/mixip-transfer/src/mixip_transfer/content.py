"""The bytes of a file on their way here, with little CPU.

By http.client, which fills one buffer from the socket: over loopback, receiving alone took 0.2 to 0.3 seconds of CPU
per GB, and 0.9 to 1.1 with httpx, which hands over each arrival by itself. Everything else goes by httpx.
"""

from __future__ import annotations

import base64
import http.client
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from urllib.parse import unquote, urlsplit
from urllib.request import getproxies, proxy_bypass

import httpx

from mixip_transfer.names import is_this_computer

_PIECE_BYTES = 256 * 1024  # small enough that progress on a slow line is seen every few seconds
_TIMEOUT_SECONDS = 60.0


class ConnectionLostError(Exception):
    """The connection failed, before or while the bytes came. The cause says how."""


class Content:
    """An answer whose body has not been read yet."""

    def __init__(self, response: http.client.HTTPResponse) -> None:
        self._response = response
        self.status = response.status

    def header(self, name: str) -> str:
        return self._response.getheader(name) or ""

    def headers(self) -> list[tuple[bytes, bytes]]:
        return [(name.encode("latin-1"), value.encode("latin-1")) for name, value in self._response.getheaders()]

    def pieces(self) -> Iterator[memoryview]:
        """The body, piece by piece. Each piece is only good until the next one is asked for."""
        buffer = memoryview(bytearray(_PIECE_BYTES))
        while True:
            try:
                count = self._response.readinto(buffer)
            except (http.client.HTTPException, OSError) as error:
                raise ConnectionLostError from error
            if not count:
                return
            yield buffer[:count]

    def start(self, most: int) -> bytes:
        """The first bytes of the body, at most `most`."""
        try:
            return self._response.read(most)
        except (http.client.HTTPException, OSError) as error:
            raise ConnectionLostError from error


@contextmanager
def open_content(origin: str, path: str, headers: Mapping[str, str]) -> Iterator[Content]:
    """GET `path` on a connection of its own. Raises ConnectionLostError."""
    try:
        connection = _connection(origin)
        connection.request("GET", path, headers=dict(headers))
        response = connection.getresponse()
    except (http.client.HTTPException, OSError) as error:
        raise ConnectionLostError from error
    try:
        yield Content(response)
    finally:
        response.close()
        connection.close()


def _connection(origin: str) -> http.client.HTTPConnection:
    parts = urlsplit(origin)
    host = parts.hostname or ""
    if parts.scheme == "http":  # only this computer, see names.platform_address
        return http.client.HTTPConnection(host, parts.port, timeout=_TIMEOUT_SECONDS)
    context = httpx.create_ssl_context()  # the same trust as all other requests
    proxies = getproxies()
    proxy = proxies.get("https") or proxies.get("all")
    if not proxy or is_this_computer(host) or proxy_bypass(host):
        return http.client.HTTPSConnection(host, parts.port, timeout=_TIMEOUT_SECONDS, context=context)
    via = urlsplit(proxy if "://" in proxy else f"http://{proxy}")
    connection = http.client.HTTPSConnection(via.hostname or "", via.port, timeout=_TIMEOUT_SECONDS, context=context)
    who: dict[str, str] = {}
    if via.username is not None:
        pair = f"{unquote(via.username)}:{unquote(via.password or '')}"
        who["Proxy-Authorization"] = f"Basic {base64.b64encode(pair.encode()).decode('ascii')}"
    connection.set_tunnel(host, parts.port, headers=who)
    return connection
