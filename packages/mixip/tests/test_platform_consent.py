"""Who is told and asked what, once: a member, somebody without an account, the app. And nothing where all is exempt."""

import json
import re
from collections.abc import Iterator
from datetime import timedelta
from html import unescape
from pathlib import Path
from typing import Any

import httpx
import jsonschema  # type: ignore[import-untyped]
import pytest
from sqlalchemy import event, func, select

from mixip.db.tables import CONSENT
from strictly_necessary.consent import receipt_schema
from tests.support.people import Person, new_person
from tests.support.platform import PlatformThread, RunningPlatform, empty_database
from tests.support.policies import ASKING, TOLD, put_in_force

CONSENT_PATH = "/.well-known/cookie-consent"
CHOICE = "__Host-mixip_choice"
NEWS = "policy-news"
GATE = "data-cookie-gate"
OURS = {"sec-fetch-site": "same-origin"}
DATABASES = [
    pytest.param("sqlite", id="sqlite"),
    pytest.param("postgresql", id="postgresql", marks=pytest.mark.postgresql),
]


@pytest.fixture(params=DATABASES)
def own_platform(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[RunningPlatform]:
    """A platform of its own, whose policy the test changes."""
    if request.param == "sqlite":
        with PlatformThread(tmp_path) as started:
            yield started
        return
    with empty_database(request.getfixturevalue("postgresql_url")) as url, PlatformThread(tmp_path, url) as started:
        yield started


@pytest.fixture
def client(own_platform: RunningPlatform) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=own_platform.url, timeout=30) as client:
        yield client


class Reader(Person):
    """Somebody with a browser that keeps what it is told about consent, and forgets what it is told to."""

    kept: dict[str, str]

    @property
    def headers(self) -> dict[str, str]:
        headers = super().headers
        pairs = [headers["cookie"]] if "cookie" in headers else []
        pairs += [f"{name}={value}" for name, value in self.kept.items()]
        return {**headers, "accept": "text/html", **({"cookie": "; ".join(pairs)} if pairs else {})}

    def request(self, method: str, path: str, **options: Any) -> httpx.Response:
        response = super().request(method, path, **options)
        for line in response.headers.get_list("set-cookie"):
            name, _, rest = line.partition("=")
            if not name.startswith(("__Host-Http-mixip_session", "__Host-mixip_csrf")):
                self.kept.pop(name, None)
                if "max-age=0" not in line.lower():
                    self.kept[name] = rest.partition(";")[0]
        return response

    def answer(self, act: str, version: str = "2", **fields: Any) -> httpx.Response:
        shown = fields.pop("shown", ["visits", "seen"])
        data = {"act": act, "version": version, "shown": shown, "language": "en", "back": "/", **fields}
        return self.request("POST", CONSENT_PATH, data=data, headers=OURS)


def reader(client: httpx.Client) -> Reader:
    person = new_person(client, "reader")
    found = Reader(client, person.email, person.address)
    found.kept = {}
    return found


def member(client: httpx.Client) -> Reader:
    person = reader(client)
    person.sign_up()
    return person


def receipts_in(platform: RunningPlatform) -> int:
    with platform.parts.db.read() as connection:
        return int(connection.scalar(select(func.count()).select_from(CONSENT.receipts)) or 0)


def told(page: httpx.Response) -> tuple[bool, bool]:
    """Whether the page announces something, and whether it asks."""
    return NEWS in page.text, GATE in page.text


def test_where_all_is_exempt_nobody_is_told_asked_or_looked_up(
    own_platform: RunningPlatform, client: httpx.Client
) -> None:
    somebody, nobody = member(client), reader(client)
    asked: list[str] = []
    event.listen(
        own_platform.parts.db.engine, "before_cursor_execute", lambda _c, _k, statement, *_: asked.append(statement)
    )
    for path in ("/", "/works", "/legal/cookies", "/legal/changes", "/legal/consent", "/sign-in", "/nothing-here"):
        for person in (somebody, nobody):
            page = person.get(path)
            assert told(page) == (False, False), path
            assert "told.css" not in page.text or path == "/legal/consent"
            assert person.kept == {}
            assert "/legal/consent" not in page.text.partition("<footer")[2]
    assert [each for each in asked if "consent_" in each] == []
    assert sum("FROM sessions" in each for each in asked) == 7, "once for each page of the member, and not for others"
    assert "Nothing here needs your consent" in nobody.get("/legal/consent").text
    assert "Nothing on this platform needs your consent" in somebody.get("/account/privacy").text
    assert "before you sign in or choose a display setting." in nobody.get("/").text
    state = nobody.get(CONSENT_PATH, headers={"accept": "application/json"})
    assert state.status_code == 404 or state.json()["items"] == []
    assert receipts_in(own_platform) == 0


