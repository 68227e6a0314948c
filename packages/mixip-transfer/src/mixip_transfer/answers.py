"""What the platform answers, checked once and frozen.

Source: docs/transfer-protocol.md. Fields that this app does not need are left out; unknown ones are ignored.
Every reader raises BadAnswerError for an answer that the protocol does not allow.
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
