"""Sign-up, sign-in, sign-out and sessions over HTTP."""

import time
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import httpx
import pytest

from tests.support.people import PASSWORD, Person, new_person
from tests.support.platform import RunningPlatform

SESSION = "__Host-Http-mixip_session"
CSRF = "__Host-mixip_csrf"


def test_signing_up_signs_in_with_exactly_the_declared_cookies(visitor: Person) -> None:
    response = visitor.sign_up()
    assert response.status_code == 303
    lines = response.headers.get_list("set-cookie")
    described = {line.partition("=")[0]: set(line.split("; ")[1:]) for line in lines}
    assert described == {
        SESSION: {"Path=/", "Secure", "HttpOnly", "SameSite=Lax"},
        CSRF: {"Path=/", "Secure", "SameSite=Strict"},
    }
    assert visitor.get("/works").status_code == 200
    assert visitor.get("/api/session").json()["email"] == visitor.email


def test_every_sign_in_makes_a_new_token(visitor: Person) -> None:
    visitor.sign_up()
    first = visitor.session
    visitor.sign_in()
    assert visitor.session != first
    old = Person(visitor.http, visitor.email, visitor.address, session=first)
    assert old.get("/api/session").status_code == 401, "the session that was replaced is over"


def test_only_a_hash_of_the_token_is_kept(visitor: Person, platform: RunningPlatform) -> None:
    from sqlalchemy import select

    from mixip.db.tables import Session

    visitor.sign_up()
    with platform.parts.db.read() as connection:
        rows = connection.execute(select(Session)).mappings().all()
    assert rows
    assert visitor.session not in repr([dict(row) for row in rows])


@pytest.mark.parametrize(
    ("email", "password", "status", "expected"),
    [
        ("not an address", PASSWORD, 422, "email_invalid"),
        ("a@b@c", PASSWORD, 422, "email_invalid"),
        ("", PASSWORD, 422, "email_invalid"),
        ("x" * 300 + "@example.org", PASSWORD, 422, "email_invalid"),
        ("fine@example.org", "short", 422, "password_too_short"),
        ("fine@example.org", "x" * 257, 422, "password_too_long"),
        ("fine@example.org", "Fine@Example.org", 422, "password_is_email"),
    ],
)
def test_sign_ups_that_are_refused(visitor: Person, email: str, password: str, status: int, expected: str) -> None:
    response = visitor.submit("/sign-up", email=email, password=password)
    assert (response.status_code, response.headers["x-error-code"]) == (status, expected)
    assert "set-cookie" not in response.headers
    assert password not in response.text or not password, "a password never comes back"
    if email and '"' not in email:
        assert email in response.text, "what was typed is not lost"


def test_an_address_has_one_account(visitor: Person) -> None:
    visitor.sign_up()
    again = new_person(visitor.http)
    again.email = f"  {visitor.email.upper()} "
    response = again.sign_up()
    assert (response.status_code, response.headers["x-error-code"]) == (409, "email_taken")


def test_a_wrong_password_and_an_unknown_address_look_the_same(owner: Person, visitor: Person) -> None:
    wrong = visitor.sign_in("not the password", email=owner.email)
    unknown = visitor.sign_in("not the password", email="nobody@example.org")
    assert (wrong.status_code, wrong.headers["x-error-code"]) == (401, "sign_in_failed")
    assert wrong.text.replace(owner.email, "") == unknown.text.replace("nobody@example.org", "")


def test_a_wrong_password_and_an_unknown_address_take_the_same_time(owner: Person) -> None:
    def seconds(email: str) -> float:
        person = new_person(owner.http)
        start = time.perf_counter()
        person.sign_in("not the password", email=email)
        return time.perf_counter() - start

    seconds("warm@example.org")
    pairs = [(seconds(owner.email), seconds("nobody@example.org")) for _ in range(5)]
    known, unknown = (min(times) for times in zip(*pairs, strict=True))
    assert 0.4 < known / unknown < 2.5


def test_guessing_is_slowed_down_but_locks_nobody_out(visitor: Person) -> None:
    visitor.sign_up()
    stranger = new_person(visitor.http, "stranger")
    answers = [stranger.sign_in(f"guess {n}", email=visitor.email) for n in range(12)]
    assert [answer.status_code for answer in answers[:8]] == [401] * 8
    assert [answer.status_code for answer in answers[8:]] == [429] * 4
    assert answers[-1].headers["x-error-code"] == "too_many_attempts"
    assert 0 < int(answers[-1].headers["retry-after"]) <= 60
    assert stranger.sign_in(email=visitor.email).status_code == 429, "not even with the right password"
    assert visitor.sign_in().status_code == 303, "the owner, from elsewhere, is let in"


