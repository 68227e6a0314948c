"""Sign-up, sign-in and sign-out pages."""

from typing import Any
from urllib.parse import parse_qs, quote

import msgspec
from litestar import Request, get, post
from litestar.params import FromQuery, URLEncodedBody
from litestar.response.base import ASGIResponse

from mixip.edge.address import network_of
from mixip.edge.caller import caller_of
from mixip.edge.cookies import clear_cookies, set_cookies
from mixip.edge.injected import Db, Injected, Time
from mixip.edge.pages import page
from mixip.edge.responses import local_path, see_other
from mixip.errors import Problem
from mixip.identity import actions
from mixip.identity.devices import browser_name
from mixip.identity.passwords import PasswordRoom
from mixip.sessions import NewSession, end_session

HOME = "/works"
_FIELD_OF = {"email_invalid": "email", "email_taken": "email"}


class Credentials(msgspec.Struct, frozen=True):
    """The fields of both forms."""

    email: str = ""
    password: str = ""
    next: str = ""

    def __repr__(self) -> str:
        """Without the password, wherever it may be printed."""
        return "Credentials(…)"


AnyRequest = Request[Any, Any, Any]


@get("/sign-up", public=True, include_in_schema=False, sync_to_thread=True)
def sign_up_page(request: AnyRequest, next: FromQuery[str] = "") -> ASGIResponse:  # noqa: A002  the field's own name
    """The form for a new account; people who are signed in go on."""
    if caller_of(request):
        return see_other(local_path(next, HOME))
    return page(request, "identity/sign_up.html", next=local_path(next, ""), email="", errors={})


@post("/sign-up", public=True, include_in_schema=False)
async def sign_up(
    request: AnyRequest, data: URLEncodedBody[Credentials], db: Db, passwords: Injected[PasswordRoom], clock: Time
) -> ASGIResponse:
    """Make an account and sign in."""
    try:
        session = await actions.sign_up(
            db,
            passwords,
            email=data.email,
            password=data.password,
            network=network_of(request.scope),
            device=_device(request),
            replaces=_replaces(request),
            at=clock(),
        )
    except Problem as problem:
        return _again(request, "identity/sign_up.html", data, problem)
    return _signed_in(session, data.next)


@get("/sign-in", public=True, include_in_schema=False, sync_to_thread=True)
def sign_in_page(request: AnyRequest, next: FromQuery[str] = "") -> ASGIResponse:  # noqa: A002  the field's own name
    """The sign-in form; people who are signed in go on."""
    if caller_of(request):
        return see_other(local_path(next, HOME))
    target = local_path(next, "")
    return page(request, "identity/sign_in.html", next=target, email="", errors={}, app=_app(target))


@post("/sign-in", public=True, include_in_schema=False)
async def sign_in(
    request: AnyRequest, data: URLEncodedBody[Credentials], db: Db, passwords: Injected[PasswordRoom], clock: Time
) -> ASGIResponse:
    """Check the password and start a session."""
    try:
        session = await actions.sign_in(
            db,
            passwords,
            email=data.email,
            password=data.password,
            network=network_of(request.scope),
            device=_device(request),
            replaces=_replaces(request),
            at=clock(),
        )
    except Problem as problem:
        return _again(request, "identity/sign_in.html", data, problem, app=_app(data.next))
    return _signed_in(session, data.next)


@get("/sign-in/done", public=True, include_in_schema=False, sync_to_thread=True)
def signed_in_page(request: AnyRequest, next: FromQuery[str] = "") -> ASGIResponse:  # noqa: A002  the field's own name
    """Where sign-in leads first: on to the target, or, if the browser kept no cookie, to a page that says so."""
    if caller_of(request) is None:
        return page(request, "identity/no_cookie.html", status=403)
    return see_other(local_path(next, HOME))


@post("/sign-out", public=True, include_in_schema=False, sync_to_thread=True)
def sign_out(request: AnyRequest, db: Db) -> ASGIResponse:
    """End this session, on the server and in the browser. Without one there is nothing left to do."""
    caller = caller_of(request)
    if caller is None:
        return see_other("/")
    with db.write() as connection:
        end_session(connection, caller.account_id, only=caller.session_id)
    return see_other("/", cookies=clear_cookies())


def _signed_in(session: NewSession, target: str) -> ASGIResponse:
    goal = local_path(target, HOME)
    return see_other(f"/sign-in/done?next={quote(goal, safe='')}", cookies=set_cookies(session.token))


def _again(request: AnyRequest, template: str, data: Credentials, problem: Problem, **context: object) -> ASGIResponse:
    field = _FIELD_OF.get(problem.kind.code) or ("password" if problem.kind.code.startswith("password_") else "form")
    return page(
        request,
        template,
        status=problem.kind.status,
        headers={**problem.headers, "x-error-code": problem.kind.code},
        next=local_path(data.next, ""),
        email=data.email,
        code=problem.kind.code,
        errors={field: f"{problem.detail} {problem.kind.action}"},
        **context,
    )


def _replaces(request: AnyRequest) -> actions.Replaces:
    caller = caller_of(request)
    return (caller.account_id, caller.session_id) if caller else None


def _device(request: AnyRequest) -> str:
    return browser_name(request.headers.get("user-agent", ""))


def _app(target: str) -> dict[str, str] | None:
    """What to show when the Pro Transfer App sent the person here."""
    path, _, query = target.partition("?")
    return {"device": parse_qs(query).get("device", [""])[0][:80]} if path == "/oauth/authorize" else None


ROUTES = (sign_up_page, sign_up, sign_in_page, sign_in, signed_in_page, sign_out)
