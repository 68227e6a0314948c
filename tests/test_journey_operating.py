"""What docs/operating.md tells operators to do, done: a backup and its restore, several processes."""

import re
import secrets
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
import pytest

from tests.support.people import Person, new_person
from tests.support.process import PlatformProcess

GUIDE = Path(__file__).parent.parent / "docs/operating.md"
SEGMENT = 8 * 1024 * 1024

pytestmark = pytest.mark.slow


def test_a_backup_taken_as_told_can_be_restored_as_told(tmp_path: Path) -> None:
    """Of a platform that runs, with one file delivered and one under way."""
    below = GUIDE.read_text().partition("runs the next two blocks")[2]
    backup, restore = re.findall(r"```sh\n(.*?)```", below, re.DOTALL)[:2]
    assert ".venv/bin/python" in backup

    def type_it(commands: str, data: Path) -> None:
        environment = {"MIXIP_DATA": str(data), "BACKUP": str(tmp_path / "backup"), "PATH": "/usr/bin:/bin"}
        told = commands.replace(".venv/bin/python", sys.executable)
        subprocess.run(["sh", "-euc", told], cwd=tmp_path, env=environment, timeout=60, check=True)

    contents = secrets.token_bytes(10_000_000)  # two segments
    with PlatformProcess(tmp_path / "first") as first:
        first.start()
        person = new_person(first.http)
        person.sign_up()
        work = person.create_work()
        kept = person.deliver(work, "kept.bin", contents)
        under_way = person.open_delivery(work, "under way.bin", len(contents))
        assert person.send(under_way, 0, contents[:SEGMENT]).status_code == 204
        type_it(backup, first.data)
        later = person.deliver(work, "later.bin", b"after the backup")
    type_it(restore, tmp_path / "second")
    with PlatformProcess(tmp_path / "second") as second:
        second.start()
        person.http = second.http
        assert person.get("/readyz").status_code == 200
        assert person.get(kept["content_url"]).content == contents
        assert person.get(later["content_url"]).status_code == 404
        assert person.send(under_way, 1, contents[SEGMENT:]).status_code == 204
        assert person.get(person.commit(under_way).json()["file"]["content_url"]).content == contents


@pytest.fixture
def empty_database(postgresql_url: str) -> Iterator[str]:
    """A database of its own, because processes with another folder would take up each other's files."""
    name = f"apart_{secrets.token_hex(4)}"
    with psycopg.connect(postgresql_url, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}")
        yield urlsplit(postgresql_url)._replace(path=f"/{name}").geturl()
        connection.execute(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.mark.postgresql
def test_several_processes_share_a_database_and_a_folder_as_told(tmp_path: Path, empty_database: str) -> None:
    database = {"MIXIP_DATABASE_URL": empty_database}
    command = [str(Path(sys.executable).with_name("mixip")), "migrate"]
    subprocess.run(command, env={**database, "MIXIP_DATA": str(tmp_path)}, check=True, capture_output=True, timeout=60)
    contents = secrets.token_bytes(20_000_000)  # three segments
    with PlatformProcess(tmp_path, **database) as first, PlatformProcess(tmp_path, **database) as second:
        first.start()
        second.start()
        here = new_person(first.http)
        here.sign_up()
        there = Person(second.http, here.email, here.address, here.session, here.csrf)
        delivery = here.open_delivery(here.create_work(), "shared.bin", len(contents))
        for index, person in enumerate((here, there, here)):
            sent = person.send(delivery, index, contents[index * SEGMENT : (index + 1) * SEGMENT])
            assert sent.status_code == 204
        first.kill()
        file = there.commit(delivery).json()["file"]
        assert there.get(file["content_url"]).content == contents
        first.start()
        assert here.get("/api/session").status_code == 200
        there.submit("/sign-out")
        assert here.get("/api/session").status_code == 401, "over everywhere, at once"
