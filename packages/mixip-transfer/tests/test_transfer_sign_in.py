"""Sign-in with a browser: what is sent, what is accepted, what is shown."""

from __future__ import annotations

import base64
import hashlib
import http.client
import re
import socket
import threading
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import httpx
import pytest

from mixip_transfer import answers
from mixip_transfer.errors import BadAnswerError, NotSignedInError, RefusedError, StoppedError, UsageError
from mixip_transfer.loopback import Answer, Listener
from mixip_transfer.platform import Platform
from mixip_transfer.sign_in import challenge, require_own_endpoints, sign_in, sign_out

Answering = Callable[[dict[str, str]], dict[str, str]]


def browser(double: Any, change: Answering = lambda back: back, *, visits: list[httpx.Response] | None = None) -> Any:
    """Opens the page as a browser would, and comes back with the answer, perhaps changed."""

    def show(page: str) -> None:
        def visit() -> None:
            answer = httpx.get(page, trust_env=False)
            parts = urlsplit(answer.headers["Location"])
            back = change({key: values[0] for key, values in parse_qs(parts.query).items()})
            response = httpx.get(f"{parts.scheme}://{parts.netloc}{parts.path}?{urlencode(back)}", trust_env=False)
            if visits is not None:
                visits.append(response)

        threading.Thread(target=visit, daemon=True).start()

    return show


def ask(
    double: Any, show: Any, *, seconds: float = 10, stop: threading.Event | None = None, device: str = "desk"
) -> str:
    with Platform(double.address) as platform:
        return sign_in(platform, device=device, show=show, stop=stop or threading.Event(), seconds=seconds)


def test_signing_in_brings_a_session_token(double: Any) -> None:
    visits: list[httpx.Response] = []
    token = ask(double, browser(double, visits=visits), device="x" * 200)
    assert token in double.tokens
    asked = parse_qs(urlsplit(double.asked("GET", "/oauth/authorize")[0]).query)
    assert asked["client_id"] == ["mixip-transfer"]
    assert asked["response_type"] == ["code"]
    assert asked["code_challenge_method"] == ["S256"]
    assert asked["device"] == ["x" * 80]
    assert re.fullmatch(r"http://127\.0\.0\.1:\d+/callback", asked["redirect_uri"][0])
    assert len(asked["state"][0]) >= 43
    assert len(asked["code_challenge"][0]) == 43


def test_every_sign_in_has_a_state_and_a_challenge_of_its_own(double: Any) -> None:
    ask(double, browser(double))
    ask(double, browser(double))
    first, second = (parse_qs(urlsplit(path).query) for path in double.asked("GET", "/oauth/authorize"))
    assert first["state"] != second["state"]
    assert first["code_challenge"] != second["code_challenge"]


def test_the_example_of_rfc_7636() -> None:
    verifier = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
    assert challenge(verifier) == "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"


@pytest.mark.parametrize("state", ["", "wrong", "é"])
def test_an_answer_with_another_state_changes_nothing(double: Any, state: str) -> None:
    visits: list[httpx.Response] = []
    with pytest.raises(NotSignedInError, match="Nobody answered"):
        ask(double, browser(double, lambda back: back | {"state": state}, visits=visits), seconds=0.7)
    assert visits[0].status_code == 400
    assert "does not belong" in visits[0].text
    assert double.asked("POST", "/oauth/token") == []


@pytest.mark.parametrize("iss", ["", "https://evil.example", "http://127.0.0.1"])
def test_an_answer_of_another_platform_is_refused(double: Any, iss: str) -> None:
    with pytest.raises(BadAnswerError, match="another platform"):
        ask(double, browser(double, lambda back: back | {"iss": iss}))
    assert double.asked("POST", "/oauth/token") == []


def test_a_refusal_in_the_browser_is_told_kindly(double: Any) -> None:
    def refuse(back: dict[str, str]) -> dict[str, str]:
        return {"error": "access_denied", "state": back["state"]}

    with pytest.raises(NotSignedInError, match="was refused"):
        ask(double, browser(double, refuse))
    with Listener("right") as listener:
        page = httpx.get(listener.redirect_uri, params={"state": "right", "error": "access_denied"}, trust_env=False)
    assert "was not signed in" in page.text


def test_a_code_that_is_not_good_brings_no_session(double: Any) -> None:
    before = set(double.tokens)
    with pytest.raises(RefusedError, match="code is not good"):
        ask(double, browser(double, lambda back: back | {"code": "made-up"}))
    assert double.tokens == before


