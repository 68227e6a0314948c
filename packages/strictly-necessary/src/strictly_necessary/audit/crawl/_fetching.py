"""Small files that no browser needs to load: robots.txt and sitemaps."""

from __future__ import annotations

import asyncio
import http.client
import ipaddress
import socket
import ssl
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from urllib.parse import urljoin, urlsplit

AGENT = "strictly-audit"
"""The token that robots.txt knows the audit by."""

_REDIRECTS = 5


@dataclass(frozen=True, slots=True)
class Answer:
    """What came. `status` is 0 if nothing did. `body` is cut at the limit."""

    status: int
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    url: str = ""


def is_local(url: str, resolve: Mapping[str, str]) -> bool:
    """Whether the host is this machine, or was sent somewhere by the plan."""
    host = urlsplit(url).hostname or ""
    if any(fnmatchcase(host, each) for each in resolve) or host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


async def fetch(url: str, *, resolve: Mapping[str, str], insecure: bool, limit: int, seconds: float) -> Answer:
    """The file at the address, after redirects on the same host. Never raises for what the network does."""
    for _ in range(_REDIRECTS):
        answer = await asyncio.to_thread(_get, url, resolve, insecure=insecure, limit=limit, seconds=seconds)
        target = answer.headers.get("location")
        if answer.status not in {301, 302, 303, 307, 308} or not target:
            return answer
        following = urljoin(url, target)
        if urlsplit(following).hostname != urlsplit(url).hostname:
            return Answer(answer.status, url=url)
        url = following
    return Answer(0, url=url)


def _get(url: str, resolve: Mapping[str, str], *, insecure: bool, limit: int, seconds: float) -> Answer:
    parts = urlsplit(url)
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        return Answer(0, url=url)
    port = parts.port or (443 if parts.scheme == "https" else 80)
    host, to = _where(parts.hostname, port, resolve)
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    try:
        with socket.create_connection((host, to), seconds) as plain:
            wire = _secured(plain, parts.hostname, insecure=insecure) if parts.scheme == "https" else plain
            connection = http.client.HTTPConnection(parts.hostname, port, timeout=seconds)
            connection.sock = wire
            connection.request("GET", path, headers={"User-Agent": f"{AGENT}/1", "Accept-Encoding": "identity"})
            response = connection.getresponse()
            headers = {name.lower(): value for name, value in response.getheaders()}
            body = _read(response, limit, time.monotonic() + seconds)
            connection.close()
            return Answer(response.status, body, headers, url)
    except (OSError, http.client.HTTPException, ValueError):
        return Answer(0, url=url)


def _read(response: http.client.HTTPResponse, limit: int, deadline: float) -> bytes:
    """Until the end, the limit or the deadline: a server may send one byte at a time."""
    body = bytearray()
    while len(body) < limit and time.monotonic() < deadline:
        piece = response.read1(min(65_536, limit - len(body)))
        if not piece:
            break
        body += piece
    return bytes(body)


def _where(host: str, port: int, resolve: Mapping[str, str]) -> tuple[str, int]:
    sent = next((to for each, to in resolve.items() if fnmatchcase(host, each)), None)
    if sent is None:
        return ("127.0.0.1" if host.endswith(".localhost") else host), port
    name, separator, other = sent.rpartition(":")
    if separator and other.isdigit() and (":" not in name or name.startswith("[")):
        return name.strip("[]"), int(other)
    return sent.strip("[]"), port


def _secured(plain: socket.socket, host: str, *, insecure: bool) -> ssl.SSLSocket:
    context = ssl.create_default_context()
    if insecure:
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    return context.wrap_socket(plain, server_hostname=host)