def test_guesses_from_everywhere_do_not_reach_where_the_owner_signed_in(
    visitor: Person, platform: RunningPlatform
) -> None:
    from mixip.identity import throttle

    visitor.sign_up()
    assert visitor.sign_in().status_code == 303
    at = platform.clock()
    with platform.parts.db.write() as connection:
        for n in range(100):
            throttle.take_sign_in(connection, network=f"203.0.113.{n}", email_key=visitor.email, at=at)
    abroad = Person(visitor.http, visitor.email, new_person(visitor.http).address)
    assert abroad.sign_in().status_code == 429, "a new place waits with the strangers"
    assert visitor.sign_in("wrong").status_code == 401
    assert visitor.sign_in().status_code == 303, "the owner's own place is not slowed down"
    with platform.parts.db.write() as connection:
        assert (
            throttle.take_sign_in(
                connection, network=abroad.address, email_key=visitor.email, at=at + timedelta(minutes=2)
            )
            is None
        ), "and a new place gets in later"


def test_the_network_of_a_sign_up_is_known_from_the_beginning(visitor: Person, platform: RunningPlatform) -> None:
    from mixip.identity import throttle

    visitor.sign_up()
    at = platform.clock()
    with platform.parts.db.write() as connection:
        for n in range(100):
            throttle.take_sign_in(connection, network=f"203.0.113.{n}", email_key=visitor.email, at=at)
    assert visitor.sign_in().status_code == 303


def test_one_address_cannot_try_many_accounts(http: httpx.Client, platform: RunningPlatform) -> None:
    from mixip.identity import throttle

    stranger = new_person(http, "stranger")
    assert stranger.sign_in("guess", email="first@example.org").status_code == 401
    with platform.parts.db.write() as connection:
        for n in range(60):
            throttle.take_sign_in(
                connection, network=stranger.address, email_key=f"victim{n}@example.org", at=platform.clock()
            )
    assert stranger.sign_in("guess", email="last@example.org").status_code == 429


def test_signing_out_ends_the_session_on_the_server(visitor: Person) -> None:
    visitor.sign_up()
    response = visitor.submit("/sign-out")
    assert response.status_code == 303
    assert response.headers["clear-site-data"] == '"cache"'
    cleared = response.headers.get_list("set-cookie")
    assert [line.partition("=")[0] for line in cleared] == [SESSION, CSRF]
    assert all("Max-Age=0" in line for line in cleared)
    assert visitor.get("/api/session").status_code == 401
    assert visitor.get("/works").headers["location"] == "/sign-in?next=%2Fworks"


def test_a_cookie_whose_session_is_over_is_removed(visitor: Person) -> None:
    visitor.session, visitor.csrf = "x" * 43, "y"
    response = visitor.get("/")
    assert response.status_code == 200
    assert [line.partition("=")[0] for line in response.headers.get_list("set-cookie")] == [SESSION, CSRF]


def test_two_session_cookies_are_none(owner: Person) -> None:
    """Somebody who can plant a cookie must not choose whose session it is."""
    cookie = f"{SESSION}={owner.session}; {SESSION}={'x' * 43}"
    assert owner.http.get("/api/session", headers={"cookie": cookie}).status_code == 401


def test_sessions_are_listed_and_ended(visitor: Person) -> None:
    visitor.sign_up()
    laptop = Person(visitor.http, visitor.email, visitor.address)
    agent = "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Safari/605.1.15"
    response = laptop.request(
        "POST", "/sign-in", data={"email": visitor.email, "password": PASSWORD}, headers={"user-agent": agent}
    )
    laptop.take_cookies(response)
    assert "Safari on macOS" in visitor.get("/account/sessions").text
    laptop_id = laptop.get("/api/session").json()["session_id"]
    assert visitor.submit(f"/account/sessions/{laptop_id}/end").status_code == 303
    assert laptop.get("/api/session").status_code == 401
    assert visitor.submit(f"/account/sessions/{laptop_id}/end").status_code == 404


def test_nobody_ends_somebody_elses_session(owner: Person, outsider: Person) -> None:
    session_id = owner.get("/api/session").json()["session_id"]
    assert outsider.submit(f"/account/sessions/{session_id}/end").status_code == 404
    assert owner.get("/api/session").status_code == 200


def test_ending_all_others(visitor: Person) -> None:
    visitor.sign_up()
    other = Person(visitor.http, visitor.email, visitor.address)
    other.sign_in()
    visitor.submit("/account/sessions/end-others")
    assert visitor.get("/api/session").status_code == 200
    assert other.get("/api/session").status_code == 401