def test_a_significant_change_is_announced_once(own_platform: RunningPlatform, client: httpx.Client) -> None:
    old = member(client)
    put_in_force(own_platform, TOLD, "2")
    newcomer, nobody = member(client), reader(client)

    page = old.get("/works")
    assert told(page) == (True, False)
    assert 'value="acknowledge"' in page.text
    assert "/legal/cookies/en/changes/2" in page.text
    assert told(old.get("/works")) == (True, False), "until it was seen"
    assert told(newcomer.get("/works")) == (False, False), "it was so when they came"

    for path in ("/", "/sign-in", "/sign-up", "/nothing-here", "/legal/cookies/de"):
        page = nobody.get(path)
        assert told(page) == (True, False), path
        assert 'value="acknowledge"' not in page.text
    assert nobody.kept == {}

    done = old.answer("acknowledge", back="/works?before=x", shown=[])
    assert (done.status_code, done.headers["location"]) == (303, "/works?before=x")
    assert told(old.get("/works")) == (False, False)
    assert old.kept == {}
    assert "you have seen it" in old.get("/account/privacy").text
    own_platform.clock.offset = timedelta(days=31)
    assert told(nobody.get("/")) == (False, False), "readers are told for thirty days"
    assert receipts_in(own_platform) == 0


def test_the_app_acknowledges_for_the_browser_too(own_platform: RunningPlatform, client: httpx.Client) -> None:
    person = member(client)
    put_in_force(own_platform, TOLD, "2")
    app = {"authorization": f"Bearer {person.session}", "accept": "application/json"}
    state = client.get(CONSENT_PATH, headers=app).json()
    assert [each["version"] for each in state["news"]] == ["2"]
    assert state["news"][0]["changes"]
    sent = client.post(CONSENT_PATH, data={"act": "acknowledge", "version": "2"}, headers=app)
    assert sent.status_code == 200
    assert sent.json()["news"] == []
    assert told(person.get("/works")) == (False, False)


def test_somebody_without_an_account_says_no_once(own_platform: RunningPlatform, client: httpx.Client) -> None:
    put_in_force(own_platform, ASKING, "2")
    nobody = reader(client)
    for path in ("/", "/sign-in", "/sign-up", "/nothing-here", "/legal/cookies", "/api"):
        page = nobody.get(path)
        assert told(page)[1], path
        assert nobody.kept == {}
    assert "choose a display setting or answer what we ask." in page.text
    assert "/legal/consent" in page.text.partition("<footer")[2]

    sent = nobody.answer("refuse", back="/sign-in")
    assert (sent.status_code, sent.headers["location"]) == (303, "/sign-in")
    assert list(nobody.kept) == [CHOICE]
    assert "visits" in nobody.kept[CHOICE]
    assert not told(nobody.get("/"))[1]
    own_platform.clock.offset = timedelta(days=150)
    assert not told(nobody.get("/"))[1], "within the declared time there is no second question"
    assert "You refused it" in nobody.get("/legal/consent").text
    assert receipts_in(own_platform) == 1


def test_yes_is_given_and_withdrawn_on_one_page(own_platform: RunningPlatform, client: httpx.Client) -> None:
    put_in_force(own_platform, ASKING, "2")
    nobody = reader(client)
    nobody.answer("grant")
    page = nobody.get("/legal/consent")
    assert page.text.count("You allowed it.") == 2
    assert not told(page)[1]
    nobody.kept["mixip_visits"] = "3"
    taken_back = nobody.answer("withdraw", shown=["visits"], back="/legal/consent")
    assert taken_back.headers["location"] == "/legal/consent"
    assert "mixip_visits" not in nobody.kept, "it is gone with the answer"
    page = nobody.get("/legal/consent")
    assert page.text.count("You allowed it.") == 1
    assert receipts_in(own_platform) == 2


