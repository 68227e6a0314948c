"""Give a code to the browser, and a session to the app that brings it back."""

import hashlib
import hmac
import secrets
from base64 import urlsafe_b64encode
from datetime import datetime, timedelta

from mixip.db import Database
from mixip.desktop import queries
from mixip.desktop.requests import AuthorizationRequest
from mixip.sessions import NewSession, end_session, start_session

CODE_LIFE = timedelta(seconds=60)
CODE_KEPT = timedelta(days=1)  # so that a second use is noticed


def give_code(db: Database, *, account_id: str, asked: AuthorizationRequest, at: datetime) -> str:
    """A new code for the account that agreed. Only its hash is kept."""
    code = secrets.token_urlsafe(32)
    with db.write() as connection:
        queries.add(
            connection,
            code_hash=_hash(code),
            account_id=account_id,
            redirect_uri=asked.redirect_uri,
            code_challenge=asked.code_challenge,
            device=asked.device,
            expires_at=at + CODE_LIFE,
        )
    return code


def redeem_code(db: Database, *, code: str, redirect_uri: str, code_verifier: str, at: datetime) -> NewSession | None:
    """A session for the code, or None when anything about it is wrong.

    A code used twice was stolen by somebody: the session that it became is ended (RFC 6749 section 4.1.2).
    """
    challenge = urlsafe_b64encode(hashlib.sha256(code_verifier.encode()).digest()).rstrip(b"=").decode()
    with db.read() as connection:
        if queries.find(connection, _hash(code)) is None:
            return None  # before a write is begun: anybody may ask
    with db.write() as connection:
        row = queries.find(connection, _hash(code))
        if row is None:
            return None
        if row.session_id is not None:
            end_session(connection, row.account_id, only=row.session_id)
            return None
        if row.expires_at <= at:
            return None
        matches = hmac.compare_digest(challenge, row.code_challenge) & hmac.compare_digest(
            redirect_uri.encode(), row.redirect_uri.encode()
        )
        if not matches:
            return None
        session = start_session(connection, account_id=row.account_id, kind="app", name=row.device, at=at)
        queries.mark_used(connection, _hash(code), session.id)
        return session


def sweep_codes(db: Database, at: datetime) -> int:
    """Delete codes that are long over."""
    with db.write() as connection:
        return queries.remove_old(connection, at - CODE_KEPT)


def _hash(code: str) -> bytes:
    return hashlib.sha256(code.encode()).digest()