@pytest.mark.parametrize(("later", "status"), [(timedelta(hours=23), 200), (timedelta(hours=25), 401)])
def test_an_idle_session_ends(visitor: Person, platform: RunningPlatform, later: timedelta, status: int) -> None:
    visitor.sign_up()
    platform.clock.offset = later
    try:
        assert visitor.get("/api/session").status_code == status
    finally:
        platform.clock.offset = timedelta()


def test_a_session_ends_after_a_week_however_much_it_is_used(visitor: Person, platform: RunningPlatform) -> None:
    visitor.sign_up()
    try:
        answers = []
        for hours in range(0, 24 * 8, 20):
            platform.clock.offset = timedelta(hours=hours)
            answers.append(visitor.get("/api/session").status_code)
    finally:
        platform.clock.offset = timedelta()
    assert answers == [200] * 9 + [401]


@pytest.mark.parametrize(
    "target",
    ["https://evil.example", "//evil.example", "/\\evil.example", "\\\\evil", "javascript:alert(1)", "/%0d%0a x"],
)
def test_sign_in_never_leads_elsewhere(owner: Person, target: str) -> None:
    person = Person(owner.http, owner.email, owner.address)
    response = person.sign_in(next=target)
    assert response.status_code == 303
    assert response.headers["location"] == "/sign-in/done?next=%2Fworks"
    done = person.get("/sign-in/done", params={"next": target})
    assert done.headers["location"] == "/works"


def test_sign_in_leads_back_to_where_one_was(visitor: Person) -> None:
    visitor.sign_up()
    asked = visitor.http.get("/works/new?x=1")
    assert asked.headers["location"] == "/sign-in?next=%2Fworks%2Fnew%3Fx%3D1"
    response = visitor.sign_in(next="/works/new?x=1")
    assert response.headers["location"] == "/sign-in/done?next=%2Fworks%2Fnew%3Fx%3D1"


def test_a_browser_that_keeps_no_cookies_is_told(visitor: Person) -> None:
    response = visitor.get("/sign-in/done?next=/works")
    assert response.status_code == 403
    assert "cookie" in response.text


def test_huge_fields_are_refused_kindly(visitor: Person) -> None:
    response = visitor.submit("/sign-in", email="a" * 200_000, password="x")
    assert response.status_code == 413
    long = visitor.submit("/sign-in", email="a" * 50_000, password="x" * 50_000)
    assert long.status_code == 401


def test_signing_up_anew_in_the_same_browser_ends_the_session_before(visitor: Person) -> None:
    visitor.sign_up()
    before = Person(visitor.http, visitor.email, visitor.address, visitor.session, visitor.csrf)
    visitor.email = f"again-{visitor.email}"
    assert visitor.sign_up().status_code == 303
    assert before.get("/api/session").status_code == 401


def test_a_crowd_at_the_door_does_not_keep_others_waiting(owner: Person, visitor: Person) -> None:
    """Hashing passwords takes long; pages must not wait for it."""
    crowd = [new_person(visitor.http) for _ in range(16)]
    with ThreadPoolExecutor(16) as threads:
        waiting = [threads.submit(person.sign_in, "guess", "nobody@example.org") for person in crowd]
        slowest = 0.0
        while not all(attempt.done() for attempt in waiting):
            begun = time.perf_counter()
            assert owner.get("/works").status_code == 200
            slowest = max(slowest, time.perf_counter() - begun)
        took = max(attempt.result().elapsed.total_seconds() for attempt in waiting)
    assert slowest < took / 2


def test_more_than_can_be_hashed_soon_is_told_to_come_back(
    platform: RunningPlatform, visitor: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("mixip.identity.passwords.MOST_WAITING", -2)
    response = visitor.sign_in("guess", email="nobody@example.org")
    assert (response.status_code, response.headers["x-error-code"]) == (503, "unavailable")
    assert int(response.headers["retry-after"]) > 0


def test_secrets_do_not_show_in_what_is_printed() -> None:
    from datetime import UTC, datetime

    from mixip.identity.routes import Credentials
    from mixip.sessions import NewSession

    assert "secret" not in repr(NewSession("id", "secret", datetime.now(UTC)))
    assert "secret" not in repr(Credentials(email="a@b", password="secret"))


def test_targets_in_other_scripts_are_quoted(visitor: Person) -> None:
    visitor.sign_up()
    assert visitor.get("/sign-in/done", params={"next": "/works?x=☃"}).headers["location"] == "/works?x=%E2%98%83"


def test_a_nul_in_an_address_is_a_wrong_address(visitor: Person) -> None:
    assert visitor.sign_in("x" * 12, email="a\0b@example.org").status_code == 401
    assert visitor.submit("/sign-up", email="a\0b@example.org", password="x" * 3 + "y" * 9).status_code == 422
