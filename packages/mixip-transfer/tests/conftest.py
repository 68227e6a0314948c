"""A platform on a real socket that speaks the transfer protocol from memory and fails on command.

It stands in for the faults that the real platform does not produce on request: dropped connections, 503, garbled
bytes, segments lost in a crash, wrong digests, hostile names. The real platform is in test_transfer_journey.py.
"""

from __future__ import annotations

import base64
import hashlib
import json
import os
import pty
import re
import secrets
import socketserver
import subprocess
import sys
import threading
import time
import unicodedata
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
from blake3 import blake3
from playwright.sync_api import Page

GRID = 1024 * 1024  # smaller than the real grid, so that small files have many segments


@dataclass
class Fault:
    """Applies to the next `times` requests of this method whose path holds `path`.

    `kind`: `status` (answer `status` with `headers`), `drop` (close without an answer after reading `after` bytes of
    the body), `garble` (change one byte on arrival), `cut` (close after `after` bytes of the answer's body), `raw`
    (answer `status` with `headers` and `raw`, `repeat` times over).
    """

    kind: str
    method: str
    path: str
    times: int = 1
    status: int = 503
    headers: dict[str, str] = field(default_factory=dict)
    body: dict[str, Any] = field(default_factory=dict)
    after: int = 0
    raw: bytes = b""
    repeat: int = 1


