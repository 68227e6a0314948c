"""What the platform answers, checked once and frozen.

Source: docs/transfer-protocol.md; for the cookie policy, the state that strictly-necessary answers. Fields that this
app does not need are left out; unknown ones are ignored. Every reader raises BadAnswerError for an answer that the
protocol does not allow.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from mixip_transfer.errors import BadAnswerError
from mixip_transfer.plan import Run

T = TypeVar("T")
Json = Mapping[str, Any]

_SHA256 = re.compile(r"[0-9a-f]{64}")
_VISIBLE = re.compile(r"[\x21-\x7e]{1,2000}")
_STATES = ("open", "verifying", "delivered")
_POLICY_FORMAT = 1
_ANSWERS = ("granted", "refused", None)


@dataclass(frozen=True, slots=True)
class Work:
    id: str
    title: str
    kind: str
    created_at: str
    files: int
    bytes: int


@dataclass(frozen=True, slots=True)
class File:
    """A delivered file. `size` in bytes, `sha256` in lower-case hexadecimal digits."""

    id: str
    name: str
    size: int
    sha256: str
    delivered_at: str
    delivered_by: str


@dataclass(frozen=True, slots=True)
class Delivery:
    """An upload. `received` maps a segment's index to the `Content-Digest` that the platform recorded."""

    id: str
    file_name: str
    size: int
    last_modified: int | None
    state: str
    plan: tuple[Run, ...]
    received: Mapping[int, str]
    verified_bytes: int
    file: File | None


@dataclass(frozen=True, slots=True)
class Session:
    email: str
    name: str
    expires_at: str


@dataclass(frozen=True, slots=True)
class AuthorizationServer:
    """Where to sign in (RFC 8414)."""

    issuer: str
    authorization_endpoint: str
    token_endpoint: str
    revocation_endpoint: str


@dataclass(frozen=True, slots=True)
class PolicyItem:
    """Something that the platform keeps only with consent. `answer` is `granted`, `refused` or None; `asks`, whether
    the platform waits for one."""

    id: str
    title: str
    purposes: tuple[str, ...]
    lifetime: str
    provider: str
    recipients: tuple[str, ...]
    answer: str | None
    asks: bool


@dataclass(frozen=True, slots=True)
class PolicyNews:
    """A significant version of the cookie policy that the account has not been told of. `changes` are sentences."""

    version: str
    starts: str
    last_updated: str
    summary: str | None
    changes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class PolicyState:
    """The cookie policy in force, for one account. `question` is the whole text of what is asked, in `language`; None
    when nothing is asked. `news` begins with the oldest."""

    version: str
    last_updated: str
    starts: str
    language: str
    question: str | None
    items: tuple[PolicyItem, ...]
    news: tuple[PolicyNews, ...]

    @property
    def asks(self) -> bool:
        return any(item.asks for item in self.items)


def work(answer: Any) -> Work:
    return Work(
        id=_id(answer),
        title=_text(answer, "title"),
        kind=_text(answer, "kind"),
        created_at=_text(answer, "created_at"),
        files=_whole(answer, "files"),
        bytes=_whole(answer, "bytes"),
    )


def file(answer: Any) -> File:
    sha256 = _text(answer, "sha256").lower()
    if not _SHA256.fullmatch(sha256):
        raise BadAnswerError("The platform's answer has a SHA-256 that is none.")
    return File(
        id=_id(answer),
        name=_text(answer, "name"),
        size=_whole(answer, "size"),
        sha256=sha256,
        delivered_at=_text(answer, "delivered_at"),
        delivered_by=_text(answer, "delivered_by"),
    )


def delivery(answer: Any) -> Delivery:
    state = _text(answer, "state")
    if state not in _STATES:
        raise BadAnswerError(f"The platform's delivery is in the unknown state {state!r}.")
    listed = answer.get("file")
    return Delivery(
        id=_id(answer),
        file_name=_text(answer, "file_name"),
        size=_whole(answer, "size"),
        last_modified=None if answer.get("last_modified") is None else _number(answer, "last_modified"),
        state=state,
        plan=tuple(_run(run) for run in _list(answer, "plan")),
        received={_whole(one, "index"): _text(one, "digest") for one in _list(answer, "received")},
        verified_bytes=_whole(answer, "verified_bytes"),
        file=None if listed is None else file(listed),
    )


def session(answer: Any) -> Session:
    return Session(
        email=_text(answer, "email"), name=_text(answer, "name"), expires_at=str(_map(answer).get("expires_at") or "")
    )


def authorization_server(answer: Any) -> AuthorizationServer:
    return AuthorizationServer(
        issuer=_url(answer, "issuer"),
        authorization_endpoint=_url(answer, "authorization_endpoint"),
        token_endpoint=_url(answer, "token_endpoint"),
        revocation_endpoint=_url(answer, "revocation_endpoint"),
    )


