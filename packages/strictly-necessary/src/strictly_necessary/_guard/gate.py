"""What a guard does where something needs consent: what came with a request, what holds, and what the answer says to
the browser. The same for ASGI and for WSGI."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from dataclasses import dataclass, replace

from strictly_necessary._guard.checkpoint import Checkpoint, Header
from strictly_necessary._guard.serving import Limiter
from strictly_necessary._guard.ticket import Ticket
from strictly_necessary.consent._choice import Choice
from strictly_necessary.consent._consent import Consent, Visitor
from strictly_necessary.consent._standing import Standing, standing
from strictly_necessary.cookies import CookieSyntaxError, parse_cookie_header
from strictly_necessary.declaration import delete_cookie, set_cookie
from strictly_necessary.declaration._items import Item
from strictly_necessary.versions import History, Version

MOST_REMOVED = 20
"""Cookies that one answer removes at most: a head that is too long is refused by proxies. The next answer goes on."""

_MOST_SEEN = 200
_MOST_KNOWN = 256
_KEPT_BY_CACHES = frozenset({b"cache-control", b"expires", b"pragma", b"cdn-cache-control", b"surrogate-control"})
_PRIVATE = (b"cache-control", b"private, no-cache")
_log = logging.getLogger("strictly_necessary")
_silences = Limiter(1)
_VARY = (b"vary", b"cookie, sec-gpc")


@dataclass(frozen=True, slots=True)
class Came:
    """What a request says of consent: the choice that the browser remembers, whether there is a cookie for it, the
    signal of Global Privacy Control, and the names of cookies that need consent, each with its item."""

    choice: Choice | None = None
    remembers: bool = False
    signal: bool = False
    gated: tuple[tuple[str, Item], ...] = ()


@dataclass(frozen=True, slots=True)
class Heard:
    """What holds for a request. `is_known` is False if nobody could be asked: then nothing is granted, and what the
    browser remembers stays as it is. `seconds` is the life of the choice, if the browser is to learn another one.
    `has_left` says that the browser remembers what an account granted, and nobody is signed in: then it counts for
    nobody."""

    standing: Standing
    visitor: Visitor | None = None
    is_known: bool = True
    learns: bool = False
    seconds: int = 0
    has_left: bool = False


class Gate:
    """The gate of one version, which remembers answers in the cookie `choice`. Its `checkpoint` grants nothing."""

    def __init__(
        self, history: History, version: Version, choice: Item, consent: Consent, checkpoint: Checkpoint
    ) -> None:
        self.history = history
        self.version = version
        self.consent = consent
        self.checkpoint = checkpoint.granting(frozenset())
        self.item = choice
        self._known: dict[tuple[Choice | None, bool], Standing] = {}
        self._life = self.item.lifetime.seconds or 0
        self._cookies = [item for item in version.declaration.gated if item in version.declaration.cookies]

    def read(self, cookies: list[bytes], *, signal: bool) -> Came:
        """What came in these Cookie headers. Anybody can send anything: two choices are none, because a neighbouring
        site may have set one of them."""
        choices: list[str] = []
        gated: dict[str, Item] = {}
        for pair in parse_cookie_header(b"; ".join(cookies)) if cookies else ():
            if pair.problem:
                continue
            name = pair.name.decode("latin-1")
            if name == self.item.name:
                choices.append(pair.value.decode("latin-1"))
            elif len(gated) < _MOST_SEEN and name not in gated:
                item = next((item for item in self._cookies if item.matches(name)), None)
                if item is not None:
                    gated[name] = item
        choice = Choice.read(choices[0]) if len(choices) == 1 else None
        return Came(choice, bool(choices), signal, tuple(gated.items()))

    def hear(self, came: Came, visitor: Visitor | None, *, signal: bool | None = None) -> Heard:
        """What holds, with the `signal` that came or with this one. The ledger is asked if there is a visitor, so it
        may block. Raises what the ledger raises."""
        says = came.signal if signal is None else signal
        has_left = visitor is None and came.choice is not None and bool(came.choice.account)
        choice = None if has_left else came.choice
        copied = choice.account if choice is not None else frozenset()
        alone = holds = self._alone(replace(choice, account=frozenset()) if choice else None, signal=says)
        if visitor is not None:
            holds = self.consent.standing(self.history, choice=choice, visitor=visitor, signal=says)
        told = bool(holds.granted or holds.refused or holds.open)
        if not told or holds.version.number != self.version.number:
            return self.unheard()  # the ledger was silent, or the next version began just now
        if (alone.granted, alone.refused) != (holds.granted, holds.refused) or (copied - holds.of_account and not says):
            learns = True  # the account said something else elsewhere, or it was another account
        else:  # what of it holds no more? What the signal outweighs counts when the signal ends
            learns = came.remembers and alone.choice is None and (has_left or not says)
        seconds = self._left(holds, visitor) if learns else 0
        return Heard(holds, visitor, learns=learns, seconds=seconds, has_left=has_left)

    def _alone(self, choice: Choice | None, *, signal: bool) -> Standing:
        """What holds by what the browser remembers, which no time changes."""
        key = (choice, signal)
        found = self._known.get(key)
        if found is None:
            found = standing(self.history, self.version, self.consent.now(), choice=choice, signal=signal)
            if len(self._known) >= _MOST_KNOWN:
                self._known.clear()  # anybody can remember anything
            self._known[key] = found
        return found

    def _left(self, holds: Standing, visitor: Visitor | None) -> int:
        """Seconds that what holds is to live on in the browser: as long as the oldest answer of the account, so that a
        visit makes nothing live longer."""
        answers = self.consent.ledger.answers(visitor.account) if visitor is not None and holds.choice else {}
        now, held = self.consent.now(), holds.granted | holds.refused
        ages = [(now - each.at).total_seconds() for key, each in answers.items() if key in held]
        return min(self._life, max(1, self._life - int(max(ages, default=0))))

    def unheard(self) -> Heard:
        """For a request about which nobody can be asked."""
        return Heard(Standing(self.version), is_known=False)

    def let(self, came: Came, heard: Heard) -> Pass:
        """The request may go on, with this in its hands."""
        ticket = Ticket(self.history, heard.standing, heard.visitor, self.consent)
        return Pass(self, came, heard, ticket, self.checkpoint.granting(heard.standing.granted))

    def remember(self, choice: Choice | None, seconds: int | None = None) -> bytes:
        """The Set-Cookie with what the browser is to remember from now on."""
        if choice is None:
            return delete_cookie(self.item).encode()
        return set_cookie(self.item, str(choice), self._life if seconds is None else seconds).encode()

    def removals(self, came: Came, granted: frozenset[str], *, unseen: bool = False) -> list[bytes]:
        """The Set-Cookie headers that remove what came and is not granted. With `unseen`, also what would have come
        only to other paths."""
        names = {name: item for name, item in came.gated if item.id not in granted}
        if unseen:
            names |= {item.name: item for item in self._cookies if not item.is_pattern and item.id not in granted}
        found = []
        for name, item in list(names.items())[:MOST_REMOVED]:
            try:
                found.append(delete_cookie(replace(item, name=name)).encode())
            except (CookieSyntaxError, ValueError):
                continue  # no browser could have stored it
        return found

    def is_about(self, header: bytes) -> bool:
        """Whether this Set-Cookie is one of a cookie that needs consent."""
        name = header.partition(b";")[0].partition(b"=")[0].strip(b" \t").decode("latin-1")
        return any(item.matches(name) for item in self._cookies)


@dataclass(slots=True)
class Pass:
    """One request at the gate. `was_shown` once the application has asked for the ticket: then its answer depends on
    who asks."""

    gate: Gate
    came: Came
    heard: Heard
    ticket: Ticket
    checkpoint: Checkpoint
    was_shown: bool = False

    def lines(self, *, is_page: bool) -> list[bytes]:
        """The Set-Cookie headers for the browser: what it is to remember, and what it is to remove."""
        if not self.heard.is_known or (self.heard.has_left and not (is_page or self.was_shown)):
            return []  # sites need not say who asks for what is the same for everybody, such as a stylesheet
        lines = self.gate.removals(self.came, self.heard.standing.granted)
        if self.heard.learns:
            lines.append(self.gate.remember(self.heard.standing.choice, self.heard.seconds))
        return lines

    def leaving(self, headers: Iterable[Header], path: str, nonce: str | None) -> list[Header]:
        """`Checkpoint.outgoing`, and what the browser is to learn about consent."""
        passed, signed_out = self.checkpoint.leaving(headers, path, nonce)
        if self.checkpoint.mode == "report":
            return passed
        if signed_out:
            passed = [each for each in passed if each[0].lower() != b"set-cookie" or not self.gate.is_about(each[1])]
            lines = self._farewell()
        else:
            lines = self.lines(is_page=_is_page(passed))
        if lines:
            passed = kept_by_nobody_else(passed) + [(b"set-cookie", line) for line in lines]
        if self.was_shown:
            passed.append(_VARY)
        return passed

    def _farewell(self) -> list[bytes]:
        """Signing out leaves no yes behind; a plain no stays."""
        lines = self.gate.removals(self.came, frozenset(), unseen=bool(self.heard.standing.granted))
        if self.came.remembers and (self.came.choice is None or self.came.choice.granted):
            lines.append(self.gate.remember(None))
        return lines


def signals(header: bytes) -> bool:
    """Whether a Sec-GPC header says no. Where a proxy has put several into one, one of them is enough."""
    return b"1" in [part.strip() for part in header.split(b",")]


def ticket_in(entry: Pass | Ticket) -> Ticket:
    """The ticket that stands in a scope or environ."""
    if isinstance(entry, Ticket):
        return entry
    entry.was_shown = True
    return entry.ticket


def _is_page(headers: list[Header]) -> bool:
    return any(name.lower() == b"content-type" and b"html" in value.lower() for name, value in headers)


def silence(error: Exception) -> None:
    """Tell that nobody could be asked about consent: while it lasts, once in a minute, and without a word that may tell
    who it was."""
    if _silences.allows():
        _log.error("consent: nothing is granted, because nobody could be asked: %s", type(error).__qualname__)


def kept_by_nobody_else(headers: list[Header]) -> list[Header]:
    """The headers of an answer that no cache of others may keep."""
    if any(name.lower() == b"cache-control" and b"no-store" in value.lower() for name, value in headers):
        return headers
    return [*(each for each in headers if each[0].lower() not in _KEPT_BY_CACHES), _PRIVATE]
