"""A file comes to be."""

from datetime import datetime

from sqlalchemy import Connection

from mixip.files import queries


def add_file(
    connection: Connection,
    *,
    file_id: str,
    work_id: str,
    account_id: str,
    name: str,
    size: int,
    sha256: str,
    at: datetime,
) -> None:
    """List a file whose object is durable under the key `file_id`. Its facts are read afterwards."""
    queries.add(
        connection,
        id=file_id,
        work_id=work_id,
        account_id=account_id,
        name=name,
        size=size,
        sha256=sha256,
        object_key=file_id,
        delivered_at=at,
        facts_state="pending",
    )
