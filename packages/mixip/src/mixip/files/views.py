"""A file as the API and the pages show it."""

from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import Connection

from mixip.files import queries
from mixip.files.queries import FileRow
from mixip.media.facts import Facts, VideoStream, read_facts
from mixip.media.names import codec_name


class FileView(msgspec.Struct, frozen=True):
    """A delivered file. `size` in bytes. `facts` were read from the file itself; `facts_state` is `pending` until they
    are, `ready` when there are some and `none` when nothing could be read."""

    id: str
    work_id: str
    name: str
    size: int
    sha256: str
    delivered_at: datetime
    delivered_by: str
    media_type: str
    facts_state: str
    facts: Facts | None
    preview_url: str | None
    media_url: str | None
    content_url: str


class FileList(msgspec.Struct, frozen=True):
    """A page of files, newest first; `next` goes into `?before=` for the next page."""

    files: tuple[FileView, ...]
    next: str | None


def as_view(row: FileRow) -> FileView:
    """The view of a row."""
    facts = read_facts(row.facts.encode()) if row.facts else None
    address = f"/api/files/{row.id}"
    return FileView(
        id=row.id,
        work_id=row.work_id,
        name=row.name,
        size=row.size,
        sha256=row.sha256,
        delivered_at=row.delivered_at,
        delivered_by=row.delivered_by,
        media_type=(facts.media_type if facts else None) or "application/octet-stream",
        facts_state=row.facts_state,
        facts=facts,
        preview_url=f"{address}/preview" if row.preview_type else None,
        media_url=f"{address}/media" if facts and facts.playable else None,
        content_url=f"{address}/content",
    )


def file_view(connection: Connection, account_id: str, file_id: str) -> FileView | None:
    """The file with this id, if the account may see it."""
    row = queries.find(connection, account_id, file_id)
    return as_view(row) if row else None


def files_page(connection: Connection, account_id: str, work_id: str, before: str | None = None) -> FileList:
    """A page of the work's files; empty when the account may not see the work."""
    rows = queries.of_work(connection, account_id, work_id, before=before)
    shown = rows[: queries.PAGE]
    return FileList(tuple(as_view(row) for row in shown), shown[-1].id if len(rows) > len(shown) else None)


def as_card(view: FileView) -> dict[str, Any]:
    """The file as a page shows it: codecs by the names people know."""
    facts: dict[str, Any] | None = None
    if view.facts:
        facts = msgspec.structs.asdict(view.facts)
        facts["streams"] = [
            {
                **msgspec.structs.asdict(stream),
                "type": "video" if isinstance(stream, VideoStream) else "audio",
                "codec_label": codec_name(stream.codec, getattr(stream, "profile", None)),
            }
            for stream in view.facts.streams
        ]
    return {**msgspec.structs.asdict(view), "facts": facts, "media_kind": view.facts.kind if view.facts else "other"}
