"""Pages that stand in the way of whoever looks at them. Each is one thing that sites do, by malice or by mistake."""

from __future__ import annotations

import gzip
import secrets
import threading
from collections.abc import Callable
from typing import Any

Raw = Callable[[Any], None]

HOST = "hostile.localhost"
ENOUGH = threading.Event()
"""Set at the end, so that what waits for ever ends."""


def _head(handler: Any, *lines: str) -> None:
    handler.wfile.write("\r\n".join(["HTTP/1.1 200 OK", *lines, "", ""]).encode("latin-1"))
    handler.wfile.flush()


def silent(_: Any) -> None:
    """Takes the connection and never answers."""
    ENOUGH.wait(60)


def half(handler: Any) -> None:
    """Promises a page and sends its first half."""
    _head(handler, "Content-Type: text/html", "Content-Length: 100000")
    handler.wfile.write(b"<!doctype html><title>Half</title><h1>The first half</h1>")
    handler.wfile.flush()
    ENOUGH.wait(60)


def drip(handler: Any) -> None:
    """Sends a letter now and then, and never ends."""
    _head(handler, "Content-Type: text/html", "Connection: close")
    handler.wfile.write(b"<!doctype html><title>Drip</title>")
    while not ENOUGH.wait(0.2):
        handler.wfile.write(b"x")
        handler.wfile.flush()


def poll(_: Any) -> None:
    """What a page asks for and gets no answer to."""
    ENOUGH.wait(60)


def rubbish(handler: Any) -> None:
    """Answers in no protocol at all."""
    handler.wfile.write(secrets.token_bytes(4096))


def header_flood(handler: Any) -> None:
    """More headers than any browser reads."""
    _head(handler, "Content-Type: text/html", *(f"X-{number}: {'y' * 200}" for number in range(3000)))
    handler.wfile.write(b"<title>Flood</title>")


def cookie_rubbish(handler: Any) -> None:
    """Set-Cookie lines with bytes that are no letters, no names, no values, and far too many of them."""
    body = b"<!doctype html><title>Cookies</title><h1>Cookies</h1>"
    handler.wfile.write(
        b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nSet-Cookie: \xff\xfe=\x80\x81; Path=/\r\nSet-Cookie: =\r\n"
        b"Set-Cookie: ;;;===;;;\r\nSet-Cookie: a\x01b=c\r\nSet-Cookie: " + b"n" * 5000 + b"=v\r\n"
        b"Set-Cookie: \xc3\xa4=\xf0\x9f\x98\x80; Max-Age=999999999999999999999; Expires=never\r\n"
        + b"".join(b"Set-Cookie: c%d=%d\r\n" % (number, number) for number in range(400))
        + b"Content-Length: %d\r\n\r\n" % len(body)
        + body
    )


def charset_nonsense(handler: Any) -> None:
    """Says one character set in the header, another in the page, and is in neither."""
    body = "<!doctype html><meta charset='x-klingon'><title>Gr\u00fc\u00dfe</title><h1>\u00dcber</h1>".encode(
        "utf-16-le"
    )
    body += b"\xff\x00\xd8\x00<a href='/\xff\xfe'>bad</a>"
    _head(handler, "Content-Type: text/html; charset=utf-7; charset=ebcdic", f"Content-Length: {len(body)}")
    handler.wfile.write(body)


def huge(handler: Any) -> None:
    """A page of 50 MB."""
    line = b"<p>chairs and tables and lamps and shelves</p>\n" * 1000
    times = 50_000_000 // len(line)
    start = b"<!doctype html><title>Huge</title>"
    _head(handler, "Content-Type: text/html", f"Content-Length: {len(start) + times * len(line)}")
    handler.wfile.write(start)
    for _ in range(times):
        handler.wfile.write(line)


def _document(title: str, rest: str) -> Any:
    return f'<!doctype html><html lang="en"><meta charset="utf-8"><title>{title}</title><h1>{title}</h1>{rest}'


