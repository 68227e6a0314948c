"""The site that is audited: a gazette of fifty pages, as a process of its own. Prints its address and serves until it
is ended.

Each page has a style sheet, three scripts, six pictures, thirty links, two buttons, a search form, and a question; one
can sign in and out. What it keeps stands in policy.toml.
"""

import html
import secrets
import sys
import zlib
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

PAGES = 50
PICTURES = 12

STYLE = """
:root { color-scheme: light dark; } body { font: 1rem/1.5 sans-serif; margin: 0 auto; max-width: 60rem; }
nav ul { columns: 3; } figure { display: inline-block; margin: 0 1rem 1rem 0; } img { width: 10rem; height: 7rem; }
[data-theme="dark"] { background: #111; color: #eee; } .question { border: 1px solid; padding: 1rem; }
"""
THEME = """
const root = document.documentElement;
try { const kept = localStorage.getItem("theme"); if (kept) root.dataset.theme = kept; } catch {}
addEventListener("DOMContentLoaded", () => {
  for (const button of document.querySelectorAll("[data-choose]"))
    button.addEventListener("click", () => {
      const theme = button.dataset.choose;
      root.dataset.theme = theme;
      try { theme === "system" ? localStorage.removeItem("theme") : localStorage.setItem("theme", theme); } catch {}
    });
});
"""
MENU = """
addEventListener("scroll", () => root.classList.toggle("scrolled", scrollY > 40), { passive: true });
for (const figure of document.querySelectorAll("figure"))
  figure.addEventListener("mouseenter", () => figure.title = "seen");
setTimeout(() => document.title += " ", 2000);
"""
VISITS = """
const count = Number(/visits=(\\d+)/.exec(document.cookie)?.[1] ?? 0) + 1;
document.cookie = `visits=${count}; max-age=2592000; path=/; samesite=lax; secure`;
"""
FILES = {
    "/site.css": ("text/css", STYLE),
    "/theme.js": ("text/javascript", THEME),
    "/menu.js": ("text/javascript", MENU),
    "/visits.js": ("text/javascript", VISITS),
}
CHOICES = """
<button data-choose=dark>Dark</button> <button data-choose=light>Light</button>
<button data-choose=system>System</button>
Stored in this browser only. <form action=/ role=search><input name=words><button>Search</button></form>
"""
QUESTION = """
<form class=question method=post action=/choice><p>May we count your visits?</p>
<button name=answer value=yes>Yes</button> <button name=answer value=no>No</button></form>
"""
SENTENCE = "The ferry left the harbour at six, an hour before the fog. "


def picture(number: int) -> bytes:
    """A PNG of 320 by 220 pixels of noise that is the same each time (W3C PNG, sections 5 and 11)."""
    width, height = 320, 220
    lines = b"".join(
        b"\0" + bytes((x * number + y * 7 + (x * y) % 31) % 256 for x in range(width)) for y in range(height)
    )

    def chunk(name: bytes, data: bytes) -> bytes:
        return len(data).to_bytes(4, "big") + name + data + zlib.crc32(name + data).to_bytes(4, "big")

    header = width.to_bytes(4, "big") + height.to_bytes(4, "big") + b"\x08\0\0\0\0"
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(lines)) + chunk(b"IEND", b"")


class Gazette(BaseHTTPRequestHandler):
    """One reader's request. `people` are those who are signed in, by their token."""

    protocol_version = "HTTP/1.1"
    wbufsize = -1
    disable_nagle_algorithm = True
    people: dict[str, str] = {}  # noqa: RUF012 -- of all requests
    pictures = tuple(picture(number) for number in range(1, PICTURES + 1))

    def do_GET(self) -> None:
        path = urlsplit(self.path).path
        if path in FILES:
            kind, text = FILES[path]
            self.answer(200, kind, text.encode(), ("cache-control", "max-age=3600"))
        elif path.startswith("/picture/"):
            self.answer(200, "image/png", self.pictures[int(path[9:])], ("cache-control", "max-age=3600"))
        elif path == "/sign-in":
            self.page("<form method=post><label>Name <input name=name></label><button>Sign in</button></form>")
        elif path == "/" or (path.startswith("/story/") and path[7:].isdigit() and 0 < int(path[7:]) < PAGES - 1):
            self.page(self.story(int(path[7:] or 0) if path != "/" else 0))
        else:
            self.answer(404, "text/plain", b"Nothing here.")

    def do_POST(self) -> None:
        form = parse_qs(self.rfile.read(int(self.headers.get("content-length", 0))).decode())
        attributes = "Path=/; Secure; SameSite=Lax"
        if self.path == "/sign-in":
            token = secrets.token_urlsafe(24)
            self.people[token] = form.get("name", ["?"])[0]
            cookie = f"__Host-session={token}; HttpOnly; {attributes}"
        elif self.path == "/sign-out":
            self.people.pop(self.cookie("__Host-session"), None)
            cookie = f"__Host-session=; Max-Age=0; HttpOnly; {attributes}"
        else:
            cookie = f"__Host-choice={form['answer'][0]}; Max-Age=15552000; {attributes}"
        self.answer(303, "text/plain", b"", ("location", "/"), ("set-cookie", cookie))

    def story(self, number: int) -> str:
        links = (1 + (number + step) % (PAGES - 2) for step in range(30))
        menu = "".join(f"<li><a href='/story/{each}'>Story {each}</a></li>" for each in links)
        shown = (f"<figure><img src='/picture/{(number + step) % PICTURES}' alt=''></figure>" for step in range(6))
        text = "".join(f"<p>{SENTENCE * 12}</p>" for _ in range(8))
        return f"<h1>Story {number}</h1><nav><ul>{menu}</ul></nav>{''.join(shown)}{text}"

    def page(self, content: str) -> None:
        choice, person = self.cookie("__Host-choice"), self.people.get(self.cookie("__Host-session"))
        top = "<a href='/sign-in'>Sign in</a>"
        if person:
            leave = "<form method=post action=/sign-out><button>Sign out</button></form>"
            top = f"Hello, {html.escape(person)} {leave}"
        question = "" if choice else QUESTION
        counting = "<script src=/visits.js defer></script>" if choice == "yes" else ""
        text = (
            "<!doctype html><html lang=en><title>Harbour Gazette</title><link rel=stylesheet href=/site.css>"
            "<link rel=icon href=/picture/0><script src=/theme.js></script><script src=/menu.js defer></script>"
            f"{counting}<header><a href='/'>Harbour Gazette</a> {top} {CHOICES}</header>"
            f"{question}<main>{content}</main>"
        )
        self.answer(200, "text/html; charset=utf-8", text.encode(), ("cache-control", "no-store"))

    def cookie(self, name: str) -> str:
        pairs = (pair.partition("=") for pair in self.headers.get("cookie", "").split("; "))
        return next((value for key, _, value in pairs if key == name), "")

    def answer(self, status: int, kind: str, body: bytes, *headers: tuple[str, str]) -> None:
        self.send_response_only(status)
        for name, value in (("content-type", kind), ("content-length", str(len(body))), *headers):
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)


class Server(ThreadingHTTPServer):
    request_queue_size = 128
    daemon_threads = True


if __name__ == "__main__":
    server = Server(("127.0.0.1", int(sys.argv[1]) if sys.argv[1:] else 0), Gazette)
    print(f"http://127.0.0.1:{server.server_port}/", flush=True)
    server.serve_forever()
