"""A load balancer in front of a platform, which keeps each browser with one server by a cookie of its own."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

HOP_BY_HOP = {"connection", "keep-alive", "te", "trailer", "transfer-encoding", "upgrade"}
"""RFC 9110, section 7.6.1: they belong to one connection."""


class Balancer(BaseHTTPRequestHandler):
    """Passes everything on, and sets AWSALB where a browser comes without it: to the one server there is, for the
    browser session."""

    protocol_version = "HTTP/1.1"
    behind = ("127.0.0.1", 0)

    def pass_on(self) -> None:
        body = self.rfile.read(int(self.headers.get("content-length", 0)))
        connection = HTTPConnection(*self.behind, timeout=60)
        try:
            connection.putrequest(self.command, self.path, skip_host=True, skip_accept_encoding=True)
            for name, value in self.headers.items():
                if name.lower() not in HOP_BY_HOP:
                    connection.putheader(name, value)
            connection.putheader("x-forwarded-for", self.client_address[0])
            connection.endheaders(body)
            answer = connection.getresponse()
            content = answer.read()
            self.send_response_only(answer.status, answer.reason)
            for name, value in answer.getheaders():
                if name.lower() not in HOP_BY_HOP | {"content-length"}:
                    self.send_header(name, value)
            if "AWSALB=" not in self.headers.get("cookie", ""):
                self.send_header("set-cookie", "AWSALB=the-only-server; Path=/")
            if answer.status not in {204, 304}:
                self.send_header("content-length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)
        finally:
            connection.close()

    def do_GET(self) -> None:
        self.pass_on()

    def do_POST(self) -> None:
        self.pass_on()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 -- so named in the base class
        pass


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128


@contextmanager
def balanced(url: str) -> Iterator[str]:
    """The address of a balancer in front of what listens at `url`."""
    behind = urlsplit(url)

    class Ours(Balancer):
        pass

    Ours.behind = (str(behind.hostname), int(behind.port or 80))
    server = _Server(("127.0.0.1", 0), Ours)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