def test_stopping_ends_the_wait(double: Any) -> None:
    stop = threading.Event()
    threading.Timer(0.3, stop.set).start()
    with pytest.raises(StoppedError):
        ask(double, lambda _page: None, stop=stop)


def test_signing_out_ends_the_session_on_the_platform(double: Any) -> None:
    token = ask(double, browser(double))
    with Platform(double.address) as platform:
        sign_out(platform, token)
    assert token not in double.tokens


@pytest.mark.parametrize(
    ("field", "value", "error"),
    [
        ("issuer", "https://evil.example", UsageError),
        ("token_endpoint", "https://evil.example/oauth/token", BadAnswerError),
        ("authorization_endpoint", "http://mixip.example/oauth/authorize", BadAnswerError),
        ("revocation_endpoint", "https://mixip.example:8443/oauth/revoke", BadAnswerError),
        ("token_endpoint", "https://mixip.example@evil.example/oauth/token", BadAnswerError),
    ],
)
def test_a_platform_that_sends_elsewhere_is_refused(field: str, value: str, error: type[Exception]) -> None:
    facts = {
        "issuer": "https://mixip.example",
        "authorization_endpoint": "https://mixip.example/oauth/authorize",
        "token_endpoint": "https://mixip.example/oauth/token",
        "revocation_endpoint": "https://mixip.example/oauth/revoke",
    }
    require_own_endpoints(answers.authorization_server(facts), "https://mixip.example")
    with pytest.raises(error):
        require_own_endpoints(answers.authorization_server(facts | {field: value}), "https://mixip.example")


@pytest.mark.parametrize("field", ["issuer", "authorization_endpoint", "token_endpoint", "revocation_endpoint"])
@pytest.mark.parametrize("ending", ["/\x1b[2J", "/\x9b2J", "/\r\n", "/\u202e", "/ x", "/é", "/\x7f", "/" + "x" * 2000])
def test_an_address_that_could_steer_the_terminal_is_refused(double: Any, field: str, ending: str) -> None:
    facts = {
        "issuer": double.address,
        "authorization_endpoint": f"{double.address}/oauth/authorize",
        "token_endpoint": f"{double.address}/oauth/token",
        "revocation_endpoint": f"{double.address}/oauth/revoke",
    }
    double.fault("status", "GET", "/.well-known/", status=200, body=facts | {field: facts[field] + ending})
    shown: list[str] = []
    with pytest.raises(BadAnswerError, match="no usable address"):
        ask(double, shown.append, seconds=0.1)
    assert shown == []


def test_the_answer_page_loads_nothing_and_keeps_nothing() -> None:
    with Listener("right") as listener:
        response = httpx.get(listener.redirect_uri, params={"state": "right", "code": "c", "iss": "i"}, trust_env=False)
        assert listener.answer(1) == Answer("c", "", "i")
    assert response.status_code == 200
    assert response.headers["Content-Security-Policy"].startswith("default-src 'none'; style-src 'sha256-")
    assert response.headers["Cache-Control"] == "no-store"
    assert response.headers["Referrer-Policy"] == "no-referrer"
    assert "Set-Cookie" not in response.headers
    assert not re.search(r"<script|<link|<img|src=|href=|url\(", response.text)


def test_the_page_that_the_browser_comes_back_to_keeps_to_the_theme_of_the_system() -> None:
    with Listener("right") as listener:
        page = httpx.get(listener.redirect_uri, params={"state": "right", "code": "c"}, trust_env=False)
    style = re.findall(r"<style>(.*?)</style>", page.text)[0]
    assert style.startswith(":root{color-scheme:light dark}")
    allowed = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    assert f"'sha256-{allowed}'" in page.headers["Content-Security-Policy"]
    assert "<title>You can go back · Mix-IP</title>" in page.text


def test_a_connection_that_says_nothing_does_not_hold_up_the_answer() -> None:
    with Listener("right") as listener:
        port = urlsplit(listener.redirect_uri).port
        with socket.create_connection(("127.0.0.1", port)):
            httpx.get(listener.redirect_uri, params={"state": "right", "code": "c"}, trust_env=False, timeout=3)
        assert listener.answer(1) is not None


def test_other_hosts_and_paths_are_turned_away() -> None:
    with Listener("right") as listener:
        port = urlsplit(listener.redirect_uri).port or 0
        for host, path in ((f"evil.example:{port}", "/callback"), (f"127.0.0.1:{port}", "/")):
            connection = http.client.HTTPConnection("127.0.0.1", port, timeout=3)
            connection.request("GET", f"{path}?state=right&code=c", headers={"Host": host})
            assert connection.getresponse().status == 404
            connection.close()
        assert listener.answer(0.1) is None
