"""The WSGI guard, with the standard library's validator around it and inside it."""

import io
import sys
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any
from wsgiref.types import StartResponse, WSGIApplication
from wsgiref.util import FileWrapper, setup_testing_defaults
from wsgiref.validate import validator

import pytest

from strictly_necessary import GuardError, GuardFinding, delete_cookie, load
from strictly_necessary.asgi import Mode
from strictly_necessary.browser import REPORT_PATH
from strictly_necessary.headers import security_headers
from strictly_necessary.wsgi import Guard, nonce

DECLARATION = load(Path(__file__).parent / "example.toml")
CSRF = "__Host-csrf=v; Path=/; Secure; SameSite=Strict"
Headers = list[tuple[str, str]]
OURS = list(security_headers(DECLARATION).items())
PLAIN = ("Content-Type", "text/plain")


class Answer:
    """What a server got: each start of a response, and the pieces of the body in the order of `events`."""

    def __init__(self) -> None:
        self.events: list[str] = []
        self.status = ""
        self.headers: Headers = []
        self.body = b""

    def start(self, status: str, headers: Headers, exc_info: Any = None, /) -> Callable[[bytes], object]:
        if exc_info and self.body:
            raise exc_info[1].with_traceback(exc_info[2])
        if self.status and not exc_info:
            raise AssertionError("start_response was called twice")
        self.events.append(f"start {status}")
        self.status, self.headers = status, headers
        return self.write

    def write(self, piece: bytes) -> None:
        self.events.append(f"body {piece.decode()}")
        self.body += piece


def environ(**more: str) -> dict[str, Any]:
    made: dict[str, Any] = {"QUERY_STRING": "", **more}
    setup_testing_defaults(made)
    return made


def ask(
    app: WSGIApplication, *, mode: Mode = "enforce", validate: bool = True, nonces: bool = False, **more: str
) -> tuple[Answer, list[GuardFinding]]:
    """Run the application behind a guard as a server does."""
    findings: list[GuardFinding] = []
    inner = validator(app) if validate else app
    guard = Guard(inner, DECLARATION, mode=mode, on_finding=findings.append, nonces=nonces)
    whole: WSGIApplication = validator(guard) if validate else guard
    answer = Answer()
    body = whole(environ(**more), answer.start)
    try:
        for piece in body:
            if piece:
                answer.write(piece)
    finally:
        close = getattr(body, "close", None)
        if close:
            close()
    return answer, findings


def answering(*headers: tuple[str, str], seen: list[str | None] | None = None) -> WSGIApplication:
    def app(environ: dict[str, Any], start_response: StartResponse) -> Iterable[bytes]:
        if seen is not None:
            seen.append(environ.get("HTTP_COOKIE"))
        start_response("200 OK", [PLAIN, *headers])
        return [b"x"]

    return app


@pytest.mark.parametrize(
    ("sent", "expected", "codes"),
    [
        ("__Host-session=a; __Host-csrf=b", "__Host-session=a; __Host-csrf=b", []),
        ("ROUTE=1; __Host-session=a", "__Host-session=a", []),
        ("_ga=GA1; __Host-session=\xe9\xff", "__Host-session=\xe9\xff", ["SN301"]),
        ("evil=1", None, ["SN301"]),
        ("evil=\u20ac; __Host-session=a", "__Host-session=a", ["SN301"]),  # no server may send it; it must do no harm
    ],
)
def test_only_declared_cookies_reach_the_application(sent: str, expected: str | None, codes: list[str]) -> None:
    seen: list[str | None] = []
    _, findings = ask(answering(seen=seen), HTTP_COOKIE=sent)
    assert seen == [expected]
    assert [finding.code for finding in findings] == codes


def test_the_environ_of_the_server_is_not_changed() -> None:
    given = environ(HTTP_COOKIE="evil=1; __Host-session=a")
    before = dict(given)
    list(Guard(answering(), DECLARATION, on_finding=lambda finding: None, nonces=True)(given, Answer().start))
    assert given == before


def test_mode_report_changes_no_request() -> None:
    seen: list[str | None] = []
    _, findings = ask(answering(seen=seen), mode="report", HTTP_COOKIE="evil=1; __Host-session=a")
    assert seen == ["evil=1; __Host-session=a"]
    assert [finding.code for finding in findings] == ["SN301"]


