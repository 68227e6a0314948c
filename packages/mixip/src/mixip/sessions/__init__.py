"""The one list of sessions: browsers and apps, started, found and ended here."""

from mixip.sessions.actions import (
    NewSession,
    end_session,
    end_token,
    find_session,
    start_session,
    sweep_sessions,
)
from mixip.sessions.queries import SessionRow, sessions_of

__all__ = [
    "NewSession",
    "SessionRow",
    "end_session",
    "end_token",
    "find_session",
    "sessions_of",
    "start_session",
    "sweep_sessions",
]