def test_an_accounts_answer_holds_in_every_browser_and_has_a_receipt(
    own_platform: RunningPlatform, client: httpx.Client
) -> None:
    person = member(client)
    put_in_force(own_platform, ASKING, "2")
    assert told(person.get("/works")) == (True, True)
    person.answer("choose", item=["visits"])
    assert told(person.get("/works")) == (True, False)

    elsewhere = reader(client)
    elsewhere.email = person.email
    assert told(elsewhere.get("/"))[1]
    elsewhere.sign_in()
    assert not told(elsewhere.get("/works"))[1]
    elsewhere.answer("withdraw", shown=["visits"])
    page = unescape(person.get("/account/privacy").text)
    assert page.count("You refused it. It is neither stored nor read.") == 2
    assert "Counting visits: You took it back" in page
    assert "Pages you have seen: You refused it" in page
    assert "May we keep this in your browser?" in page, "the words that were shown"

    download = person.get("/account/privacy/receipts.json")
    assert download.headers["content-disposition"] == 'attachment; filename="mixip-consent-receipts.json"'
    assert download.headers["cache-control"] == "no-store"
    records = download.json()
    assert len(records) == 2
    assert {event["event_state"] for record in records for event in record["event"]} == {
        "consent given",
        "consent refused",
        "consent withdrawn",
    }
    for record in records:
        jsonschema.validate(record, json.loads(receipt_schema()))
    assert member(client).get("/account/privacy/receipts.json").json() == [], "only one's own"


def test_signing_out_leaves_no_yes_behind(own_platform: RunningPlatform, client: httpx.Client) -> None:
    put_in_force(own_platform, ASKING, "2")
    person = member(client)
    person.answer("grant")
    assert CHOICE in person.kept
    person.kept["mixip_visits"] = "3"
    response = person.submit("/sign-out")
    assert response.status_code == 303
    assert person.kept == {}


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"sec-fetch-site": "cross-site"}, 403),
        ({"sec-fetch-site": "same-site"}, 403),
        ({"origin": "https://evil.example"}, 403),
        ({}, 403),
    ],
)
def test_other_sites_answer_for_nobody(
    own_platform: RunningPlatform, client: httpx.Client, headers: dict[str, str], status: int
) -> None:
    put_in_force(own_platform, ASKING, "2")
    person = member(client)
    data = {"act": "grant", "version": "2", "shown": ["visits", "seen"], "back": "/"}
    answer = client.post(CONSENT_PATH, data=data, headers={**person.headers, **headers})
    assert answer.status_code == status
    assert receipts_in(own_platform) == 0


def test_an_answer_to_an_older_version_records_nothing(own_platform: RunningPlatform, client: httpx.Client) -> None:
    put_in_force(own_platform, ASKING, "2")
    person = member(client)
    assert person.answer("grant", version="1").status_code == 409
    assert receipts_in(own_platform) == 0
    assert person.kept == {}


def test_global_privacy_control_is_a_no(own_platform: RunningPlatform, client: httpx.Client) -> None:
    put_in_force(own_platform, ASKING, "2")
    nobody = reader(client)
    page = nobody.get("/", headers={"sec-gpc": "1"})
    assert not told(page)[1]
    assert nobody.kept == {}
    assert "Global Privacy Control" in nobody.get("/legal/consent", headers={"sec-gpc": "1"}).text


def test_a_page_returns_to_where_it_was_asked(own_platform: RunningPlatform, client: httpx.Client) -> None:
    put_in_force(own_platform, ASKING, "2")
    nobody = reader(client)

    def back(page: httpx.Response) -> str:
        found = re.search(r'name="back" value="([^"]*)"', page.text)
        assert found
        return unescape(found[1])

    assert back(nobody.get("/sign-in?next=%2Fworks")) == "/sign-in?next=%2Fworks"
    assert back(nobody.get("/n%C3%A4chste seite")) == "/n%C3%A4chste%20seite"
    assert back(nobody.request("POST", "/sign-in", data={"email": "", "password": ""})) == "/sign-in"
    assert back(nobody.get("/" + "x" * 3000)) == "/"
    for path in ("/n%C3%A4chste seite", "/sign-in?next=%2Fworks&x=%22"):
        sent = nobody.answer("refuse", back=back(nobody.get(path)))
        assert sent.status_code == 303, sent.text
        nobody.kept.clear()


def test_a_page_of_a_fault_tells_too_and_survives_a_lost_ledger(
    own_platform: RunningPlatform, client: httpx.Client
) -> None:
    put_in_force(own_platform, ASKING, "2")
    person = member(client)
    assert told(person.get("/works/none"))[1]
    with own_platform.parts.db.write() as connection:
        CONSENT.answers.drop(connection)
        CONSENT.acknowledgements.drop(connection)
    try:
        page = person.get("/works")
        assert page.status_code == 200
        assert not told(page)[1], "nobody is asked where the answer cannot be known"
    finally:
        with own_platform.parts.db.write() as connection:
            CONSENT.answers.create(connection)
            CONSENT.acknowledgements.create(connection)
    assert told(person.get("/works"))[1]