def test_only_declared_cookies_leave_and_security_headers_are_added() -> None:
    answer, findings = ask(answering(("Set-Cookie", "evil=1"), ("Set-Cookie", CSRF), ("X-Frame-Options", "SAMEORIGIN")))
    assert answer.headers == [PLAIN, ("Set-Cookie", CSRF), *OURS]
    assert [finding.code for finding in findings] == ["SN311", "SN318", "SN321"]
    assert answer.body == b"x"


def test_the_headers_of_the_application_are_not_changed() -> None:
    kept = [PLAIN, ("Set-Cookie", "evil=1")]

    def app(environ: dict[str, Any], start_response: StartResponse) -> Iterable[bytes]:
        start_response("200 OK", kept)
        return [b"x"]

    first, second = (ask(app)[0].headers for _ in range(2))
    assert first == second == [PLAIN, *OURS]
    assert kept == [PLAIN, ("Set-Cookie", "evil=1")]


def test_a_nonce_is_new_for_each_response_and_allows_what_carries_it() -> None:
    def app(environ: dict[str, Any], start_response: StartResponse) -> Iterable[bytes]:
        start_response("200 OK", [PLAIN])
        return [nonce(environ).encode()]

    answers = [ask(app, nonces=True)[0] for _ in range(2)]
    for answer in answers:
        assert f"script-src 'self' 'nonce-{answer.body.decode()}'" in dict(answer.headers)["content-security-policy"]
    assert answers[0].body != answers[1].body
    with pytest.raises(KeyError):
        nonce(environ())


def test_signing_out_clears_what_the_browser_keeps_of_the_pages() -> None:
    answer, _ = ask(answering(("Set-Cookie", delete_cookie(DECLARATION.item("session")))))
    assert ("clear-site-data", '"cache"') in answer.headers


def test_in_mode_raise_the_error_comes_out_of_start_response() -> None:
    caught: list[GuardError] = []

    def app(environ: dict[str, Any], start_response: StartResponse) -> Iterable[bytes]:
        with pytest.raises(GuardError) as error:
            start_response("200 OK", [PLAIN, ("Set-Cookie", "evil=1")])
        caught.append(error.value)
        raise error.value

    with pytest.raises(GuardError) as raised:
        ask(app, mode="raise")
    assert caught == [raised.value]
    assert [finding.code for finding in raised.value.findings] == ["SN311"]


class Closing:
    """A body that knows whether it was closed."""

    def __init__(self, *pieces: bytes) -> None:
        self._pieces = iter(pieces)
        self.closed = 0

    def __iter__(self) -> Iterator[bytes]:
        return self._pieces

    def close(self) -> None:
        self.closed += 1


@pytest.mark.parametrize("second", ["204 No Content", "500 Internal Server Error", None])
def test_in_mode_raise_an_application_that_catches_the_error_hides_nothing(second: str | None) -> None:
    body = Closing(b"all is well")

    def app(environ: dict[str, Any], start_response: StartResponse) -> Iterable[bytes]:
        for status in ("200 OK", second):
            try:
                if status:
                    start_response(status, [PLAIN, ("Set-Cookie", "evil=1")] if status != second else [PLAIN])
            except GuardError:
                continue
        return body

    with pytest.raises(GuardError):
        ask(app, mode="raise", validate=False)
    assert body.closed == 1


def test_in_mode_raise_a_generator_may_answer_with_an_error_page_but_with_nothing_else() -> None:
    def app(second: str) -> WSGIApplication:
        def generator(environ: dict[str, Any], start_response: StartResponse) -> Iterator[bytes]:
            try:
                start_response("200 OK", [PLAIN, ("Set-Cookie", "evil=1")])
            except GuardError:
                start_response(second, [PLAIN], sys.exc_info())
            yield b"x"

        return generator

    assert ask(app("500 Sorry"), mode="raise")[0].status == "500 Sorry"
    with pytest.raises(GuardError):
        ask(app("200 OK"), mode="raise")


def test_an_application_may_start_when_it_is_iterated_and_nothing_is_held_back() -> None:
    def app(environ: dict[str, Any], start_response: StartResponse) -> Iterator[bytes]:
        start_response("200 OK", [PLAIN, ("Set-Cookie", "evil=1")])
        for number in range(3):
            answer_events.append(f"made {number}")
            yield b"%d" % number

    answer = Answer()
    answer_events = answer.events
    for piece in Guard(app, DECLARATION, on_finding=lambda finding: None)(environ(), answer.start):
        answer.write(piece)
    assert answer.events == ["start 200 OK", *(f"{what} {n}" for n in range(3) for what in ("made", "body"))]
    assert answer.headers == [PLAIN, *OURS]


