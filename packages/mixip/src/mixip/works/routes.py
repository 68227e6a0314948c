"""Works as pages and as an API."""

from typing import Annotated, Any

from litestar import Request, get, post
from litestar.params import FromPath, JSONBody, QueryParameter, URLEncodedBody
from litestar.response.base import ASGIResponse

from mixip.db import Database
from mixip.edge.caller import Caller
from mixip.edge.described import JSON, READ, refusals
from mixip.edge.injected import Db, Time, Who
from mixip.edge.pages import page
from mixip.edge.responses import see_other
from mixip.errors import Problem
from mixip.files import FileList, as_card, files_page
from mixip.transfers import open_deliveries_of
from mixip.works import actions, queries
from mixip.works.schemas import KINDS, NewWork, WorkList, WorkView

AnyRequest = Request[Any, Any, Any]
Cursor = Annotated[str | None, QueryParameter(max_length=64, description="Go on after this id; see `next`.")]
_KIND_CHOICES = [{"value": value, "label": label} for value, label in KINDS.items()]


@get("/works", include_in_schema=False, sync_to_thread=True)
def works_page(request: AnyRequest, db: Db, caller: Who, before: Cursor = None) -> ASGIResponse:
    """The list of works, newest first."""
    found = _list(db, caller, before)
    return page(
        request,
        "works/list.html",
        works=found.works,
        older=f"/works?before={found.next}" if found.next else None,
        newest="/works" if before else None,
    )


@get("/works/new", include_in_schema=False, sync_to_thread=True)
def new_work_page(request: AnyRequest) -> ASGIResponse:
    """The form for a new work."""
    return page(request, "works/new.html", values=NewWork(), errors={}, kinds=_KIND_CHOICES)


@post("/works/new", repeatable=True, include_in_schema=False, sync_to_thread=True)
def create_work_from_form(
    request: AnyRequest,
    data: URLEncodedBody[NewWork],
    db: Db,
    caller: Who,
    clock: Time,
) -> ASGIResponse:
    """Create a work and open it; or show the form again with what was typed and what is wrong."""
    try:
        work = actions.create_work(db, account_id=caller.account_id, new=data, at=clock())
    except Problem as problem:
        return page(
            request,
            "works/new.html",
            status=problem.kind.status,
            headers={"x-error-code": problem.kind.code},
            values=data,
            errors={problem.kind.code.partition("_")[0]: f"{problem.detail} {problem.kind.action}"},
            kinds=_KIND_CHOICES,
        )
    return see_other(f"/works/{work.id}")


@get("/works/{work_id:str}", include_in_schema=False, sync_to_thread=True)
def work_page(request: AnyRequest, work_id: FromPath[str], db: Db, caller: Who, before: Cursor = None) -> ASGIResponse:
    """A work with its files and its unfinished deliveries."""
    with db.read() as connection:
        work = queries.find(connection, caller.account_id, work_id)
        if work is None:
            raise Problem("not_found")
        files = files_page(connection, caller.account_id, work_id, before)
        deliveries = open_deliveries_of(connection, caller.account_id, work_id)
    return page(
        request,
        "works/show.html",
        work=work,
        files=[as_card(file) for file in files.files],
        open_deliveries=deliveries,
        older=f"/works/{work_id}?before={files.next}" if files.next else None,
        newest=f"/works/{work_id}" if before else None,
    )


@get(
    "/api/works",
    tags=["Works"],
    summary="Your works",
    response_description="A page of works.",
    responses=refusals(*READ),
    sync_to_thread=True,
)
def list_works(
    db: Db,
    caller: Who,
    before: Cursor = None,
    title: Annotated[str | None, QueryParameter(description="Only works with exactly this title.")] = None,
) -> WorkList:
    """Works, newest first, 50 at a time."""
    return _list(db, caller, before, title)


@post(
    "/api/works",
    tags=["Works"],
    summary="Create a work",
    response_description="The new work.",
    responses=refusals(
        *JSON,
        "title_missing",
        "title_too_long",
        "title_invalid",
        "kind_unknown",
        "description_too_long",
        "description_invalid",
    ),
    sync_to_thread=True,
)
def create_work(data: JSONBody[NewWork], db: Db, caller: Who, clock: Time) -> WorkView:
    """Create a work. Kinds: film, music, photography, design, writing, software, other."""
    return actions.create_work(db, account_id=caller.account_id, new=data, at=clock())


@get(
    "/api/works/{work_id:str}",
    tags=["Works"],
    summary="Show a work",
    response_description="The work.",
    responses=refusals(*READ, "not_found"),
    sync_to_thread=True,
)
def show_work(work_id: FromPath[str], db: Db, caller: Who) -> WorkView:
    """A work of yours."""
    return _find(db, caller, work_id)


@get(
    "/api/works/{work_id:str}/files",
    tags=["Files"],
    summary="Files of a work",
    response_description="A page of files.",
    responses=refusals(*READ, "not_found"),
    sync_to_thread=True,
)
def list_files(work_id: FromPath[str], db: Db, caller: Who, before: Cursor = None) -> FileList:
    """Delivered files, newest first, 100 at a time."""
    _find(db, caller, work_id)
    with db.read() as connection:
        return files_page(connection, caller.account_id, work_id, before)


def _find(db: Database, caller: Caller, work_id: str) -> WorkView:
    with db.read() as connection:
        work = queries.find(connection, caller.account_id, work_id)
    if work is None:
        raise Problem("not_found")
    return work


def _list(db: Database, caller: Caller, before: str | None, title: str | None = None) -> WorkList:
    with db.read() as connection:
        rows = queries.of_owner(connection, caller.account_id, before=before, title=title)
    shown = tuple(rows[: queries.PAGE])
    return WorkList(shown, shown[-1].id if len(rows) > len(shown) else None)


ROUTES = (
    works_page,
    new_work_page,
    create_work_from_form,
    work_page,
    list_works,
    create_work,
    show_work,
    list_files,
)
