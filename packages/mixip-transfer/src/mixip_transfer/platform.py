"""The platform over HTTP: typed calls, problem details as exceptions, and patience with bad connections.

A request that may be repeated is sent again after a lost connection and after 408, 429, 502, 503 and 504. One that
may not (creating something) is sent again only when it surely did not arrive. Redirects are never followed, so the
session token goes to the platform's own origin and nowhere else.
"""

from __future__ import annotations

import json
import logging
import os
import ssl
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from http.cookiejar import CookieJar, DefaultCookiePolicy
from types import TracebackType
from typing import Any, Self, TypeVar
from urllib.parse import quote, urlsplit

import httpx

from mixip_transfer import __version__, answers
from mixip_transfer.content import Content, open_content
from mixip_transfer.errors import BadAnswerError, NotSignedInError, RefusedError, StoppedError, UnreachableError
from mixip_transfer.exchange import LONGEST_ERROR_BYTES, answered, exchange, is_encoded
from mixip_transfer.languages import accepted_languages
from mixip_transfer.names import is_this_computer, printable
from mixip_transfer.retry import ASKING, Backoff, Patience, retry_after

T = TypeVar("T")
Body = Callable[[], Iterator[bytes]]
Waiting = Callable[[str, float], None]

USER_AGENT = f"mixip-transfer/{__version__}"
CLIENT_ID = "mixip-transfer"

_POLICY = "/.well-known/cookie-consent"

_TIMEOUT = httpx.Timeout(60.0, connect=10.0, pool=None)
_NOT_SENT = (httpx.ConnectError, httpx.ConnectTimeout)
_TRY_AGAIN = frozenset({408, 429, 502, 503, 504})
_SURELY_NOT_DONE = frozenset({429, 503})
_MOST_PAGES = 10_000
_IDENTIFYING = ("User-Agent", "Authorization")

log = logging.getLogger("mixip_transfer")


