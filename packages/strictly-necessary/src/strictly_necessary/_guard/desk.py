"""The address at which people answer the gate: a form for everybody, and the state for programs."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from urllib.parse import parse_qs, parse_qsl, quote, urlsplit

from strictly_necessary._guard.checkpoint import Checkpoint, Header
from strictly_necessary._guard.gate import Came, Gate, Heard, signals, silence
from strictly_necessary._guard.serving import Answer, Limiter, Limiters
from strictly_necessary._guard.state import Speech, question, speech, state
from strictly_necessary.browser import LEASE_SECONDS
from strictly_necessary.consent._choice import Choice
from strictly_necessary.consent._consent import Consent, OutdatedError, Visitor
from strictly_necessary.consent._standing import Standing, standing
from strictly_necessary.versions import History, Version

LONGEST_FORM = 8192
"""Bytes of a form; a longer one is not read."""

RECEIPTS_A_MINUTE = 120
"""Receipts of people without an account that one process records, so that nobody fills the ledger."""

ANSWERS_AN_HOUR = 60
"""Answers of one account that one process records, which has to show all of them later. Beyond it a no is recorded only
if it changes something."""

_MOST_FIELDS = 256
_LONGEST_BACK = 2048
_FORM = b"application/x-www-form-urlencoded"
_ONCE = ("act", "version", "language", "back")
_ACTS = frozenset({"grant", "refuse", "choose", "withdraw", "acknowledge"})
_BACK = re.compile(r"/(?![/\\])[^\\\x00-\x20\x7f]*")
_BY_ITSELF = (b"basic", b"digest", b"negotiate", b"ntlm")
_PLAIN = (b"content-type", b"text/plain; charset=utf-8")
_NO_STORE = (b"cache-control", b"no-store")


class _RefusedError(Exception):
    """A request that leads to nothing: the status, and what to tell."""

    def __init__(self, status: int, text: str, *headers: Header) -> None:
        super().__init__(text)
        self.status = status
        self.text = text
        self.headers = headers


def _outdated() -> _RefusedError:
    return _RefusedError(409, "The question has changed since. Nothing was recorded: go back, and load it again.")


def _later() -> _RefusedError:
    return _RefusedError(503, "Your answer could not be kept. Try again later.", (b"retry-after", b"60"))


@dataclass(frozen=True, slots=True)
class _Form:
    act: str
    version: str
    shown: frozenset[str]
    items: frozenset[str]
    language: str | None
    back: str


class Desk:
    """Answers at `CONSENT_PATH` for one version. `gate` is there if something in it needs consent. `left` tells for how
    many seconds the version is to hold."""

    def __init__(
        self,
        history: History,
        version: Version,
        consent: Consent,
        gate: Gate | None,
        checkpoint: Checkpoint,
        limiter: Limiter,
        accounts: Limiters,
        left: Callable[[], float],
    ) -> None:
        self.gate = gate
        self._history = history
        self._version = version
        self.consent = consent
        self._checkpoint = checkpoint
        self._limiter = limiter
        self._accounts = accounts
        self._left = left

    def answer(
        self,
        method: str,
        path: str,
        query: bytes,
        headers: Mapping[bytes, bytes],
        cookies: list[bytes],
        body: bytes | None,
        visitor: Visitor | None,
        *,
        mount: str = "",
    ) -> Answer:
        """The whole response. `headers` have names in lower case, `body` is that of a POST, up to `LONGEST_FORM` + 1
        bytes, or None if it did not arrive. The ledger is asked, so this may block. Never raises."""
        wants_json = b"application/json" in headers.get(b"accept", b"").lower()
        try:
            if method in {"GET", "HEAD"}:
                found = self._show(query, headers, self._came(headers, cookies), visitor)
                found = replace(found, body=b"") if method == "HEAD" else found
            elif method == "POST":
                found = self._take(headers, cookies, body, visitor, wants_json=wants_json, mount=mount)
            else:
                other = _RefusedError(405, "Ask with GET, or answer with POST.", (b"allow", b"GET, HEAD, POST"))
                found = _refusal(other, wants_json=wants_json)
        except _RefusedError as refused:
            found = _refusal(refused, wants_json=wants_json)
        except Exception as error:  # noqa: BLE001 -- a ledger may raise anything
            silence(error)
            found = _refusal(_later(), wants_json=wants_json)
        return self.finished(found, path)

    def finished(self, found: Answer, path: str) -> Answer:
        """The answer with its security headers."""
        own = {name for name, _ in found.headers}
        rest = [pair for pair in self._checkpoint.security(path) if pair[0] not in own]
        return replace(found, headers=(*found.headers, *rest))

    def _came(self, headers: Mapping[bytes, bytes], cookies: list[bytes]) -> Came:
        signal = signals(headers.get(b"sec-gpc", b""))
        return self.gate.read(cookies, signal=signal) if self.gate is not None else Came(signal=signal)

    def _show(self, query: bytes, headers: Mapping[bytes, bytes], came: Came, visitor: Visitor | None) -> Answer:
        given = (
            parse_qs(query.decode("latin-1"), max_num_fields=_MOST_FIELDS) if query.count(b"&") < _MOST_FIELDS else {}
        )
        said = self._speech(given.get("language", [None])[-1], headers)
        if self.gate is None:
            return self._state(Standing(self._version, signal=came.signal), said, visitor, [])
        heard = self.gate.hear(came, visitor)
        if not heard.is_known:  # a page takes what we say for another lease, and removes what we do not name
            raise _RefusedError(503, "What holds now cannot be looked up. Try again later.", (b"retry-after", b"60"))
        lines = self.gate.let(came, heard).lines(is_page=True)
        return self._state(heard.standing, said, visitor, lines, given.get("shown", []))

    def _state(
        self, holds: Standing, said: Speech, visitor: Visitor | None, lines: list[bytes], shown: Sequence[str] = ()
    ) -> Answer:
        news = self.consent.news(self._history, visitor)
        seconds = max(0, int(min(LEASE_SECONDS, self._left())))
        body = json.dumps(state(holds, said, news, seconds, shown), ensure_ascii=False).encode()
        headers = ((b"content-type", b"application/json"), _NO_STORE, *_set(lines))
        return Answer(200, headers, body)

    def _speech(self, wanted: str | None, headers: Mapping[bytes, bytes]) -> Speech:
        accept = headers.get(b"accept-language", b"").decode("latin-1")
        return speech(self._version.declaration, wanted, accept)

    def _take(
        self,
        headers: Mapping[bytes, bytes],
        cookies: list[bytes],
        body: bytes | None,
        visitor: Visitor | None,
        *,
        wants_json: bool,
        mount: str,
    ) -> Answer:
        if not _is_from_us(headers):
            raise _RefusedError(403, "This came from another site.")
        form = _read(headers, body, mount)
        said = self._speech(form.language, headers)
        if form.act == "acknowledge":
            self._acknowledge(form, visitor)
            if wants_json:
                return self._show(b"language=" + said.language.encode(), headers, self._came(headers, cookies), visitor)
            return _back(form.back, [])
        if form.version != self._version.number:
            raise _outdated()
        if self.gate is None:
            raise _RefusedError(400, "Nothing needs an answer.")
        came = self._came(headers, cookies)
        heard = self.gate.hear(came, visitor)
        if not heard.is_known:
            raise _later()
        held = self.gate.hear(came, visitor, signal=False).standing if came.signal else heard.standing
        decided = self._decided(form, heard.standing, held)
        after = self._record(heard, held, decided, said, visitor)
        lines = [
            *self.gate.removals(came, after.granted, unseen=True),
            *([self.gate.remember(after.choice)] if after.choice or came.remembers else []),
        ]
        return self._state(after, said, visitor, lines) if wants_json else _back(form.back, lines)

    def _acknowledge(self, form: _Form, visitor: Visitor | None) -> None:
        """Somebody without an account, perhaps because they were signed out just now, leaves nothing here."""
        try:
            version = self._history.version(form.version)
        except KeyError:
            raise _RefusedError(409, "There is no such version.") from None
        if version.starts > self.consent.now():
            raise _RefusedError(409, "That version is not in force yet.")
        if visitor is not None:
            self.consent.acknowledge(self._history, visitor, form.version)

    def _decided(self, form: _Form, before: Standing, held: Standing) -> dict[str, bool]:
        """Yes or no to each item that was asked about. `held` is what the signal outweighs, if there is one."""
        asked = form.shown | form.items
        if form.act == "withdraw":
            asked = form.items or form.shown or held.granted
        elif not form.shown or (form.act == "choose" and not form.items <= form.shown):
            raise _RefusedError(400, "Say in the field shown what was asked about.")
        elif form.act != "choose":
            asked = form.shown
        if unknown := asked - {item.id for item in self._version.declaration.gated}:
            raise _RefusedError(400, f"Nothing that needs an answer is called {ascii(min(unknown))[:80]}.")
        granted = {"grant": form.shown, "choose": form.items}.get(form.act, frozenset())
        if granted and before.signal:
            text = "Your browser says no for you, by Global Privacy Control. Nothing was recorded."
            raise _RefusedError(409, text)
        return {key: key in granted for key in asked}

    def _record(
        self, heard: Heard, held: Standing, decided: dict[str, bool], said: Speech, visitor: Visitor | None
    ) -> Standing:
        """What holds after the answer. Without an account, a no holds even where nothing more is recorded."""
        before, says_yes = heard.standing, any(decided.values())
        if not decided:
            return before
        if visitor is None:
            is_allowed = self._limiter.allows()
        else:
            is_allowed = self._accounts.allows(visitor.account)
            if not (is_allowed or says_yes):
                if decided.keys() <= held.refused:
                    return before
                is_allowed = True  # it takes back a yes, and of these there were only so many
        if is_allowed:
            text = question(self._version, decided, said)
            try:
                after, _ = self.consent.answer(
                    self._history, before, decided, text=text, language=said.language, visitor=visitor
                )
            except OutdatedError:
                raise _outdated() from None
            except Exception as error:
                if says_yes or visitor is not None:
                    raise
                silence(error)  # a no holds in the browser all the same
            else:
                return after
        elif says_yes:
            raise _RefusedError(429, "Too many answers at once. Try again in a minute.", (b"retry-after", b"60"))
        choice = Choice(self._version.number, held.granted - decided.keys(), held.refused | decided.keys())
        return standing(self._history, self._version, self.consent.now(), choice=choice, signal=before.signal)


def _language(query: bytes) -> str | None:
    """The one that the address asks for."""
    if query.count(b"&") >= _MOST_FIELDS:
        return None
    return parse_qs(query.decode("latin-1")).get("language", [None])[-1]


def _is_from_us(headers: Mapping[bytes, bytes]) -> bool:
    """Whether a page of ours sent it, or a program that signs in by itself. Browsers say where it came from; what they
    add to requests by themselves, such as Basic, tells of no intention."""
    site = headers.get(b"sec-fetch-site")
    if site is not None:
        return site == b"same-origin"
    origin = headers.get(b"origin")
    if origin is not None:
        place = urlsplit(origin.decode("latin-1"))
        host = headers.get(b"host", b"").decode("latin-1").lower()
        return place.scheme in {"http", "https"} and bool(host) and place.netloc.lower() == host
    scheme = headers.get(b"authorization", b"").split(b" ")[0].lower()
    return bool(scheme) and scheme not in _BY_ITSELF


def _read(headers: Mapping[bytes, bytes], body: bytes | None, mount: str) -> _Form:
    if body is None:
        raise _RefusedError(408, "The form did not arrive.")
    if len(body) > LONGEST_FORM:
        raise _RefusedError(413, "The form is too long.")
    if headers.get(b"content-type", b"").partition(b";")[0].strip().lower() != _FORM:
        raise _RefusedError(415, "Send a form, as application/x-www-form-urlencoded.")
    try:
        pairs = parse_qsl(body.decode("ascii"), keep_blank_values=True, errors="strict", max_num_fields=_MOST_FIELDS)
    except ValueError:  # among them UnicodeDecodeError
        raise _RefusedError(400, "The form cannot be read.") from None
    fields: dict[str, list[str]] = {}
    for name, value in pairs:
        fields.setdefault(name, []).append(value)
    if any(len(fields.get(name, ())) > 1 for name in _ONCE):
        raise _RefusedError(400, "A field stands there twice.")
    act, version, language, back = (fields.get(name, [""])[0] for name in _ONCE)
    if act not in _ACTS:
        raise _RefusedError(400, f"The field act is one of {', '.join(sorted(_ACTS))}.")
    if not version:
        raise _RefusedError(400, "The field version is missing.")
    back = back or mount + "/"
    if len(back) > _LONGEST_BACK or not _BACK.fullmatch(back):
        raise _RefusedError(400, "The field back is not a path of this site.")
    shown, items = (frozenset(fields.get(name, ())) for name in ("shown", "item"))
    return _Form(act, version, shown, items, language or None, back)


def _back(path: str, lines: list[bytes]) -> Answer:
    location = quote(path, safe="/:@!$&'()*+,;=-._~?%#[]").encode()
    return Answer(303, ((b"location", location), _NO_STORE, (b"content-length", b"0"), *_set(lines)))


def _set(lines: list[bytes]) -> list[Header]:
    return [(b"set-cookie", line) for line in lines]


def unavailable(desk: Desk, path: str) -> Answer:
    """The answer where nobody can tell who asks."""
    return desk.finished(_refusal(_later(), wants_json=False), path)


def _refusal(refused: _RefusedError, *, wants_json: bool) -> Answer:
    """A refusal as RFC 9457 says for programs, and as a line of text for people."""
    if wants_json:
        body = json.dumps({"status": refused.status, "title": refused.text}).encode()
        return Answer(
            refused.status, ((b"content-type", b"application/problem+json"), _NO_STORE, *refused.headers), body
        )
    return Answer(refused.status, (_PLAIN, _NO_STORE, *refused.headers), f"{refused.text}\n".encode())
