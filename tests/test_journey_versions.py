"""From a declaration to people: what changes in the policy, who is told of it, who is asked, and what stays stored.

Each kind of change is released by the operator's own command and met by three people who had all said yes before: one
signed in with a browser, one with the desktop app, and a reader without an account.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import httpx
import pytest
from click.testing import CliRunner
from playwright.sync_api import Browser, BrowserContext, Locator, Page, expect

from mixip.cli import main
from mixip.identity import account_created_at
from mixip.sessions import start_session
from mixip_transfer.answers import PolicyState
from mixip_transfer.platform import Platform
from tests.support.people import new_person
from tests.support.platform import PlatformThread, RunningPlatform, undeclared
from tests.support.policies import CHOICE, SEEN, SHIPPED, VISITS
from tests.support.storage import NOTHING, cookies, stored

pytestmark = pytest.mark.browser

BASE = SHIPPED + CHOICE + VISITS
"""What was in force when they answered: one item that needs consent."""

VOLUME = """
[[items]]
id = "volume"
title = "Volume"
name = "mixip_volume"
kind = "local"
category = "preference"
purpose = "Remembers how loud you play."
provider = "Mix-IP"
lifetime = "persistent"
set_when = "You move the slider."
set_by = "script"
script = "/static/*/files/player.js"
requires_action = true
information = "Stored in this browser only."
[items.translations.de]
title = "Lautstärke"
purpose = "Merkt sich, wie laut Sie abspielen."
set_when = "Sie bewegen den Regler."
information = "Nur in diesem Browser gespeichert."
[items.translations.fr]
title = "Volume"
purpose = "Retient à quel volume vous écoutez."
set_when = "Vous déplacez le curseur."
information = "Conservé dans ce navigateur uniquement."
"""

TWO_PURPOSES = """
[[items.purposes]]
category = "analytics"
purpose = "Counts how often you come back."
translations.de.purpose = "Zählt, wie oft Sie wiederkommen."
translations.fr.purpose = "Compte combien de fois vous revenez."

[[items.purposes]]
category = "personalisation"
purpose = "Shows you what fits."
translations.de.purpose = "Zeigt Ihnen, was passt."
translations.fr.purpose = "Vous montre ce qui convient."
"""


def _visits(*edits: tuple[str, str]) -> str:
    text = VISITS
    for old, new in edits:
        assert old in text
        text = text.replace(old, new)
    return SHIPPED + CHOICE + text


@dataclass(frozen=True)
class Change:
    """The working file, whether people are told, which items they are asked about, and how `visits` is written then."""

    text: str
    told: bool = True
    asked: tuple[str, ...] = ("visits",)
    write: str = "mixip_visits=2; path=/; secure; samesite=lax; max-age=60"


_NO_PURPOSE = (
    ('category = "analytics"\npurpose = "Counts how often you come back."\n', ""),
    ('purpose = "Zählt, wie oft Sie wiederkommen."\n', ""),
    ('purpose = "Compte combien de fois vous revenez."\n', ""),
)

CHANGES = {
    "typo": Change(_visits(("how often you come back", "how often you return")), told=False, asked=()),
    "wider scope": Change(
        _visits(('same_site = "Lax"', 'same_site = "None"')),
        write="mixip_visits=2; path=/; secure; samesite=none; max-age=60",
    ),
    "longer life": Change(_visits(('"30 days"', '"60 days"'))),
    "new purpose": Change(_visits(*_NO_PURPOSE) + TWO_PURPOSES),
    "new recipient": Change(_visits(('["Tally Ltd"]', '["Tally Ltd", "Figures Ltd"]'))),
    "new strictly necessary item": Change(BASE + VOLUME, asked=()),
    "new analytics item": Change(BASE + SEEN, asked=("seen",)),
}


@pytest.fixture(params=list(CHANGES))
def change(request: pytest.FixtureRequest) -> Change:
    return CHANGES[request.param]


@pytest.fixture
def working_file(tmp_path: Path) -> Path:
    path = tmp_path / "policy.toml"
    path.write_text(BASE, encoding="utf-8")
    return path


@pytest.fixture
def running(working_file: Path, tmp_path: Path) -> Iterator[RunningPlatform]:
    with PlatformThread(tmp_path / "data", MIXIP_POLICY=str(working_file)) as running:
        yield running
        assert {finding.code for finding in undeclared(running)} <= {"SN331", "SN336"}, "what this test itself tries"


@pytest.fixture
def context(browser: Browser) -> Iterator[BrowserContext]:
    with browser.new_context(extra_http_headers={"x-forwarded-for": "198.51.91.1"}) as context:
        yield context


def release(running: RunningPlatform, working_file: Path, text: str, *, asks: bool) -> None:
    """By the operator's command; then the time comes at which it starts."""
    working_file.write_text(text, encoding="utf-8")
    environment = {"MIXIP_DATA": str(running.settings.data), "MIXIP_POLICY": str(working_file)}
    told = CliRunner().invoke(main, ["policy", "release", "--yes", "--json"], env=environment)
    assert told.exit_code == 0, told.output
    assert json.loads(told.stdout)["needs_consent"] is asks
    running.parts.policies.refresh()
    running.clock.offset += timedelta(minutes=5)


def gate(page: Page) -> Locator:
    return page.locator("[data-cookie-gate]")


