"""The network events of DevTools, brought into one list of requests."""

from __future__ import annotations

import base64
import binascii
import contextlib
import zlib
from typing import Any

from strictly_necessary.audit._observation import Trouble
from strictly_necessary.audit.browser._ahead import in_header
from strictly_necessary.audit.browser._recording import (
    LONGEST_TEXT,
    MOST_MESSAGES,
    MOST_REQUESTS,
    Answer,
    Hop,
    Recording,
    cut,
    places,
)

_SILENT = ("data:", "blob:", "chrome:", "devtools:", "chrome-extension:", "about:")
_SECRET = frozenset({"cookie", "authorization", "set-cookie", "proxy-authorization"})
_ENDLESS = frozenset({"websocket", "eventsource", "webtransport", "ping", "other", "preflight", "cspviolationreport"})
"""Types that are not waited for."""


class Network:
    """Takes the events of one page and its workers. `top` and `frames` are told by who follows the navigation."""

    def __init__(self, recording: Recording) -> None:
        self._recording = recording
        self._documents: dict[str, str] = {}

    def take(self, event: str, params: dict[str, Any], *, frame: str, top: str, worker: str | None) -> bool:
        """Whether the event was one of the network's."""
        take = _EVENTS.get(event)
        if take is None:
            return False
        if event == "requestWillBeSent":
            self._will_be_sent(params, frame, top, worker)
        elif event == "webSocketCreated":
            self._socket(params, frame, top, worker)
        else:
            take(self, params)
        self._recording.events += 1
        return True

    def last(self, chain: str) -> Hop | None:
        """The request that is under way in this chain of redirects."""
        numbers = self._recording.chains.get(chain)
        return self._recording.hops[numbers[-1]] if numbers else None

    def _add(self, chain: str, hop: Hop) -> bool:
        recording = self._recording
        if len(recording.hops) >= MOST_REQUESTS:
            recording.mishap(Trouble.TOO_MUCH, f"more than {MOST_REQUESTS} requests; the rest is not recorded")
            return False
        recording.chains.setdefault(chain, []).append(len(recording.hops))
        recording.hops.append(hop)
        return True

    def _will_be_sent(self, params: dict[str, Any], frame: str, top: str, worker: str | None) -> None:
        request, chain = params["request"], params["requestId"]
        url: str = request["url"] + request.get("urlFragment", "")
        if url.startswith(_SILENT):
            return
        before = self.last(chain)
        redirect = params.get("redirectResponse")
        if before is not None and redirect is None:
            return  # two sessions tell of one request
        kind = params.get("type", "Other").lower()
        previous = None
        if redirect is not None and before is not None:
            _answered(before, redirect)
            before.has_answer = bool(params.get("redirectHasExtraInfo"))
            previous = self._recording.chains[chain][-1]
        hop = Hop(
            url=url,
            method=request["method"],
            type=kind,
            act=before.act if before is not None and redirect is not None else self._recording.act,
            frame=frame,
            top=top,
            stack=places(params["initiator"].get("stack")),
            worker=worker,
            sent=_body(request),
            asked=_headers(request["headers"]),
            previous=previous,
        )
        if self._add(chain, hop) and kind not in _ENDLESS:
            self._recording.flying.add(chain)

    def ahead(self, rel: str, url: str, *, frame: str, top: str) -> None:
        """A page has a connection opened before anything is asked for: told as a request of the type `rel`."""
        if url.startswith(("http:", "https:")):
            chain = f"{rel} {len(self._recording.hops)}"
            self._add(chain, Hop(url, "GET", rel, self._recording.act, frame, top, (), None, [], {}, None))
            self._recording.events += 1

    def _will_be_sent_extra(self, params: dict[str, Any]) -> None:
        self._recording.asked.setdefault(params["requestId"], []).append(_headers(params["headers"]))

    def _received(self, params: dict[str, Any]) -> None:
        hop = self.last(params["requestId"])
        if hop is None:
            return
        _answered(hop, params["response"])
        hop.has_answer = bool(params.get("hasExtraInfo"))
        self._links(hop, hop.headers)

    def _early_hints(self, params: dict[str, Any]) -> None:
        if hop := self.last(params["requestId"]):
            self._links(hop, _headers(params["headers"]))

    def _links(self, hop: Hop, headers: dict[str, str]) -> None:
        if hop.type == "document":
            for rel, url in in_header(headers.get("link", ""), hop.url):
                self.ahead(rel, url, frame=hop.url, top=hop.top)

    def _received_extra(self, params: dict[str, Any]) -> None:
        headers = params["headers"]
        lines = [
            line for name, text in headers.items() if name.lower() == "set-cookie" for line in text.split("\n") if line
        ]
        blocked: dict[str, list[str]] = {}
        for each in params.get("blockedCookies", ()):
            blocked.setdefault(each.get("cookieLine", ""), []).extend(each["blockedReasons"])
        answer = Answer(lines, blocked, _headers(headers), params.get("statusCode", 0))
        self._recording.answers.setdefault(params["requestId"], []).append(answer)
        for line in lines:  # what a response writes is on the browser's own clock
            self._recording.lives.pop(line.partition("=")[0].strip(), None)
        if lines or any(name.lower() == "clear-site-data" for name in headers):
            self._recording.written += 1

    def _from_cache(self, params: dict[str, Any]) -> None:
        if hop := self.last(params["requestId"]):
            hop.from_cache = True

    def _finished(self, params: dict[str, Any]) -> None:
        self._recording.flying.discard(params["requestId"])
        if hop := self.last(params["requestId"]):
            hop.size = round(params.get("encodedDataLength", 0))

    def _failed(self, params: dict[str, Any]) -> None:
        self._recording.flying.discard(params["requestId"])
        if hop := self.last(params["requestId"]):
            hop.failure = params.get("blockedReason") or params.get("errorText") or "canceled"

    def _socket(self, params: dict[str, Any], frame: str, top: str, worker: str | None) -> None:
        stack = places(params.get("initiator", {}).get("stack"))
        kind = "webtransport" if "transportId" in params else "websocket"
        chain = params.get("requestId") or params.get("transportId", "")
        self._add(chain, Hop(params["url"], "GET", kind, self._recording.act, frame, top, stack, worker, [], {}, None))

    def _socket_asked(self, params: dict[str, Any]) -> None:
        if hop := self.last(params["requestId"]):
            hop.asked = _headers(params["request"]["headers"])

    def _socket_answered(self, params: dict[str, Any]) -> None:
        if hop := self.last(params["requestId"]):
            response = params["response"]
            hop.status, hop.headers = response["status"], _headers(response["headers"])
            lines = [
                line
                for name, text in response["headers"].items()
                if name.lower() == "set-cookie"
                for line in text.split("\n")
                if line
            ]
            if hop.answer is None and lines:
                hop.answer = Answer(lines, {}, hop.headers, hop.status)
                self._recording.written += 1

    def _socket_sent(self, params: dict[str, Any]) -> None:
        hop = self.last(params["requestId"])
        if hop is None or len(hop.sent) >= MOST_MESSAGES:
            return
        frame = params["response"]
        hop.sent.append(cut(frame["payloadData"] if frame["opcode"] == 1 else _decoded(frame["payloadData"])))

    def _socket_failed(self, params: dict[str, Any]) -> None:
        if hop := self.last(params["requestId"]):
            hop.failure = params.get("errorMessage", "failed")


