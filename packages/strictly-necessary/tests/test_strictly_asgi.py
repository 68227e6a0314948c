"""What only ASGI has: messages of many kinds, applications that are careless with types, handshakes, streams."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from strictly_necessary import GuardError, GuardFinding, load
from strictly_necessary.asgi import Guard, Mode
from strictly_necessary.headers import security_headers

DECLARATION = load(Path(__file__).parent / "example.toml")
OURS = [(name.encode(), value.encode()) for name, value in security_headers(DECLARATION).items()]
SESSION = b"__Host-session=v; Path=/; Secure; HttpOnly; SameSite=Lax"
START = "http.response.start"
Message = dict[str, Any]
Send = Callable[[Any], Awaitable[None]]
Sender = Callable[[Send], Awaitable[None]]


def run(
    talk: Sender, *, mode: Mode = "enforce", kind: str = "http", events: list[Any] | None = None, headers: Any = ()
) -> tuple[list[Message], list[GuardFinding]]:
    """Let the application `talk` behind a guard. Gives what reached the server and what was found; what was sent stands
    in `events` too, even if the guard raises."""
    findings: list[GuardFinding] = []
    sent: list[Message] = [] if events is None else events

    async def app(scope: Any, receive: Any, send: Send) -> None:
        await talk(send)

    async def send(message: Any) -> None:
        sent.append(message)

    async def receive() -> Any: ...

    guard = Guard(app, DECLARATION, mode=mode, on_finding=findings.append)
    asyncio.run(guard({"type": kind, "path": "/", "headers": headers}, receive, send))
    return sent, findings


def sending(*messages: Message) -> Sender:
    async def talk(send: Send) -> None:
        for message in messages:
            await send(message)

    return talk


def start(headers: Any, status: int = 200, kind: str = START) -> Message:
    return {"type": kind, "status": status, "headers": headers}


def generator(*headers: Any) -> Iterator[Any]:
    yield from headers


CARELESS = [
    ("set-cookie", "evil=1"),
    ("Set-Cookie", b"evil=1"),
    (b"set-cookie", "evil=1"),
    (memoryview(b"set-cookie"), memoryview(b"evil=1")),
    (bytearray(b"Set-Cookie"), bytearray(b"evil=1")),
    [b"set-cookie", b"evil=1"],
]


@pytest.mark.parametrize("header", CARELESS)
@pytest.mark.parametrize("wrap", [list, tuple, iter, lambda headers: generator(*headers)])
def test_a_type_that_asgi_does_not_know_is_no_way_around(header: Any, wrap: Callable[[Any], Any]) -> None:
    (message,), findings = run(sending(start(wrap([header, (b"x-a", b"1")]))))
    assert message["headers"] == [(b"x-a", b"1"), *OURS]
    assert [finding.code for finding in findings] == ["SN311"]


def test_what_cannot_be_a_header_is_an_error() -> None:
    for header in ((b"x-a", 7), (None, b"x"), ("x-a", "\u20ac")):
        with pytest.raises((TypeError, UnicodeEncodeError)):
            run(sending(start([header])))


def test_bytes_that_can_change_are_copied_before_they_are_judged() -> None:
    value = bytearray(SESSION)

    async def talk(send: Send) -> None:
        await send(start([(b"set-cookie", value)]))
        value[:4] = b"evil"

    (message,), _ = run(talk)
    assert message["headers"][0] == (b"set-cookie", SESSION)


def test_a_message_that_is_sent_twice_does_not_grow() -> None:
    message = start([(b"x-a", b"1"), (b"set-cookie", b"evil=1")])
    for _ in range(3):
        (sent,), _ = run(sending(message))
        assert sent["headers"] == [(b"x-a", b"1"), *OURS]
    assert message == start([(b"x-a", b"1"), (b"set-cookie", b"evil=1")])


@pytest.mark.parametrize("kind", ["http.response.trailers", "http.response.push", "websocket.accept", "some.extension"])
def test_whatever_message_has_headers_is_guarded(kind: str) -> None:
    message = {
        "type": kind,
        "headers": [("Set-Cookie", b"evil=1"), (b"x-a", b"1\r\nSet-Cookie: evil=1"), (b"x-b", b"")],
    }
    (sent,), findings = run(sending(message))
    assert sent == {"type": kind, "headers": [(b"x-b", b"")]}
    assert [finding.code for finding in findings] == ["SN311", "SN322"]


def test_early_hints_carry_no_other_header() -> None:
    links: list[Any] = [b"</a.css>; rel=preload", b"</b>\r\nset-cookie: evil=1", "</c>\nset-cookie: evil=1"]
    hint = {"type": "http.response.early_hint", "links": links}
    (sent, _), findings = run(sending(hint, start([])))
    assert sent["links"] == [b"</a.css>; rel=preload"]
    assert [finding.code for finding in findings] == ["SN322", "SN322"]
    assert run(sending(hint), mode="report")[0][0]["links"][1] == links[1]
    with pytest.raises(GuardError, match="SN322"):
        run(sending(hint), mode="raise")


def test_the_headers_of_a_request_may_be_readable_only_once() -> None:
    seen: list[Any] = []

    async def app(scope: Any, receive: Any, send: Send) -> None:
        seen.extend(scope["headers"])

    async def nothing(*_: Any) -> None: ...

    for cookie, expected in ((b"__Host-session=a", [(b"cookie", b"__Host-session=a")]), (b"evil=1", [])):
        seen.clear()
        headers = generator((b"host", b"x"), (b"cookie", cookie))
        guard = Guard(app, DECLARATION, on_finding=lambda finding: None)
        asyncio.run(guard({"type": "http", "path": "/", "headers": headers}, nothing, nothing))  # type: ignore[arg-type]
        assert seen == [(b"host", b"x"), *expected]


def test_a_stream_is_not_held_back() -> None:
    events: list[Any] = []

    async def talk(send: Send) -> None:
        await send(start([(b"content-type", b"text/event-stream"), (b"set-cookie", b"evil=1")]))
        for number in range(3):
            events.append(number)
            await send({"type": "http.response.body", "body": b"%d" % number, "more_body": number < 2})

    run(talk, events=events)
    assert [event if isinstance(event, int) else event["type"].rpartition(".")[2] for event in events] == [
        *("start", 0, "body", 1, "body", 2, "body")
    ]
    assert (b"set-cookie", b"evil=1") not in events[0]["headers"]


def test_a_background_task_runs_after_the_response() -> None:
    events: list[Any] = []

    async def talk(send: Send) -> None:
        await send(start([]))
        await send({"type": "http.response.body", "body": b"x"})
        await asyncio.sleep(0)
        events.append("task")

    run(talk, events=events)
    assert events[-1] == "task"


def test_an_answer_after_an_exception_is_guarded() -> None:
    async def talk(send: Send) -> None:
        try:
            int("no")
        except ValueError:
            await send(start([(b"set-cookie", b"evil=1")], 500))

    assert run(talk)[0] == [start(OURS, 500)]


def catching(*answers: Message) -> Sender:
    """An application that catches what its first message raises, and then sends the others."""

    async def talk(send: Send) -> None:
        for message in answers:
            try:
                await send(message)
            except GuardError:
                continue

    return talk


@pytest.mark.parametrize("kind", ["http.response.start", "websocket.http.response.start"])
def test_in_mode_raise_an_application_that_catches_the_error_hides_nothing(kind: str) -> None:
    bad = start([(b"set-cookie", b"evil=1")], kind=kind)
    for second, leaves in ((start([], 200, kind), False), (start([], 404, kind), False), (start([], 500, kind), True)):
        events: list[Any] = []
        with pytest.raises(GuardError) as caught:
            run(catching(bad, second), mode="raise", events=events)
        assert [finding.code for finding in caught.value.findings] == ["SN311"]
        assert events == [{**second, "headers": OURS}] * leaves


def test_in_mode_raise_a_refused_handshake_cannot_be_accepted_after_all() -> None:
    events: list[Any] = []
    bad = {"type": "websocket.accept", "headers": [(b"set-cookie", b"evil=1")]}
    close = {"type": "websocket.close", "code": 1011}
    with pytest.raises(GuardError):
        run(catching(bad, {"type": "websocket.accept"}, close), mode="raise", kind="websocket", events=events)
    assert events == [close]


def test_an_error_of_the_applications_own_comes_out_as_it_is() -> None:
    async def talk(send: Send) -> None:
        try:
            await send(start([(b"set-cookie", b"evil=1")]))
        except GuardError as error:
            raise LookupError("wrapped") from error

    with pytest.raises(LookupError) as caught:
        run(talk, mode="raise")
    assert isinstance(caught.value.__cause__, GuardError)
