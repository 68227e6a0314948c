"""The cookie policy on the real platform, in the app and in a real browser of the same account."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright
from sqlalchemy import select

from mixip.db.tables import Base
from mixip_transfer.errors import RefusedError
from mixip_transfer.platform import Platform
from tests.support.platform import PlatformThread, RunningPlatform

pytestmark = [pytest.mark.browser, pytest.mark.keyring]

SHIPPED = Path(__file__).parents[2] / "mixip/src/mixip/legal/policy.versions/1.toml"
ANSWER = """
[[items]]
id = "answer"
title = "Your answer"
name = "__Host-mixip_answer"
kind = "cookie"
category = "consent-choice"
purpose = "Remembers what you allowed and what you refused."
provider = "Mix-IP"
lifetime = "6 months"
set_when = "You answer."
set_by = "server"
readable_by_application = false
http_only = false
secure = true
same_site = "Lax"
path = "/"

[[items]]
id = "visits"
title = "Counting visits"
name = "mixip_visits"
kind = "cookie"
category = "analytics"
purpose = "Shows us which pages are read."
provider = "Mix-IP"
recipients = ["Tally GmbH"]
lifetime = "30 days"
set_when = "You open a page, after you said yes."
set_by = "server"
readable_by_application = true
http_only = true
secure = true
same_site = "Lax"
path = "/"
"""
WAIT = timedelta(hours=2)


def write_policy(folder: Path) -> Path:
    """A policy in English with two versions: what the platform comes with, and from `WAIT` on visits, with consent."""
    now = datetime.now(UTC).replace(microsecond=0)
    plain = re.sub(r"^\[[\w.]*translations\.\w+\]\n(?:.+\n)+\n?", "", SHIPPED.read_text(), flags=re.MULTILINE)
    plain = re.sub(r"^languages = .*\n", "", plain, flags=re.MULTILINE)
    first = re.sub(r"^last_updated = .*$", f"last_updated = {now - WAIT:%Y-%m-%d}", plain, flags=re.MULTILINE)
    starts = f'version = "2"\nchange = "significant"\nstarts = {now + WAIT:%Y-%m-%dT%H:%M:%SZ}\n'
    starts += 'summary = "We ask to count visits."'
    second = first.replace('version = "1"', starts, 1).rstrip("\n") + "\n" + ANSWER
    second = re.sub(r"^last_updated = .*$", f"last_updated = {now + WAIT:%Y-%m-%d}", second, flags=re.MULTILINE)
    versions = folder / "policy.versions"
    versions.mkdir(parents=True)
    (versions / "1.toml").write_text(first)
    (versions / "2.toml").write_text(second)
    (folder / "policy.toml").write_text(second)
    return folder / "policy.toml"


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=shutil.which("chromium"),
            args=["--no-sandbox", "--disable-background-networking", "--disable-component-update", "--no-first-run"],
        )
        yield browser
        browser.close()


@pytest.fixture
def asking(tmp_path: Path) -> Iterator[RunningPlatform]:
    """A platform whose next version asks for consent."""
    with PlatformThread(tmp_path / "var", MIXIP_POLICY=str(write_policy(tmp_path / "policy"))) as running:
        yield running


def new_page(browser: Browser, url: str) -> Page:
    """Somebody in a browser of their own who has just made an account."""
    page = browser.new_context().new_page()
    page.goto(f"{url}/sign-up")
    page.get_by_label("Email").fill("ada@example.org")
    page.get_by_label("Password").fill("correct horse battery")
    page.get_by_role("button", name="Create account").click()
    page.wait_for_url("**/works**")
    return page


def sign_in(desk: Any, url: str, page: Page) -> None:
    process = desk.start_sign_in(url, page)
    _, err = process.communicate(timeout=30)
    assert (process.returncode, err) == (0, "")


def answer_in_the_app(desk: Any) -> str | None:
    done = desk.run("policy", "--json")
    assert done.code == 0, done.err
    (item,) = json.loads(done.out)["items"]
    assert item["id"] == "visits"
    answer: str | None = item["answer"]
    return answer


def token(desk: Any, url: str) -> str:
    """The session token in the computer's keyring."""
    ask = "import keyring, sys; print(keyring.get_password('mixip-transfer', sys.argv[1]))"
    done = subprocess.run(
        [sys.executable, "-c", ask, url], env=desk.environment, capture_output=True, text=True, check=True
    )
    return done.stdout.strip()


def account_of(running: RunningPlatform) -> str:
    """The one account that there is."""
    with running.parts.db.read() as connection:
        return str(connection.exec_driver_sql("SELECT id FROM accounts").scalar_one())


def passes(url: str, bearer: str) -> bool:
    """Whether what needs consent passes with a request of the app; if not, the answer removes it."""
    headers = {"Authorization": f"Bearer {bearer}", "Cookie": "mixip_visits=1"}
    answer = httpx.get(f"{url}/api/session", headers=headers, trust_env=False)
    assert answer.status_code == 200
    return not any(line.startswith("mixip_visits=") for line in answer.headers.get_list("set-cookie"))


