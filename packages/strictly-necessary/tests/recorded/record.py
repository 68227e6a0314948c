r"""Ask the installed Chromium what it does with every line of `inputs.txt`, and write `chromium.json` beside this file.

    python packages/strictly-necessary/tests/recorded/record.py

A server of our own sends the bytes unchanged from a raw socket, and keeps the bytes of the Cookie header that comes
back. The jar is read over the DevTools protocol, from all cookies of the browser and not from its list of blocked ones.
It is emptied before each entry, and every entry has hosts of its own, all of which lead to this server.

How it is written: each character up to U+00FF is one byte. `⟨x×4095⟩` is x 4,095 times, and `⟨+3600⟩` is the date in
3,600 seconds, as HTTP writes dates.

- `inputs.txt`: `[group header ADDRESS]` or `[group script ADDRESS]` begins a group, and each line after it a cookie
  in an answer from that address, or put into `document.cookie` there. `[jar ask ADDRESS]` begins a group of
  combinations: a path, the Set-Cookie headers of its answer between ` | `, and ` || ` before the next path; at last the
  address is asked. `{id}` is the entry's own name, `\x41` one byte and `\-` nothing at all.
- `chromium.json`: `stored` is the cookie in the jar, or null. `life` is in seconds from when it came, or null if it
  ends with the browser. `sent` is the Cookie header at the same address, or null if there is none. `failed` is the
  browser's error if it took nothing of the answer. `blocked` is what it said about the cookie, for people: it does not
  say all. `name`, `value`, `path` and `domain` are the UTF-8 bytes of what the protocol tells. It leaves out bytes that
  are not UTF-8; there `sent` alone is the truth.
"""

from __future__ import annotations

import json
import re
import runpy
import shutil
import socket
import ssl
import sys
import tempfile
import threading
import time
from email.utils import formatdate
from pathlib import Path
from typing import Any, TypeAlias
from urllib.parse import urljoin

from playwright.sync_api import Browser, CDPSession, Error, Page, sync_playwright

Entry: TypeAlias = dict[str, Any]

HERE = Path(__file__).parent
FILE = HERE / "chromium.json"
self_signed = runpy.run_path(str(HERE.parent / "certificate.py"))["self_signed"]
ARGUMENTS = ("--no-sandbox", "--disable-background-networking", "--disable-component-update", "--no-first-run")
_NOTATION = re.compile("⟨(?:([+-][0-9]+)|(..?)×([0-9]+))⟩", re.DOTALL)
_LONG_RUN = re.compile(r"(.{1,2}?)\1{99,}", re.DOTALL)
_ESCAPE = re.compile(r"\\x([0-9a-f]{2})|\\-")


def expand(text: str, now: float) -> bytes:
    """The bytes that a recorded string stands for, with dates counted from `now`."""

    def meant(found: re.Match[str]) -> str:
        seconds, char, count = found.groups()
        return formatdate(int(now) + int(seconds), usegmt=True) if seconds else char * int(count)

    return _NOTATION.sub(meant, text).encode("latin-1")


def shorten(raw: bytes | str | None) -> str | None:
    """The other way: bytes, or text as the protocol tells it, as a string for the record."""
    if raw is None:
        return None
    text = (raw.encode("utf-8", "surrogatepass") if isinstance(raw, str) else raw).decode("latin-1")
    return _LONG_RUN.sub(lambda run: f"⟨{run[1]}×{len(run[0]) // len(run[1])}⟩", text)


def read_inputs(text: str) -> tuple[list[Entry], list[Entry]]:
    """The entries and the combinations in the text of `inputs.txt`, named by their group and their place in it."""
    entries: list[Entry] = []
    jars: list[Entry] = []
    counts: dict[str, int] = {}
    group = by = address = ""
    for line in text.splitlines():
        if not line or line.startswith("#"):
            continue
        if line.startswith("["):
            group, by, address = line.strip("[]").split(" ")
            continue
        counts[group] = counts.get(group, 0) + 1
        name = f"{group}-{counts[group]}"
        url, own = address.replace("{id}", name), line.replace("{id}", name)
        if by == "ask":
            steps = [
                (path, cookies.split(" | ")) for path, _, cookies in (step.partition(" ") for step in own.split(" || "))
            ]
            jars.append(
                {"id": name, "url": url, "steps": [[path, [*map(_unescaped, cookies)]] for path, cookies in steps]}
            )
        else:
            entries.append({"id": name, "group": group, "url": url, "by": by, "set": _unescaped(own)})
    return entries, jars


