"""The command line as a person and a script meet it: a real keyring, a real socket, real processes."""

from __future__ import annotations

import hashlib
import json
import os
import re
import signal
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import click
import pytest
from click.testing import CliRunner

from mixip_transfer import __version__, errors
from mixip_transfer.cli import cli

ROOT = Path(__file__).parents[3]
GUIDE = (ROOT / "docs" / "mixip-transfer.md").read_text(encoding="utf-8")


def content(desk: Any, name: str, size: int = 2_500_000) -> bytes:
    made = os.urandom(size)
    (desk.home / name).write_bytes(made)
    return made


@pytest.mark.keyring
def test_files_go_there_and_come_back(person: Any, double: Any) -> None:
    made = {name: content(person, name) for name in ("master.mov", "ünïcode 漢字.wav")}
    sent = person.run("send", *made, "--work", "My film")
    assert sent.code == 0, sent.err
    assert sent.out.splitlines() == [f"{hashlib.sha256(data).hexdigest()}  {name}" for name, data in made.items()]
    assert "master.mov delivered and verified" in sent.err

    listed = person.run("list", "--work", "My film", "--json")
    files = json.loads(listed.out)["files"]
    assert {file["name"]: file["sha256"] for file in files} == {
        name: hashlib.sha256(data).hexdigest() for name, data in made.items()
    }

    got = person.run("get", "--work", "w1", "--to", "there/deep", "--json")
    assert (got.code, got.err) == (0, "")
    assert {file["state"] for file in json.loads(got.out)["files"]} == {"fetched"}
    assert {path.name: path.read_bytes() for path in (person.home / "there/deep").iterdir()} == made
    again = person.run("get", "master.mov", files[0]["id"], "--work", "My film", "--to", "there/deep", "--json")
    assert [file["state"] for file in json.loads(again.out)["files"]] == ["already_here", "already_here"]

    repeated = person.run("send", *made, "--work", "My film", "--json", "--quiet")
    assert (repeated.code, repeated.err) == (0, "")
    assert {file["state"] for file in json.loads(repeated.out)["files"]} == {"already_delivered"}


@pytest.mark.keyring
def test_a_work_is_made_only_when_asked(person: Any, double: Any) -> None:
    content(person, "a.wav", 10)
    refused = person.run("send", "a.wav", "--work", "my flim")
    assert refused.code == 2
    assert "There is no work called 'my flim'." in refused.err
    assert "My film" in refused.err
    assert "--create" in refused.err
    assert len(double.works) == 1
    made = person.run("send", "a.wav", "--work", "My album", "--create", "--kind", "music")
    assert made.code == 0
    assert [work["title"] for work in double.works] == ["My album", "My film"]
    assert person.run("send", "a.wav", "--work", "My album", "--create").code == 0
    assert person.run("send", "a.wav", "--work", " My album ", "--create").code == 0
    assert len(double.works) == 2


@pytest.mark.keyring
def test_a_title_that_means_several_works_lists_their_ids(person: Any, double: Any) -> None:
    for _ in range(3):
        double.add_work("Twin")
    content(person, "a.wav", 10)
    done = person.run("send", "a.wav", "--work", "Twin", "--create")
    assert done.code == 2
    assert "3 works are called 'Twin'." in done.err
    for work_id in ("w2", "w3", "w4"):
        assert f"  {work_id}  created 2026-11-23" in done.err
    assert person.run("send", "a.wav", "--work", "w3").code == 0
    assert double.files[0]["work_id"] == "w3"


