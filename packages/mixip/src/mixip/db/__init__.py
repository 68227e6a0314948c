"""The database: one engine, typed tables, migrations. SQL stands in each feature's `queries.py`."""

from mixip.db.engine import Database, open_database
from mixip.db.identifiers import new_id

__all__ = ["Database", "new_id", "open_database"]