PAGES: dict[str, str] = {
    "/good": _document("Good", "<script>document.cookie = 'seen=1; path=/'</script>"),
    "/dialogs": _document("Dialogs", "<script>setInterval(() => { alert(1); confirm(2); prompt(3); }, 0)</script>"),
    "/leave": _document(
        "Leave", "<script>addEventListener('beforeunload', (event) => { event.preventDefault(); });</script>"
    ),
    "/crash": _document(
        "Crash",
        """<script>setTimeout(() => {
          let place = document.body;
          for (let depth = 0; depth < 20000; depth++) place = place.appendChild(document.createElement('div'));
          place.textContent = 'deep'; document.body.offsetHeight;
        }, 50)</script>""",
    ),
    "/popups": _document(
        "Popups",
        """<button type="button">Open</button><script>
        const open = () => { for (let n = 0; n < 20; n++) window.open('/good?' + n, '_blank'); };
        open(); document.querySelector('button').addEventListener('click', open);
        </script>""",
    ),
    "/keys": _document(
        "Keys",
        """<script>
        for (let n = 0; n < 10000; n++) localStorage['key' + n] = n;
        </script>""",
    ),
    "/loop": _document("Loop", "<script>while (true);</script>"),
    "/late-loop": _document("Late loop", "<script>setTimeout(() => { while (true); }, 5000)</script>"),
    "/close": _document("Close", "<script>window.close(); setTimeout(() => window.close(), 100);</script>"),
    "/history": _document(
        "History",
        "<script>setInterval(() => { for (let n = 0; n < 50; n++) history.pushState(n, '', '?' + n); }, 1)</script>",
    ),
    "/away": _document("Away", "<script>setTimeout(() => { location.href = '/away?' + Math.random(); }, 10)</script>"),
    "/reload": _document("Reload", "<script>setTimeout(() => location.reload(), 0)</script>"),
    "/refresh": '<!doctype html><title>Refresh</title><meta http-equiv="refresh" content="0">',
    "/broken/": _document("Broken", "<script>navigator.serviceWorker.register('/broken/worker.js')</script>"),
    "/broken/worker.js": """
        addEventListener('install', () => skipWaiting());
        addEventListener('activate', (event) => event.waitUntil(clients.claim()));
        addEventListener('fetch', (event) => event.respondWith(new Promise(() => {})));
    """,
    "/socket": _document(
        "Socket",
        "<script>const s = new WebSocket(`ws://${location.host}/endless`);"
        "s.onopen = () => setInterval(() => s.send('x'), 1);</script>",
    ),
    "/poll": _document("Poll", "<script>const ask = () => fetch('/never').then(ask); ask();</script>"),
    "/fetches": _document(
        "Fetches", "<script>const ask = () => fetch('/tick?' + Math.random()).then(ask); ask();</script>"
    ),
    "/tick": "tick",
    "/timers": _document("Timers", "<script>const again = () => { setTimeout(again, 0); }; again();</script>"),
    "/microtasks": _document(
        "Microtasks", "<script>const again = () => Promise.resolve().then(again); setTimeout(again, 20);</script>"
    ),
    "/prototype": _document(
        "Prototype",
        """<script>
        const no = () => { throw new Error('no'); };
        for (const name of ['push', 'map', 'slice', 'forEach', 'join']) Array.prototype[name] = no;
        JSON.stringify = Promise.prototype.then = Function.prototype.call = Function.prototype.apply = no;
        Object.prototype.toJSON = () => 'no'; window.Error = null;
        document.cookie = 'robbed=1; path=/'; localStorage.robbed = '1';
        </script>""",
    ),
    "/frames": _document(
        "Frames",
        """<script>
        const grow = () => { const frame = document.createElement('iframe'); frame.src = '/frames?' + Math.random();
          document.body.append(frame); };
        if (window.top === window || Math.random() < 0.9) { grow(); grow(); }
        </script>""",
    ),
    "/workers": _document(
        "Workers",
        "<script>const text = 'while (true);';"
        "for (let n = 0; n < 8; n++) new Worker(URL.createObjectURL(new Blob([text])));</script>",
    ),
}
RAW: dict[str, Raw] = {
    "/silent": silent,
    "/half": half,
    "/drip": drip,
    "/never": poll,
    "/rubbish": rubbish,
    "/header-flood": header_flood,
    "/cookie-rubbish": cookie_rubbish,
    "/charset": charset_nonsense,
    "/huge": huge,
}


def sitemap_bomb(handler: Any) -> None:
    """A compressed site map of a megabyte that holds a gigabyte."""
    packed = gzip.compress(b"\0" * 64_000_000)
    _head(handler, "Content-Type: application/gzip", f"Content-Length: {len(packed) * 16}")
    for _ in range(16):
        handler.wfile.write(packed)


def sitemap_bad(handler: Any) -> None:
    """A site map that is no XML, with an entity that would read a file, and doubles itself."""
    entities = "".join(f'<!ENTITY e{n + 1} "&e{n};&e{n};&e{n};&e{n};&e{n};&e{n};&e{n};&e{n};">' for n in range(12))
    body = (
        f'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY e0 SYSTEM "file:///etc/hostname">{entities}]>'
        "<urlset><url><loc>&e12;</loc></url><url><loc>http://[bad</loc></url><url><loc>javascript:alert(1)</loc></url>"
    ).encode()
    _head(handler, "Content-Type: application/xml", f"Content-Length: {len(body)}")
    handler.wfile.write(body)


def robots_bad(handler: Any) -> None:
    """A robots.txt of bytes that are no text, with lines that say nothing and one that matters."""
    body = (
        b"\xff\xfe\x00" * 1000
        + b"\nUser-agent\nDisallow /x\nCrawl-delay: never\nUser-agent: *\nDisallow: /kept-out\nSitemap: http://[bad\n"
        + b"Disallow: "
        + b"*" * 5000
        + b"$\n"
    )
    _head(handler, "Content-Type: text/plain; charset=utf-16", f"Content-Length: {len(body)}")
    handler.wfile.write(body)


def robots_endless(handler: Any) -> None:
    """A robots.txt that never ends."""
    _head(handler, "Content-Type: text/plain", "Connection: close")
    while not ENOUGH.is_set():
        handler.wfile.write(b"Disallow: /x\n" * 5000)
