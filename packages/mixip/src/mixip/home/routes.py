"""Home, health, robots."""

from typing import Any

from litestar import Request, get
from litestar.response.base import ASGIResponse
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from mixip.edge.described import answer, operation
from mixip.edge.injected import Db, Files
from mixip.edge.pages import page
from mixip.edge.responses import as_json, respond, see_other
from mixip.edge.static import static_url

AnyRequest = Request[Any, Any, Any]


@get("/", public=True, include_in_schema=False, sync_to_thread=True)
def home_page(request: AnyRequest) -> ASGIResponse:
    """What Mix-IP is."""
    return page(request, "home/home.html")


@get(
    "/healthz",
    public=True,
    tags=["Health"],
    summary="Is the process alive?",
    responses={200: answer(dict[str, str], "It is.")},
    operation_class=operation(public=True),
)
async def healthz() -> ASGIResponse:
    """Always 200 while the process answers."""
    return as_json({"status": "ok"})


@get(
    "/readyz",
    public=True,
    tags=["Health"],
    summary="Can it do its work?",
    responses={200: answer(dict[str, str], "It can."), 503: answer(dict[str, str], "It cannot.")},
    operation_class=operation(public=True),
    sync_to_thread=True,
)
def readyz(db: Db, store: Files) -> ASGIResponse:
    """200 when the database answers and the store takes a small write, else 503; each is named."""
    try:
        with db.read() as connection:
            database = connection.execute(text("SELECT 1")).scalar() == 1
    except SQLAlchemyError:
        database = False
    parts = {"database": database, "storage": store.healthy()}
    ready = all(parts.values())
    told = {name: "ok" if well else "failing" for name, well in parts.items()}
    return as_json({"status": "ok" if ready else "failing", **told}, status=200 if ready else 503)


@get("/robots.txt", public=True, include_in_schema=False)
async def robots() -> ASGIResponse:
    """Only the public pages are for search engines."""
    lines = "User-agent: *\nDisallow: /api/\nDisallow: /works\nDisallow: /account\nDisallow: /oauth/\n"
    return respond(lines.encode(), "text/plain", headers={"cache-control": "public, max-age=3600"})


@get("/favicon.ico", public=True, include_in_schema=False)
async def favicon() -> ASGIResponse:
    """For those who ask without reading the page."""
    return see_other(static_url("look/favicon.svg"))


@get("/legal", public=True, include_in_schema=False)
async def legal() -> ASGIResponse:
    """For those who shorten an address."""
    return see_other("/legal/cookies")


@get("/help", public=True, include_in_schema=False)
async def help_page() -> ASGIResponse:
    """For those who shorten an address."""
    return see_other("/help/errors")


ROUTES = (home_page, healthz, readyz, robots, favicon, legal, help_page)
