"""SQL of works. Every statement names the account: somebody else's work is not found."""

from datetime import datetime
from functools import cache
from typing import Any

from sqlalchemy import Connection, Select, bindparam, func, insert, select

from mixip.db.tables import File, Work
from mixip.works.schemas import WorkView

PAGE = 50


def _views(page: Any) -> Select[Any]:
    """Count the files of the works on the page only."""
    return (
        select(
            page.c.id,
            page.c.title,
            page.c.kind,
            page.c.description,
            page.c.created_at,
            func.count(File.id),
            func.coalesce(func.sum(File.size), 0),
        )
        .outerjoin(File, File.work_id == page.c.id)
        .group_by(page.c.id, page.c.title, page.c.kind, page.c.description, page.c.created_at)
        .order_by(page.c.id.desc())
    )


def _view(row: Any) -> WorkView:
    work_id, title, kind, description, created_at, files, size = row
    return WorkView(work_id, title, kind, description, created_at, files, int(size))


_WORKS = select(Work.id, Work.title, Work.kind, Work.description, Work.created_at)


def of_owner(
    connection: Connection, account_id: str, *, before: str | None = None, title: str | None = None
) -> list[WorkView]:
    """The account's newest works, one more than a page, from `before` on and with exactly this title when given."""
    statement = _list_statement(after_cursor=before is not None, by_title=title is not None)
    rows = connection.execute(statement, {"account_id": account_id, "before": before, "title": title})
    return [_view(row) for row in rows]


@cache
def _list_statement(*, after_cursor: bool, by_title: bool) -> Select[*tuple[Any, ...]]:
    """One of four statements, each built once: building it costs more than running it."""
    page = _WORKS.where(Work.owner_id == bindparam("account_id")).order_by(Work.id.desc()).limit(PAGE + 1)
    if after_cursor:
        page = page.where(Work.id < bindparam("before"))
    if by_title:
        page = page.where(Work.title == bindparam("title"))
    return _views(page.subquery())


def find(connection: Connection, account_id: str, work_id: str) -> WorkView | None:
    """The account's work with this id."""
    page = _WORKS.where(Work.owner_id == account_id, Work.id == work_id).subquery()
    row = connection.execute(_views(page)).one_or_none()
    return _view(row) if row else None


def add(
    connection: Connection, *, work_id: str, owner_id: str, title: str, kind: str, description: str, at: datetime
) -> None:
    """Insert a work."""
    connection.execute(
        insert(Work).values(
            id=work_id, owner_id=owner_id, title=title, kind=kind, description=description, created_at=at
        )
    )
