"""Bring a database to the newest version. Embedded, this runs at each start; elsewhere `mixip migrate` does it."""

from pathlib import Path

from sqlalchemy import inspect, text

from mixip.db.engine import Database

MIGRATIONS = Path(__file__).parent / "migrations"


def newest_revision() -> str:
    """The revision that this code expects: migrations are numbered files, 0001_…, 0002_…"""
    return max(path.stem.split("_")[0] for path in (MIGRATIONS / "versions").glob("[0-9]*.py"))


def current_revision(db: Database) -> str | None:
    """The revision of the database, or None when it is empty."""
    with db.read() as connection:
        if not inspect(connection).has_table("alembic_version"):
            return None
        return connection.execute(text("SELECT version_num FROM alembic_version")).scalar_one_or_none()


class OutdatedError(Exception):
    """The database is not at the revision that this code expects."""


def require_current(db: Database) -> None:
    """Raise OutdatedError unless the database is at the newest revision."""
    found, expected = current_revision(db), newest_revision()
    if found != expected:
        raise OutdatedError(f"The database is at revision {found or 'none'}, this version needs {expected}.")


def migrate(db: Database) -> bool:
    """Run what is missing, in one transaction. Returns whether anything was. Costs one query when nothing is."""
    if current_revision(db) == newest_revision():
        return False
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    with db.write() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "head")
    return True
