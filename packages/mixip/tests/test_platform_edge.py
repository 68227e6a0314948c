"""What every request passes: guard, limits, cross-origin check, CSRF, access, errors."""

import re
import socket
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest

from mixip.errors import ERRORS
from tests.support.people import Person
from tests.support.platform import PlatformThread, RunningPlatform

UNSAFE = {"POST", "PUT", "PATCH", "DELETE"}
PUBLIC = {
    ("GET", "/static/{prefix:str}/{path:path}"),
    ("GET", "/"),
    ("GET", "/healthz"),
    ("GET", "/readyz"),
    ("GET", "/robots.txt"),
    ("GET", "/favicon.ico"),
    ("GET", "/sign-up"),
    ("POST", "/sign-up"),
    ("GET", "/sign-in"),
    ("POST", "/sign-in"),
    ("GET", "/sign-in/done"),
    ("POST", "/sign-out"),
    ("GET", "/account/display"),
    ("GET", "/legal"),
    ("GET", "/legal/cookies"),
    ("GET", "/legal/cookies/{language:str}"),
    ("GET", "/legal/changes"),
    ("GET", "/legal/changes.atom"),
    ("GET", "/legal/changes/{version:str}"),
    ("GET", "/legal/changes/{version:str}/policy"),
    ("GET", "/legal/cookies/{language:str}/changes"),
    ("GET", "/legal/cookies/{language:str}/changes.atom"),
    ("GET", "/legal/cookies/{language:str}/changes/{version:str}"),
    ("GET", "/legal/cookies/{language:str}/changes/{version:str}/policy"),
    ("GET", "/legal/consent"),
    ("GET", "/legal/cookies/{language:str}/consent"),
    ("GET", "/legal/privacy"),
    ("GET", "/legal/terms"),
    ("GET", "/api"),
    ("GET", "/api/openapi.json"),
    ("GET", "/help"),
    ("GET", "/help/errors"),
    ("GET", "/.well-known/oauth-authorization-server"),
    ("POST", "/oauth/token"),
    ("POST", "/oauth/revoke"),
}
PUBLIC_PAGES = ["/", "/sign-up", "/sign-in", "/account/display", "/legal/cookies", "/legal/privacy", "/legal/terms",
                "/legal/changes", "/legal/consent",
                "/api", "/help/errors", "/nothing-here"]  # fmt: skip


def routes(platform: RunningPlatform) -> list[tuple[str, str, bool]]:
    """Every (method, path, whether it is public) of the platform."""
    return [
        (method, route.path, bool(handler.opt.get("public")))
        for route in platform.parts.api.routes
        for handler in route.route_handlers  # type: ignore[union-attr]
        for method in handler.http_methods
        if method != "OPTIONS"
    ]


def filled(path: str) -> str:
    return re.sub(r"\{(\w+):(\w+)\}", lambda match: "0" if match[2] == "int" else "x", path)


def test_the_public_routes_are_exactly_these(platform: RunningPlatform) -> None:
    assert {(method, path) for method, path, public in routes(platform) if public} == PUBLIC


def test_every_other_route_wants_a_session(platform: RunningPlatform, http: httpx.Client) -> None:
    private = [(method, path) for method, path, public in routes(platform) if not public]
    assert len(private) > 20
    for method, path in private:
        response = http.request(method, filled(path), headers={"accept": "application/json"})
        assert (response.status_code, response.json()["code"]) == (401, "not_signed_in"), path


@pytest.mark.parametrize("token", [None, "stale", ""])
def test_every_unsafe_route_wants_the_csrf_token(platform: RunningPlatform, owner: Person, token: str | None) -> None:
    unsafe = [(method, path) for method, path, _ in routes(platform) if method in UNSAFE]
    assert len(unsafe) >= 13
    for method, path in unsafe:
        headers = {"accept": "application/json"} | ({} if token is None else {"x-csrf-token": token})
        response = owner.request(method, filled(path), headers=headers)
        assert (response.status_code, response.json()["code"]) == (403, "csrf_failed"), path
        if method == "POST":
            fields = {} if token is None else {"csrf_token": token}
            as_form = owner.request(method, filled(path), data=fields, headers={"accept": "application/json"})
            assert as_form.json()["code"] == "csrf_failed", path
    assert owner.get("/api/session").status_code == 200


def test_the_csrf_token_of_another_session_does_not_do(owner: Person, outsider: Person) -> None:
    owner_csrf, owner.csrf = owner.csrf, outsider.csrf
    try:
        response = owner.call("POST", "/api/works", json={"title": "x"})
    finally:
        owner.csrf = owner_csrf
    assert response.json()["code"] == "csrf_failed"


def test_a_bearer_token_needs_no_csrf_token_unless_a_cookie_comes_along(owner: Person) -> None:
    bearer = {"authorization": f"Bearer {owner.session}"}
    alone = owner.http.post("/api/works", json={"title": "By app"}, headers=bearer)
    assert alone.status_code == 201
    both = owner.http.post("/api/works", json={"title": "x"}, headers={**owner.headers, **bearer})
    assert both.json()["code"] == "csrf_failed"