def news(page: Page) -> Locator:
    return page.locator(".policy-news")


def shown_items(page: Page) -> set[str]:
    fields = gate(page).locator("input[name=shown]").all()
    return {field.get_attribute("value") or "" for field in fields}


def say_yes(page: Page) -> None:
    gate(page).get_by_role("button", name="Yes").first.click()
    expect(gate(page)).to_have_count(0)


def write(page: Page, cookie: str) -> bool:
    """What a script of the site would do; whether it is there afterwards."""
    page.evaluate("(text) => { try { document.cookie = text; } catch {} }", cookie)
    return str(page.evaluate("document.cookie")).find(cookie.partition(";")[0]) >= 0


def names(context: BrowserContext, page: Page) -> set[str]:
    return {cookie["name"] for cookie in cookies(context, page)}


def agree_and_be_counted(context: BrowserContext, page: Page) -> None:
    assert shown_items(page) == {"visits"}
    assert not write(page, CHANGES["typo"].write)
    say_yes(page)
    assert write(page, CHANGES["typo"].write.replace("=2", "=1"))
    assert {"__Host-mixip_choice", "mixip_visits"} <= names(context, page)


def sign_up(page: Page, running: RunningPlatform) -> None:
    page.goto(f"{running.url}/sign-up")
    page.get_by_label("Email").fill("ada@example.org")
    page.get_by_label("Password").fill("harbour winter night bus")
    page.get_by_role("button", name="Create account").click()
    page.wait_for_url("**/works")


def is_asked_about(context: BrowserContext, page: Page, change: Change) -> None:
    """The gate asks about what changed and nothing else; what it asks about is gone and stays out until a yes."""
    assert shown_items(page) == set(change.asked)
    kept = "visits" not in change.asked
    assert ("mixip_visits" in names(context, page)) is kept
    assert write(page, change.write) is kept
    assert stored(page) == NOTHING
    if change.asked:
        say_yes(page)
        assert write(page, change.write)
        page.reload()
        expect(gate(page)).to_have_count(0)
    if "seen" in change.asked:
        page.evaluate("localStorage.setItem('mixip_seen', '/')")
        assert stored(page) == {**NOTHING, "local": {"mixip_seen": "/"}}


def test_somebody_who_is_signed_in(
    running: RunningPlatform, working_file: Path, context: BrowserContext, change: Change
) -> None:
    page = context.new_page()
    sign_up(page, running)
    agree_and_be_counted(context, page)
    assert news(page).count() == 0, "nothing has changed yet"
    before = names(context, page)

    release(running, working_file, change.text, asks=bool(change.asked))
    page.goto(f"{running.url}/works")
    assert news(page).count() == int(change.told)
    if change.told:
        news(page).get_by_role("button", name="Got it").click()
        expect(news(page)).to_have_count(0)
        page.goto(f"{running.url}/account")
        assert news(page).count() == 0, "told once"
    is_asked_about(context, page, change)
    assert names(context, page) == before, "to tell of it stores nothing"


def test_somebody_with_the_desktop_app(running: RunningPlatform, working_file: Path, change: Change) -> None:
    with httpx.Client(base_url=running.url) as http:
        person = new_person(http, "desk")
        person.sign_up()
    db, at = running.parts.db, running.clock()
    with db.write() as connection:
        [account] = [row[0] for row in connection.exec_driver_sql("SELECT id FROM accounts")]
        assert account_created_at(connection, account) <= at
        token = start_session(connection, account_id=account, kind="app", name="Desk", at=at).token
    with Platform(running.url, token) as app:
        before = app.policy(language="en")
        assert before.version == "1"
        assert asked_of(before) == {"visits"}
        app.answer_policy("grant", version="1", items=["visits"])

        release(running, working_file, change.text, asks=bool(change.asked))
        after = app.policy(language="en")
        assert after.version == "2"
        assert [each.version for each in after.news] == (["2"] if change.told else [])
        assert asked_of(after) == set(change.asked)
        assert granted_of(after) == {"visits"} - set(change.asked)
        if change.told:
            assert app.answer_policy("acknowledge", version="2", items=[]).news == ()
        if change.asked:
            answered = app.answer_policy("grant", version="2", items=list(change.asked))
            assert asked_of(answered) == set()
            assert granted_of(answered) == {"visits", *change.asked}
        assert app.policy(language="en").news == (), "told once"


def test_a_reader_without_an_account(
    running: RunningPlatform, working_file: Path, context: BrowserContext, change: Change
) -> None:
    page = context.new_page()
    page.goto(running.url)
    agree_and_be_counted(context, page)
    assert names(context, page) == {"__Host-mixip_choice", "mixip_visits"}

    release(running, working_file, change.text, asks=bool(change.asked))
    page.goto(running.url)
    assert news(page).count() == int(change.told)
    assert news(page).get_by_role("button").count() == 0, "there is nothing that could remember it"
    is_asked_about(context, page, change)
    assert names(context, page) == {"__Host-mixip_choice", "mixip_visits"}
    running.clock.offset += timedelta(days=31)
    page.reload()
    expect(news(page)).to_have_count(0)


def asked_of(state: PolicyState) -> set[str]:
    return {item.id for item in state.items if item.asks}


def granted_of(state: PolicyState) -> set[str]:
    return {item.id for item in state.items if item.answer == "granted"}
