"""Answers of a platform that means ill: endless, compressed, in a circle, written for the terminal."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable
from typing import Any

import pytest

from mixip_transfer import platform as platform_module
from mixip_transfer.errors import BadAnswerError, RefusedError
from mixip_transfer.names import printable
from mixip_transfer.platform import Platform
from mixip_transfer.retry import Patience

MIB = 1024 * 1024
STEERING = "\x1b[2J\x9b2J\r\n\u202e"


@pytest.fixture
def works(double: Any) -> Callable[[], list[str]]:
    """Asks for the titles of all works."""

    def ask() -> list[str]:
        with Platform(double.address, double.token, patience=Patience(0.1)) as platform:
            return [work.title for work in platform.works()]

    return ask


def test_an_endless_answer_is_not_read_to_its_end(double: Any, works: Callable[[], list[str]]) -> None:
    double.fault("raw", "GET", "/api/works", status=200, raw=b" " * MIB, repeat=1000)
    with pytest.raises(BadAnswerError, match="not asked for"):
        works()
    assert 64 * MIB <= double.raw_bytes < 128 * MIB


@pytest.mark.parametrize("status", [302, 404, 500])
def test_an_endless_refusal_is_not_read_to_its_end(double: Any, works: Callable[[], list[str]], status: int) -> None:
    double.fault("raw", "GET", "/api/works", status=status, raw=b" " * MIB, repeat=1000)
    with pytest.raises(RefusedError, match=f"answered {status}"):
        works()
    assert double.raw_bytes < 32 * MIB, "a little more than is read waits in the buffers of the system"


@pytest.mark.parametrize("encoding", ["gzip", "deflate", "br", "GZIP", "identity, gzip"])
def test_a_compressed_answer_is_not_unfolded(double: Any, works: Callable[[], list[str]], encoding: str) -> None:
    answer = gzip.compress(json.dumps({"works": [], "next": None}).encode())
    double.fault("raw", "GET", "/api/works", status=200, headers={"Content-Encoding": encoding}, raw=answer)
    with pytest.raises(BadAnswerError, match="not asked for"):
        works()
    refusal = gzip.compress(b'{"title": "Unfolded"}')
    double.fault("raw", "GET", "/api/works", status=404, headers={"Content-Encoding": encoding}, raw=refusal)
    with pytest.raises(RefusedError, match="answered 404"):
        works()


def test_an_answer_that_says_it_is_plain_is_read(double: Any, works: Callable[[], list[str]]) -> None:
    answer = json.dumps({"works": [], "next": None}).encode()
    double.fault("raw", "GET", "/api/works", status=200, headers={"Content-Encoding": "identity"}, raw=answer)
    assert works() == []


@pytest.mark.parametrize("status", [200, 400])
def test_an_answer_of_countless_brackets_is_no_accident_of_ours(
    double: Any, works: Callable[[], list[str]], status: int
) -> None:
    double.fault("raw", "GET", "/api/works", status=status, raw=b"[" * 200_000)
    with pytest.raises(BadAnswerError if status == 200 else RefusedError):
        works()


def test_a_list_that_goes_round_in_a_circle_is_left(double: Any, works: Callable[[], list[str]]) -> None:
    double.add_work("One")
    for _ in range(2):
        for cursor in ("a", "b"):
            double.fault("status", "GET", "/api/works", status=200, body={"works": double.works, "next": cursor})
    with pytest.raises(BadAnswerError, match="circle"):
        works()
    assert len(double.asked("GET", "/api/works")) == 3


def test_a_list_has_an_end(double: Any, works: Callable[[], list[str]], monkeypatch: pytest.MonkeyPatch) -> None:
    for n in range(30):
        double.add_work(f"Work {n}")
    assert len(works()) == 30
    monkeypatch.setattr(platform_module, "_MOST_PAGES", 14)
    with pytest.raises(BadAnswerError, match="more than 14 pages"):
        works()


@pytest.mark.parametrize("cursor", ["", "a b", "\x1b", "x" * 2001, 5, {}])
def test_a_cursor_that_is_none_is_refused(double: Any, works: Callable[[], list[str]], cursor: object) -> None:
    double.fault("status", "GET", "/api/works", status=200, body={"works": [], "next": cursor})
    with pytest.raises(BadAnswerError, match="cursor"):
        works()


def test_nothing_that_a_refusal_says_steers_the_terminal(double: Any, works: Callable[[], list[str]]) -> None:
    fields = ("title", "detail", "action", "code", "request_id")
    problem = {field: f"{field}{STEERING}" for field in fields}
    double.fault("status", "GET", "/api/works", status=403, body=problem)
    with pytest.raises(RefusedError) as caught:
        works()
    said = [caught.value.message, caught.value.advice, caught.value.code, caught.value.request_id]
    assert [printable(text) for text in said] == said
    assert all(field in " ".join(said) for field in fields)


def test_nothing_that_a_redirect_says_steers_the_terminal(double: Any, works: Callable[[], list[str]]) -> None:
    double.fault("status", "GET", "/api/works", status=302, headers={"Location": "https://evil.example/\x9b2J"})
    with pytest.raises(RefusedError, match=r"evil\.example") as caught:
        works()
    assert printable(caught.value.message) == caught.value.message