def policy_state(answer: Any) -> PolicyState:
    """The state of the cookie policy, format 1."""
    if _map(answer).get("format") != _POLICY_FORMAT:
        raise BadAnswerError("The platform describes its cookie policy in a way that this app does not know.")
    return PolicyState(
        version=_text(answer, "version"),
        last_updated=_text(answer, "last_updated"),
        starts=_text(answer, "starts"),
        language=_text(answer, "language"),
        question=_text_or_none(answer, "text"),
        items=tuple(_policy_item(one) for one in _list(answer, "items")),
        news=tuple(_policy_news(one) for one in _list(answer, "news")),
    )


def _policy_item(answer: Any) -> PolicyItem:
    given = _text_or_none(answer, "answer")
    if given not in _ANSWERS:
        raise BadAnswerError(f"The platform's answer has the unknown consent {str(given)[:40]!r}.")
    return PolicyItem(
        id=_id(answer),
        title=_text(answer, "title"),
        purposes=_texts(answer, "purposes"),
        lifetime=_text(answer, "lifetime"),
        provider=_text(answer, "provider"),
        recipients=_texts(answer, "recipients"),
        answer=given,
        asks=_flag(answer, "asks"),
    )


def _policy_news(answer: Any) -> PolicyNews:
    return PolicyNews(
        version=_text(answer, "version"),
        starts=_text(answer, "starts"),
        last_updated=_text(answer, "last_updated"),
        summary=_text_or_none(answer, "summary"),
        changes=_texts(answer, "changes"),
    )


def access_token(answer: Any) -> str:
    """The session token of a token answer (RFC 6749 section 5.1)."""
    token = _text(answer, "access_token")
    if _text(answer, "token_type").lower() != "bearer" or not is_token(token):
        raise BadAnswerError("The platform's answer holds no session token.")
    return token


def is_token(text: str) -> bool:
    """Whether a text can be a session token: it becomes part of a header, and Windows keeps 1,280 characters."""
    return re.fullmatch(r"[\x21-\x7e]{16,1024}", text) is not None


def page(answer: Any, field: str, read: Callable[[Any], T]) -> tuple[list[T], str | None]:
    """One page of a list, and the cursor of the next one."""
    following = _map(answer).get("next")
    if following is not None and not (isinstance(following, str) and _VISIBLE.fullmatch(following)):
        raise BadAnswerError("The platform's answer has an unusable cursor.")
    return [read(one) for one in _list(answer, field)], following


def _run(answer: Any) -> Run:
    return Run(_text(answer, "kind"), _whole(answer, "length"), _whole(answer, "count"))


def _map(answer: Any) -> Json:
    if not isinstance(answer, dict):
        raise BadAnswerError("The platform's answer is not what the protocol says.")
    return answer


def _id(answer: Any) -> str:
    value = _text(answer, "id")
    # An identifier becomes part of an address; nothing in it may lead elsewhere.
    if not is_id(value):
        raise BadAnswerError("The platform's answer has an unusable identifier.")
    return value


def is_id(text: str) -> bool:
    """Whether a text can be an identifier of the platform."""
    return re.fullmatch(r"[A-Za-z0-9_-]{1,80}", text) is not None


def _text(answer: Any, field: str) -> str:
    value = _map(answer).get(field)
    if not isinstance(value, str):
        raise BadAnswerError(f"The platform's answer lacks {field!r}.")
    return value


def _text_or_none(answer: Any, field: str) -> str | None:
    return None if _map(answer).get(field) is None else _text(answer, field)


def _texts(answer: Any, field: str) -> tuple[str, ...]:
    values = _list(answer, field)
    if not all(isinstance(value, str) for value in values):
        raise BadAnswerError(f"The platform's answer has a {field!r} that is no list of texts.")
    return tuple(values)


def _flag(answer: Any, field: str) -> bool:
    value = _map(answer).get(field)
    if not isinstance(value, bool):
        raise BadAnswerError(f"The platform's answer lacks {field!r}.")
    return value


def _url(answer: Any, field: str) -> str:
    value = _text(answer, field)
    # It is printed and opened: nothing in it may steer a terminal.
    if not _VISIBLE.fullmatch(value):
        raise BadAnswerError(f"The platform's answer has no usable address for {field!r}.")
    return value


def _number(answer: Any, field: str) -> int:
    value = _map(answer).get(field)
    if not isinstance(value, int) or isinstance(value, bool):
        raise BadAnswerError(f"The platform's answer lacks {field!r}.")
    return value


def _whole(answer: Any, field: str) -> int:
    value = _number(answer, field)
    if value < 0:
        raise BadAnswerError(f"The platform's answer has a negative {field!r}.")
    return value


def _list(answer: Any, field: str) -> list[Any]:
    value = _map(answer).get(field)
    if not isinstance(value, list):
        raise BadAnswerError(f"The platform's answer lacks {field!r}.")
    return value
