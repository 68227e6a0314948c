"""`mixip policy`, as operators type it."""

import json
import os
import pty
import re
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from mixip.cli import main
from mixip.db import open_database
from mixip.policies import queries, releasing
from mixip.policies.running import MARGIN, OPEN_TABS
from mixip.settings import from_environment
from tests.support.platform import PlatformThread, empty_database, new_database
from tests.support.policies import ASKING, REWORDED, SHIPPED, TOLD

DATABASES = [
    pytest.param("sqlite", id="sqlite"),
    pytest.param("postgresql", id="postgresql", marks=pytest.mark.postgresql),
]


class Operator:
    """Somebody at a terminal, with a database and a working file."""

    def __init__(self, data: Path, database_url: str = "") -> None:
        self.file = data / "own.toml"
        self.environment = {"MIXIP_DATA": str(data), "MIXIP_DATABASE_URL": database_url, "MIXIP_POLICY": ""}

    def type(self, *words: str, told: str | None = None) -> Result:
        return CliRunner().invoke(main, ["policy", *words], env=self.environment, input=told)

    def work_on(self, text: str) -> None:
        self.file.write_text(text, encoding="utf-8")
        self.environment["MIXIP_POLICY"] = str(self.file)

    def released(self) -> list[queries.Released]:
        db = open_database(from_environment(self.environment).database_url)
        with db.read() as connection:
            rows = queries.released(connection)
        db.close()
        return rows

    def status(self) -> dict[str, Any]:
        result = self.type("status", "--json")
        assert result.exit_code == 0, result.output
        return dict(json.loads(result.stdout))


@pytest.fixture(params=DATABASES)
def operator(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Operator]:
    if request.param == "postgresql":
        with empty_database(request.getfixturevalue("postgresql_url")) as url:
            yield Operator(tmp_path, url)
        return
    assert CliRunner().invoke(main, ["migrate"], env={"MIXIP_DATA": str(tmp_path)}).exit_code == 0
    yield Operator(tmp_path)


def test_what_is_not_released_is_told_with_what_it_means(operator: Operator) -> None:
    assert operator.status()["in_force"]["version"] == "1"
    assert operator.status()["working_file"]["changes"] == []
    for text, verdict in (
        (REWORDED, "Editorial: it stands on the page. Nobody is told or asked."),
        (TOLD, "Significant: people are told of it. Nobody is asked."),
        (ASKING, "Significant, and it needs consent: people are told of it, and asked about: seen, visits."),
    ):
        operator.work_on(text)
        working = operator.status()["working_file"]
        assert working["verdict"] == verdict
        assert working["changes"]
        assert working["refusals"] == []
        assert verdict in operator.type("status").stdout
    operator.work_on(SHIPPED.replace("[policy]", "[policy"))
    result = operator.type("status")
    assert result.exit_code == 0, "the versions can be told all the same"
    assert "cannot be used" in result.stdout


def test_a_release_that_needs_consent_says_so_before_it_is_made(operator: Operator) -> None:
    operator.work_on(ASKING)
    trial = operator.type("release", "--dry-run")
    assert trial.exit_code == 0
    assert "it needs consent" in trial.stdout
    alone = operator.type("release")
    assert alone.exit_code == 1, "nobody can be asked"
    assert "--yes" in alone.stderr
    assert "it needs consent" in alone.stdout
    assert len(operator.released()) == 1
    assert operator.file.read_text() == ASKING

    before = datetime.now(UTC)
    made = operator.type("release", "--yes", "--json")
    assert made.exit_code == 0, made.output
    document = json.loads(made.stdout)
    assert (document["version"], document["released"], document["to_ask"]) == ("2", True, ["seen", "visits"])
    row = operator.released()[1]
    assert before + MARGIN + OPEN_TABS <= row.starts_at <= datetime.now(UTC) + MARGIN + OPEN_TABS + timedelta(seconds=2)
    assert operator.file.read_text() == row.text, "the working file says what it now is"
    assert operator.status()["working_file"]["changes"] == []
    assert [each["version"] for each in operator.status()["scheduled"]] == ["2"]


