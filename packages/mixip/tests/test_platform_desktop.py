"""The authorization server for the Pro Transfer App: the flow, and every way to cheat it."""

import base64
import hashlib
import re
import secrets
from datetime import timedelta
from urllib.parse import parse_qs, urlsplit

import pytest

from tests.support.people import Person
from tests.support.platform import RunningPlatform

VERIFIER = "v" * 64
CHALLENGE = base64.urlsafe_b64encode(hashlib.sha256(VERIFIER.encode()).digest()).rstrip(b"=").decode()
REDIRECT = "http://127.0.0.1:49152/callback"
ASKED = {
    "response_type": "code",
    "client_id": "mixip-transfer",
    "redirect_uri": REDIRECT,
    "state": "a state & more",
    "code_challenge": CHALLENGE,
    "code_challenge_method": "S256",
    "device": "Cutting room",
}


def agree(person: Person, **changes: str) -> dict[str, str]:
    """Press the button; what the browser then carries back to the app."""
    response = person.submit("/oauth/authorize", **{**ASKED, "answer": "allow", **changes})
    assert response.status_code == 200, response.text
    target = response.headers["refresh"].partition("url=")[2]
    assert target.startswith(REDIRECT + "?")
    return {name: values[0] for name, values in parse_qs(urlsplit(target).query).items()}


def redeem(person: Person, code: str, **changes: str) -> tuple[int, dict[str, str]]:
    fields = {
        "grant_type": "authorization_code",
        "code": code,
        "redirect_uri": REDIRECT,
        "client_id": "mixip-transfer",
        "code_verifier": VERIFIER,
        **changes,
    }
    response = person.http.post("/oauth/token", data=fields)
    return response.status_code, response.json()


def bearer(person: Person, token: str) -> int:
    return person.http.get("/api/session", headers={"authorization": f"Bearer {token}"}).status_code


def test_the_whole_flow(owner: Person, platform: RunningPlatform) -> None:
    about = owner.http.get("/.well-known/oauth-authorization-server").json()
    assert about["issuer"] == platform.url
    page = owner.get("/oauth/authorize", params=ASKED)
    assert "Cutting room" in page.text
    assert owner.email in page.text
    answer = agree(owner)
    assert (answer["state"], answer["iss"]) == (ASKED["state"], platform.url)
    status, token = redeem(owner, answer["code"])
    assert (status, token["token_type"]) == (200, "Bearer")
    session = owner.http.get("/api/session", headers={"authorization": f"Bearer {token['access_token']}"}).json()
    assert (session["email"], session["kind"], session["name"]) == (owner.email, "app", "Cutting room")
    assert "Cutting room" in owner.get("/account/sessions").text
    revoked = owner.http.post("/oauth/revoke", data={"token": token["access_token"], "client_id": "mixip-transfer"})
    assert revoked.status_code == 200
    assert bearer(owner, token["access_token"]) == 401


def test_an_app_can_be_ended_from_the_sessions_page(owner: Person) -> None:
    _, token = redeem(owner, agree(owner)["code"])
    headers = {"authorization": f"Bearer {token['access_token']}"}
    session_id = owner.http.get("/api/session", headers=headers).json()["session_id"]
    owner.submit(f"/account/sessions/{session_id}/end")
    assert bearer(owner, token["access_token"]) == 401


def test_people_who_are_not_signed_in_come_back_after_signing_in(visitor: Person) -> None:
    response = visitor.get("/oauth/authorize", params=ASKED)
    assert response.status_code == 303
    assert response.headers["location"].startswith("/sign-in?next=%2Foauth%2Fauthorize%3F")
    assert "Pro Transfer App" in visitor.get(response.headers["location"]).text


def test_a_refusal_is_told_to_the_app(owner: Person) -> None:
    answer = agree(owner, answer="deny")
    assert answer["error"] == "access_denied"
    assert answer["state"] == ASKED["state"]
    assert "code" not in answer


@pytest.mark.parametrize(
    "changes",
    [
        {"redirect_uri": "https://evil.example/callback"},
        {"redirect_uri": "http://127.0.0.1.evil.example:1/callback"},
        {"redirect_uri": "http://127.0.0.1:1/other"},
        {"redirect_uri": "http://127.0.0.1:99999/callback"},
        {"redirect_uri": "http://localhost:1/callback"},
        {"redirect_uri": "http://127.0.0.1:1@evil.example/callback"},
        {"redirect_uri": ""},
        {"client_id": "somebody"},
        {"response_type": "token"},
        {"code_challenge_method": "plain"},
        {"code_challenge": "short"},
        {"code_challenge": ""},
        {"state": ""},
        {"device": "x" * 81},
        {"device": "a\nb"},
    ],
)
def test_requests_that_are_refused_without_a_redirect(owner: Person, changes: dict[str, str]) -> None:
    for response in (
        owner.get("/oauth/authorize", params={**ASKED, **changes}),
        owner.submit("/oauth/authorize", **{**ASKED, "answer": "allow", **changes}),
    ):
        assert response.status_code == 400
        assert "authorization_invalid" in response.text
        assert "refresh" not in response.headers
        assert "location" not in response.headers


@pytest.mark.parametrize(
    ("changes", "status", "error"),
    [
        ({"code": "nonsense"}, 400, "invalid_grant"),
        ({"code_verifier": "w" * 64}, 400, "invalid_grant"),
        ({"code_verifier": ""}, 400, "invalid_grant"),
        ({"redirect_uri": "http://127.0.0.1:49153/callback"}, 400, "invalid_grant"),
        ({"client_id": "somebody"}, 401, "invalid_client"),
        ({"grant_type": "password"}, 400, "unsupported_grant_type"),
    ],
)
def test_codes_that_are_not_redeemed(owner: Person, changes: dict[str, str], status: int, error: str) -> None:
    code = agree(owner)["code"]
    answered, told = redeem(owner, **{"code": code, **changes})
    assert (answered, told["error"]) == (status, error)


def test_a_code_is_good_once_and_a_second_use_ends_the_session(owner: Person) -> None:
    code = agree(owner)["code"]
    _, token = redeem(owner, code)
    assert bearer(owner, token["access_token"]) == 200
    assert redeem(owner, code)[1]["error"] == "invalid_grant"
    assert bearer(owner, token["access_token"]) == 401


def test_a_second_use_is_noticed_long_after(owner: Person, platform: RunningPlatform) -> None:
    code = agree(owner)["code"]
    _, token = redeem(owner, code)
    platform.clock.offset = timedelta(minutes=10)
    try:
        redeem(owner, code)
    finally:
        platform.clock.offset = timedelta()
    assert bearer(owner, token["access_token"]) == 401


def test_a_code_is_good_for_a_minute(owner: Person, platform: RunningPlatform) -> None:
    code = agree(owner)["code"]
    platform.clock.offset = timedelta(seconds=61)
    try:
        assert redeem(owner, code)[1]["error"] == "invalid_grant"
    finally:
        platform.clock.offset = timedelta()


def test_revoking_an_unknown_token_is_fine(owner: Person) -> None:
    response = owner.http.post("/oauth/revoke", data={"token": secrets.token_urlsafe(32)})
    assert response.status_code == 200


def test_the_authorize_page_cannot_be_framed(owner: Person) -> None:
    page = owner.get("/oauth/authorize", params=ASKED)
    assert "frame-ancestors 'none'" in page.headers["content-security-policy"]
    assert re.search(r"form-action 'self'(;|$)", page.headers["content-security-policy"])
