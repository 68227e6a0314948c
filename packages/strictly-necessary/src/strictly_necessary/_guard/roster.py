"""Which version's guard is on duty: one for each version, made once, and relieved by the clock."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

from strictly_necessary._guard.checkpoint import Checkpoint, Mode, Reporter, check_mode, log_once
from strictly_necessary._guard.desk import ANSWERS_AN_HOUR, RECEIPTS_A_MINUTE, Desk
from strictly_necessary._guard.gate import Gate
from strictly_necessary._guard.serving import REPORTS_A_MINUTE, Limiter, Limiters, Serving
from strictly_necessary._guard.ticket import Ticket
from strictly_necessary._guard.watch import Watch
from strictly_necessary.consent._consent import Consent
from strictly_necessary.consent._standing import Standing
from strictly_necessary.declaration import Declaration
from strictly_necessary.versions import History, Version

Policy: TypeAlias = Declaration | History | Callable[[], History]
"""What a guard keeps to: one declaration, its versions, or a function that tells them at each request and is quick."""

_FIRST = dt.datetime.min.replace(tzinfo=dt.UTC)
_LAST = dt.datetime.max.replace(tzinfo=dt.UTC)


@dataclass(frozen=True, slots=True)
class Post:
    """What a guard needs for one version. `gate` is there if something in it needs consent and there is somebody who
    asks for it; else `ticket` is that of every request. `desk` is there if there is somebody who asks."""

    checkpoint: Checkpoint
    serving: Serving | None
    gate: Gate | None = None
    desk: Desk | None = None
    ticket: Ticket | None = None


class Roster:
    """Tells for each request which post is on duty. A single declaration never changes, and costs nothing more."""

    def __init__(
        self,
        policy: Policy,
        *,
        mode: Mode,
        on_finding: Reporter | None,
        nonces: bool,
        browser_guard: bool,
        watch: Watch | None,
        consent: Consent | None,
    ) -> None:
        if watch is not None and not isinstance(policy, Declaration):
            raise TypeError("a watch belongs to one declaration")
        if not isinstance(policy, Declaration | History) and not callable(policy):
            raise TypeError("the guard wants a declaration: give it load(...), with the path of your file")
        check_mode(mode)
        self._mode: Mode = mode
        self._on_finding = on_finding or log_once()
        self._nonces = nonces
        self._browser_guard = browser_guard
        self._watch = watch
        self._consent = consent
        self._now = consent.now if consent is not None else _utc_now
        self._reports = Limiter(REPORTS_A_MINUTE)
        self._receipts = Limiter(RECEIPTS_A_MINUTE)
        self._accounts = Limiters(ANSWERS_AN_HOUR, seconds=3600)
        self._posts: dict[str, Post] = {}
        self._duty: _Duty | None = None
        self._fixed: Post | None = None
        if isinstance(policy, Declaration):
            history = History.of([policy])
            self._fixed = self._make(history, history.versions[0])
        else:
            self._source = policy if callable(policy) else lambda: policy

    def post(self) -> Post:
        """The one of the version in force."""
        if self._fixed is not None:
            return self._fixed
        history = self._source()
        now = self._now()
        duty = self._duty  # read once: other threads may change it
        if duty is None or duty.history is not history or not duty.begins <= now < duty.ends:
            duty = self._relieve(history, now)
        return duty.post

    def _relieve(self, history: History, now: dt.datetime) -> _Duty:
        version, after = history.at(now), history.after(now)
        posts = self._posts if self._duty is not None and self._duty.history is history else {}
        if version.number not in posts:
            posts = {**posts, version.number: self._make(history, version)}
        self._posts = posts
        begins = _FIRST if version is history.versions[0] else version.starts
        self._duty = duty = _Duty(history, begins, after.starts if after else _LAST, posts[version.number])
        return duty

    def _make(self, history: History, version: Version) -> Post:
        declaration, consent = version.declaration, self._consent
        choice = declaration.choice if consent is not None and declaration.gated else None
        checkpoint = Checkpoint(
            declaration,
            mode=self._mode,
            on_finding=self._on_finding,
            nonces=self._nonces,
            reports=self._browser_guard,
            watch=self._watch,
        )
        gate = Gate(history, version, choice, consent, checkpoint) if consent is not None and choice else None
        serving = None
        if self._browser_guard:
            left = self._left(history)
            gated = (history, version, choice, left) if choice else None
            serving = Serving(declaration, checkpoint, limiter=self._reports, gated=gated)
        if consent is None:
            return Post(checkpoint, serving)
        limits = (self._receipts, self._accounts)
        desk = Desk(history, version, consent, gate, checkpoint, *limits, self._left(history))
        ticket = None if gate else Ticket(history, Standing(version), None, consent)
        return Post(gate.checkpoint if gate else checkpoint, serving, gate, desk, ticket)

    def _left(self, history: History) -> Callable[[], float]:
        """Tells how many seconds the version in force is to hold, as far as is known."""

        def left() -> float:
            now = self._now()
            after = history.after(now)
            return (after.starts - now).total_seconds() if after else float("inf")

        return left


@dataclass(frozen=True, slots=True)
class _Duty:
    """The post that is on duty from one moment until another."""

    history: History
    begins: dt.datetime
    ends: dt.datetime
    post: Post


def _utc_now() -> dt.datetime:
    return dt.datetime.now(dt.UTC)