@pytest.mark.parametrize(
    "headers",
    [
        {"sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "same-site"},
        {"sec-fetch-site": "nonsense"},
        {"origin": "https://evil.example"},
        {"origin": "null"},
        {"origin": "http://localhost.evil.example"},
    ],
)
def test_other_sites_are_refused_before_anything_else(
    platform: RunningPlatform, owner: Person, headers: dict[str, str]
) -> None:
    for method, path, _ in routes(platform):
        if method in UNSAFE:
            response = owner.call(method, filled(path), headers=headers)
            assert (response.status_code, response.json()["code"]) == (403, "cross_origin"), path


def test_our_own_pages_are_let_through(platform: RunningPlatform, owner: Person) -> None:
    for headers in ({"sec-fetch-site": "same-origin"}, {"origin": platform.url}, {"sec-fetch-site": "none"}):
        assert owner.call("POST", "/api/works", json={"title": "x"}, headers=headers).status_code == 201


def test_reading_from_a_link_on_another_site_works(owner: Person) -> None:
    assert owner.get("/works", headers={"sec-fetch-site": "cross-site"}).status_code == 200


@pytest.mark.parametrize("path", PUBLIC_PAGES)
def test_a_first_visit_is_given_no_cookie(http: httpx.Client, path: str) -> None:
    response = http.get(path)
    assert "set-cookie" not in response.headers
    assert "script-src 'self'" in response.headers["content-security-policy"]
    for link in ("/legal/cookies", "/legal/privacy", "/legal/terms", "/account/display"):
        assert f'href="{link}"' in response.text, link
    addresses = re.findall(r'(?:src|href|action)="(https?://[^"]+)"', response.text)
    assert addresses == [], "no page refers to another origin"


def test_undeclared_cookies_never_arrive(owner: Person) -> None:
    crowd = "tracker=1; AWSALB=lb; " + owner.headers["cookie"] + "; bad[]=2; =; ;; x"
    assert owner.http.get("/api/session", headers={"cookie": crowd}).status_code == 200


@pytest.mark.parametrize(
    "cookie",
    [
        b"\xff\xfe\xfd",
        b"=;=;=",
        b";" * 900,
        b"__Host-Http-mixip_session",
        b'a="b; c=d',
        b"\xc3\x28=\xa0\xa1",
        b"a=b=c=d",
    ],
)
def test_a_malformed_cookie_header_is_like_none(platform: RunningPlatform, cookie: bytes) -> None:
    parts = urlsplit(platform.url)
    request = b"GET /api/session HTTP/1.1\r\nHost: " + parts.netloc.encode() + b"\r\nCookie: " + cookie
    with socket.create_connection((parts.hostname or "", parts.port or 0), timeout=10) as connection:
        connection.sendall(request + b"\r\nConnection: close\r\n\r\n")
        answer = b"".join(iter(lambda: connection.recv(65536), b""))
    assert answer.startswith(b"HTTP/1.1 401")
    assert b'"not_signed_in"' in answer


def test_long_headers_are_refused(http: httpx.Client) -> None:
    response = http.get("/", headers={"x-long": "a" * 100_000})
    assert response.status_code == 431
    assert "The headers are too large" in response.text
    api = http.get("/api/works", headers={"x-long": "a" * 40_000})
    assert api.json()["code"] == "header_too_large"


def test_a_flood_of_cookies_is_refused_before_anybody_reads_it(http: httpx.Client) -> None:
    cookies = "; ".join(f"a{number}=1" for number in range(10_000))
    response = http.get("/", headers={"cookie": cookies})
    assert response.status_code == 431
    assert "content-security-policy" in response.headers


def test_cookies_that_somebody_else_planted_shut_nobody_out(owner: Person) -> None:
    crowd = {"cookie": f"planted={'b' * 60_000}; {owner.headers['cookie']}"}
    assert owner.http.get("/api/session", headers=crowd).status_code == 200


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (b"{", "malformed_json"),
        (b"\xff\xfe", "malformed_json"),
        (b'{"title": 5}', "malformed_request"),
        (b"[]", "malformed_request"),
        (b"null", "malformed_request"),
        (b"[" * 100_000, "malformed_json"),
    ],
)
def test_malformed_json(owner: Person, body: bytes, expected: str) -> None:
    response = owner.call("POST", "/api/works", content=body, headers={"content-type": "application/json"})
    assert (response.status_code, response.json()["code"]) == (400, expected)


@pytest.mark.parametrize("path", ["/api/works/%00", "/api/works?title=a%00b", "/works?before=%00", "/%00"])
def test_nothing_has_a_nul_in_its_name(owner: Person, path: str) -> None:
    response = owner.call("GET", path)
    assert (response.status_code, response.json()["code"]) == (400, "malformed_request")


def test_multipart_is_refused_before_it_is_read(owner: Person) -> None:
    response = owner.call("POST", "/api/works", files={"title": "x"})
    assert (response.status_code, response.json()["code"]) == (415, "media_type_unsupported")