def test_what_is_told_in_the_app_is_not_told_in_the_browser_nor_again(
    desk: Any, asking: RunningPlatform, browser: Browser
) -> None:
    page = new_page(browser, asking.url)
    sign_in(desk, asking.url, page)
    assert desk.on_a_terminal("status", piped=True).err == "", "version 2 is not in force"
    before = desk.tree()

    asking.clock.offset = WAIT + timedelta(minutes=5)
    assert desk.run("status").err == "", "a pipe is no person"
    first = desk.on_a_terminal("status", piped=True)
    assert first.code == 0
    assert f"The cookie policy of {asking.url} has changed.\nVersion 2" in first.err
    assert "We ask to count visits." in first.err
    assert "Counting visits" in first.err
    assert f"All changes: {asking.url}/legal/changes\n" in first.err
    assert "mixip-transfer policy\n" in first.err
    assert desk.on_a_terminal("status", piped=True).err == ""
    page.goto(f"{asking.url}/works")
    assert page.get_by_text("We ask to count visits.").count() == 0
    assert page.goto(f"{asking.url}/legal/changes").status == 200  # type: ignore[union-attr]
    assert desk.tree() == before, "nothing is kept on this computer"


def test_what_is_acknowledged_in_the_browser_is_not_told_in_the_app(
    desk: Any, asking: RunningPlatform, browser: Browser
) -> None:
    page = new_page(browser, asking.url)
    sign_in(desk, asking.url, page)
    asking.clock.offset = WAIT + timedelta(minutes=5)
    page.goto(f"{asking.url}/works")
    assert page.get_by_text("We ask to count visits.").count() == 1
    page.locator("button[value=acknowledge]").click()
    expect(page.get_by_text("We ask to count visits.")).to_have_count(0)
    assert desk.on_a_terminal("status", piped=True).err == ""
    assert "has changed" not in desk.run("policy").out


def test_an_answer_holds_in_the_app_and_in_the_browser_whoever_gave_it(
    desk: Any, asking: RunningPlatform, browser: Browser
) -> None:
    page = new_page(browser, asking.url)
    sign_in(desk, asking.url, page)
    early = desk.run("policy", "allow", "visits")
    assert (early.code, early.out) == (2, "")
    assert "This platform asks for no consent" in early.err

    asking.clock.offset = WAIT + timedelta(minutes=5)
    shown = desk.run("policy")
    assert "Counting visits" in shown.out
    assert "Lifetime: At most 30 days." in shown.out
    assert "Tally GmbH" in shown.out
    assert "mixip-transfer policy allow visits\n  mixip-transfer policy refuse visits\n" in shown.out
    assert answer_in_the_app(desk) is None
    bearer = token(desk, asking.url)
    assert not passes(asking.url, bearer)

    allowed = desk.run("policy", "allow", "visits")
    assert (allowed.code, allowed.out) == (0, "visits: allowed\n")
    assert allowed.err.strip() in shown.out, "the question, word for word"
    (receipt,) = asking.parts.ledger.receipts(account_of(asking))
    assert receipt.text.strip() == allowed.err.strip(), "and so the receipt keeps it"
    assert answer_in_the_app(desk) == "granted"
    assert passes(asking.url, bearer)
    page.goto(f"{asking.url}/legal/consent")
    page.get_by_text("You allowed it.").wait_for()
    assert page.locator("[data-cookie-gate]").count() == 0

    page.get_by_role("button", name="Take it back").click()
    page.get_by_text("You refused it.").wait_for()
    assert not passes(asking.url, bearer), "with the next request"
    assert answer_in_the_app(desk) == "refused"

    assert desk.run("policy", "allow", "visits", "--json").code == 0
    page.goto(f"{asking.url}/legal/consent")
    page.get_by_text("You allowed it.").wait_for()
    assert desk.run("policy", "withdraw", "visits").out == "visits: refused\n"
    page.reload()
    page.get_by_text("You refused it.").wait_for()
    page.goto(f"{asking.url}/works")
    assert page.locator("[data-cookie-gate]").count() == 0, "a no is not asked again"


def test_an_answer_to_a_version_that_has_passed_is_not_recorded(
    desk: Any, asking: RunningPlatform, browser: Browser
) -> None:
    sign_in(desk, asking.url, new_page(browser, asking.url))
    with Platform(asking.url, token(desk, asking.url)) as platform:
        early = platform.policy()
        asking.clock.offset = WAIT + timedelta(minutes=5)
        with pytest.raises(RefusedError) as refused:
            platform.answer_policy("grant", version=early.version, items=["visits"])
        assert refused.value.status == 409
        assert [(item.answer, item.asks) for item in platform.policy().items] == [(None, True)]
    assert recorded(asking) == []


def test_where_everything_is_exempt_nothing_is_told_and_nothing_recorded(
    desk: Any, browser: Browser, tmp_path: Path
) -> None:
    with PlatformThread(tmp_path / "var") as running:
        page = new_page(browser, running.url)
        sign_in(desk, running.url, page)
        before = desk.tree()
        running.clock.offset = timedelta(hours=3)
        for arguments in (("status",), ("list",)):
            assert desk.on_a_terminal(*arguments, piped=True).err == ""
        assert desk.run("policy").out.endswith("\nNothing in it needs your consent.\n")
        assert json.loads(desk.run("policy", "--language", "de", "--json").out)["language"] == "de"
        refused = desk.run("policy", "allow", "theme")
        assert (refused.code, refused.out) == (2, "")
        assert desk.tree() == before
        page.goto(f"{running.url}/works")
        assert page.locator(".policy-gate, .policy-news").count() == 0
        assert recorded(running) == []


def recorded(running: RunningPlatform) -> list[Any]:
    """Every row in which an answer or an acknowledgement is kept."""
    tables = [table for name, table in Base.metadata.tables.items() if name.startswith("consent_")]
    assert len(tables) == 3
    with running.parts.db.read() as connection:
        return [row for table in tables for row in connection.execute(select(table))]
