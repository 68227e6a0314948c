"""SQL of deliveries. Each statement that a person's request reaches names the account, so nobody else's is found."""

from datetime import datetime
from typing import Any, NamedTuple

import msgspec
from sqlalchemy import Connection, and_, bindparam, delete, exists, func, insert, or_, select, update

from mixip.db.tables import Delivery, File, Segment, Work
from mixip.transfers.digests import Digest
from mixip.transfers.plan import Plan, decode


class DeliveryRow(NamedTuple):
    """A delivery."""

    id: str
    work_id: str
    account_id: str
    file_name: str
    size: int
    last_modified: int | None
    plan: Plan
    state: str
    opened_at: datetime
    verified_bytes: int


class OpenDelivery(msgspec.Struct, frozen=True):
    """An unfinished delivery as the work's page shows it."""

    id: str
    file_name: str
    size: int
    received_bytes: int
    opened_at: datetime
    state: str


_COLUMNS = (
    Delivery.id,
    Delivery.work_id,
    Delivery.account_id,
    Delivery.file_name,
    Delivery.size,
    Delivery.last_modified,
    Delivery.plan,
    Delivery.state,
    Delivery.opened_at,
    Delivery.verified_bytes,
)

# The statements that every segment runs are built once: building one costs more than running it.
_FIND = select(*_COLUMNS).where(Delivery.id == bindparam("delivery_id"), Delivery.account_id == bindparam("account_id"))
_THIS_SEGMENT = and_(Segment.delivery_id == bindparam("of_delivery"), Segment.position == bindparam("at_position"))
_RECORDED = select(Segment.algorithm, Segment.digest).where(_THIS_SEGMENT)
_FORGET_ONE = delete(Segment).where(_THIS_SEGMENT)
_RECORD = insert(Segment)
_TOUCH = (
    update(Delivery)
    .where(Delivery.id == bindparam("of_delivery"), Delivery.state == "open")
    .values(touched_at=bindparam("touched_at"))
)


def _row(values: Any) -> DeliveryRow:
    row = DeliveryRow(*values)
    return row._replace(plan=decode(str(row.plan)))


def owns_work(connection: Connection, account_id: str, work_id: str) -> bool:
    """Whether the work exists and is the account's."""
    return bool(connection.scalar(select(exists().where(Work.id == work_id, Work.owner_id == account_id))))


def bytes_held(connection: Connection, account_id: str) -> int:
    """How many bytes the account has delivered or announced."""
    announced = select(func.sum(Delivery.size)).where(Delivery.account_id == account_id, Delivery.state != "delivered")
    delivered = select(func.sum(File.size)).where(File.account_id == account_id)
    return int(connection.scalar(announced) or 0) + int(connection.scalar(delivered) or 0)


def count_open(connection: Connection, account_id: str) -> int:
    """How many unfinished deliveries the account has."""
    unfinished = and_(Delivery.account_id == account_id, Delivery.state != "delivered")
    return connection.scalar(select(func.count()).select_from(Delivery).where(unfinished)) or 0


def add(connection: Connection, **values: object) -> None:
    """Insert a delivery."""
    connection.execute(insert(Delivery).values(**values))


def find(connection: Connection, account_id: str, delivery_id: str) -> DeliveryRow | None:
    """The account's delivery with this id."""
    row = connection.execute(_FIND, {"delivery_id": delivery_id, "account_id": account_id}).one_or_none()
    return _row(row) if row else None


def of_work(connection: Connection, account_id: str, work_id: str) -> list[DeliveryRow]:
    """The account's deliveries of a work that are not yet delivered, oldest first."""
    rows = connection.execute(
        select(*_COLUMNS)
        .where(Delivery.work_id == work_id, Delivery.account_id == account_id, Delivery.state != "delivered")
        .order_by(Delivery.id)
    )
    return [_row(row) for row in rows]


def received(connection: Connection, delivery_id: str) -> dict[int, Digest]:
    """The segments that are there, by index, in order."""
    rows = connection.execute(
        select(Segment.position, Segment.algorithm, Segment.digest)
        .where(Segment.delivery_id == delivery_id)
        .order_by(Segment.position)
    )
    return {position: Digest(algorithm, value) for position, algorithm, value in rows}


def recorded(connection: Connection, delivery_id: str, index: int) -> Digest | None:
    """The digest of one segment, when it is there."""
    row = connection.execute(_RECORDED, {"of_delivery": delivery_id, "at_position": index}).one_or_none()
    return Digest(*row) if row else None


def record(connection: Connection, delivery_id: str, index: int, digest: Digest, at: datetime) -> bool:
    """Note that a segment is there. Returns False when the delivery no longer takes any."""
    if not connection.execute(_TOUCH, {"of_delivery": delivery_id, "touched_at": at}).rowcount:
        return False
    connection.execute(_FORGET_ONE, {"of_delivery": delivery_id, "at_position": index})
    values = {"delivery_id": delivery_id, "position": index, "algorithm": digest.algorithm, "digest": digest.value}
    connection.execute(_RECORD, values)
    return True


