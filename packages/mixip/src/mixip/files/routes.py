"""The file API."""

from typing import Any

from litestar import Request, get
from litestar.params import FromPath
from litestar.response.base import ASGIResponse
from litestar.types import ASGIApp

from mixip.db import Database
from mixip.edge.caller import Caller
from mixip.edge.described import READ, answer, operation, refusals
from mixip.edge.injected import Db, Files, Who
from mixip.errors import Problem
from mixip.files import queries
from mixip.files.content import send_content, send_preview
from mixip.files.queries import FileRow
from mixip.files.views import FileView, as_view

AnyRequest = Request[Any, Any, Any]

_BY_RANGES = {
    206: answer(None, "The bytes of the range."),
    304: answer(None, "It is what `If-None-Match` names."),
    **refusals(*READ, "not_found", "range_not_satisfiable"),
}
_RANGE_HEADERS = {
    "Range": ("One range of bytes, such as `bytes=0-1023` (RFC 9110 section 14.2).", False),
    "If-Range": ("The `ETag` that the range belongs to; with another one the whole file is sent.", False),
    "If-None-Match": ("The `ETag` that is there already.", False),
}


def _find(db: Database, caller: Caller, file_id: str) -> FileRow:
    with db.read() as connection:
        row = queries.find(connection, caller.account_id, file_id)
    if row is None:
        raise Problem("not_found")
    return row


@get(
    "/api/files/{file_id:str}",
    tags=["Files"],
    summary="Show a file",
    response_description="The file.",
    responses=refusals(*READ, "not_found"),
    sync_to_thread=True,
)
def show_file(file_id: FromPath[str], db: Db, caller: Who) -> FileView:
    """A delivered file with its digest and what was read from it."""
    return as_view(_find(db, caller, file_id))


@get(
    "/api/files/{file_id:str}/content",
    tags=["Files"],
    summary="Download a file",
    response_description="The bytes of the file.",
    responses=_BY_RANGES,
    operation_class=operation(
        headers=_RANGE_HEADERS, gives={200: ("application/octet-stream",), 206: ("application/octet-stream",)}
    ),
    sync_to_thread=True,
)
def file_content(request: AnyRequest, file_id: FromPath[str], db: Db, store: Files, caller: Who) -> ASGIApp:
    """The file itself, bit for bit, whole or one range of it."""
    row = _find(db, caller, file_id)
    return send_content(request, store, row, media_type="application/octet-stream", attachment=True)


@get(
    "/api/files/{file_id:str}/media",
    tags=["Files"],
    summary="Play a file",
    response_description="The bytes of the file.",
    responses=_BY_RANGES,
    operation_class=operation(headers=_RANGE_HEADERS, gives={200: ("audio/*", "video/*"), 206: ("audio/*", "video/*")}),
    sync_to_thread=True,
)
def file_media(request: AnyRequest, file_id: FromPath[str], db: Db, store: Files, caller: Who) -> ASGIApp:
    """The file for a player in the browser: its own media type, by ranges. Only for what browsers play."""
    row = _find(db, caller, file_id)
    view = as_view(row)
    if view.media_url is None:
        raise Problem("not_found")
    return send_content(request, store, row, media_type=view.media_type, attachment=False)


@get(
    "/api/files/{file_id:str}/preview",
    tags=["Files"],
    summary="Preview of a file",
    response_description="The picture.",
    responses=refusals(*READ, "not_found"),
    operation_class=operation(gives={200: ("image/*",)}),
    sync_to_thread=True,
)
def file_preview(file_id: FromPath[str], db: Db, store: Files, caller: Who) -> ASGIResponse:
    """A thumbnail of an image, or a poster frame of a video."""
    return send_preview(store, _find(db, caller, file_id))


ROUTES = (show_file, file_content, file_media, file_preview)