_EVENTS: dict[str, Any] = {
    "requestWillBeSent": Network._will_be_sent,
    "requestWillBeSentExtraInfo": Network._will_be_sent_extra,
    "responseReceived": Network._received,
    "responseReceivedExtraInfo": Network._received_extra,
    "responseReceivedEarlyHints": Network._early_hints,
    "requestServedFromCache": Network._from_cache,
    "loadingFinished": Network._finished,
    "loadingFailed": Network._failed,
    "webSocketCreated": Network._socket,
    "webTransportCreated": Network._socket,
    "webSocketWillSendHandshakeRequest": Network._socket_asked,
    "webSocketHandshakeResponseReceived": Network._socket_answered,
    "webSocketFrameSent": Network._socket_sent,
    "webSocketFrameError": Network._socket_failed,
}


def _answered(hop: Hop, response: dict[str, Any]) -> None:
    hop.status = response["status"]
    hop.headers = _headers(response["headers"])
    hop.mime = response.get("mimeType", "")
    hop.from_cache = hop.from_cache or bool(response.get("fromDiskCache") or response.get("fromPrefetchCache"))


def _headers(headers: dict[str, str]) -> dict[str, str]:
    return {name.lower(): text for name, text in headers.items() if name.lower() not in _SECRET}


def _body(request: dict[str, Any]) -> list[str]:
    parts = [each["bytes"] for each in request.get("postDataEntries", ()) if "bytes" in each]
    if parts:
        try:
            return [cut(readable(b"".join(base64.b64decode(each) for each in parts)))]
        except binascii.Error:
            return [cut("".join(parts))]
    return [cut(request["postData"])] if request.get("postData") else []


def sent_text(told: dict[str, Any]) -> list[str]:
    """What `Network.getRequestPostData` answered."""
    text = told.get("postData", "")
    return [cut(_decoded(text) if told.get("base64Encoded") else text)] if text else []


def _decoded(text: str) -> str:
    try:
        return readable(base64.b64decode(text, validate=True))
    except (binascii.Error, ValueError):
        return text


def readable(raw: bytes) -> str:
    """What is sent, as text; unpacked if it is packed as gzip or zlib do (RFC 1952 and 1950), as much as is kept."""
    if raw.startswith((b"\x1f\x8b", b"\x78\x01", b"\x78\x5e", b"\x78\x9c", b"\x78\xda")):
        with contextlib.suppress(zlib.error):
            raw = zlib.decompressobj(wbits=47).decompress(raw, LONGEST_TEXT)
    return raw.decode("utf-8", "replace")