def test_a_release_that_asks_nobody_starts_as_soon_as_every_instance_knows(operator: Operator) -> None:
    operator.work_on(TOLD)
    german, french = ("--translation", "de", "Ein anderer Anbieter."), ("--translation", "fr", "Un autre hébergeur.")
    made = operator.type("release", "--yes", "--summary", "Another host.", *german, *french)
    assert made.exit_code == 0, made.output
    row = operator.released()[1]
    assert MARGIN - timedelta(seconds=20) < row.starts_at - datetime.now(UTC) <= MARGIN + timedelta(seconds=1)
    assert "Ein anderer Anbieter." in row.text


def test_a_moment_and_a_name_can_be_given(operator: Operator) -> None:
    operator.work_on(REWORDED)
    moment = "2099-01-01T01:00:00+01:00"
    made = operator.type("release", "--yes", "--version", "2027", "--starts", moment, "--as", "significant")
    assert made.exit_code == 0, made.output
    row = operator.released()[1]
    assert (row.version, row.starts_at) == ("2027", datetime(2099, 1, 1, tzinfo=UTC))
    assert 'change = "significant"' in row.text


@pytest.mark.parametrize(
    ("text", "options", "told"),
    [
        (SHIPPED, [], "nothing has changed since version 1"),
        (TOLD, ["--as", "editorial"], "no editorial change"),
        (TOLD, ["--starts", "2026-01-01T00:00:00Z"], "later than that"),
        (TOLD, ["--starts", (datetime.now(UTC) - timedelta(seconds=1)).isoformat()], "past"),
        (ASKING.replace("__Host-Http-mixip_session", "sid"), [], '"session" needs name'),
        (SHIPPED.replace('kind = "local"', 'kind = "loca"', 1), [], "SN"),
    ],
)
def test_what_cannot_be_released_is_refused_in_words(tmp_path: Path, text: str, options: list[str], told: str) -> None:
    assert CliRunner().invoke(main, ["migrate"], env={"MIXIP_DATA": str(tmp_path)}).exit_code == 0
    operator = Operator(tmp_path)
    operator.work_on(text)
    result = operator.type("release", "--yes", *options)
    assert result.exit_code == 1
    assert told in result.stderr
    assert "Traceback" not in result.output
    assert len(operator.released()) == 1
    assert operator.file.read_text() == text


def test_what_is_wrong_in_a_working_file_is_told_with_what_mends_it(operator: Operator, tmp_path: Path) -> None:
    operator.work_on(re.sub(r'\[\[items\]\]\nid = "choice".*?(?=\[\[items\]\]|\Z)', "", ASKING, flags=re.DOTALL))
    for words in (("release", "--yes"), ("status",), ("preview", "--out", str(tmp_path / "preview"))):
        told = operator.type(*words).output
        assert "SN201" in told
        assert "Fix: remove this purpose, or the item; or have people asked: declare a cookie" in told
        assert f"{operator.file}:" in told, "as its name is written"
    for moment, right in (("2099-01-01", "2099-01-01T00:00:00Z"), ("2099-01-01T09:30", "2099-01-01T09:30:00Z")):
        refused = operator.type("release", "--starts", moment)
        assert (refused.exit_code, f"write {right} for UTC" in refused.stderr) == (2, True)
        assert operator.type("release", "--starts", right, "--dry-run").exit_code == 1, "a moment that can be one"


def test_people_say_yes_to_a_name_that_stands_in_the_policy(operator: Operator) -> None:
    operator.environment["MIXIP_OPERATOR"] = "Harbour Films"
    operator.work_on(TOLD)
    assert operator.type("release", "--dry-run").exit_code == 0
    operator.work_on(ASKING)
    refused = operator.type("release", "--yes")
    assert refused.exit_code == 1
    assert "write who asks, Harbour Films" in refused.stderr
    operator.work_on(SHIPPED.replace('operator = "Mix-IP"', 'operator = "Harbour Films"'))
    assert "other-operator" not in operator.type("release", "--dry-run", "--json").stdout, "it is who it was"
    operator.work_on(
        ASKING.replace('"Mix-IP"', '"Harbour Films"').replace('service = "Harbour Films"', 'service = "Mix-IP"')
    )
    assert operator.type("release", "--yes").exit_code == 0


