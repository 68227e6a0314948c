"""A shop that signs people in at a foreign issuer: authorization code flow with PKCE (RFC 6749, RFC 7636)."""

from __future__ import annotations

import base64
import hashlib
import html
import secrets
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, urlencode, urlsplit

import httpx

PAGES = ("/", "/account", "/orders")


class Shop(BaseHTTPRequestHandler):
    """`issuer` is the port at which the issuer listens on this machine; its address is always https://issuer.test."""

    protocol_version = "HTTP/1.1"
    issuer = 0
    secret = secrets.token_urlsafe()
    people: dict[str, str] = {}  # noqa: RUF012 -- of this class, as http.server wants it

    def do_GET(self) -> None:
        path, query = urlsplit(self.path).path, parse_qs(urlsplit(self.path).query)
        person = self.people.get(self.cookie("__Host-session"))
        if path == "/sign-in":
            self.leave()
        elif path == "/callback":
            self.come_back(query)
        elif path not in PAGES:
            self.answer(404, "<h1>Nothing here</h1>")
        elif path != "/" and not person:
            self.lead("/")
        else:
            self.answer(200, self.page(person))

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers.get("content-length", 0)))
        self.people.pop(self.cookie("__Host-session"), None)
        self.lead("/", "__Host-session=; Max-Age=0; Path=/; Secure; HttpOnly; SameSite=Lax")

    def leave(self) -> None:
        """To the issuer, with what proves later that it is the same browser."""
        state, verifier = secrets.token_urlsafe(16), secrets.token_urlsafe(32)
        challenge = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()
        asked = {
            "response_type": "code",
            "client_id": "shop",
            "redirect_uri": "https://shop.test/callback",
            "scope": "openid",
            "state": state,
            "code_challenge": challenge,
            "code_challenge_method": "S256",
        }
        kept = f"__Host-signing-in={state}.{verifier}; Max-Age=600; Path=/; Secure; HttpOnly; SameSite=Lax"
        self.lead(f"https://issuer.test/auth?{urlencode(asked)}", kept)

    def come_back(self, query: dict[str, list[str]]) -> None:
        """With a code, which the issuer turns into who it is."""
        state, _, verifier = self.cookie("__Host-signing-in").partition(".")
        if not state or query.get("state") != [state] or "code" not in query:
            self.answer(400, "<h1>Please sign in again</h1>")
            return
        form = {
            "grant_type": "authorization_code",
            "code": query["code"][0],
            "redirect_uri": "https://shop.test/callback",
            "code_verifier": verifier,
        }
        with httpx.Client(
            base_url=f"https://127.0.0.1:{self.issuer}",
            headers={"host": "issuer.test"},
            verify=False,  # noqa: S501 -- a certificate of the test's own
        ) as issuer:
            tokens = issuer.post("/token", data=form, auth=("shop", "known-to-the-shop")).raise_for_status().json()
            bearer = {"authorization": f"Bearer {tokens['access_token']}"}
            person = str(issuer.get("/me", headers=bearer).raise_for_status().json()["sub"])
        token = secrets.token_urlsafe(32)
        self.people[token] = person
        self.lead(
            "/account",
            f"__Host-session={token}; Path=/; Secure; HttpOnly; SameSite=Lax",
            "__Host-signing-in=; Max-Age=0; Path=/; Secure; HttpOnly; SameSite=Lax",
        )

    def page(self, person: str | None) -> str:
        if not person:
            return "<h1>Shop</h1><p><a href='/sign-in'>Sign in</a></p>"
        links = "".join(f"<li><a href='{path}'>{path}</a></li>" for path in PAGES)
        leave = "<form method=post action=/sign-out><button>Sign out</button></form>"
        return f"<h1>Hello, {html.escape(person)}</h1><ul>{links}</ul>{leave}"

    def cookie(self, name: str) -> str:
        pairs = (pair.partition("=") for pair in self.headers.get("cookie", "").split("; "))
        return next((value for key, _, value in pairs if key == name), "")

    def lead(self, target: str, *cookies: str) -> None:
        self.answer(303, "", *cookies, location=target)

    def answer(self, status: int, body: str, *cookies: str, location: str = "") -> None:
        text = f"<!doctype html><html lang=en><title>Shop</title>{body}".encode()
        self.send_response(status)
        self.send_header("content-type", "text/html; charset=utf-8")
        self.send_header("content-length", str(len(text)))
        self.send_header("cache-control", "no-store")
        if location:
            self.send_header("location", location)
        for cookie in cookies:
            self.send_header("set-cookie", cookie)
        self.end_headers()
        self.wfile.write(text)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 -- so named in the base class
        pass


@contextmanager
def shop(issuer: int, certificate: Path, key: Path) -> Iterator[int]:
    """The port at which it listens."""

    class Ours(Shop):
        pass

    Ours.issuer, Ours.people = issuer, {}
    server = ThreadingHTTPServer(("127.0.0.1", 0), Ours)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield server.server_port
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
