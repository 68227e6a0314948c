"""Every table, typed. Features select from these; there are no relationships and no entity loading."""

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import BigInteger, DateTime, ForeignKey, Index, LargeBinary, String, Text, UniqueConstraint
from sqlalchemy.engine import Dialect
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column
from sqlalchemy.types import TypeDecorator

from strictly_necessary.consent.sqlalchemy import consent_tables


class Moment(TypeDecorator[datetime]):
    """A point in time, always UTC and aware, also on SQLite, which keeps no time zone."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002  SQLAlchemy's signature
        """To the database, in UTC."""
        return None if value is None else value.astimezone(UTC)

    def process_result_value(self, value: Any | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002  SQLAlchemy's signature
        """From the database, as UTC."""
        if value is None:
            return None
        moment: datetime = value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)
        return moment


class Base(DeclarativeBase):
    """The tables' registry."""

    type_annotation_map = {datetime: Moment, int: BigInteger, bytes: LargeBinary}  # noqa: RUF012  SQLAlchemy's own form


class Account(Base):
    """Somebody, as an identity provider knows them: an account is (issuer, subject), never an e-mail address alone."""

    __tablename__ = "accounts"
    __table_args__ = (UniqueConstraint("issuer", "subject"),)

    id: Mapped[str] = mapped_column(String(26), primary_key=True)
    issuer: Mapped[str] = mapped_column(String(255))
    subject: Mapped[str] = mapped_column(String(255))
    email: Mapped[str] = mapped_column(String(254))
    created_at: Mapped[datetime]


class Password(Base):
    """A credential of the embedded provider. `email_key` is the address in the form that is compared."""

    __tablename__ = "passwords"

    account_id: Mapped[str] = mapped_column(ForeignKey("accounts.id", ondelete="CASCADE"), primary_key=True)
    email_key: Mapped[str] = mapped_column(String(254), unique=True)
    hash: Mapped[str] = mapped_column(Text)
    changed_at: Mapped[datetime]


class Session(Base):
    """A browser or an app that is signed in. Only the SHA-256 of its token is kept."""

    __tablename__ = "sessions"
    __table_args__ = (Index("ix_sessions_account", "account_id"), Index("ix_sessions_expires", "expires_at"))

    id: Mapped[str] = mapped_column(String(26), primary_key=True)
    token_hash: Mapped[bytes] = mapped_column(LargeBinary(32), unique=True)
    account_id: Mapped[str] = mapped_column(ForeignKey("accounts.id", ondelete="CASCADE"))
    kind: Mapped[str] = mapped_column(String(16))
    name: Mapped[str] = mapped_column(String(120))
    created_at: Mapped[datetime]
    last_used_at: Mapped[datetime]
    expires_at: Mapped[datetime]


class AuthorizationCode(Base):
    """A code on its way from the browser to the app (RFC 6749). Kept after use, to notice a second use."""

    __tablename__ = "authorization_codes"

    code_hash: Mapped[bytes] = mapped_column(LargeBinary(32), primary_key=True)
    account_id: Mapped[str] = mapped_column(ForeignKey("accounts.id", ondelete="CASCADE"))
    redirect_uri: Mapped[str] = mapped_column(Text)
    code_challenge: Mapped[str] = mapped_column(String(64))
    device: Mapped[str] = mapped_column(String(80))
    expires_at: Mapped[datetime]
    session_id: Mapped[str | None] = mapped_column(String(26))


class Throttle(Base):
    """How often something was tried: when the bucket named by `key` is empty again. Keys are hashes."""

    __tablename__ = "throttles"

    key: Mapped[bytes] = mapped_column(LargeBinary(32), primary_key=True)
    empty_at: Mapped[datetime] = mapped_column(index=True)


class Work(Base):
    """What is being made."""

    __tablename__ = "works"
    __table_args__ = (Index("ix_works_owner", "owner_id", "id"),)

    id: Mapped[str] = mapped_column(String(26), primary_key=True)
    owner_id: Mapped[str] = mapped_column(ForeignKey("accounts.id", ondelete="CASCADE"))
    title: Mapped[str] = mapped_column(String(200))
    kind: Mapped[str] = mapped_column(String(32))
    description: Mapped[str] = mapped_column(Text)
    created_at: Mapped[datetime]


class Delivery(Base):
    """The upload of one file. `plan` is the list of runs as JSON; `claimed_until` belongs to whoever verifies it."""

    __tablename__ = "deliveries"
    __table_args__ = (Index("ix_deliveries_work", "work_id", "account_id"), Index("ix_deliveries_state", "state"))

    id: Mapped[str] = mapped_column(String(26), primary_key=True)
    work_id: Mapped[str] = mapped_column(ForeignKey("works.id", ondelete="CASCADE"))
    account_id: Mapped[str] = mapped_column(ForeignKey("accounts.id", ondelete="CASCADE"))
    file_name: Mapped[str] = mapped_column(String(255))
    size: Mapped[int]
    last_modified: Mapped[int | None]
    plan: Mapped[str] = mapped_column(Text)
    state: Mapped[str] = mapped_column(String(16))
    opened_at: Mapped[datetime]
    touched_at: Mapped[datetime]
    verified_bytes: Mapped[int]
    claimed_until: Mapped[datetime | None]


class Segment(Base):
    """A literal segment that arrived whole, with the digest it was checked against."""

    __tablename__ = "segments"

    delivery_id: Mapped[str] = mapped_column(ForeignKey("deliveries.id", ondelete="CASCADE"), primary_key=True)
    position: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    algorithm: Mapped[str] = mapped_column(String(16))
    digest: Mapped[bytes] = mapped_column(LargeBinary(32))


class File(Base):
    """What was delivered. `object_key` names one plain object in the store; `facts` is JSON, read from the file."""

    __tablename__ = "files"
    __table_args__ = (Index("ix_files_work", "work_id", "id"), Index("ix_files_facts_state", "facts_state"))

    id: Mapped[str] = mapped_column(String(26), primary_key=True)
    work_id: Mapped[str] = mapped_column(ForeignKey("works.id", ondelete="CASCADE"))
    account_id: Mapped[str] = mapped_column(ForeignKey("accounts.id", ondelete="CASCADE"))
    name: Mapped[str] = mapped_column(String(255))
    size: Mapped[int]
    sha256: Mapped[str] = mapped_column(String(64))
    object_key: Mapped[str] = mapped_column(String(64), unique=True)
    delivered_at: Mapped[datetime]
    facts_state: Mapped[str] = mapped_column(String(16))
    facts: Mapped[str | None] = mapped_column(Text)
    preview_type: Mapped[str | None] = mapped_column(String(64))
    claimed_until: Mapped[datetime | None]


class PolicyVersion(Base):
    """A released version of the cookie policy: the whole declaration as TOML. `position` counts releases, so that of
    two at once only one can follow; `starts_at` is when every instance begins to keep it."""

    __tablename__ = "policy_versions"

    version: Mapped[str] = mapped_column(String(32), primary_key=True)
    position: Mapped[int] = mapped_column(unique=True, autoincrement=False)
    starts_at: Mapped[datetime]
    released_at: Mapped[datetime]
    text: Mapped[str] = mapped_column(Text)


CONSENT = consent_tables(Base.metadata)
"""Receipts, the latest answers and acknowledgements: the tables of the policy library's ledger."""