def forget_open(connection: Connection, delivery_id: str, index: int) -> bool:
    """Note that a segment is about to be overwritten. Returns False when the delivery no longer takes any."""
    still_open = select(Delivery.id).where(Delivery.id == delivery_id, Delivery.state == "open").with_for_update()
    if connection.scalar(still_open) is None:
        return False
    connection.execute(_FORGET_ONE, {"of_delivery": delivery_id, "at_position": index})
    return True


def forget(connection: Connection, delivery_id: str, indexes: list[int]) -> None:
    """Note that these segments are not there (any more)."""
    connection.execute(delete(Segment).where(Segment.delivery_id == delivery_id, Segment.position.in_(indexes)))


def change_state(connection: Connection, delivery_id: str, *, was: str, now: str, at: datetime) -> bool:
    """Go from one state to the next. Returns False when somebody else was first."""
    return (
        connection.execute(
            update(Delivery)
            .where(Delivery.id == delivery_id, Delivery.state == was)
            .values(state=now, verified_bytes=0, claimed_until=None, touched_at=at)
        ).rowcount
        == 1
    )


def claim(connection: Connection, delivery_id: str, *, at: datetime, until: datetime) -> DeliveryRow | None:
    """Take a delivery to verify, unless somebody else holds it."""
    taken = connection.execute(
        update(Delivery)
        .where(
            Delivery.id == delivery_id,
            Delivery.state == "verifying",
            or_(Delivery.claimed_until.is_(None), Delivery.claimed_until <= at),
        )
        .values(claimed_until=until, verified_bytes=0)
    ).rowcount
    if not taken:
        return None
    return _row(connection.execute(select(*_COLUMNS).where(Delivery.id == delivery_id)).one())


def note_progress(connection: Connection, delivery_id: str, verified_bytes: int, until: datetime) -> bool:
    """Tell how far the verification is, and keep the claim. Returns False when the delivery is gone."""
    return (
        connection.execute(
            update(Delivery)
            .where(Delivery.id == delivery_id, Delivery.state == "verifying")
            .values(verified_bytes=verified_bytes, claimed_until=until)
        ).rowcount
        == 1
    )


def release(connection: Connection, delivery_id: str) -> None:
    """Give a claim back, so that anybody may take the delivery up at once."""
    connection.execute(update(Delivery).where(Delivery.id == delivery_id).values(claimed_until=None))


def unclaimed(connection: Connection, at: datetime) -> list[tuple[str, str]]:
    """The (id, account id) of deliveries that wait to be verified and that nobody holds."""
    statement = select(Delivery.id, Delivery.account_id).where(
        Delivery.state == "verifying", or_(Delivery.claimed_until.is_(None), Delivery.claimed_until <= at)
    )
    return [(row[0], row[1]) for row in connection.execute(statement.order_by(Delivery.id))]


def drop_claims(connection: Connection) -> None:
    """Forget who holds what: right only where no other process uses this database."""
    connection.execute(update(Delivery).values(claimed_until=None))


def stale(connection: Connection, before: datetime) -> list[str]:
    """Open deliveries that nobody touched since."""
    return list(connection.scalars(select(Delivery.id).where(Delivery.state == "open", Delivery.touched_at < before)))


def exists_anywhere(connection: Connection, delivery_id: str) -> bool:
    """Whether there is a delivery with this id, whoever's and in whatever state."""
    return connection.scalar(select(Delivery.id).where(Delivery.id == delivery_id)) is not None


def remove(connection: Connection, delivery_id: str, *, untouched_since: datetime | None = None) -> bool:
    """Delete an open delivery and its segments. Returns False when there is none to delete."""
    statement = delete(Delivery).where(Delivery.id == delivery_id, Delivery.state == "open")
    if untouched_since is not None:
        statement = statement.where(Delivery.touched_at < untouched_since)
    return connection.execute(statement).rowcount == 1


def open_deliveries_of(connection: Connection, account_id: str, work_id: str) -> list[OpenDelivery]:
    """The unfinished deliveries of a work, for its page."""
    found = []
    for row in of_work(connection, account_id, work_id):
        there = received(connection, row.id)
        found.append(OpenDelivery(row.id, row.file_name, row.size, bytes_of(row.plan, there), row.opened_at, row.state))
    return found


def bytes_of(plan: Plan, indexes: "dict[int, Digest]") -> int:
    """How many bytes these segments cover. `indexes` is in ascending order; costs one pass over it."""
    total, first = 0, 0
    runs = iter(plan)
    run = next(runs)
    for index in indexes:
        while index >= first + run.count:
            first += run.count
            run = next(runs)
        total += run.length
    return total