class Platform:
    """One platform and, when signed in, one session. Threads may share it.

    `waiting(reason, seconds)` is told before each pause; `stop` ends pauses and raises StoppedError.
    """

    def __init__(
        self,
        address: str,
        token: str | None = None,
        *,
        patience: Patience = ASKING,
        connections: int = 4,
        stop: threading.Event | None = None,
        waiting: Waiting | None = None,
    ) -> None:
        self.address = address
        self._patience = patience
        self._stop = stop or threading.Event()
        self._waiting = waiting or (lambda _reason, _seconds: None)
        headers = {"User-Agent": USER_AGENT, "Accept": "application/json", "Accept-Encoding": "identity"}
        if token is not None:
            headers["Authorization"] = f"Bearer {token}"
        self._client = httpx.Client(
            base_url=address,
            headers=headers,
            cookies=CookieJar(DefaultCookiePolicy(allowed_domains=())),  # none is ever kept, not even in memory
            timeout=_TIMEOUT,
            limits=httpx.Limits(max_connections=connections + 2, max_keepalive_connections=connections + 2),
            verify=httpx.create_ssl_context(),  # heeds SSL_CERT_FILE, which trust_env=False alone would not
            # A proxy of the surroundings must not see what stays on this computer, least of all over plain http.
            trust_env=not is_this_computer(urlsplit(address).hostname or ""),
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        self._client.close()

    # Who is asking

    def session(self) -> answers.Session:
        return answers.session(self._json("GET", "/api/session"))

    def authorization_server(self) -> answers.AuthorizationServer:
        return answers.authorization_server(self._json("GET", "/.well-known/oauth-authorization-server"))

    def exchange_code(self, endpoint: str, *, code: str, redirect_uri: str, verifier: str) -> str:
        """The session token for an authorization code (RFC 6749 section 4.1.3). Never repeated: a code is good once."""
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": redirect_uri,
            "client_id": CLIENT_ID,
            "code_verifier": verifier,
        }
        return answers.access_token(self._json("POST", endpoint, form=form, repeatable=False))

    def revoke(self, endpoint: str, token: str) -> None:
        """End the session of a token (RFC 7009); one that has ended already is fine."""
        self._send("POST", endpoint, form={"token": token, "client_id": CLIENT_ID})

    # The cookie policy

    def policy(self, *, language: str | None = None, about: Sequence[str] = ()) -> answers.PolicyState:
        """The policy for this account; without `language`, in the one of this computer if there is a text in it. The
        question is that about the items `about`, or about all that are open."""
        query: dict[str, str | Sequence[str]] = {} if language is None else {"language": language}
        if about:
            query["shown"] = about
        headers = {"Accept-Language": accepted_languages(os.environ)}
        return answers.policy_state(self._json("GET", _POLICY, query=query, headers=headers))

    def answer_policy(
        self, act: str, *, version: str, items: Sequence[str], language: str | None = None
    ) -> answers.PolicyState:
        """Record an answer about `items` (`grant` or `refuse`), or with `acknowledge` that `version` has been told."""
        form = {"act": act, "version": version, "shown": items}
        if language is not None:
            form["language"] = language
        # Each answer makes a receipt, so it is not sent twice; to acknowledge twice is the same as once.
        return answers.policy_state(self._json("POST", _POLICY, form=form, repeatable=act == "acknowledge"))

    # Works and files

    def works(self, *, title: str | None = None) -> Iterator[answers.Work]:
        """The account's works, newest first; with a title, those of exactly this title."""
        query = {} if title is None else {"title": title}
        return self._pages("/api/works", "works", answers.work, query)

    def work(self, work_id: str) -> answers.Work:
        return answers.work(self._json("GET", f"/api/works/{_segment(work_id)}"))

    def create_work(self, title: str, kind: str) -> answers.Work:
        body = {"title": title, "kind": kind, "description": ""}
        return answers.work(self._json("POST", "/api/works", body=body, repeatable=False))

    def files(self, work_id: str) -> Iterator[answers.File]:
        """The files of a work, newest first."""
        return self._pages(f"/api/works/{_segment(work_id)}/files", "files", answers.file, {})

    def file(self, file_id: str) -> answers.File:
        return answers.file(self._json("GET", f"/api/files/{_segment(file_id)}"))

    @contextmanager
    def content(self, file_id: str, *, offset: int, etag: str) -> Iterator[Content]:
        """The file from byte `offset` on: 206, or 200 with all of it when the platform does not continue.

        Tried once; a lost connection raises ConnectionLostError, also while reading. Whether to try again is for the
        caller, who knows how much has arrived.
        """
        headers = {name: self._client.headers[name] for name in _IDENTIFYING if name in self._client.headers}
        if offset:
            headers |= {"Range": f"bytes={offset}-", "If-Range": etag}
        path = f"/api/files/{_segment(file_id)}/content"
        with open_content(self.address, path, headers) as content:
            log.debug("GET %s from byte %d: %d", path, offset, content.status)
            if content.status not in (200, 206):
                asked = httpx.Request("GET", self.address + path, headers=headers)
                start = content.start(LONGEST_ERROR_BYTES)
                raise self._refusal(answered(asked, content.status, content.headers(), start))
            if is_encoded(content.header("Content-Encoding")):
                raise BadAnswerError(f"{self.address} sends the file in a form that was not asked for.")
            yield content

    # Deliveries

    def deliveries(self, work_id: str) -> Iterator[answers.Delivery]:
        """The account's deliveries of this work that are not delivered yet."""
        return self._pages(f"/api/works/{_segment(work_id)}/deliveries", "deliveries", answers.delivery, {})

    def delivery(self, delivery_id: str) -> answers.Delivery:
        return answers.delivery(self._json("GET", f"/api/deliveries/{_segment(delivery_id)}"))

    def open_delivery(self, work_id: str, *, file_name: str, size: int, last_modified: int) -> answers.Delivery:
        """Open a delivery; `size` in bytes, `last_modified` in milliseconds since 1970."""
        body = {"file_name": file_name, "size": size, "last_modified": last_modified}
        path = f"/api/works/{_segment(work_id)}/deliveries"
        return answers.delivery(self._json("POST", path, body=body, repeatable=False))

    def put_segment(self, delivery_id: str, index: int, *, length: int, digest: str, pieces: Body) -> None:
        """Send one segment; `pieces` is called anew for each attempt."""
        headers = {
            "Content-Length": str(length),
            "Content-Type": "application/octet-stream",
            "Content-Digest": digest,
        }
        self._send("PUT", f"/api/deliveries/{_segment(delivery_id)}/segments/{index}", headers=headers, pieces=pieces)

    def commit(self, delivery_id: str) -> answers.Delivery:
        return answers.delivery(self._json("POST", f"/api/deliveries/{_segment(delivery_id)}/commit"))

    def cancel_delivery(self, delivery_id: str) -> None:
        self._send("DELETE", f"/api/deliveries/{_segment(delivery_id)}")

    # How a request is made

    def pause(self, backoff: Backoff, reason: str, asked: float | None = None) -> bool:
        """Wait before the next attempt. False: patience is used up. Raises StoppedError when stopped meanwhile."""
        seconds = backoff.next_pause(asked)
        if seconds is None:
            return False
        log.debug("%s; trying again in %.1f s", reason, seconds)
        self._waiting(reason, seconds)
        if self._stop.wait(seconds):
            raise StoppedError
        return True

    def backoff(self) -> Backoff:
        return Backoff(self._patience)

    def is_distrusted(self, error: Exception) -> bool:
        """Whether a connection failed because of the certificate: trying again would not help."""
        return _certificate_problem(error)

    def unreachable(self, error: Exception) -> UnreachableError:
        """The exception for a connection that failed for good."""
        error = error.__cause__ if isinstance(error.__cause__, OSError) else error
        if _certificate_problem(error):
            return UnreachableError(
                f"The certificate of {self.address} is not trusted, so nothing was sent.",
                "If the platform uses a certificate authority of its own, name its file in SSL_CERT_FILE.",
            )
        parts = urlsplit(self.address)
        other = {"http": "https", "https": "http"}[parts.scheme]
        hint = f" Perhaps it is {other}://{parts.netloc}" if is_this_computer(parts.hostname or "") else ""
        return UnreachableError(
            f"{self.address} cannot be reached.",
            f"Check the connection and the address, then run the same command again.{hint}",
        )

    def _pages(self, path: str, field: str, read: Callable[[Any], T], query: Mapping[str, str]) -> Iterator[T]:
        asked = dict(query)
        seen: set[str] = set()
        for _ in range(_MOST_PAGES):
            found, following = answers.page(self._json("GET", path, query=asked), field, read)
            yield from found
            if following is None or not found:
                return
            if following in seen:
                raise BadAnswerError("The platform's list goes round in a circle.")
            seen.add(following)
            asked = {**query, "before": following}
        raise BadAnswerError(f"The platform's list has more than {_MOST_PAGES} pages.")

    def _json(self, method: str, path: str, **how: Any) -> Any:
        response = self._send(method, path, **how)
        try:
            return response.json()
        except (ValueError, RecursionError):
            raise BadAnswerError(f"{self.address} did not answer with JSON.") from None

    def _send(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, str | Sequence[str]] | None = None,
        body: Mapping[str, object] | None = None,
        form: Mapping[str, str | Sequence[str]] | None = None,
        headers: Mapping[str, str] | None = None,
        pieces: Body | None = None,
        repeatable: bool = True,
    ) -> httpx.Response:
        backoff = self.backoff()
        while True:
            if self._stop.is_set():
                raise StoppedError
            started = time.monotonic()
            try:
                request = self._client.build_request(
                    method,
                    path,
                    params=query or None,
                    json=body,
                    data=form,
                    headers=headers,
                    content=None if pieces is None else pieces(),
                )
                response = exchange(self._client, request)
            except httpx.TransportError as error:
                log.debug("%s %s: %s", method, path, type(error).__name__)
                may_repeat = (repeatable or isinstance(error, _NOT_SENT)) and not _certificate_problem(error)
                if may_repeat and self.pause(backoff, "No connection to the platform"):
                    continue
                raise self.unreachable(error) from error
            log.debug("%s %s: %d in %.3f s", method, path, response.status_code, time.monotonic() - started)
            if response.is_success:
                return response
            refusal = self._refusal(response)
            if (
                isinstance(refusal, RefusedError)
                and refusal.retry_later
                and (repeatable or refusal.status in _SURELY_NOT_DONE)
                and self.pause(backoff, "The platform is busy", refusal.retry_after)
            ):
                continue
            raise refusal

    def _refusal(self, response: httpx.Response) -> RefusedError | NotSignedInError:
        problem = _problem(response)
        if response.status_code == 401 and "Authorization" in response.request.headers:
            return NotSignedInError(
                f"Your session on {self.address} has ended.", f"Sign in again: mixip-transfer sign-in {self.address}"
            )
        title = problem.get("title") or problem.get("error") or f"The platform answered {response.status_code}"
        detail = problem.get("detail") or problem.get("error_description") or ""
        advice = problem.get("action", "")
        if response.is_redirect:
            detail = f"It leads to {printable(response.headers.get('Location', 'another address')[:200])}"
            advice = "Use the platform's own address."
        elif response.status_code in _TRY_AGAIN and not advice:
            advice = "Wait a little and run the same command again."
        message = title.rstrip(".") + (f": {detail}" if detail and detail != title else "")
        return RefusedError(
            message if message.endswith((".", "!", "?")) else f"{message}.",
            advice,
            code=problem.get("code") or problem.get("error") or f"http_{response.status_code}",
            status=response.status_code,
            request_id=problem.get("request_id", ""),
            retry_later=response.status_code in _TRY_AGAIN,
            retry_after=retry_after(response.headers.get("Retry-After")),
        )


def _problem(response: httpx.Response) -> dict[str, str]:
    """The text members of problem details (RFC 9457) or of an OAuth error, fit to be printed; empty for all else."""
    try:
        found = json.loads(response.content)
    except (ValueError, RecursionError):
        return {}
    return {k: printable(v) for k, v in found.items() if isinstance(v, str)} if isinstance(found, dict) else {}


def _segment(identifier: str) -> str:
    return quote(identifier, safe="")


def _certificate_problem(error: BaseException) -> bool:
    seen: BaseException | None = error
    while seen is not None:
        if isinstance(seen, ssl.SSLCertVerificationError):
            return True
        seen = seen.__cause__ or seen.__context__
    return False
