"""Versions of the policy at run time: the database is the truth, every instance keeps to it by its clock."""

import logging
import re
import sqlite3
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import partial
from html import unescape
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import httpx
import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import delete, update

from mixip.db import open_database
from mixip.db.migrate import migrate
from mixip.db.tables import Base, PolicyVersion
from mixip.edge.policy import declaration
from mixip.legal import changes
from mixip.legal.rendered import MOST, Rendered
from mixip.policies import Imprint, NoPolicyError, Policies, import_first, import_shipped, importing, running
from mixip.policies.own import OWN, missing
from mixip.policies.reading import read
from mixip.settings import from_environment
from strictly_necessary.versions import History, diff, load_history
from tests.support.platform import PlatformThread, RunningPlatform, empty_database
from tests.support.policies import ASKING, REWORDED, SHIPPED, TOLD, insert, put_in_force, versioned

ATOM = "{http://www.w3.org/2005/Atom}"
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


def in_force(platform: RunningPlatform) -> str:
    """The version that the page says it is."""
    found = re.search(r"This is version (\S+) of", httpx.get(f"{platform.url}/legal/cookies/en").text)
    assert found
    return found[1]


def test_the_migrations_make_exactly_the_tables(own_platform: RunningPlatform) -> None:
    with own_platform.parts.db.read() as connection:
        found = compare_metadata(MigrationContext.configure(connection, opts={"compare_type": True}), Base.metadata)
    assert found == []


def test_what_comes_along_is_its_own_last_version() -> None:
    history = load_history(Path(running.__file__).parent.parent / "legal/policy.toml")
    assert not diff(history.versions[-1].declaration, declaration()).changes


def test_a_version_holds_from_its_moment_on_without_a_restart(own_platform: RunningPlatform) -> None:
    assert in_force(own_platform) == "1"
    starts = own_platform.clock() + timedelta(hours=1)
    put_in_force(own_platform, TOLD, "2", starts=starts)
    page = httpx.get(f"{own_platform.url}/legal/cookies/en").text
    assert in_force(own_platform) == "1"
    assert "Example Hosting" not in page
    assert "/legal/cookies/en/changes" in page
    own_platform.clock.offset = timedelta(minutes=59)
    assert in_force(own_platform) == "1"
    own_platform.clock.offset = timedelta(minutes=61)
    assert in_force(own_platform) == "2"
    assert "Example Hosting" in httpx.get(f"{own_platform.url}/legal/cookies/en").text
    told = httpx.get(f"{own_platform.url}/.well-known/cookie-policy.json").json()
    assert told["policy"]["version"] == "2"


