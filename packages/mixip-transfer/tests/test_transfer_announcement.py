"""The cookie policy told on a real terminal: once, after the work, whatever the platform answers."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from mixip_transfer.languages import accepted_languages

pytestmark = pytest.mark.keyring

STEERING = "\x1b]0;evil\x07\x1b[2J\u202e\x9b2J"


def news(version: str = "2", **more: Any) -> dict[str, Any]:
    return {
        "version": version,
        "starts": "2026-12-01T00:00:00Z",
        "last_updated": "2026-12-01",
        "summary": "We count visits.",
        "changes": ["New: visits, which needs your consent."],
    } | more


def state(**more: Any) -> dict[str, Any]:
    return {
        "format": 1,
        "version": "2",
        "last_updated": "2026-12-01",
        "starts": "2026-12-01T00:00:00Z",
        "signal": False,
        "language": "en",
        "text": None,
        "items": [],
        "news": [news()],
    } | more


def item(**more: Any) -> dict[str, Any]:
    return {
        "id": "visits",
        "title": "Visits",
        "purposes": ["Counts visits."],
        "lifetime": "30 days",
        "provider": "Mix-IP",
        "recipients": [],
        "answer": None,
        "asks": True,
    } | more


def command(desk: Any, name: str) -> tuple[str, ...]:
    (desk.home / "a.wav").write_bytes(b"x")
    return {
        "status": ("status",),
        "list": ("list",),
        "files": ("list", "--work", "My film"),
        "send": ("send", "a.wav", "--work", "My film"),
        "get": ("get", "--work", "My film", "--to", "there"),
    }[name]


@pytest.mark.parametrize("name", ["status", "list", "files", "send", "get"])
def test_a_person_at_a_terminal_is_told_after_the_work_and_it_is_acknowledged(
    person: Any, double: Any, name: str
) -> None:
    double.policy = state()
    before = person.tree()
    done = person.on_a_terminal(*command(person, name), piped=True)
    assert done.code == 0
    _, _, told = done.err.partition(f"The cookie policy of {double.address} has changed.\n")
    assert told == (
        "Version 2, of 2026-12-01. We count visits.\n"
        "  - New: visits, which needs your consent.\n"
        f"All changes: {double.address}/legal/changes\n"
    )
    assert "cookie policy" not in done.out
    assert double.policy_forms == [{"act": ["acknowledge"], "version": ["2"]}]
    posted = [headers for method, path, headers in double.requests if "consent" in path]
    assert all(headers["Authorization"] == f"Bearer {double.token}" for headers in posted)
    new = person.tree().keys() - before.keys() - {"a.wav", "there"}
    assert new == set()
    assert {k: v for k, v in person.tree().items() if k in before} == before, "also the keyring is as it was"


def test_nothing_new_is_nothing_told_and_nothing_acknowledged(person: Any, double: Any) -> None:
    double.policy = state(news=[], items=[item()], text="May we?")
    quiet = person.on_a_terminal("status", piped=True)
    assert (quiet.code, quiet.err) == (0, "")
    assert len(double.asked("GET", "cookie-consent")) == 1
    assert double.policy_forms == []


def test_an_open_question_is_named_after_the_news_with_its_command(person: Any, double: Any) -> None:
    double.policy = state(items=[item()], text="May we?")
    told = person.on_a_terminal("status", piped=True).err
    assert told.endswith(
        "The platform asks for your consent to something. Until you allow it, it does not happen.\n"
        "The question and both answers: mixip-transfer policy\n"
    )
    double.policy = state(items=[item(answer="refused", asks=False)])
    assert "consent to something" not in person.on_a_terminal("status", piped=True).err


@pytest.mark.parametrize("told", [True, False])
def test_who_signs_in_hears_of_an_open_question_even_if_nothing_is_new(desk: Any, double: Any, told: bool) -> None:
    double.policy = state(news=[], items=[item(asks=told)])
    process, terminal = desk.start_on_a_terminal("sign-in", double.address, "--no-browser")
    assert process.stdout is not None
    page = next(line for line in process.stdout if line.startswith("http")).strip()
    httpx.get(page, follow_redirects=True, trust_env=False)
    out, _ = process.communicate(timeout=30)
    assert process.returncode == 0
    assert f"Signed in to {double.address}" in out
    try:
        shown = os.read(terminal, 4096).decode()
    except OSError:  # Linux: nothing is there, and nobody holds the other end any more
        shown = ""
    os.close(terminal)
    assert ("mixip-transfer policy\r\n" in shown) is told
    assert double.asked("GET", "cookie-consent")
    assert double.policy_forms == []


@pytest.mark.parametrize("name", ["status", "send"])
def test_neither_pipes_nor_json_nor_quiet_ask_the_platform_at_all(person: Any, double: Any, name: str) -> None:
    arguments = command(person, name)
    person.run(*arguments)  # so that the file is there, and each time is like the other
    ways: list[Callable[[], Any]] = [
        lambda: person.run(*arguments),
        lambda: person.run(*arguments, "--json"),
        lambda: person.on_a_terminal(*arguments, "--json", piped=True),
    ]
    if name == "send":
        ways.append(lambda: person.on_a_terminal(*arguments, "--quiet", piped=True))
    before = [way() for way in ways]
    double.requests.clear()
    double.policy = state()
    assert [way() for way in ways] == before, "to the letter, on both streams"
    assert double.asked("GET", "cookie-consent") == []
    assert double.policy_forms == []


def test_a_command_that_failed_tells_nothing(person: Any, double: Any) -> None:
    double.policy = state()
    done = person.on_a_terminal("list", "--work", "absent", piped=True)
    assert done.code == 2
    assert "has changed" not in done.err
    assert double.policy_forms == []


@pytest.mark.parametrize(
    "answer",
    [
        {"kind": "status", "status": 404},
        {"kind": "status", "status": 401},
        {"kind": "status", "status": 503, "times": 50},
        {"kind": "status", "status": 503, "headers": {"Retry-After": "60"}},
        {"kind": "status", "status": 302, "headers": {"Location": "https://elsewhere.example"}},
        {"kind": "status", "status": 200, "body": {"format": 2}},
        {"kind": "status", "status": 200, "body": {"format": 1, "news": "all"}},
        {"kind": "raw", "status": 200, "raw": b"<html>"},
        {"kind": "raw", "status": 200, "raw": b"[" * 200_000},
        {"kind": "raw", "status": 200, "raw": b" " * 1024 * 1024, "repeat": 2000},
        {"kind": "raw", "status": 200, "raw": b"x", "headers": {"Content-Encoding": "gzip"}},
        {"kind": "drop"},
    ],
    ids=str,
)
def test_rubbish_from_the_platform_is_no_news(person: Any, double: Any, answer: dict[str, Any]) -> None:
    double.policy = state()
    kind = answer.pop("kind")
    double.fault(kind, "GET", "cookie-consent", **answer)
    done = person.on_a_terminal("status", piped=True)
    assert (done.code, done.err) == (0, "")
    assert done.out.startswith("Signed in to")
    assert double.policy_forms == []


def test_a_platform_that_answers_late_costs_a_moment_and_no_more(person: Any, double: Any) -> None:
    go_on = threading.Event()
    double.policy = state()
    started = time.monotonic()
    assert person.on_a_terminal("status", piped=True).code == 0
    usual = time.monotonic() - started
    double.policy_forms.clear()
    double.on_policy = lambda: go_on.wait(30) and None
    started = time.monotonic()
    done = person.on_a_terminal("status", piped=True)
    took = time.monotonic() - started
    go_on.set()
    assert (done.code, done.err) == (0, "")
    assert took < usual + 5, "it waits two seconds; the rest is for a busy machine, and far from the 30 of the platform"
    assert double.policy_forms == []


def test_acknowledging_may_fail_without_a_word(person: Any, double: Any) -> None:
    double.policy = state()
    double.fault("status", "POST", "cookie-consent", status=500, times=5)
    done = person.on_a_terminal("status", piped=True)
    assert done.code == 0
    assert done.err.endswith("/legal/changes\n")


def test_a_terminal_that_is_gone_was_not_told(person: Any, double: Any) -> None:
    asked, go_on = threading.Event(), threading.Event()
    double.policy = state()

    def hold() -> None:
        asked.set()
        go_on.wait(20)

    double.on_policy = hold
    process, terminal = person.start_on_a_terminal("status")
    assert asked.wait(30)
    os.close(terminal)
    go_on.set()
    out, _ = process.communicate(timeout=30)
    assert process.returncode == 0
    assert out.startswith("Signed in to")
    assert double.policy_forms == []


def test_ctrl_c_while_it_waits_for_news_fails_nothing_and_acknowledges_nothing(person: Any, double: Any) -> None:
    go_on = threading.Event()
    double.policy = state()
    double.on_policy = lambda: go_on.wait(20) and None
    process, terminal = person.start_on_a_terminal("status")
    assert process.stdout is not None
    for line in process.stdout:
        if line.startswith("This computer is listed"):
            break
    time.sleep(0.3)  # past the end of the command itself; it waits for two seconds
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=30)
    go_on.set()
    os.close(terminal)
    assert process.returncode == 0
    assert double.policy_forms == []


def test_what_was_told_elsewhere_during_a_long_command_is_not_told_again(person: Any, double: Any) -> None:
    double.policy = state()

    def read_in_the_browser(_index: int) -> None:
        double.policy = state(news=[])
        time.sleep(6)

    double.on_segment = read_in_the_browser
    done = person.on_a_terminal(*command(person, "send"), piped=True)
    assert done.code == 0
    assert "has changed" not in done.err
    assert double.policy_forms == []
    assert len(double.asked("GET", "cookie-consent")) == 2


def test_nothing_that_the_platform_says_steers_the_terminal_or_floods_it(person: Any, double: Any) -> None:
    long = news(
        "9", summary=STEERING + "s" * 10_000, changes=[f"{STEERING}\nline {n} " + "c" * 10_000 for n in range(99)]
    )
    double.policy = state(news=[news(f"{n}{STEERING}") for n in range(50)] + [long])
    done = person.on_a_terminal("status", piped=True, TERM="dumb")
    assert done.code == 0
    assert not set("\x1b\x07\x9b\u202e") & set(done.err)
    assert "Earlier versions are on the page below: 41." in done.err
    assert "  and 89 more\n" in done.err
    assert len(done.err) < 20_000
    assert double.policy_forms == [{"act": ["acknowledge"], "version": ["9"]}]


def test_it_is_asked_for_in_the_language_of_the_computer(person: Any, double: Any) -> None:
    double.policy = state(news=[])
    person.on_a_terminal("status", LANG="C.UTF-8", LC_ALL="de_AT.UTF-8")
    asked = [headers["Accept-Language"] for _, path, headers in double.requests if "consent" in path]
    assert asked == ["de-AT, de;q=0.9, en;q=0.5"]


@pytest.mark.parametrize(
    ("environment", "expected"),
    [
        ({}, "en"),
        ({"LANG": "C.UTF-8"}, "en"),
        ({"LANG": "POSIX"}, "en"),
        ({"LANG": "en_GB.UTF-8"}, "en"),
        ({"LANG": "fr"}, "fr, en;q=0.5"),
        ({"LANG": "de_DE.UTF-8@euro", "LC_ALL": ""}, "de-DE, de;q=0.9, en;q=0.5"),
        ({"LANG": "de_DE", "LC_MESSAGES": "fr_CA.UTF-8"}, "fr-CA, fr;q=0.9, en;q=0.5"),
        ({"LANG": "de\r\nX-Evil: 1"}, "en"),
    ],
)
def test_the_language_comes_from_the_locale_of_messages(environment: dict[str, str], expected: str) -> None:
    assert accepted_languages(environment) == expected
