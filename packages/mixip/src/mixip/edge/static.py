"""The platform's own styles, scripts and pictures: few and small, so they are held in memory.

All stand under one prefix with a version in it, the digest of everything, so that they can be cached for ever and ES
modules may import each other by relative paths.
"""

import gzip
import hashlib
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import Any

from litestar import Request, get
from litestar.params import FromPath
from litestar.response.base import ASGIResponse

from mixip.edge.responses import respond
from mixip.errors import Problem

MEDIA_TYPES = {
    "css": "text/css",
    "js": "text/javascript",
    "svg": "image/svg+xml",
    "png": "image/png",
    "woff2": "font/woff2",
    "txt": "text/plain",
}


@dataclass(frozen=True, slots=True)
class Asset:
    """A static file, plain and compressed."""

    content: bytes
    compressed: bytes
    media_type: str


@cache
def assets() -> dict[str, Asset]:
    """Every static file by its path FEATURE/NAME, from the folder `static` of each feature."""
    found: dict[str, Asset] = {}
    for feature in sorted(files("mixip").iterdir(), key=lambda entry: entry.name):
        if feature.is_dir() and (folder := feature / "static").is_dir():
            for path, entry in _walk(folder, feature.name):
                content = entry.read_bytes()
                media_type = MEDIA_TYPES[path.rpartition(".")[2]]
                found[path] = Asset(content, gzip.compress(content, mtime=0), media_type)
    return found


def _walk(folder: Traversable, prefix: str) -> list[tuple[str, Traversable]]:
    found: list[tuple[str, Traversable]] = []
    for entry in sorted(folder.iterdir(), key=lambda item: item.name):
        path = f"{prefix}/{entry.name}"
        found += _walk(entry, path) if entry.is_dir() else [(path, entry)]
    return found


@cache
def version() -> str:
    """The digest of all static files, shortened."""
    digest = hashlib.sha256()
    for path, asset in sorted(assets().items()):
        digest.update(path.encode() + b"\0" + asset.content)
    return digest.hexdigest()[:16]


def static_url(path: str) -> str:
    """The address of a static file. Raises KeyError for one that is not there, so a wrong page fails in the tests."""
    if path not in assets():
        raise KeyError(f"no static file {path}")
    return f"/static/{version()}/{path}"


@get("/static/{prefix:str}/{path:path}", public=True, include_in_schema=False)
async def static_file(request: Request[Any, Any, Any], prefix: FromPath[str], path: FromPath[str]) -> ASGIResponse:
    """Serve one file; only the current version may be kept by the browser."""
    asset = assets().get(path.lstrip("/"))
    if asset is None:
        raise Problem("not_found")
    headers = {
        "cache-control": "public, max-age=31536000, immutable" if prefix == version() else "no-cache",
        "vary": "accept-encoding",
    }
    content = asset.content
    if "gzip" in request.headers.get("accept-encoding", "") and len(asset.compressed) < len(asset.content):
        headers["content-encoding"] = "gzip"
        content = asset.compressed
    return respond(content, asset.media_type, headers=headers)