def test_start_response_may_be_called_again_with_an_exception() -> None:
    def app(environ: dict[str, Any], start_response: StartResponse) -> Iterable[bytes]:
        start_response("200 OK", [PLAIN, ("Set-Cookie", CSRF)])
        try:
            int("no")
        except ValueError:
            start_response("500 No", [PLAIN, ("Set-Cookie", "evil=1")], sys.exc_info())
        return [b"sorry"]

    answer, _ = ask(app)
    assert answer.events == ["start 200 OK", "start 500 No", "body sorry"]
    assert answer.headers == [PLAIN, *OURS]


def test_an_exception_after_the_first_byte_reaches_the_server() -> None:
    def app(environ: dict[str, Any], start_response: StartResponse) -> Iterator[bytes]:
        start_response("200 OK", [PLAIN])
        yield b"begun"
        try:
            int("too late")
        except ValueError:
            start_response("500 No", [PLAIN], sys.exc_info())

    with pytest.raises(ValueError, match="too late"):
        ask(app)


def test_start_response_without_an_exception_cannot_be_called_twice() -> None:
    def app(environ: dict[str, Any], start_response: StartResponse) -> Iterable[bytes]:
        start_response("200 OK", [PLAIN])
        start_response("200 OK", [PLAIN])
        return []

    with pytest.raises(AssertionError, match="twice"):
        ask(app, validate=False)


def test_the_write_callable_works() -> None:
    def app(environ: dict[str, Any], start_response: StartResponse) -> Iterable[bytes]:
        write = start_response("200 OK", [PLAIN, ("Set-Cookie", "evil=1")])
        write(b"one")
        write(b"two")
        return [b"three"]

    answer, _ = ask(app)
    assert answer.events == ["start 200 OK", "body one", "body two", "body three"]


def test_the_body_is_the_applications_own() -> None:
    body = Closing(b"x")
    wrapped = FileWrapper(io.BytesIO(b"file"))
    for given in (body, wrapped):

        def app(environ: dict[str, Any], start_response: StartResponse, given: Any = given) -> Iterable[bytes]:
            start_response("200 OK", [PLAIN])
            return given  # type: ignore[no-any-return]

        assert Guard(app, DECLARATION)(environ(), Answer().start) is given
    assert body.closed == 0


def test_a_body_is_closed_even_when_it_fails() -> None:
    body = Closing(b"x")

    def app(environ: dict[str, Any], start_response: StartResponse) -> Iterable[bytes]:
        start_response("200 OK", [PLAIN])
        return body

    ask(app)
    assert body.closed == 1


@pytest.mark.parametrize("end", ["\r\n", "\n", "\r", "\x00"])
def test_a_status_cannot_smuggle_a_header(end: str) -> None:
    def app(environ: dict[str, Any], start_response: StartResponse) -> Iterable[bytes]:
        start_response(f"200 Well{end}Set-Cookie: evil=1", [PLAIN])
        return [b"x"]

    answer, findings = ask(app, validate=False)
    assert answer.status == "200 Well"
    assert [(finding.code, finding.name) for finding in findings] == [("SN322", "status")]
    assert ask(app, mode="report", validate=False)[0].status.endswith("evil=1")
    with pytest.raises(GuardError, match="SN322"):
        ask(app, mode="raise", validate=False)


def test_an_unknown_mode_is_refused() -> None:
    with pytest.raises(ValueError, match="raise, enforce, report"):
        Guard(answering(), DECLARATION, mode="off")  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("length", "asked"),
    [
        ("2", [2]),
        ("0002", [2]),
        ("8192", [8192]),
        ("8193", []),
        ("00000000099999999999", []),
        ("-1", []),
        ("\u0662", []),
    ],
)
def test_no_length_makes_the_guard_read_more_than_a_report(length: str, asked: list[int]) -> None:
    reads: list[int] = []

    class Body(io.BytesIO):
        def read(self, size: int | None = -1, /) -> bytes:
            reads.append(-1 if size is None else size)
            return b"{}"

    given = environ(REQUEST_METHOD="POST", PATH_INFO=REPORT_PATH, CONTENT_LENGTH=length)
    given["wsgi.input"] = Body()
    answer = Answer()
    list(Guard(answering(), DECLARATION)(given, answer.start))
    assert reads == asked
    assert answer.status == "204 No Content"