def _unescaped(text: str) -> str:
    return _ESCAPE.sub(lambda found: chr(int(found[1], 16)) if found[1] else "", text)


class Server:
    """Sends what `answers` holds for `?set=KEY`, and keeps the Cookie header of `?ask=KEY` in `asked`."""

    def __init__(self, folder: Path) -> None:
        self.answers: dict[str, list[bytes]] = {}
        self.asked: dict[str, bytes | None] = {}
        self.answered = 0.0  # when cookies were last sent
        certificate, key = self_signed(folder)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate, key)
        self.http, self.https = self._listen(None), self._listen(context)

    def _listen(self, context: ssl.SSLContext | None) -> int:
        listener = socket.create_server(("127.0.0.1", 0), backlog=128)
        threading.Thread(target=self._accept, args=(listener, context), daemon=True).start()
        return int(listener.getsockname()[1])

    def _accept(self, listener: socket.socket, context: ssl.SSLContext | None) -> None:
        while True:
            connection, _ = listener.accept()
            threading.Thread(target=self._serve, args=(connection, context), daemon=True).start()

    def _serve(self, connection: socket.socket, context: ssl.SSLContext | None) -> None:
        try:
            with context.wrap_socket(connection, server_side=True) if context else connection as stream:
                stream.settimeout(20)
                waiting = b""
                while piece := stream.recv(65_536):
                    waiting += piece
                    while b"\r\n\r\n" in waiting:
                        request, _, waiting = waiting.partition(b"\r\n\r\n")
                        stream.sendall(self._answer(request))
        except OSError:
            return  # The browser closes connections as it likes; what it did not ask shows in the record.

    def _answer(self, request: bytes) -> bytes:
        first, *lines = request.split(b"\r\n")
        does, _, key = first.split(b" ")[1].partition(b"?")[2].decode("ascii").partition("=")
        cookies = self.answers.get(key, []) if does == "set" else []
        if does == "ask":
            fields = dict(line.split(b": ", 1) for line in lines)
            self.asked[key] = fields.get(b"Cookie", fields.get(b"cookie"))
        if cookies:
            self.answered = time.time()
        page = b"<!doctype html><link rel=icon href=data:,>"
        head = b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nCache-Control: no-store\r\nContent-Length: %d\r\n" % len(
            page
        )
        return head + b"".join(b"Set-Cookie: " + cookie + b"\r\n" for cookie in cookies) + b"\r\n" + page