def test_a_language_without_words_is_refused(operator: Operator, tmp_path: Path) -> None:
    text = re.sub(r"\[items\.translations\.\w+\]\n(?:[a-z_]+ = .*\n)+", "", REWORDED)
    operator.work_on(text.replace('languages = ["en", "de", "fr"]', 'languages = ["es"]'))
    refused = operator.type("release", "--yes")
    assert refused.exit_code == 1
    assert "the platform has no words in 'es'" in refused.stderr
    preview = operator.type("preview", "--out", str(tmp_path / "preview"))
    assert (preview.exit_code, "Traceback" in preview.output) == (1, False)
    assert isinstance(preview.exception, SystemExit)


def test_a_start_before_all_instances_have_heard_is_refused(operator: Operator) -> None:
    operator.work_on(TOLD)
    soon = (datetime.now(UTC) + timedelta(seconds=20)).isoformat()
    result = operator.type("release", "--yes", "--starts", soon)
    assert result.exit_code == 1
    assert "too soon: every instance hears of it within 30 seconds" in result.stderr


@pytest.mark.parametrize(
    "words",
    [
        ("release", "--starts", "tomorrow"),
        ("release", "--starts", "2099-01-01T00:00:00"),
        ("release", "--translation", "de", "Nur das."),
        ("release", "nowhere.toml"),
        ("preview",),
        ("withdraw",),
    ],
)
def test_a_wrong_command_ends_with_two(tmp_path: Path, words: tuple[str, ...]) -> None:
    assert Operator(tmp_path).type(*words).exit_code == 2


def test_a_version_that_has_not_started_can_be_taken_back(operator: Operator) -> None:
    operator.work_on(ASKING)
    assert operator.type("release", "--yes").exit_code == 0
    assert operator.type("withdraw", "2").exit_code == 1, "nobody confirmed it"
    assert len(operator.released()) == 2
    held = operator.type("withdraw", "1", "--yes")
    assert (held.exit_code, "Version 1 has started" in held.stderr) == (1, True), "whatever follows it"
    assert operator.type("withdraw", "3", "--yes").exit_code == 1
    taken = operator.type("withdraw", "2", "--yes")
    assert taken.exit_code == 0, taken.output
    assert len(operator.released()) == 1
    assert operator.type("release", "--yes").exit_code == 0, "and released again"
    assert [row.version for row in operator.released()] == ["1", "2"]


def test_a_version_that_some_may_not_hear_of_in_time_stays(operator: Operator) -> None:
    operator.work_on(TOLD)
    assert operator.type("release", "--yes").exit_code == 0
    result = operator.type("withdraw", "2", "--yes")
    assert result.exit_code == 1
    assert "within 30 seconds" in result.stderr
    assert len(operator.released()) == 2


def test_two_releases_at_once_are_one(operator: Operator) -> None:
    operator.work_on(TOLD)
    db = open_database(from_environment(operator.environment).database_url)
    now = datetime.now(UTC)
    first, second = (
        releasing.plan_version(db, operator.file, releasing.Wishes(), now, operator="Mix-IP") for _ in range(2)
    )
    releasing.release_version(db, first, now)
    with pytest.raises(releasing.RefusedError, match="Meanwhile another version"):
        releasing.release_version(db, second, now)
    db.close()
    assert len(operator.released()) == 2


def test_a_running_platform_takes_over_what_is_released(tmp_path: Path) -> None:
    with PlatformThread(tmp_path) as running:
        operator = Operator(tmp_path)
        operator.work_on(ASKING)
        assert operator.type("release", "--yes").exit_code == 0
        running.parts.policies.refresh()
        assert [each.number for each in running.parts.policies().versions] == ["1", "2"]
        assert operator.type("withdraw", "2", "--yes").exit_code == 0
        running.parts.policies.refresh()
        assert [each.number for each in running.parts.policies().versions] == ["1"]


class Links(HTMLParser):
    def __init__(self, text: str) -> None:
        super().__init__()
        self.found: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found += [value for name, value in attrs if name in {"href", "src"} and value]


