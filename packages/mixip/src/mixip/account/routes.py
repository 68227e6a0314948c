"""Account pages, and the session API."""

from datetime import datetime
from typing import Any

import msgspec
from litestar import Request, get, post
from litestar.params import FromPath, FromQuery
from litestar.response.base import ASGIResponse

from mixip.account import privacy
from mixip.clock import Clock
from mixip.db import Database
from mixip.edge.caller import Caller
from mixip.edge.cookies import clear_cookies
from mixip.edge.described import READ, refusals
from mixip.edge.injected import Db, Time, Who
from mixip.edge.pages import page
from mixip.edge.responses import see_other
from mixip.errors import Problem
from mixip.identity import account_created_at
from mixip.sessions import SessionRow, end_session, sessions_of

AnyRequest = Request[Any, Any, Any]


class SessionView(msgspec.Struct, frozen=True):
    """The session that asks."""

    email: str
    session_id: str
    name: str
    kind: str
    expires_at: datetime


@get("/account", include_in_schema=False, sync_to_thread=True)
def account_page(request: AnyRequest, db: Db, caller: Who) -> ASGIResponse:
    """Who you are signed in as."""
    with db.read() as connection:
        created_at = account_created_at(connection, caller.account_id)
    return page(request, "account/account.html", email=caller.email, created_at=created_at)


@get("/account/display", public=True, include_in_schema=False, sync_to_thread=True)
def display_page(request: AnyRequest) -> ASGIResponse:
    """Theme and accent colour. Public: the choice is the browser's, not the account's."""
    return page(request, "account/display.html")


@get("/account/sessions", include_in_schema=False, sync_to_thread=True)
def sessions_page(request: AnyRequest, db: Db, caller: Who, clock: Time, ended: FromQuery[str] = "") -> ASGIResponse:
    """Every browser and app that is signed in. `ended` is what was ended just now: `one` or `others`."""
    told = {"one": "The session was ended.", "others": "All other sessions were ended."}.get(ended, "")
    return page(request, "account/sessions.html", sessions=_rows(db, caller, clock), told=told)


@post("/account/sessions/{session_id:str}/end", repeatable=True, include_in_schema=False, sync_to_thread=True)
def end_one(session_id: FromPath[str], db: Db, caller: Who) -> ASGIResponse:
    """End one session. Ending this one signs out."""
    with db.write() as connection:
        if not end_session(connection, caller.account_id, only=session_id):
            raise Problem("not_found")
    if session_id == caller.session_id:
        return see_other("/", cookies=clear_cookies())
    return see_other("/account/sessions?ended=one")


@post("/account/sessions/end-others", repeatable=True, include_in_schema=False, sync_to_thread=True)
def end_others(db: Db, caller: Who) -> ASGIResponse:
    """End every session but this one."""
    with db.write() as connection:
        end_session(connection, caller.account_id, but=caller.session_id)
    return see_other("/account/sessions?ended=others")


@get(
    "/api/session",
    tags=["Session"],
    summary="Who am I?",
    response_description="The session.",
    responses=refusals(*READ),
    sync_to_thread=True,
)
def show_session(db: Db, caller: Who, clock: Time) -> SessionView:
    """The session that asks, and whose it is."""
    row = next((row for row in _rows(db, caller, clock) if row["current"]), None)
    if row is None:  # ended between the check and here
        raise Problem("not_signed_in")
    return SessionView(caller.email, row["id"], row["name"], row["kind"], row["expires_at"])


def _rows(db: Database, caller: Caller, clock: Clock) -> list[dict[str, Any]]:
    with db.read() as connection:
        rows: list[SessionRow] = sessions_of(connection, caller.account_id, clock())
    return [{**row._asdict(), "current": row.id == caller.session_id} for row in rows]


ROUTES = (account_page, display_page, sessions_page, end_one, end_others, show_session, *privacy.ROUTES)