class Recorder:
    """One browser and one page, with which entries are recorded one after the other."""

    def __init__(self, browser: Browser, server: Server) -> None:
        self._server = server
        self._context = browser.new_context(ignore_https_errors=True)
        self._blocked: list[str] = []
        self.version = browser.version
        self._open()

    def _open(self) -> None:
        self._page: Page = self._context.new_page()
        self._session: CDPSession = self._context.new_cdp_session(self._page)
        self._session.on("Network.responseReceivedExtraInfo", self._note_blocked)
        self._session.send("Network.enable")

    def _note_blocked(self, event: Any) -> None:
        self._blocked += [reason for cookie in event["blockedCookies"] for reason in cookie["blockedReasons"]]

    def entry(self, entry: Entry) -> Entry:
        """The entry with its outcome."""
        now = time.time()
        key, url = entry["id"], entry["url"]
        raw = expand(entry["set"], now)
        self._start()
        failed = None
        if entry["by"] == "script":
            self._page.goto(f"{url}?page={key}", wait_until="commit")
            came = time.time()
            self._page.evaluate("text => { document.cookie = text }", raw.decode())
        else:
            failed = self._visit(url, key, [raw])
            came = self._server.answered
        outcome: Entry = {"stored": None, "sent": None}
        if failed:
            return {**entry, **outcome, "failed": failed}
        cookies = self._cookies()
        if len(cookies) > 1:
            raise RuntimeError(f"{key} left {len(cookies)} cookies")
        for cookie in cookies:
            outcome["stored"] = _described(cookie, now, came)
        outcome["sent"] = shorten(self._ask(url, key))
        if self._blocked:
            outcome["blocked"] = sorted(set(self._blocked))
        return {**entry, **outcome}

    def jar(self, jar: Entry) -> Entry:
        """The combination with what is in the jar and the Cookie header that is made of it."""
        url, key = jar["url"], jar["id"]
        self._start()
        for path, cookies in jar["steps"]:
            self._visit(urljoin(url, path), key, [expand(text, time.time()) for text in cookies])
        self._page.goto(f"{url}?page={key}", wait_until="commit")
        cookies = [
            {"name": shorten(cookie["name"]), "value": shorten(cookie["value"]), "path": shorten(cookie["path"])}
            for cookie in self._cookies()
        ]
        cookies.sort(key=lambda cookie: (cookie["path"], cookie["name"], cookie["value"]))
        return {**jar, "jar": cookies, "sent": shorten(self._ask(url, key))}

    def _visit(self, url: str, key: str, cookies: list[bytes]) -> str | None:
        """Go where these cookies are set. Returns the browser's error, if it did not take the response."""
        self._server.answers[key] = cookies
        try:
            self._page.goto(f"{url}?set={key}", wait_until="commit")
        except Error as error:
            found = re.search(r"net::\w+", error.message)
            if found is None:
                raise
            self._page.close()  # It still travels to its page about the error.
            self._open()
            return found[0]
        return None

    def _ask(self, url: str, key: str) -> bytes | None:
        self._page.evaluate("url => fetch(url).then(response => response.text())", f"{url}?ask={key}")
        return self._server.asked[key]

    def _start(self) -> None:
        self._session.send("Network.clearBrowserCookies")
        self._blocked.clear()

    def _cookies(self) -> list[Entry]:
        """All that is in the jar: everything in it came from this entry."""
        cookies: list[Entry] = self._session.send("Network.getAllCookies")["cookies"]
        return cookies


def _described(cookie: Entry, now: float, came: float) -> Entry:
    domain, end = cookie["domain"], cookie["expires"]
    # A date is in whole seconds, and so was the time from which `expand` counted it.
    life = end - int(now) if end == int(end) else round(end - came)
    return {
        "name": shorten(cookie["name"]),
        "value": shorten(cookie["value"]),
        "domain": shorten(domain.removeprefix(".")),
        "host_only": not domain.startswith("."),
        "path": shorten(cookie["path"]),
        "life": None if cookie["session"] else life,
        "secure": cookie["secure"],
        "http_only": cookie["httpOnly"],
        "same_site": cookie.get("sameSite"),
        "partitioned": "partitionKey" in cookie,
    }


def record(entries: list[Entry], jars: list[Entry]) -> Entry:
    """The outcomes of these inputs in a Chromium of our own."""
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        server = Server(Path(folder))
        rules = f"MAP *:443 127.0.0.1:{server.https}, MAP *:80 127.0.0.1:{server.http}"
        browser = playwright.chromium.launch(
            executable_path=shutil.which("chromium"), args=[*ARGUMENTS, f"--host-resolver-rules={rules}"]
        )
        recorder = Recorder(browser, server)
        result: Entry = {
            "chromium": recorder.version,
            "entries": [recorder.entry(entry) for entry in entries],
            "jars": [recorder.jar(jar) for jar in jars],
        }
        browser.close()
        return result


def main() -> int:
    entries, jars = read_inputs((HERE / "inputs.txt").read_text(encoding="utf-8"))
    result = record(entries, jars)
    rows = {key: ",\n".join(f"  {json.dumps(row)}" for row in result[key]) for key in ("entries", "jars")}
    text = "".join(f',\n"{key}": [\n{lines}\n]' for key, lines in rows.items())
    FILE.write_text(f'{{"chromium": {json.dumps(result["chromium"])}{text}}}\n', encoding="ascii")
    sys.stdout.write(f"{len(entries)} entries and {len(jars)} combinations in Chromium {result['chromium']}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
