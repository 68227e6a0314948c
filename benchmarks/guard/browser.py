"""What the guard in the browser costs for each call, in a real Chromium: the same page with it and without it."""

import shutil
import statistics
import threading
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, make_server

from playwright.sync_api import Page, sync_playwright

from strictly_necessary import load
from strictly_necessary.wsgi import Guard

ROUNDS = 15
CALLS = {
    "localStorage.setItem": "localStorage.setItem('theme', 'dark')",
    "localStorage.getItem": "localStorage.getItem('theme')",
    "localStorage.theme =": "localStorage.theme = 'dark'",
    "sessionStorage.setItem": "sessionStorage.setItem('draft', 'text')",
    "document.cookie =": "document.cookie = 'size=small; path=/; samesite=lax; secure'",
    "document.cookie": "document.cookie",
    "appendChild of a <p>": "document.body.appendChild(paragraph)",
}
MEASURE = """() => {
  const paragraph = document.createElement("p");
  const run = (count) => { for (let i = 0; i < count; i++) { CALL; } };
  run(200);
  const start = performance.now();
  run(2000);
  return (performance.now() - start) / 2;
}"""
ARGUMENTS = ["--no-sandbox", "--disable-background-networking", "--disable-component-update", "--no-first-run"]


class _Quiet(WSGIRequestHandler):
    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 -- so named in the base class
        """Say nothing."""


def _site(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    start_response("200 OK", [("content-type", "text/html")])
    script = b'<script src="/.well-known/cookie-guard.js"></script>' if environ["PATH_INFO"] == "/guarded" else b""
    return [b"<!doctype html><title>x</title>" + script + b"<body>"]


def measure(folder: Path) -> list[dict[str, object]]:  # noqa: ARG001 -- every benchmark is given one
    """Microseconds for each call, the median of rounds in which both pages have their turn."""
    guard = Guard(_site, load(Path(__file__).parent / "browser.toml"))
    server = make_server("127.0.0.1", 0, guard, handler_class=_Quiet)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=ARGUMENTS)
        pages = {name: _open(browser.new_page(), server.server_port, name) for name in ("guarded", "bare")}
        times: dict[tuple[str, str], list[float]] = {}
        for _ in range(ROUNDS):
            for call, text in CALLS.items():
                for name, page in pages.items():
                    times.setdefault((call, name), []).append(page.evaluate(MEASURE.replace("CALL", text)))
        browser.close()
    server.shutdown()
    rows: list[dict[str, object]] = []
    for call in CALLS:
        guarded, bare = (statistics.median(times[call, name]) for name in ("guarded", "bare"))
        ratio = round(guarded / bare, 1)
        rows.append({"call": call, "µs": round(guarded, 2), "without the guard, µs": round(bare, 2), "ratio": ratio})
    return rows


def _open(page: Page, port: int, name: str) -> Page:
    page.goto(f"http://127.0.0.1:{port}/{name}")
    return page
