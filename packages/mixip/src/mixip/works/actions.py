"""Create a work."""

import unicodedata
from datetime import datetime

from mixip.db import Database, new_id
from mixip.errors import Problem
from mixip.works import queries
from mixip.works.schemas import KINDS, NewWork, WorkView

MAX_TITLE = 200
MAX_DESCRIPTION = 5_000


def create_work(db: Database, *, account_id: str, new: NewWork, at: datetime) -> WorkView:
    """Check and insert a work. Raises Problem that names the field in its code."""
    title = unicodedata.normalize("NFC", new.title).strip()
    description = unicodedata.normalize("NFC", new.description).replace("\r\n", "\n").strip()
    if not title:
        raise Problem("title_missing")
    if len(title) > MAX_TITLE:
        raise Problem("title_too_long")
    if not _is_text(title, allowed=""):
        raise Problem("title_invalid")
    if new.kind not in KINDS:
        raise Problem("kind_unknown")
    if len(description) > MAX_DESCRIPTION:
        raise Problem("description_too_long")
    if not _is_text(description, allowed="\n\t"):
        raise Problem("description_invalid")
    work = WorkView(new_id(), title, new.kind, description, at, 0, 0)
    with db.write() as connection:
        queries.add(
            connection,
            work_id=work.id,
            owner_id=account_id,
            title=title,
            kind=work.kind,
            description=description,
            at=at,
        )
    return work


def _is_text(value: str, *, allowed: str) -> bool:
    return all(unicodedata.category(c) not in {"Cc", "Cs", "Zl", "Zp"} or c in allowed for c in value)