@pytest.mark.postgresql
def test_two_instances_switch_at_the_same_moment(
    tmp_path: Path, postgresql_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(running, "POLL_SECONDS", 0.1)
    with (
        empty_database(postgresql_url) as url,
        PlatformThread(tmp_path / "one", url) as one,
        PlatformThread(tmp_path / "two", url) as two,
    ):
        starts = one.clock() + timedelta(hours=1)
        insert(one.parts.db, versioned(ASKING, "2"), "2", starts)
        deadline = time.monotonic() + 20
        while any(len(each.parts.policies().versions) < 2 for each in (one, two)):
            assert time.monotonic() < deadline, "nobody told them; they have to look"
            time.sleep(0.05)
        for offset, version in ((timedelta(minutes=59, seconds=50), "1"), (timedelta(hours=1, seconds=1), "2")):
            for each in (one, two):
                each.clock.offset = offset
            assert [in_force(each) for each in (one, two)] == [version, version]
            gates = ["data-cookie-gate" in httpx.get(each.url).text for each in (one, two)]
            assert gates == [version == "2"] * 2


@pytest.mark.parametrize("text", ["not a declaration [", SHIPPED.replace("__Host-Http-mixip_session", "__Host-other")])
def test_a_version_that_cannot_be_read_takes_nothing_down(
    tmp_path: Path, text: str, caplog: pytest.LogCaptureFixture
) -> None:
    with PlatformThread(tmp_path) as started:
        put_in_force(started, TOLD, "2")
        insert(started.parts.db, versioned(REWORDED, "3"), "3", started.clock())
        with started.parts.db.write() as connection:
            connection.execute(update(PolicyVersion).where(PolicyVersion.version == "3").values(text=text))
        with caplog.at_level(logging.ERROR, "mixip.policies"):
            started.parts.policies.refresh()
            started.parts.policies.refresh()
        assert [record.levelname for record in caplog.records] == ["ERROR"], "it is told, and once"
        assert in_force(started) == "2"
        put_in_force(started, versioned(REWORDED, "4"), "4")
        assert in_force(started) == "4", "what follows can be read"
    with PlatformThread(tmp_path) as again:
        assert in_force(again) == "4"


def test_a_version_that_became_unreadable_stays_what_it_was(tmp_path: Path) -> None:
    with PlatformThread(tmp_path) as started:
        put_in_force(started, TOLD, "2")
        with started.parts.db.write() as connection:
            moved = started.clock() - timedelta(minutes=1)
            connection.execute(
                update(PolicyVersion).where(PolicyVersion.version == "2").values(text="[", released_at=moved)
            )
        started.parts.policies.refresh()
        assert in_force(started) == "2"


def test_nothing_readable_at_all_leaves_the_policy_that_comes_along(tmp_path: Path) -> None:
    with PlatformThread(tmp_path) as started:
        pass
    with sqlite3.connect(tmp_path / "mixip.sqlite3") as connection:
        connection.execute("UPDATE policy_versions SET text = '['")
    connection.close()
    with PlatformThread(tmp_path, MIXIP_OPERATOR="Harbour Films") as started:
        assert in_force(started) == "1"
        assert "Harbour Films" in httpx.get(f"{started.url}/legal/cookies/en").text


@pytest.mark.postgresql
def test_without_a_version_it_does_not_start_and_says_what_to_do(postgresql_url: str) -> None:
    with empty_database(postgresql_url) as url:
        db = open_database(from_environment({"MIXIP_DATABASE_URL": url}).database_url)
        with db.write() as connection:
            connection.execute(delete(PolicyVersion))
        with pytest.raises(NoPolicyError, match="No cookie policy was released"):
            Policies(db, Imprint("Mix-IP", "privacy@mixip.io"))
        db.close()


def test_who_has_a_version_of_their_own_is_not_given_ours(tmp_path: Path) -> None:
    settings = from_environment({"MIXIP_DATA": str(tmp_path)})
    db = open_database(settings.database_url)
    migrate(db)
    at = datetime.now(UTC)
    assert import_first(db, None, at)
    assert not import_first(db, None, at)
    assert import_shipped(db, at) == []
    insert(db, versioned(TOLD, "2"), "2", at)
    assert import_shipped(db, at) == []
    db.close()


def test_an_update_of_the_software_brings_its_next_version(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with PlatformThread(tmp_path):
        pass
    texts = {"1": SHIPPED + "\n# formatted otherwise\n", "2": versioned(ASKING, "2")}
    monkeypatch.setattr(importing, "_texts", lambda _: texts)
    with PlatformThread(tmp_path) as started:
        assert in_force(started) == "1", "open tabs have to hear of it first"
        second = started.parts.policies().versions[1]
        assert second.starts > started.clock() + running.OPEN_TABS
        started.clock.offset = timedelta(minutes=5)
        assert in_force(started) == "2"


def test_an_operators_own_policy_is_the_first_one_of_a_new_platform(tmp_path: Path) -> None:
    own = tmp_path / "own.toml"
    own.write_text(versioned(TOLD, "2026-11"))
    with PlatformThread(tmp_path / "data", MIXIP_POLICY=str(own)) as started:
        assert in_force(started) == "2026-11"


@pytest.mark.parametrize(
    ("was", "becomes", "told"),
    [
        ('id = "csrf"', 'id = "forgeries"', 'the item "csrf" is missing'),
        ("__Host-mixip_csrf", "__Host-csrf", '"csrf" needs name = "__Host-mixip_csrf"'),
        ('same_site = "Strict"', 'same_site = "Lax"', '"csrf" needs same_site = "Strict"'),
        ("mixip_theme", "theme", '"theme" needs name = "mixip_theme"'),
        ('values = ["dark", "light"]', 'values = ["dark"]', '"theme" has to allow the values'),
    ],
)
def test_a_policy_has_to_hold_what_the_software_sets(was: str, becomes: str, told: str) -> None:
    assert missing(declaration()) == []
    assert was in SHIPPED
    found = missing(read(SHIPPED.replace(was, becomes, 1), "own.toml", fit=False))
    assert any(told in each for each in found), found
    assert set(OWN) == {"session", "csrf", "theme", "accent"}


def test_every_version_has_its_pages_in_every_language(own_platform: RunningPlatform) -> None:
    put_in_force(own_platform, TOLD, "2", starts=own_platform.clock() - timedelta(minutes=2))
    put_in_force(own_platform, ASKING, "3", starts=own_platform.clock() - timedelta(minutes=1))
    put_in_force(own_platform, REWORDED, "4", starts=own_platform.clock() + timedelta(days=1))
    with httpx.Client(base_url=own_platform.url) as http:
        for language, word in (("en", "Changes"), ("de", "Änderungen"), ("fr", "Modifications")):
            negotiated = http.get("/legal/changes", headers={"accept-language": language})
            assert negotiated.headers["content-language"] == language
            assert "Accept-Language" in negotiated.headers["vary"]
            fixed = http.get(f"/legal/cookies/{language}/changes")
            for page in (negotiated.text, fixed.text):
                assert f"<h1>{word}" in page
            for number in ("1", "2", "3", "4"):
                assert f"/legal/cookies/{language}/changes/{number}" in fixed.text
                change = http.get(f"/legal/cookies/{language}/changes/{number}")
                assert change.status_code == 200
                assert f"/legal/cookies/{language}/changes/{number}/policy" in unescape(change.text)
                whole = http.get(f"/legal/cookies/{language}/changes/{number}/policy")
                assert ("<h3" in whole.text, whole.headers["content-language"]) == (True, language)
                policy = whole.text.partition('<div class="policy"')[2]
                assert ("Example Hosting" in policy) == (number == "2")
                assert http.get(f"/legal/changes/{number}").status_code == 200
                assert http.get(f"/legal/changes/{number}/policy").status_code == 200
            assert "<table" in http.get(f"/legal/cookies/{language}/changes/2").text
        for unknown in ("5", "..", "%00", "x" * 100):
            assert http.get(f"/legal/changes/{unknown}", headers={"accept": "text/html"}).status_code in {400, 404, 303}
            assert http.get(f"/legal/cookies/nl/changes/{unknown}").status_code in {400, 404, 303}
        assert http.get("/legal/cookies/nl/changes").status_code == 404
        assert "comes into force on" in http.get("/legal/cookies/en/changes/4").text
        assert "It was in force from" in http.get("/legal/cookies/en/changes/2").text


def test_the_feed_tells_of_what_holds_and_can_be_kept(own_platform: RunningPlatform) -> None:
    put_in_force(own_platform, TOLD, "2")
    put_in_force(own_platform, ASKING, "3", starts=own_platform.clock() + timedelta(days=1))
    with httpx.Client(base_url=own_platform.url) as http:
        answer = http.get("/legal/changes.atom", headers={"accept-language": "de"})
        assert answer.headers["content-type"].startswith("application/atom+xml")
        assert answer.headers["cache-control"] == "public, max-age=600"
        assert answer.headers["content-language"] == "de"
        assert "set-cookie" not in answer.headers
        feed = ET.fromstring(answer.content)  # noqa: S314  our own
        entries = feed.findall(f"{ATOM}entry")
        ids = [entry.findtext(f"{ATOM}id") for entry in entries]
        assert ids == [f"{own_platform.url}/legal/changes/2", f"{own_platform.url}/legal/changes/1"]
        assert all(http.get(str(address)).status_code == 200 for address in ids)
        again = http.get(
            "/legal/changes.atom", headers={"accept-language": "de", "if-none-match": answer.headers["etag"]}
        )
        assert (again.status_code, again.content) == (304, b"")
        other = http.get(
            "/legal/changes.atom", headers={"accept-language": "fr", "if-none-match": answer.headers["etag"]}
        )
        assert other.status_code == 200
        french = http.get("/legal/cookies/fr/changes.atom")
        assert "vary" not in french.headers or "accept-language" not in french.headers["vary"].lower()
        for page in ("/legal/changes", "/legal/cookies"):
            assert re.search(r'<link rel="alternate" type="application/atom\+xml"', http.get(page).text), page


def test_what_versions_look_like_is_rendered_once_until_something_changes(
    own_platform: RunningPlatform, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A long history takes long, and anybody may ask."""
    made: list[str] = []

    def counted(name: str) -> None:
        render = getattr(changes, name)

        def counting(*given: Any, **more: Any) -> str:
            made.append(name)
            return str(render(*given, **more))

        monkeypatch.setattr(changes, name, counting)

    for name in ("render_versions_html", "render_changes_html", "render_atom"):
        counted(name)
    put_in_force(own_platform, TOLD, "2")
    put_in_force(own_platform, ASKING, "3", starts=own_platform.clock() + timedelta(days=1))
    paths = [f"/legal/cookies/de/{path}" for path in ("changes", "changes/2", "changes.atom")]
    with httpx.Client(base_url=own_platform.url) as http:
        first = [http.get(path).text for path in paths]
        assert [http.get(path).text.count("de/changes/2") for path in paths] == [
            each.count("de/changes/2") for each in first
        ]
        assert sorted(made) == ["render_atom", "render_changes_html", "render_versions_html"]
        assert "changes/3" not in first[2]
        own_platform.clock.offset = timedelta(days=2)
        assert "changes/3" in http.get(paths[2]).text, "the third one has started"
        assert http.get("/legal/cookies/fr/changes/2").text != first[1]
        assert len(made) == 5
        put_in_force(own_platform, REWORDED, "4")
        assert "changes/4" in http.get(paths[0]).text
        assert len(made) == 6


def test_only_so_much_is_kept_of_what_was_rendered() -> None:
    kept, history = Rendered(), History.of([declaration()])
    made: list[int] = []

    def render(key: int) -> str:
        made.append(key)
        return str(key)

    for key in (*range(MOST), *range(MOST), MOST, MOST):
        assert kept.of(history, key, partial(render, key)) == str(key)
    assert made == [*range(MOST), MOST]
    assert len(kept._texts) == 1
