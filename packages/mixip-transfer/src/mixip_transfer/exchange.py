"""One request and its whole answer, of which never more is read than an answer can have."""

from __future__ import annotations

from collections.abc import Iterable

import httpx

from mixip_transfer.errors import BadAnswerError

LONGEST_ANSWER_BYTES = 64 * 1024 * 1024
LONGEST_ERROR_BYTES = 256 * 1024


def exchange(client: httpx.Client, request: httpx.Request) -> httpx.Response:
    """Send a request and read the answer.

    Raises httpx.TransportError, and BadAnswerError for a success that is longer than 64 MiB or compressed, which this
    app never asks for: a few bytes could unfold to any size. The text of a refusal that is like that, or longer than
    256 KiB, is left out.
    """
    response = client.send(request, stream=True)
    try:
        most = LONGEST_ANSWER_BYTES if response.is_success else LONGEST_ERROR_BYTES
        body = None if is_encoded(response.headers.get("Content-Encoding")) else _read(response, most)
    finally:
        response.close()
    if body is None and response.is_success:
        raise BadAnswerError(f"{request.url.host} answered in a form, or at a length, that was not asked for.")
    return answered(request, response.status_code, response.headers.raw, body or b"")


def answered(
    request: httpx.Request, status: int, headers: Iterable[tuple[bytes, bytes]], body: bytes
) -> httpx.Response:
    """An answer that has been read. Nothing in it is decoded again, whatever its headers say."""
    kept = [(name, value) for name, value in headers if name.lower() != b"content-encoding"]
    return httpx.Response(status, headers=kept, content=body, request=request)


def is_encoded(content_encoding: str | None) -> bool:
    """Whether a `Content-Encoding` header (RFC 9110 section 8.4) says that the bytes are not the content itself."""
    return (content_encoding or "").strip().lower() not in ("", "identity")


def _read(response: httpx.Response, most: int) -> bytes | None:
    body = bytearray()
    for piece in response.iter_raw():
        body += piece
        if len(body) > most:
            return None
    return bytes(body)