@pytest.mark.keyring
def test_one_of_several_that_fails_is_5_and_all_of_them_is_1(person: Any, double: Any) -> None:
    for name in ("a.wav", "b.wav", "c.wav"):
        content(person, name, 1000)
    double.fault("status", "PUT", "/d2/", status=507, body={"title": "The storage is full", "code": "storage_full"})
    done = person.run("send", "a.wav", "b.wav", "c.wav", "--work", "My film", "--json")
    assert done.code == 5
    assert "1 of 3 files failed." in done.err
    outcomes = json.loads(done.out)["files"]
    assert [one["state"] for one in outcomes] == ["delivered", "failed", "delivered"]
    assert outcomes[1]["error"]["code"] == "storage_full"
    assert outcomes[1]["path"] == "b.wav"

    one = person.run("get", "absent.wav", "--work", "My film")
    assert one.code == 2
    assert "There is no file called 'absent.wav'" in one.err
    assert f"`mixip-transfer list --work {double.works[0]['id']}` shows them." in one.err
    assert person.run("get", "a.wav", "--work", "absent").code == one.code, "as for an unknown work"
    assert person.run("get", "absent.wav", "a.wav", "--work", "My film", "--to", "there").code == 5
    none = person.run("get", "x", "y", "--work", "My film", "--to", "there")
    assert none.code == 2
    assert "tries again" not in none.err


@pytest.mark.keyring
def test_every_path_that_cannot_be_sent_is_named_at_once(person: Any, double: Any) -> None:
    content(person, "fine.mov", 10)
    (person.home / "empty.mov").touch()
    done = person.run("send", "absent.mov", "fine.mov", "empty.mov", "data", "--work", "My film")
    assert done.code == 2
    for fault in ("absent.mov: No such file or directory.", "empty.mov is empty.", "data is a folder."):
        assert fault in done.err
    assert "fine.mov" not in done.err
    assert "Nothing was sent." in done.err
    assert double.requests == []


@pytest.mark.keyring
def test_a_terminal_says_what_became_of_each_file(person: Any) -> None:
    for name in ("master.mov", "stem.wav"):
        content(person, name)
    shown = person.on_a_terminal("send", "master.mov", "stem.wav", "--work", "My film").err
    for name in ("master.mov", "stem.wav"):
        _, said, after = shown.partition(f"{name} delivered and verified")
        assert said
        assert f"{name} (checking)" not in after
    assert "of 2.5 MB" in shown


@pytest.mark.keyring
def test_the_status_is_a_plain_date_for_people_and_json_for_scripts(person: Any, double: Any) -> None:
    told = person.run("status")
    assert re.search(r"the session ends \d{4}-\d\d-\d\d \d\d:\d\d UTC\.$", told.out.strip())
    asked = person.run("status", "--json")
    assert (asked.code, asked.err) == (0, "")
    answer = json.loads(asked.out)
    assert answer["platform"] == double.address
    assert set(answer) == {"platform", "email", "name", "expires_at"}


@pytest.mark.keyring
def test_a_long_title_gives_way_on_a_terminal_only(person: Any, double: Any) -> None:
    title = "The long and winding title of a film that never ends " * 3
    double.add_work(title.strip())
    shown = person.on_a_terminal("list").err
    assert "The long and winding" in shown
    assert "…" in shown
    assert all(len(line) <= 80 for line in shown.splitlines())
    assert "0 B" in shown
    assert title.strip() in person.run("list").out
    assert title.strip() in person.run("list", "--json").out


@pytest.mark.parametrize(("typed", "other"), [("localhost:9", "https"), ("https://127.0.0.1:9", "http")])
@pytest.mark.keyring
def test_a_platform_that_does_not_answer_on_this_computer_may_have_the_other_scheme(
    desk: Any, typed: str, other: str
) -> None:
    done = desk.run("sign-in", typed, "--no-browser")
    assert done.code == 1
    assert "cannot be reached." in done.err
    assert f"Perhaps it is {other}://{typed.rpartition('/')[2]}" in done.err
    assert "Error" not in done.err
    assert "ConnectError" in desk.run("sign-in", typed, "--no-browser", "--verbose").err


