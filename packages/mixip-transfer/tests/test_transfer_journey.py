"""The whole way on the real platform, with a real browser and a real keyring; and a platform that is killed."""

from __future__ import annotations

import hashlib
import os
import random
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from playwright.sync_api import Page, sync_playwright

pytestmark = [pytest.mark.browser, pytest.mark.keyring]

MIB = 1024 * 1024


class Running:
    """The real platform on a free port, which can be killed and started again."""

    def __init__(self, data: Path) -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.address = f"http://127.0.0.1:{self.port}"
        self._data = data
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        program = shutil.which("mixip", path=str(Path(sys.executable).parent)) or "mixip"
        environment = os.environ | {"MIXIP_DATA": str(self._data), "MIXIP_PORT": str(self.port)}
        self._process = subprocess.Popen(
            [program, "serve"],
            env=environment,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        end = time.monotonic() + 60
        while True:
            try:
                if httpx.get(f"{self.address}/readyz", trust_env=False).status_code == 200:
                    return
            except httpx.TransportError:
                pass
            assert time.monotonic() < end, "the platform did not start"
            time.sleep(0.1)

    def kill(self) -> None:
        """End the platform and its workers without any chance to tidy up."""
        assert self._process is not None
        os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()


@pytest.fixture
def running(tmp_path: Path) -> Iterator[Running]:
    platform = Running(tmp_path / "var")
    platform.start()
    yield platform
    platform.kill()


@pytest.fixture
def page(running: Running) -> Iterator[Page]:
    """A browser in which someone has just made an account."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=shutil.which("chromium"),
            args=["--no-sandbox", "--disable-background-networking", "--no-first-run"],
        )
        page = browser.new_page()
        page.goto(f"{running.address}/sign-up")
        page.get_by_label("Email").fill("ada@example.org")
        page.get_by_label("Password").fill("correct horse battery")
        page.get_by_role("button", name="Create account").click()
        page.wait_for_url("**/works**")
        yield page
        browser.close()


def require_signed_in(desk: Any, running: Running, page: Page) -> None:
    process = desk.start_sign_in(running.address, page)
    out, err = process.communicate(timeout=30)
    assert process.returncode == 0, err
    assert f"Signed in to {running.address} as ada@example.org." in out
    assert page.get_by_role("heading").inner_text() == "You can go back"


def make_file(path: Path, size: int) -> str:
    """A file of random bytes; returns its SHA-256."""
    source = random.Random(7)
    digest = hashlib.sha256()
    with path.open("wb") as stream:
        while size:
            piece = source.randbytes(min(size, 4 * MIB))
            stream.write(piece)
            digest.update(piece)
            size -= len(piece)
    return digest.hexdigest()


def test_sign_in_send_list_get_and_sign_out(desk: Any, running: Running, page: Page) -> None:
    refused = desk.start_sign_in(running.address, page, button="Cancel")
    _, err = refused.communicate(timeout=30)
    assert refused.returncode == 4
    assert "was refused in the browser" in err

    require_signed_in(desk, running, page)
    assert "Ada's desk" in desk.run("status").out

    sha256 = make_file(desk.home / "master.mov", 1024 * MIB + 1)
    sent = desk.run("send", "master.mov", "--work", "My film", "--create", "--kind", "film")
    assert sent.code == 0, sent.err
    assert sent.out == f"{sha256}  master.mov\n"
    page.goto(f"{running.address}/works")
    page.get_by_role("link", name="My film").first.click()
    page.get_by_text("master.mov").first.wait_for()

    assert sha256 in desk.run("list", "--work", "My film").out
    got = desk.run("get", "--work", "My film", "--to", "there")
    assert got.code == 0, got.err
    with (desk.home / "there/master.mov").open("rb") as back:
        assert hashlib.file_digest(back, "sha256").hexdigest() == sha256
    assert [path.name for path in (desk.home / "there").iterdir()] == ["master.mov"]

    assert desk.run("sign-out").code == 0
    page.goto(f"{running.address}/account/sessions")
    assert page.get_by_text("Ada's desk").count() == 0
    assert desk.run("list").code == 4


def test_a_platform_that_is_killed_gets_only_what_is_missing(
    desk: Any, running: Running, page: Page, tmp_path: Path
) -> None:
    require_signed_in(desk, running, page)
    sha256 = make_file(desk.home / "master.mov", 256 * MIB)
    process = desk.start("send", "master.mov", "--work", "My film", "--create", "--parallel", "1", "--verbose")
    assert process.stderr is not None
    for line in process.stderr:
        if "/segments/9 204" in line.replace(":", ""):
            break
    running.kill()
    time.sleep(1)
    running.start()
    out, err = process.communicate(timeout=120)
    assert process.returncode == 0, err
    assert out == f"{sha256}  master.mov\n"
    assert "No connection to the platform; trying again" in err
    puts = [line for line in err.splitlines() if "/segments/" in line and line.split(": ")[-1].startswith("204")]
    assert 0 < len(puts) <= 32 - 10 + 4, "what the platform had was not sent again, but for what a crash can lose"
    got = desk.run("get", "--work", "My film", "--to", "there")
    assert got.code == 0, got.err
    assert hashlib.sha256((desk.home / "there/master.mov").read_bytes()).hexdigest() == sha256
