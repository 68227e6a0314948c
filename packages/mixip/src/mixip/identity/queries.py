"""SQL of accounts and passwords."""

from datetime import datetime
from typing import NamedTuple

from sqlalchemy import Connection, insert, select, update

from mixip.db.tables import Account, Password

EMBEDDED = "embedded"


class Credential(NamedTuple):
    """A password's hash and whose it is."""

    account_id: str
    hash: str


def credential(connection: Connection, email_key: str) -> Credential | None:
    """The credential for an address."""
    row = connection.execute(
        select(Password.account_id, Password.hash).where(Password.email_key == email_key)
    ).one_or_none()
    return Credential(*row) if row else None


def add_account(
    connection: Connection, *, account_id: str, email: str, email_key: str, password_hash: str, at: datetime
) -> None:
    """Insert an account of the embedded provider. Raises IntegrityError when the address is taken."""
    connection.execute(
        insert(Account).values(id=account_id, issuer=EMBEDDED, subject=account_id, email=email, created_at=at)
    )
    connection.execute(
        insert(Password).values(account_id=account_id, email_key=email_key, hash=password_hash, changed_at=at)
    )


def replace_hash(connection: Connection, account_id: str, password_hash: str) -> None:
    """Store the same password's hash with newer parameters."""
    connection.execute(update(Password).where(Password.account_id == account_id).values(hash=password_hash))


def created_at(connection: Connection, account_id: str) -> datetime:
    """When the account was made."""
    return connection.execute(select(Account.created_at).where(Account.id == account_id)).scalar_one()
