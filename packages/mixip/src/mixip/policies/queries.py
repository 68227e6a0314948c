"""SQL of released versions."""

from datetime import datetime
from typing import NamedTuple

from sqlalchemy import Connection, delete, func, insert, select

from mixip.db.tables import PolicyVersion


class Released(NamedTuple):
    """A version as it was released."""

    version: str
    position: int
    starts_at: datetime
    released_at: datetime
    text: str


# Asked for every few seconds: everything but the text, which is long.
_STAMPS = select(
    PolicyVersion.version, PolicyVersion.position, PolicyVersion.starts_at, PolicyVersion.released_at
).order_by(PolicyVersion.position)

Stamps = tuple[tuple[str, int, datetime, datetime], ...]
"""What tells one state of the table from another."""


def stamps(connection: Connection) -> Stamps:
    """The released versions without their texts."""
    return tuple((row[0], row[1], row[2], row[3]) for row in connection.execute(_STAMPS))


def released(connection: Connection) -> list[Released]:
    """The released versions in their order."""
    rows = connection.execute(
        select(
            PolicyVersion.version,
            PolicyVersion.position,
            PolicyVersion.starts_at,
            PolicyVersion.released_at,
            PolicyVersion.text,
        ).order_by(PolicyVersion.position)
    )
    return [Released(*row) for row in rows]


def add(connection: Connection, *, version: str, text: str, starts_at: datetime, released_at: datetime) -> None:
    """Insert a version after the last one. Raises IntegrityError if it is there, or if another came in between."""
    last = connection.scalar(select(func.max(PolicyVersion.position)))
    connection.execute(
        insert(PolicyVersion).values(
            version=version, position=(last or 0) + 1, starts_at=starts_at, released_at=released_at, text=text
        )
    )


def remove_last(connection: Connection, version: str, after: datetime) -> bool:
    """Delete this version if it is the last one and starts later than `after`. Says whether it was."""
    last = select(func.max(PolicyVersion.position)).scalar_subquery()
    found = delete(PolicyVersion).where(
        PolicyVersion.version == version, PolicyVersion.position == last, PolicyVersion.starts_at > after
    )
    return connection.execute(found).rowcount == 1
