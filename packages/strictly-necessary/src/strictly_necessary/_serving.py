"""The addresses that the guards answer themselves: the browser guard's, and the declaration for machines and pages."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping

from strictly_necessary._checkpoint import Checkpoint, Header
from strictly_necessary.browser import Addresses, Answer
from strictly_necessary.declaration import Declaration
from strictly_necessary.page import WELL_KNOWN, stylesheet, well_known

STYLESHEET = "/.well-known/cookie-policy.css"
_TYPES = {WELL_KNOWN: b"application/json", STYLESHEET: b"text/css; charset=utf-8"}
_PREFIX = "/.well-known/cookie-"


class Serving:
    """What a guard with this declaration and this checkpoint answers before the application is asked."""

    def __init__(self, declaration: Declaration, checkpoint: Checkpoint) -> None:
        self._checkpoint = checkpoint
        self._addresses = Addresses(declaration, block=checkpoint.mode != "report", on_finding=checkpoint.on_finding)
        self._declaration = declaration

    def is_ours(self, path: str, query: bytes) -> bool:
        """Whether `answer` is to be asked; a fraction of a microsecond."""
        return path.startswith(_PREFIX) or self._addresses.is_ours(path, query)

    def answer(
        self, method: str, path: str, query: bytes, headers: Mapping[bytes, bytes], body: bytes
    ) -> Answer | None:
        """The whole response with its security headers, or None if the application is to answer; see `Addresses`."""
        if path in _TYPES:
            found: Answer | None = self._give(method, path, headers)
        else:
            found = self._addresses.answer(method, path, query, headers, body)
        return self._dressed(found, path)

    def refusal(self, headers: Mapping[bytes, bytes], path: str, query: bytes) -> Answer | None:
        """The answer to a request for a worker that no guard has started, or None."""
        mode, destination = headers.get(b"sec-fetch-mode", b""), headers.get(b"sec-fetch-dest", b"")
        return self._dressed(self._addresses.starts_unguarded_worker(destination, mode, query), path)

    def _give(self, method: str, path: str, headers: Mapping[bytes, bytes]) -> Answer:
        if method not in {"GET", "HEAD"}:
            return Answer(405, ((b"allow", b"GET, HEAD"), (b"content-length", b"0")))
        text = well_known(self._declaration) if path == WELL_KNOWN else stylesheet().encode()
        tag = b'"' + hashlib.sha256(text).hexdigest()[:32].encode() + b'"'
        fresh = ((b"etag", tag), (b"cache-control", b"no-cache"))
        if tag in headers.get(b"if-none-match", b""):
            return Answer(304, fresh)
        whole = ((b"content-type", _TYPES[path]), (b"content-length", str(len(text)).encode()))
        return Answer(200, (*fresh, *whole), b"" if method == "HEAD" else text)

    def _dressed(self, answer: Answer | None, path: str) -> Answer | None:
        """The answer with the security headers, where it has none of its own."""
        if answer is None:
            return None
        own = {name for name, _ in answer.headers}
        rest: list[Header] = [pair for pair in self._checkpoint.security(path) if pair[0] not in own]
        return Answer(answer.status, (*answer.headers, *rest), answer.body)