class Double:
    """What the platform knows, and what it was asked."""

    def __init__(self) -> None:
        self.lock = threading.RLock()
        self.works: list[dict[str, Any]] = []
        self.deliveries: dict[str, dict[str, Any]] = {}
        self.parts: dict[str, dict[int, bytes]] = {}
        self.files: list[dict[str, Any]] = []
        self.contents: dict[str, bytes] = {}
        self.tokens: set[str] = {"session-token-of-the-test"}
        self.codes: dict[str, dict[str, str]] = {}
        self.faults: list[Fault] = []
        self.requests: list[tuple[str, str, dict[str, str]]] = []
        self.lose_at_commit: set[int] = set()
        self.polls_until_delivered = 0
        self.wrong_sha256 = False
        self.continues_downloads = True
        self.raw_bytes = 0
        self.on_segment: Callable[[int], None] = lambda _index: None
        self.on_policy: Callable[[], None] = lambda: None
        self.policy: dict[str, Any] | None = None  # the state that is answered; None: there is no such address
        self.policy_forms: list[dict[str, list[str]]] = []
        self.address = ""
        self.server: Any = None

    @property
    def token(self) -> str:
        return next(iter(self.tokens))

    def asked(self, method: str, part: str = "") -> list[str]:
        return [path for m, path, _ in self.requests if m == method and part in path]

    def fault(self, kind: str, method: str, path: str, **more: Any) -> None:
        self.faults.append(Fault(kind, method, path, **more))

    def add_work(self, title: str) -> str:
        work = {
            "id": f"w{len(self.works) + 1}",
            "title": title,
            "kind": "film",
            "description": "",
            "created_at": "2026-11-23T13:00:00Z",
            "files": 0,
            "bytes": 0,
        }
        self.works.insert(0, work)
        return str(work["id"])

    def add_file(self, work_id: str, name: str, content: bytes) -> dict[str, Any]:
        file = {
            "id": f"f{len(self.files) + 1}",
            "work_id": work_id,
            "name": name,
            "size": len(content),
            "sha256": hashlib.sha256(content).hexdigest(),
            "delivered_at": "2026-11-23T13:00:00Z",
            "delivered_by": "someone@example.org",
        }
        self.files.insert(0, file)
        self.contents[str(file["id"])] = content
        return file

    def commit(self, delivery: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        parts = self.parts[delivery["id"]]
        total = sum(run["count"] for run in delivery["plan"])
        if delivery["state"] == "delivered":
            return 200, delivery
        missing = [i for i in range(total) if i not in parts]
        if missing:
            return 409, {"title": "Not everything is there", "code": "segments_missing", "missing": missing[:100]}
        if self.lose_at_commit:
            for index in self.lose_at_commit:
                del parts[index]
            delivery["received"] = [r for r in delivery["received"] if r["index"] not in self.lose_at_commit]
            self.lose_at_commit = set()
            return 202, delivery
        delivery["state"] = "verifying"
        delivery["polls"] = self.polls_until_delivered
        return self.poll(delivery)

    def poll(self, delivery: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        if delivery["state"] == "verifying":
            if delivery["polls"] > 0:
                delivery["polls"] -= 1
                return 202, delivery
            content = b"".join(part for _, part in sorted(self.parts[delivery["id"]].items()))
            file = self.add_file(delivery["work_id"], delivery["file_name"], content)
            if self.wrong_sha256:
                file["sha256"] = "0" * 64
            delivery |= {"state": "delivered", "file": file, "verified_bytes": len(content)}
        return 200, delivery


def _plan(size: int) -> list[dict[str, Any]]:
    whole, rest = divmod(size, GRID)
    runs = [{"kind": "literal", "length": GRID, "count": whole}] if whole else []
    return [*runs, {"kind": "literal", "length": rest, "count": 1}] if rest else runs


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    double: Double

    def log_message(self, *_: object) -> None:
        """Tests read `requests` instead."""

    def do_GET(self) -> None:
        self._serve()

    def do_POST(self) -> None:
        self._serve()

    def do_PUT(self) -> None:
        self._serve()

    def do_DELETE(self) -> None:
        self._serve()

    def _serve(self) -> None:
        double = self.double
        parts = urlsplit(self.path)
        with double.lock:
            double.requests.append((self.command, self.path, dict(self.headers.items())))
            fault = next(
                (f for f in double.faults if f.times and f.method == self.command and f.path in self.path), None
            )
            if fault:
                fault.times -= 1
        length = int(self.headers.get("Content-Length") or 0)
        if fault and fault.kind == "drop":
            self.rfile.read(min(length, fault.after))
            self.close_connection = True
            return
        body = self.rfile.read(length)
        if self.command == "POST" and "cookie-consent" in self.path:
            double.policy_forms.append(parse_qs(body.decode()))
        if fault and fault.kind == "status":
            self._answer(fault.status, fault.body or {"title": "A fault", "code": "fault"}, fault.headers)
            return
        if fault and fault.kind == "raw":
            self._raw(fault)
            return
        if fault and fault.kind == "garble" and body:
            body = bytes([body[0] ^ 1]) + body[1:]
        query = {key: values[0] for key, values in parse_qs(parts.query).items()}
        path = parts.path.strip("/").split("/")
        open_to_all = path[0] in ("oauth", ".well-known")
        bearer = (self.headers.get("Authorization") or "").removeprefix("Bearer ")
        if not open_to_all and bearer not in double.tokens:
            self._answer(401, {"title": "You are not signed in", "code": "not_signed_in", "action": "Sign in."})
            return
        if path[-1] == "cookie-consent":
            double.on_policy()
        if path[:1] == ["api"] and path[-1] == "content":
            self._content(path[2], fault)
        elif path[0] == "oauth":
            self._oauth(path[1], query, body)
        else:
            if path[:2] == ["api", "deliveries"] and "segments" in path:
                double.on_segment(int(path[4]))
            with double.lock:
                status, answer = self._api(path, query, body)
            self._answer(status, answer)

    def _api(self, path: list[str], query: dict[str, str], body: bytes) -> tuple[int, Any]:
        double = self.double
        nothing = {"title": "Nothing here", "code": "not_found"}
        match [self.command, *path]:
            case ["GET", ".well-known", "oauth-authorization-server"]:
                return 200, {
                    "issuer": double.address,
                    "authorization_endpoint": f"{double.address}/oauth/authorize",
                    "token_endpoint": f"{double.address}/oauth/token",
                    "revocation_endpoint": f"{double.address}/oauth/revoke",
                }
            case [_, ".well-known", "cookie-consent"] if double.policy is not None:
                return 200, double.policy
            case ["GET", "api", "session"]:
                return 200, {"email": "ada@example.org", "name": "test computer", "expires_at": "2026-12-23T13:00:00Z"}
            case ["GET", "api", "works"]:
                found = [w for w in double.works if query.get("title", w["title"]) == w["title"]]
                start = int(query.get("before", 0))
                rest = str(start + 2) if len(found) > start + 2 else None  # pages of two
                return 200, {"works": found[start : start + 2], "next": rest}
            case ["POST", "api", "works"]:
                double.add_work(unicodedata.normalize("NFC", json.loads(body)["title"]).strip())
                return 201, double.works[0]
            case ["GET", "api", "works", work_id]:
                return next(((200, w) for w in double.works if w["id"] == work_id), (404, nothing))
            case ["GET", "api", "works", work_id, "files"]:
                return 200, {"files": [f for f in double.files if f["work_id"] == work_id], "next": None}
            case ["GET", "api", "works", work_id, "deliveries"]:
                mine = [d for d in double.deliveries.values() if d["work_id"] == work_id and d["state"] != "delivered"]
                return 200, {"deliveries": mine}
            case ["POST", "api", "works", work_id, "deliveries"]:
                asked = json.loads(body)
                asked["file_name"] = unicodedata.normalize("NFC", asked["file_name"])
                delivery_id = f"d{len(double.deliveries) + 1}"
                delivery = {
                    **asked,
                    "id": delivery_id,
                    "work_id": work_id,
                    "state": "open",
                    "plan": _plan(asked["size"]),
                    "received": [],
                    "verified_bytes": 0,
                    "file": None,
                }
                double.deliveries[delivery_id] = delivery
                double.parts[delivery_id] = {}
                return 201, delivery
            case ["GET", "api", "deliveries", delivery_id]:
                return double.poll(double.deliveries[delivery_id])
            case ["DELETE", "api", "deliveries", delivery_id]:
                double.deliveries.pop(delivery_id)
                return 204, None
            case ["POST", "api", "deliveries", delivery_id, "commit"]:
                return double.commit(double.deliveries[delivery_id])
            case ["PUT", "api", "deliveries", delivery_id, "segments", index]:
                return self._segment(double.deliveries[delivery_id], int(index), body)
        return 404, nothing

    def _segment(self, delivery: dict[str, Any], index: int, body: bytes) -> tuple[int, Any]:
        digest = self.headers["Content-Digest"]
        if delivery["state"] != "open":
            return 409, {"title": "This delivery is closed", "code": "delivery_closed"}
        if digest != f"blake3=:{base64.b64encode(blake3(body).digest()).decode()}:":
            return 422, {"title": "The segment arrived damaged", "code": "digest_mismatch"}
        self.double.parts[delivery["id"]][index] = body
        delivery["received"] = [r for r in delivery["received"] if r["index"] != index]
        delivery["received"].append({"index": index, "digest": digest})
        return 204, None

    def _content(self, file_id: str, fault: Fault | None) -> None:
        content = self.double.contents[file_id]
        sha256 = hashlib.sha256(content).hexdigest()
        offset = 0
        asked = self.headers.get("Range")
        if asked and self.headers.get("If-Range") == f'"{sha256}"' and self.double.continues_downloads:
            offset = int(asked.removeprefix("bytes=").rstrip("-"))
        self.send_response(206 if offset else 200)
        self.send_header("ETag", f'"{sha256}"')
        self.send_header("Content-Length", str(len(content) - offset))
        if offset:
            self.send_header("Content-Range", f"bytes {offset}-{len(content) - 1}/{len(content)}")
        self.end_headers()
        body = content[offset:]
        if fault and fault.kind == "garble":
            body = bytes([body[0] ^ 1]) + body[1:]
        if fault and fault.kind == "cut":
            body = body[: fault.after]
            self.close_connection = True
        try:
            self.wfile.write(body)
        except OSError:
            self.close_connection = True

    def _raw(self, fault: Fault) -> None:
        self.send_response(fault.status)
        for name, value in fault.headers.items():
            self.send_header(name, value)
        self.send_header("Connection", "close")
        self.end_headers()
        self.close_connection = True
        try:
            for _ in range(fault.repeat):
                self.wfile.write(fault.raw)
                self.double.raw_bytes += len(fault.raw)
        except OSError:
            return

    def _oauth(self, what: str, query: dict[str, str], body: bytes) -> None:
        double = self.double
        form = {key: values[0] for key, values in parse_qs(body.decode()).items()}
        if what == "authorize":
            code = secrets.token_urlsafe(16)
            double.codes[code] = query
            back = urlencode({"code": code, "state": query["state"], "iss": double.address})
            self._answer(302, None, {"Location": f"{query['redirect_uri']}?{back}"})
        elif what == "token":
            asked = double.codes.pop(form["code"], {"code_challenge": "", "redirect_uri": ""})
            digest = hashlib.sha256(form["code_verifier"].encode()).digest()
            challenge = base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
            if (challenge, form["redirect_uri"]) != (asked["code_challenge"], asked["redirect_uri"]):
                self._answer(400, {"error": "invalid_grant", "error_description": "The code is not good."})
                return
            token = secrets.token_urlsafe(32)
            double.tokens.add(token)
            self._answer(200, {"access_token": token, "token_type": "Bearer", "expires_in": 3600})
        else:
            double.tokens.discard(form["token"])
            self._answer(200, {})

    def _answer(self, status: int, answer: Any, headers: dict[str, str] | None = None) -> None:
        body = b"" if answer is None else json.dumps(answer).encode()
        self.send_response(status)
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        if status != 204:
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


class _Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True
    block_on_close = False

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that went away is part of the tests; a defect here shows as a failed request."""


@pytest.fixture
def double() -> Iterator[Double]:
    """A running platform from memory, with one session token."""
    state = Double()
    handler = type("Handler", (_Handler,), {"double": state})
    with _Server(("127.0.0.1", 0), handler) as server:
        state.server = server
        state.address = f"http://127.0.0.1:{server.server_address[1]}"
        thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
        thread.start()
        yield state
        server.shutdown()
        thread.join()


@dataclass(frozen=True)
class Finished:
    """A command that ended."""

    code: int
    out: str
    err: str


class Desk:
    """A person's computer: a home of its own and, if so made, a real Secret Service in it."""

    def __init__(self, home: Path, environment: dict[str, str]) -> None:
        self.home = home
        self.environment = environment

    def start(self, *arguments: str, **extra: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [sys.executable, "-m", "mixip_transfer", *arguments],
            env=self.environment | extra,
            cwd=self.home,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def run(self, *arguments: str, **extra: str) -> Finished:
        process = self.start(*arguments, **extra)
        out, err = process.communicate(timeout=120)
        return Finished(process.returncode, out, err)

    def start_sign_in(self, address: str, page: Page, button: str = "Sign in the app") -> subprocess.Popen[str]:
        """Start the sign-in, and answer in the browser, where somebody is signed in."""
        process = self.start("sign-in", address, "--no-browser", "--device", "Ada's desk")
        assert process.stdout is not None
        line = ""
        while not line.startswith("http"):
            line = process.stdout.readline().strip()
            assert process.poll() is None, "the sign-in ended before it was answered"
        page.goto(line)
        page.get_by_text("Ada's desk").wait_for()
        page.get_by_role("button", name=button).click()
        page.wait_for_url("http://127.0.0.1:*/callback**")
        return process

    def start_on_a_terminal(self, *arguments: str, **extra: str) -> tuple[subprocess.Popen[str], int]:
        """The process, with standard output in a pipe and standard error on a terminal; and that terminal."""
        ours, theirs = pty.openpty()
        process = subprocess.Popen(
            [sys.executable, "-m", "mixip_transfer", *arguments],
            env=self.environment | {"TERM": "xterm", "COLUMNS": "80"} | extra,
            cwd=self.home,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=theirs,
            text=True,
        )
        os.close(theirs)
        return process, ours

    def on_a_terminal(self, *arguments: str, piped: bool = False, **extra: str) -> Finished:
        """A command whose standard error is a terminal of 80 columns, and its standard output too unless `piped`. What
        the terminal shows is in `err`, without the codes for colours and the cursor."""
        ours, theirs = pty.openpty()
        process = subprocess.Popen(
            [sys.executable, "-m", "mixip_transfer", *arguments],
            env=self.environment | {"TERM": "xterm", "COLUMNS": "80"} | extra,
            cwd=self.home,
            stdin=theirs,
            stdout=subprocess.PIPE if piped else theirs,
            stderr=theirs,
            text=True,
        )
        os.close(theirs)
        shown = bytearray()
        with os.fdopen(ours, "rb", buffering=0) as stream:
            try:
                while piece := stream.read(4096):
                    shown += piece
            except OSError:  # Linux: nobody holds the other end any more
                pass
        out, _ = process.communicate(timeout=60)
        plain = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", shown.decode())
        return Finished(process.returncode, out or "", plain.replace("\r\n", "\n"))

    def tree(self) -> dict[str, bytes]:
        """Every file and folder under the home, with the content of the files."""
        return {
            str(path.relative_to(self.home)): path.read_bytes() if path.is_file() else b""
            for path in sorted(self.home.rglob("*"))
            if not path.is_socket()
        }


def _environment(home: Path) -> dict[str, str]:
    for name in ("run", "data", "config", "cache"):
        (home / name).mkdir(mode=0o700)
    return {
        "PATH": os.environ["PATH"],
        "HOME": str(home),
        "LANG": "C.UTF-8",
        "XDG_RUNTIME_DIR": str(home / "run"),
        "XDG_DATA_HOME": str(home / "data"),
        "XDG_CONFIG_HOME": str(home / "config"),
        "XDG_CACHE_HOME": str(home / "cache"),
        "PYTHONDONTWRITEBYTECODE": "1",
    }


@pytest.fixture
def bare_desk(tmp_path: Path) -> Desk:
    """A computer without any keyring."""
    home = tmp_path / "home"
    home.mkdir()
    return Desk(home, _environment(home))


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    """A computer with gnome-keyring, unlocked, on a D-Bus session of its own."""
    home = tmp_path / "home"
    home.mkdir(mode=0o700)
    environment = _environment(home)
    told = home / "run" / "told"
    script = (
        "echo -n passphrase | gnome-keyring-daemon --unlock --components=secrets >/dev/null 2>&1;"
        f' echo "$DBUS_SESSION_BUS_ADDRESS" > {told}.new && mv {told}.new {told}; read -r _'
    )
    session = subprocess.Popen(
        ["dbus-run-session", "--", "sh", "-c", script],
        env=environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        end = time.monotonic() + 30
        while not told.exists():
            assert time.monotonic() < end, "the D-Bus session did not start"
            assert session.poll() is None, "dbus-run-session ended; are dbus and gnome-keyring installed?"
            time.sleep(0.02)
        yield Desk(home, environment | {"DBUS_SESSION_BUS_ADDRESS": told.read_text().strip()})
    finally:
        session.communicate(b"\n", timeout=30)  # the shell ends, and the session and the keyring with it


@pytest.fixture
def person(desk: Any, double: Any) -> Any:
    """Someone who is signed in to the platform on this computer, with one work."""
    put = (
        "import keyring, sys\n"
        "address, token = sys.argv[1], sys.stdin.read()\n"
        "keyring.set_password('mixip-transfer', address, token)\n"
        "keyring.set_password('mixip-transfer', 'current platform', address)\n"
    )
    subprocess.run(
        [sys.executable, "-c", put, double.address], env=desk.environment, input=double.token, text=True, check=True
    )
    double.add_work("My film")
    return desk
