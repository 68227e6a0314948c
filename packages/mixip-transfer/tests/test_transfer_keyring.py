"""The session token lives in the keyring of the operating system, or nowhere."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from keyring.backend import KeyringBackend
from keyring.backends import SecretService, fail, null

from mixip_transfer.errors import KeyringError
from mixip_transfer.secure_storage import SecureStorage, advice, in_time, is_of_the_system

SIGN_IN = "import sys; from urllib.request import urlopen; urlopen(sys.argv[1]).read()"


def as_browser(desk: Any) -> str:
    """A program that opens an address as a browser would: it follows the redirect back to the app."""
    script = Path(desk.home) / "browser.py"
    script.write_text(SIGN_IN)
    return f"{sys.executable} {script} %s"


def sign_in(desk: Any, double: Any) -> str:
    """Sign in on this computer; returns the token that the platform handed out."""
    before = set(double.tokens)
    done = desk.run("sign-in", double.address, BROWSER=as_browser(desk))
    assert done.code == 0, done.err
    assert done.out.endswith(f"Signed in to {double.address} as ada@example.org.\n")
    (token,) = set(double.tokens) - before
    return str(token)


@pytest.mark.parametrize(
    "arguments",
    [
        ("sign-in", "http://localhost:9"),
        ("send", "x", "--work", "w"),
        ("sign-out",),
    ],
)
def test_without_a_keyring_everything_is_refused_and_nothing_is_written(
    bare_desk: Any, arguments: tuple[str, ...]
) -> None:
    before = bare_desk.tree()
    done = bare_desk.run(*arguments)
    assert done.code == 3
    assert "No keyring was found on this computer" in done.err
    assert "apt-get install gnome-keyring" in done.err
    assert "Traceback" not in done.err
    assert bare_desk.tree() == before


@pytest.mark.parametrize(
    "backend", ["keyring.backends.null.Keyring", "keyring.backends.fail.Keyring", "plain.Plain", "absent.X"]
)
def test_a_backend_that_is_not_the_systems_own_is_refused(bare_desk: Any, double: Any, backend: str) -> None:
    (bare_desk.home / "plain.py").write_text(
        "from keyring.backend import KeyringBackend\n"
        "class Plain(KeyringBackend):\n"
        "    priority = 9\n"
        "    def get_password(self, service, username): return None\n"
        "    def set_password(self, service, username, password): open('leak', 'w').write(password)\n"
    )
    before = bare_desk.tree()
    done = bare_desk.run(
        "sign-in",
        double.address,
        PYTHON_KEYRING_BACKEND=backend,
        PYTHONPATH=str(bare_desk.home),
        BROWSER="touch opened",
    )
    assert done.code == 3
    assert done.err.strip()
    assert "Traceback" not in done.err
    assert bare_desk.tree() == before
    assert double.requests == [], "the keyring is looked at before anything else"


def test_an_unreachable_secret_service_is_a_clear_refusal(bare_desk: Any) -> None:
    done = bare_desk.run("status", DBUS_SESSION_BUS_ADDRESS="unix:path=/nonexistent")
    assert done.code == 3
    assert "keyring" in done.err


class Memory(KeyringBackend):
    """A keyring that keeps things in memory, as slowly or as badly as a test wants."""

    priority = 0.1

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.kept: dict[str, str] = {}
        self.forgetful = False

    def get_password(self, service: str, username: str) -> str | None:
        assert service == "mixip-transfer"
        return self.kept.get(username)

    def set_password(self, service: str, username: str, password: str) -> None:
        if not self.forgetful:
            self.kept[username] = password

    def delete_password(self, service: str, username: str) -> None:
        del self.kept[username]


def test_only_the_addresses_and_the_tokens_are_kept() -> None:
    memory = Memory()
    storage = SecureStorage(memory)
    storage.require_usable()
    assert memory.kept == {}, "the trial leaves nothing behind"
    storage.keep("https://a.example", "token-a")
    storage.keep("https://b.example", "token-b")
    assert memory.kept == {
        "https://a.example": "token-a",
        "https://b.example": "token-b",
        "current platform": "https://b.example",
    }
    storage.forget("https://a.example")
    assert storage.current() == "https://b.example"
    storage.forget("https://b.example")
    storage.forget("https://b.example")
    assert memory.kept == {}


def test_a_keyring_that_forgets_is_not_usable() -> None:
    memory = Memory()
    memory.forgetful = True
    with pytest.raises(KeyringError, match="does not keep"):
        SecureStorage(memory).require_usable()


def test_a_backend_counts_by_where_it_comes_from_not_by_its_name() -> None:
    assert not is_of_the_system(Memory())
    assert is_of_the_system(SecretService.Keyring())  # type: ignore[no-untyped-call]
    assert not is_of_the_system(null.Keyring())  # type: ignore[no-untyped-call]
    assert not is_of_the_system(fail.Keyring())  # type: ignore[no-untyped-call]


def test_a_keyring_that_hangs_is_left_after_the_time_limit() -> None:
    began = time.monotonic()
    with pytest.raises(KeyringError, match=r"within 0\.2 seconds"):
        in_time(lambda: time.sleep(3), 0.2)
    assert time.monotonic() - began < 2


def test_whatever_a_backend_raises_is_one_exception_without_its_words() -> None:
    def leak() -> None:
        raise ValueError("the-token")

    with pytest.raises(KeyringError) as caught:
        in_time(leak, 1)
    assert "the-token" not in str(caught.value) + caught.value.advice
    assert caught.value.__cause__ is None


@pytest.mark.parametrize("system", ["linux", "darwin", "win32", "haiku"])
def test_every_system_has_an_advice(system: str) -> None:
    assert len(advice(system)) > 30


@pytest.mark.keyring
def test_the_token_is_in_the_secret_service_and_in_no_file(desk: Any, double: Any) -> None:
    before = desk.tree()
    token = sign_in(desk, double)
    assert not any(token.encode() in content for content in desk.tree().values())
    changed = {name for name, content in desk.tree().items() if before.get(name) != content} - {"browser.py"}
    assert all(name.startswith("data/keyrings") for name in changed), changed

    done = desk.run("status")
    assert (done.code, done.err) == (0, "")
    assert done.out.startswith(f"Signed in to {double.address} as ada@example.org.\n")
    used = [headers["Authorization"] for _, path, headers in double.requests if path == "/api/session"]
    assert used == [f"Bearer {token}"] * 2

    done = desk.run("sign-out")
    assert (done.code, done.out) == (0, f"Signed out of {double.address}.\n")
    assert token not in double.tokens, "the session has ended on the platform"
    assert desk.run("status").code == 4
    again = desk.run("sign-out")
    assert (again.code, again.out) == (0, "You are not signed in.\n")


@pytest.mark.keyring
def test_the_token_is_never_shown(desk: Any, double: Any) -> None:
    token = sign_in(desk, double)
    double.add_work("My film")
    file = desk.home / "master.mov"
    file.write_bytes(b"x" * 3_000_000)
    for arguments in (
        ("status", "--verbose"),
        ("list", "--verbose", "--json"),
        ("send", "master.mov", "--work", "My film", "--verbose"),
        ("get", "--work", "My film", "--to", "there", "--verbose"),
        ("list", "--work", "no such", "--verbose"),
    ):
        process = desk.start(*arguments)
        while process.poll() is None:
            try:
                line = (
                    Path(f"/proc/{process.pid}/cmdline").read_bytes()
                    + Path(f"/proc/{process.pid}/environ").read_bytes()
                )
            except (FileNotFoundError, ProcessLookupError):
                break
            assert token.encode() not in line
            time.sleep(0.02)
        out, err = process.communicate(timeout=60)
        assert token not in out + err
        assert "/api/" in err, "--verbose shows the requests"
        assert "Traceback" not in err
    assert not any(token.encode() in content for content in desk.tree().values())


@pytest.mark.keyring
def test_signing_in_again_ends_the_earlier_session(desk: Any, double: Any) -> None:
    first = sign_in(desk, double)
    second = sign_in(desk, double)
    assert first not in double.tokens
    assert second in double.tokens


@pytest.mark.keyring
def test_signing_out_of_a_platform_that_is_gone_needs_force(desk: Any, double: Any) -> None:
    sign_in(desk, double)
    double.fault("status", "POST", "/oauth/revoke", times=99, status=500)
    done = desk.run("sign-out")
    assert done.code == 1
    assert "still on this computer" in done.err
    assert desk.run("status").code == 0
    done = desk.run("sign-out", "--force")
    assert done.code == 0
    assert "has not ended" in done.err
    assert desk.run("status").code == 4


@pytest.mark.keyring
def test_a_locked_keyring_is_a_clear_refusal_and_no_browser_opens(desk: Any, double: Any) -> None:
    lock = (
        "import secretstorage\n"
        "bus = secretstorage.dbus_init()\n"
        "secretstorage.get_default_collection(bus).lock()\n"
        "bus.close()\n"
    )
    subprocess.run([sys.executable, "-c", lock], env=desk.environment, check=True, timeout=30)
    done = desk.run("sign-in", double.address, BROWSER="touch opened")
    assert done.code == 3
    assert "keyring" in done.err
    assert "Traceback" not in done.err
    assert not (desk.home / "opened").exists()
    assert double.requests == []


@pytest.mark.keyring
def test_a_refused_sign_in_leaves_no_entry(desk: Any, double: Any) -> None:
    double.fault("status", "POST", "/oauth/token", status=400, body={"error": "invalid_grant"})
    done = desk.run("sign-in", double.address, BROWSER=as_browser(desk))
    assert done.code == 1
    assert "invalid_grant" in done.err
    assert desk.run("status").code == 4
    show = (
        "import secretstorage\n"
        "bus = secretstorage.dbus_init()\n"
        "print([i.get_label() for i in secretstorage.get_default_collection(bus).get_all_items()])\n"
        "bus.close()\n"
    )
    kept = subprocess.run(
        [sys.executable, "-c", show], env=desk.environment, check=True, timeout=30, capture_output=True, text=True
    )
    assert kept.stdout.strip() == "[]"