@pytest.mark.keyring
def test_get_takes_the_newest_and_says_that_there_are_older_ones(person: Any, double: Any) -> None:
    double.add_file("w1", "master.mov", b"first")
    double.add_file("w1", "master.mov", b"second")
    done = person.run("get", "--work", "My film", "--to", "there")
    assert done.code == 0
    assert (person.home / "there/master.mov").read_bytes() == b"second"
    assert "the newest of 2 files of this name" in done.err
    refused = person.run("get", "f1", "--work", "My film", "--to", "there")
    assert refused.code == 1
    assert "--overwrite" in refused.err
    assert (person.home / "there/master.mov").read_bytes() == b"second"
    assert person.run("get", "f1", "--work", "My film", "--to", "there", "--overwrite").code == 0
    assert (person.home / "there/master.mov").read_bytes() == b"first"


@pytest.mark.keyring
def test_a_hostile_platform_writes_nothing_outside_and_steers_no_terminal(person: Any, double: Any) -> None:
    double.add_file("w1", "../escaped.mov", b"evil")
    double.add_file("w1", "fine.mov", b"fine")
    double.works[0]["title"] = "My film\x1b]0;evil\x07\u202e"
    done = person.run("get", "--work", "w1", "--to", "there")
    assert done.code == 5
    assert (person.home / "there/fine.mov").read_bytes() == b"fine"
    assert not (person.home / "escaped.mov").exists()
    listed = person.run("list")
    assert "\x1b" not in listed.out
    assert "\u202e" not in listed.out
    assert "\x1b" not in person.run("list", "--json").out


@pytest.mark.keyring
def test_ctrl_c_says_that_the_same_command_continues(person: Any, double: Any) -> None:
    data = content(person, "master.mov", 8 * 1024 * 1024)
    reached = threading.Event()
    go_on = threading.Event()

    def hold(index: int) -> None:
        if index >= 3:
            reached.set()
            go_on.wait(20)

    double.on_segment = hold
    process = person.start("send", "master.mov", "--work", "My film", "--parallel", "1")
    assert reached.wait(30)
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=20)
    go_on.set()
    assert process.returncode == 130
    assert "the same command continues" in err
    assert "Traceback" not in err
    assert double.files == []

    double.on_segment = lambda _index: None
    there = len(double.deliveries["d1"]["received"])
    double.requests.clear()
    assert person.run("send", "master.mov", "--work", "My film").code == 0
    assert 8 - there - 1 <= len(double.asked("PUT")) <= 8 - 3
    assert double.files[0]["sha256"] == hashlib.sha256(data).hexdigest()


@pytest.mark.keyring
def test_a_killed_send_continues_with_what_is_missing(person: Any, double: Any) -> None:
    data = content(person, "master.mov", 8 * 1024 * 1024)
    reached = threading.Event()
    double.on_segment = lambda index: reached.set() if index >= 4 else None
    process = person.start("send", "master.mov", "--work", "My film", "--parallel", "1")
    assert reached.wait(30)
    process.kill()
    process.communicate(timeout=20)
    double.requests.clear()
    assert person.run("send", "master.mov", "--work", "My film").code == 0
    assert len(double.asked("PUT")) <= 4
    assert len(double.files) == 1
    assert double.files[0]["sha256"] == hashlib.sha256(data).hexdigest()


@pytest.mark.keyring
def test_an_ended_session_is_4_and_names_the_command(person: Any, double: Any) -> None:
    double.tokens = {"another-session-token"}
    for arguments in (("status",), ("list",), ("send", "a.wav", "--work", "My film"), ("get", "--work", "My film")):
        content(person, "a.wav", 10)
        done = person.run(*arguments)
        assert done.code == 4, arguments
        assert f"mixip-transfer sign-in {double.address}" in done.err


@pytest.mark.keyring
def test_nobody_is_signed_in_at_first_and_a_platform_can_be_named(person: Any, double: Any) -> None:
    named = person.run("status", "--platform", double.address)
    assert named.code == 0
    other = person.run("list", "--platform", "https://other.example")
    assert other.code == 4
    assert "sign-in https://other.example" in other.err