def test_a_body_has_to_arrive_in_time(platform: RunningPlatform, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mixip.edge.bodies.DEADLINE_SECONDS", 0.3)
    parts = urlsplit(platform.url)
    request = (
        f"POST /sign-in HTTP/1.1\r\nHost: {parts.netloc}\r\nAccept: application/json\r\n"
        "Content-Type: application/x-www-form-urlencoded\r\nContent-Length: 1000\r\n\r\nab"
    )
    with socket.create_connection((parts.hostname or "", parts.port or 0), timeout=10) as connection:
        connection.sendall(request.encode())
        answer = connection.recv(65536)
    assert answer.startswith(b"HTTP/1.1 408")


def test_browsers_are_told_to_keep_to_https_where_there_is_https(tmp_path: Path) -> None:
    with PlatformThread(tmp_path, MIXIP_PUBLIC_URL="https://mixip.example.org") as secure:
        response = httpx.get(f"{secure.url}/")
    assert response.headers["strict-transport-security"] == "max-age=31536000"


def test_bodies_have_a_limit(owner: Person) -> None:
    response = owner.call("POST", "/api/works", json={"title": "x" * 140_000})
    assert (response.status_code, response.json()["code"]) == (413, "body_too_large")


def test_problem_details_say_what_to_do(owner: Person) -> None:
    response = owner.call("GET", "/api/works/unknown")
    told = response.json()
    assert response.headers["content-type"] == "application/problem+json"
    assert response.headers["x-request-id"] == told["request_id"]
    assert told == {
        "type": "/help/errors#not_found",
        "title": ERRORS["not_found"].title,
        "status": 404,
        "detail": ERRORS["not_found"].detail,
        "code": "not_found",
        "action": ERRORS["not_found"].action,
        "request_id": told["request_id"],
    }


def test_people_get_a_page_and_programs_get_problem_details(http: httpx.Client) -> None:
    page = http.get("/nothing")
    assert (page.status_code, page.headers["content-type"]) == (404, "text/html; charset=utf-8")
    program = http.get("/nothing", headers={"accept": "application/json"})
    assert program.json()["code"] == "not_found"


def test_the_wrong_method_is_named(http: httpx.Client) -> None:
    response = http.request("PATCH", "/api/works")
    assert (response.status_code, response.json()["code"]) == (405, "method_not_allowed")
    assert "GET" in response.headers["allow"]


def test_head_is_get_without_a_body(http: httpx.Client) -> None:
    for path in ("/", "/healthz", "/legal/cookies"):
        head, get = http.head(path), http.get(path)
        assert (head.status_code, head.content) == (200, b"")
        assert head.headers["content-length"] == get.headers["content-length"]


def test_health(http: httpx.Client) -> None:
    assert http.get("/healthz").json() == {"status": "ok"}
    assert http.get("/readyz").json() == {"status": "ok", "database": "ok", "storage": "ok"}


def test_every_error_is_explained(http: httpx.Client) -> None:
    page = http.get("/help/errors").text
    for code, kind in ERRORS.items():
        assert f'id="{code}"' in page
        assert kind.action.replace("'", "&#x27;") in page


def test_static_files_are_cached_for_ever_under_their_version(http: httpx.Client) -> None:
    address = re.search(r'href="(/static/[^"]+\.css)"', http.get("/").text)
    assert address
    response = http.get(address[1], headers={"accept-encoding": "gzip"})
    assert response.headers["cache-control"] == "public, max-age=31536000, immutable"
    assert response.headers["content-encoding"] == "gzip"
    other = re.sub(r"/static/\w+/", "/static/old/", address[1])
    assert http.get(other).headers["cache-control"] == "no-cache"
    for wrong in (
        "/static/x/look/nothing.css",
        "/static/x/../app.py",
        "/static/x/look/../../app.py",
        "/static/x/%2e%2e/app.py",
    ):
        assert http.get(wrong).status_code == 404


def test_a_fault_discloses_nothing_but_a_request_id(
    platform: RunningPlatform, owner: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object, **__: object) -> None:
        raise RuntimeError("secret internals")

    monkeypatch.setattr("mixip.works.queries.of_owner", broken)
    told = owner.call("GET", "/api/works")
    assert (told.status_code, told.json()["code"]) == (500, "internal_error")
    page = owner.get("/works")
    assert page.status_code == 500
    assert "secret" not in told.text + page.text
    assert "Traceback" not in told.text + page.text
    assert told.json()["request_id"] in told.headers["x-request-id"]


def test_openapi_describes_the_api(platform: RunningPlatform, http: httpx.Client) -> None:
    document = http.get("/api/openapi.json").json()
    assert document["openapi"].startswith("3.")
    described = set(document["paths"])
    expected = {re.sub(r":\w+\}", "}", path) for _, path, _ in routes(platform) if path.startswith("/api/")}
    assert expected - described == {"/api/openapi.json"}
    page = http.get("/api").text.replace("&#x2f;", "/")
    for path in described:
        assert path in page
