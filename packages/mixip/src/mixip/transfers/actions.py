"""Open, look at, commit and cancel deliveries."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection

from mixip.db import Database, new_id
from mixip.errors import Problem
from mixip.files import file_view
from mixip.storage import Store
from mixip.transfers import plan as plans
from mixip.transfers import queries
from mixip.transfers.names import check_file_name
from mixip.transfers.queries import DeliveryRow
from mixip.transfers.schemas import DeliveryView, NewDelivery, Received

MAX_OPEN = 1_000
MISSING_SHOWN = 100


@dataclass(frozen=True, slots=True)
class Room:
    """How much may be delivered, in bytes: one file at most, and everything of one account, or None for no limit."""

    file: int
    account: int | None


def open_delivery(
    db: Database, store: Store, room: Room, *, account_id: str, work_id: str, new: NewDelivery, at: datetime
) -> DeliveryView:
    """Plan a delivery and reserve its space. Nothing is reserved when it is refused."""
    name = check_file_name(new.file_name)
    if new.size <= 0:
        raise Problem("file_empty")
    if new.size > room.file:
        raise Problem("file_too_large")
    with db.read() as connection:
        if not queries.owns_work(connection, account_id, work_id):
            raise Problem("not_found")
    delivery_id = new_id()
    store.begin(delivery_id, new.size)
    try:
        with db.write() as connection:
            _require_room(connection, account_id, room, new.size)
            queries.add(
                connection,
                id=delivery_id,
                work_id=work_id,
                account_id=account_id,
                file_name=name,
                size=new.size,
                last_modified=new.last_modified,
                plan=plans.encode(plans.grid(new.size)),
                state="open",
                opened_at=at,
                touched_at=at,
                verified_bytes=0,
                claimed_until=None,
            )
    except BaseException:
        store.discard(delivery_id)
        raise
    return show_delivery(db, account_id, delivery_id)


def _require_room(connection: Connection, account_id: str, room: Room, size: int) -> None:
    """Counted in the transaction that adds one more, so that many at once do not slip past."""
    if queries.count_open(connection, account_id) >= MAX_OPEN:
        raise Problem("too_many_deliveries")
    if room.account is not None and queries.bytes_held(connection, account_id) + size > room.account:
        raise Problem("quota_exceeded")


def show_delivery(db: Database, account_id: str, delivery_id: str) -> DeliveryView:
    """The delivery, with what has arrived."""
    with db.read() as connection:
        row = queries.find(connection, account_id, delivery_id)
        if row is None:
            raise Problem("not_found")
        there = queries.received(connection, delivery_id)
        file = file_view(connection, account_id, delivery_id) if row.state == "delivered" else None
    total = row.size if row.state == "delivered" else queries.bytes_of(row.plan, there)
    return DeliveryView(
        id=row.id,
        work_id=row.work_id,
        file_name=row.file_name,
        size=row.size,
        last_modified=row.last_modified,
        state=row.state,
        opened_at=row.opened_at,
        plan=row.plan,
        received=tuple(Received(index, str(digest)) for index, digest in there.items()),
        received_bytes=total,
        verified_bytes=row.size if row.state == "delivered" else row.verified_bytes,
        file=file,
    )


def list_deliveries(db: Database, account_id: str, work_id: str) -> tuple[DeliveryView, ...]:
    """The account's unfinished deliveries of a work."""
    with db.read() as connection:
        if not queries.owns_work(connection, account_id, work_id):
            raise Problem("not_found")
        rows = queries.of_work(connection, account_id, work_id)
    return tuple(show_delivery(db, account_id, row.id) for row in rows)


def begin_commit(db: Database, *, account_id: str, delivery_id: str, at: datetime) -> DeliveryRow:
    """Close a complete delivery for more segments, so that it can be verified. May be repeated."""
    with db.write() as connection:
        row = queries.find(connection, account_id, delivery_id)
        if row is None:
            raise Problem("not_found")
        if row.state != "open":
            return row
        there = queries.received(connection, delivery_id)
        missing = [index for index in range(plans.count_segments(row.plan)) if index not in there]
        if missing:
            raise Problem("segments_missing", extra={"missing": missing[:MISSING_SHOWN], "missing_count": len(missing)})
        queries.change_state(connection, delivery_id, was="open", now="verifying", at=at)
    return row._replace(state="verifying")


def cancel_delivery(db: Database, store: Store, *, account_id: str, delivery_id: str) -> None:
    """Remove an open delivery and what has arrived of it."""
    with db.write() as connection:
        if queries.find(connection, account_id, delivery_id) is None:
            raise Problem("not_found")
        if not queries.remove(connection, delivery_id):
            raise Problem("delivery_closed")
    store.discard(delivery_id)


def sweep_deliveries(db: Database, store: Store, *, max_age: timedelta, at: datetime) -> int:
    """Remove open deliveries that nobody touched for `max_age`, and uploads without a delivery. Returns how many."""
    before = at - max_age
    with db.read() as connection:
        candidates = queries.stale(connection, before)
    removed = 0
    for delivery_id in candidates:
        with db.write() as connection:
            gone = queries.remove(connection, delivery_id, untouched_since=before)
        if gone:  # somebody may have come back in between
            store.discard(delivery_id)
            removed += 1
    for key in store.uploads(untouched_since=before):
        with db.read() as connection:
            known = queries.exists_anywhere(connection, key)
        if not known:  # left by a crash between the store and the database
            store.discard(key)
            removed += 1
    return removed
