"""Takes one segment from the wire to the store: hashed while it is written, in constant memory.

About 2 MiB are held: one is hashed and written in a thread while the next one arrives.
"""

import asyncio
import hmac
from collections.abc import AsyncIterator
from datetime import datetime

from litestar.concurrency import sync_to_thread

from mixip.db import Database
from mixip.edge.asgi import Receive
from mixip.errors import Problem
from mixip.storage import SealedError, Store
from mixip.storage.protocol import SegmentWriter
from mixip.transfers import plan as plans
from mixip.transfers import queries
from mixip.transfers.digests import HASHERS, Digest, Hasher
from mixip.transfers.plan import Segment

PIECE = 1024 * 1024
PATIENCE_SECONDS = 30.0
LEAST_RATE = 4 * 1024  # bytes per second, on average: slower than any line that still works


def prepare(
    db: Database, *, account_id: str, delivery_id: str, index: int, announced: Digest, length: int | None
) -> tuple[Segment, bool]:
    """The segment to receive, and whether exactly these bytes are there already. `length` is the announced one.

    A different segment under the same index is forgotten first: while it is overwritten, it is not there.
    """
    with db.read() as connection:
        row = queries.find(connection, account_id, delivery_id)
        if row is None:
            raise Problem("not_found")
        if row.state != "open":
            raise Problem("delivery_closed")
        segment = plans.locate(row.plan, index)
        if segment is None:
            raise Problem("segment_unknown")
        if length is not None and length != segment.length:
            raise Problem("segment_too_large" if length > segment.length else "segment_incomplete")
        there = queries.recorded(connection, delivery_id, index)
    if there is not None and there != announced:
        with db.write() as connection:
            if not queries.forget_open(connection, delivery_id, index):
                raise Problem("delivery_closed")
    return segment, there == announced


async def receive_segment(
    receive: Receive,
    db: Database,
    store: Store,
    *,
    delivery_id: str,
    segment: Segment,
    announced: Digest,
    present: bool,
    at: datetime,
) -> None:
    """Read the body to its end, write it, check it and record it. Raises Problem; then the segment is not recorded."""
    hasher = HASHERS[announced.algorithm]()
    writer: SegmentWriter | None = None
    if not present:
        try:
            writer = await sync_to_thread(
                lambda: store.segment(delivery_id, index=segment.index, offset=segment.offset, length=segment.length)
            )
        except FileNotFoundError:  # cancelled a moment ago
            raise Problem("not_found") from None
    try:
        await _take(receive, segment.length, hasher, writer)
    except SealedError:
        raise Problem("delivery_closed") from None
    finally:
        if writer is not None:
            await sync_to_thread(writer.close)
    if not hmac.compare_digest(hasher.digest(), announced.value):
        raise Problem("digest_mismatch")
    if not present and not await sync_to_thread(_record, db, delivery_id, segment.index, announced, at):
        raise Problem("delivery_closed")


async def _take(receive: Receive, length: int, hasher: Hasher, writer: SegmentWriter | None) -> None:
    def put(pieces: list[bytes]) -> None:
        for piece in pieces:
            hasher.update(piece)
            if writer is not None:
                writer.write(piece)

    total = 0
    pending: asyncio.Future[None] | None = None
    try:
        async for pieces in _gathered(receive):
            total += sum(map(len, pieces))
            if total > length:
                raise Problem("segment_too_large")
            if pending is not None:
                await pending
            pending = asyncio.ensure_future(sync_to_thread(put, pieces))
    finally:
        if pending is not None:
            await pending
    if total < length:
        raise Problem("segment_incomplete")


async def _gathered(receive: Receive) -> AsyncIterator[list[bytes]]:
    """The body as lists of what arrived, about 1 MiB each: enough to be worth a thread, and nothing is copied.

    A client that goes away, or that sends less than 4 KiB a second over all but the first half minute, ends it.
    """
    gathered: list[bytes] = []
    size = arrived = 0
    more = True
    end = asyncio.get_running_loop().time() + PATIENCE_SECONDS
    while more:
        try:
            async with asyncio.timeout_at(end + arrived / LEAST_RATE):
                message = await receive()
        except TimeoutError:
            raise Problem("segment_incomplete") from None
        if message["type"] == "http.disconnect":
            raise Problem("segment_incomplete")
        body: bytes = message.get("body", b"")
        more = bool(message.get("more_body", False))
        if body:
            gathered.append(body)
            size += len(body)
            arrived += len(body)
        if gathered and (size >= PIECE or not more):
            yield gathered
            gathered, size = [], 0


def _record(db: Database, delivery_id: str, index: int, digest: Digest, at: datetime) -> bool:
    with db.write() as connection:
        return queries.record(connection, delivery_id, index, digest, at)