@pytest.mark.keyring
@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("send", "absent.mov", "--work", "My film"), "absent.mov: No such file"),
        (("send", ".", "--work", "My film"), ". is a folder"),
        (("send", "data", "--work", "My film"), "is a folder"),
        (("send", "empty.mov", "--work", "My film"), "is empty"),
        (("send", "fine.mov", "empty.mov", "--work", "My film"), "is empty"),
        (("list", "--platform", "http://mixip.example"), "plain http"),
    ],
)
def test_what_cannot_be_done_as_written_is_2_and_nothing_is_asked(
    person: Any, double: Any, arguments: tuple[str, ...], message: str
) -> None:
    (person.home / "empty.mov").touch()
    (person.home / "fine.mov").write_bytes(b"x")
    done = person.run(*arguments)
    assert done.code == 2
    assert message in done.err
    assert double.requests == []


@pytest.mark.parametrize(
    "arguments",
    [
        ("send", "x", "--work", "w", "--parallel", "0"),
        ("frobnicate",),
        ("sign-in", "http://mixip.example"),
        ("sign-in", "https://user:secret@mixip.example"),
    ],
)
def test_usage_mistakes_are_2_even_without_a_keyring(bare_desk: Any, arguments: tuple[str, ...]) -> None:
    done = bare_desk.run(*arguments)
    assert done.code == 2
    assert done.out == ""
    assert "Traceback" not in done.err
    assert "secret" not in done.err


@pytest.mark.keyring
@pytest.mark.parametrize(
    "answer", [{"status": 200, "body": {"works": [{"id": "../x"}]}}, {"status": 200, "body": {"x": 1}}]
)
def test_an_answer_that_is_not_the_protocols_is_a_plain_sentence(person: Any, double: Any, answer: Any) -> None:
    double.fault("status", "GET", "/api/works", **answer)
    done = person.run("list")
    assert done.code == 1
    assert "The platform's answer" in done.err
    assert "Traceback" not in done.err


def test_a_defect_of_the_app_is_a_plain_sentence(bare_desk: Any) -> None:
    broken = (
        "import mixip_transfer.cli as c, mixip_transfer.options as o, sys;"
        " o.open_storage = None; sys.argv.insert(1, 'status'); c.main()"
    )
    for more, place in (([], ""), (["--verbose"], "TypeError at options.py:")):
        done = subprocess.run(
            [sys.executable, "-c", broken, *more],
            env=bare_desk.environment, capture_output=True, text=True, timeout=60, check=False,
        )  # fmt: skip
        assert done.returncode == 1
        assert "Something unexpected happened in the app." in done.stderr
        assert ("TypeError" in done.stderr) == bool(more)
        assert "Traceback" not in done.stderr
        assert place in done.stderr


def test_the_version(bare_desk: Any) -> None:
    assert bare_desk.run("--version").out == f"mixip-transfer, version {__version__}\n"


def every_command(group: click.Group, before: str = "") -> dict[str, click.Command]:
    """The commands, and those in groups of commands, by what is typed for them."""
    found: dict[str, click.Command] = {}
    for name, command in group.commands.items():
        found[f"{before}{name}"] = command
        if isinstance(command, click.Group):
            found |= every_command(command, f"{before}{name} ")
    return found


COMMANDS = every_command(cli)


@pytest.mark.parametrize("name", sorted(COMMANDS))
def test_every_command_explains_itself_with_an_example(name: str) -> None:
    done = CliRunner().invoke(cli, [*name.split(), "--help"])
    assert done.exit_code == 0
    assert f"  mixip-transfer {name}" in done.output
    for parameter in COMMANDS[name].params:
        if isinstance(parameter, click.Option):
            assert parameter.help, f"{name} {parameter.name} says nothing"


def test_the_guide_names_every_command_option_and_exit_code() -> None:
    for name, command in COMMANDS.items():
        assert f"mixip-transfer {name}" in GUIDE, name
        for parameter in command.params:
            if isinstance(parameter, click.Option):
                assert any(f"`{option}" in GUIDE for option in parameter.opts), f"{name} {parameter.opts}"
    documented = {int(code) for code in re.findall(r"^\| (\d+) \|", GUIDE, re.MULTILINE)}
    defined = {errors.TransferError.exit_code} | {kind.exit_code for kind in errors.TransferError.__subclasses__()}
    assert documented == defined | {0}
