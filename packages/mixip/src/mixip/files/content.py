"""The bytes of a file on their way out: ranges, validators, digest, constant memory."""

from base64 import b64encode
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

from litestar import Request
from litestar.concurrency import sync_to_thread
from litestar.response.base import ASGIResponse
from litestar.types import ASGIApp

from mixip.edge.asgi import Receive, Scope, Send
from mixip.edge.responses import respond
from mixip.errors import Problem
from mixip.files.queries import FileRow
from mixip.files.ranges import Range, Unsatisfiable, parse_range
from mixip.storage import Store

CONTENT_POLICY = "default-src 'none'; media-src 'self'; base-uri 'none'; frame-ancestors 'none'; sandbox"


def content_disposition(name: str) -> str:
    """`attachment` with the name in ASCII and in UTF-8 (RFC 6266, RFC 8187)."""
    plain = "".join(c if " " <= c <= "~" and c not in '"\\%' else "_" for c in name)
    return f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(name, safe='')}"


def send_content(
    request: Request[Any, Any, Any], store: Store, row: FileRow, *, media_type: str, attachment: bool
) -> ASGIApp:
    """The whole file or one range of it. Raises Problem when the range lies outside."""
    etag = f'"{row.sha256}"'
    headers = {
        "etag": etag,
        "accept-ranges": "bytes",
        "cache-control": "private, no-cache",
        "repr-digest": f"sha-256=:{b64encode(bytes.fromhex(row.sha256)).decode()}:",
        "last-modified": f"{row.delivered_at:%a, %d %b %Y %H:%M:%S} GMT",
        # A delivered file is somebody's data, not a part of this site: nothing in it may run here.
        "content-security-policy": CONTENT_POLICY,
    }
    if attachment:
        headers["content-disposition"] = content_disposition(row.name)
    if etag in _tags(request.headers.get("if-none-match")):
        return ASGIResponse(status_code=304, headers=list(headers.items()))
    asked = request.headers.get("range")
    if request.headers.get("if-range", etag) != etag:
        asked = None
    part = parse_range(asked, row.size)
    if isinstance(part, Unsatisfiable):
        raise Problem("range_not_satisfiable", headers={"content-range": f"bytes */{row.size}"})
    if part is None:
        return _Stream(store, row.object_key, Range(0, row.size - 1), 200, media_type, headers)
    headers["content-range"] = f"bytes {part.first}-{part.last}/{row.size}"
    return _Stream(store, row.object_key, part, 206, media_type, headers)


def send_preview(store: Store, row: FileRow) -> ASGIResponse:
    """The thumbnail or poster frame."""
    if row.preview_type is None:
        raise Problem("not_found")
    name = {"image/jpeg": "preview.jpg", "image/webp": "preview.webp"}[row.preview_type]
    content = (store.preview_folder(row.object_key) / name).read_bytes()
    return respond(content, row.preview_type, headers={"cache-control": "private, max-age=86400"})


def _tags(header: str | None) -> set[str]:
    return {tag.strip().removeprefix("W/") for tag in (header or "").split(",")}


class _Stream:
    """An ASGI response that reads the next piece while the last one is sent."""

    def __init__(
        self, store: Store, key: str, part: Range, status: int, media_type: str, headers: dict[str, str]
    ) -> None:
        self._store = store
        self._key = key
        self._part = part
        self._status = status
        lines = {**headers, "content-type": media_type, "content-length": str(part.length)}
        self._headers = [(name.encode(), value.encode("latin-1")) for name, value in lines.items()]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002  the shape of ASGI
        pieces = self._store.read(self._key, offset=self._part.first, length=self._part.length)
        try:
            first = await sync_to_thread(_next, pieces)  # a missing object is noticed before the answer starts
            await send({"type": "http.response.start", "status": self._status, "headers": self._headers})
            if scope.get("mixip_head"):
                await send({"type": "http.response.body", "body": b"", "more_body": False})
                return
            piece = first
            while piece:
                await send({"type": "http.response.body", "body": piece, "more_body": True})
                piece = await sync_to_thread(_next, pieces)
            await send({"type": "http.response.body", "body": b"", "more_body": False})
        finally:
            pieces.close()  # type: ignore[attr-defined]


def _next(pieces: Iterator[bytes]) -> bytes:
    return next(pieces, b"")