def test_a_preview_opens_without_a_server(operator: Operator, tmp_path: Path) -> None:
    operator.work_on(ASKING)
    folder = tmp_path / "preview"
    result = operator.type("preview", "--out", str(folder))
    assert result.exit_code == 0, result.output
    assert "it needs consent" in result.stdout
    names = {path.name for path in folder.iterdir()}
    parts = ("policy", "changes", "announcement", "question")
    assert names == {"index.html", *(f"{part}.{code}.html" for part in parts for code in ("en", "de", "fr"))}
    assert "Besuche zählen" in (folder / "question.de.html").read_text()
    for name in names:
        text = (folder / name).read_text()
        assert "<script" not in text
        for link in Links(text).found:
            if re.match(r"#|mailto:|https:", link) or link.startswith("/legal/"):
                continue
            assert (folder / link.partition("#")[0]).is_file(), f"{name}: {link}"
    assert len(operator.released()) == 1
    operator.work_on(SHIPPED)
    again = operator.type("preview", "--out", str(folder))
    assert again.exit_code == 0, again.output


@pytest.mark.slow
@pytest.mark.parametrize("text", ["[policy", SHIPPED.replace("mixip_theme", "theme")])
def test_a_platform_does_not_start_on_a_policy_that_it_cannot_keep(tmp_path: Path, text: str) -> None:
    operator = Operator(tmp_path)
    operator.work_on(text)
    command = [str(Path(sys.executable).with_name("mixip")), "serve"]
    environment = {**os.environ, **operator.environment, "MIXIP_PORT": "0"}
    told = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60, check=False)
    assert told.returncode == 1
    assert "This cookie policy cannot be used" in told.stderr
    assert "Traceback" not in told.stderr


@pytest.mark.slow
def test_at_a_terminal_the_question_is_asked(tmp_path: Path) -> None:
    assert CliRunner().invoke(main, ["migrate"], env={"MIXIP_DATA": str(tmp_path)}).exit_code == 0
    operator = Operator(tmp_path)
    operator.work_on(ASKING)

    def type_at_terminal(answer: str) -> tuple[int, str]:
        ours, theirs = pty.openpty()
        command = [str(Path(sys.executable).with_name("mixip")), "policy", "release"]
        process = subprocess.Popen(
            command, stdin=theirs, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
            env={**os.environ, **operator.environment},
        )  # fmt: skip
        os.close(theirs)
        os.write(ours, f"{answer}\n".encode())
        output, _ = process.communicate(timeout=60)
        os.close(ours)
        return process.returncode, output

    code, output = type_at_terminal("n")
    assert (code, len(operator.released())) == (1, 1), output
    assert "Nothing was changed." in output
    assert "People are asked for their consent. Release version 2?" in output
    code, output = type_at_terminal("y")
    assert (code, len(operator.released())) == (0, 2), output


@pytest.mark.slow
@pytest.mark.postgresql
def test_an_empty_database_is_told_what_to_do(tmp_path: Path, postgresql_url: str) -> None:
    with new_database(postgresql_url) as url:
        environment = {**os.environ, "MIXIP_DATA": str(tmp_path), "MIXIP_DATABASE_URL": url, "MIXIP_PORT": "0"}
        command = str(Path(sys.executable).with_name("mixip"))

        def run(*words: str) -> subprocess.CompletedProcess[str]:
            return subprocess.run(
                [command, *words], env=environment, capture_output=True, text=True, timeout=60, check=False
            )

        for words in (("serve",), ("policy", "status"), ("policy", "release", "--yes")):
            told = run(*words)
            assert told.returncode == 1
            assert "Run: mixip migrate" in told.stderr
        migrated = run("migrate")
        assert "released for the first time" in migrated.stdout
        db = open_database(from_environment({"MIXIP_DATABASE_URL": url}).database_url)
        with db.write() as connection:
            assert not queries.remove_last(connection, "1", datetime.now(UTC)), "it has started"
            connection.exec_driver_sql("DELETE FROM policy_versions")
        db.close()
        told = run("serve")
        assert told.returncode == 1
        assert "Run: mixip migrate, or mixip policy release" in told.stderr
        made = run("policy", "release", "--yes")
        assert made.returncode == 0, made.stderr
        assert "This is the first version." in made.stdout
        assert json.loads(run("policy", "status", "--json").stdout)["in_force"]["version"] == "1"
