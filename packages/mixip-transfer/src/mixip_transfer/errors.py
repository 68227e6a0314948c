"""Everything that can go wrong, with the exit code that a script sees.

Exit codes: 0 fine, 1 failed, 2 usage, 3 no usable keyring, 4 not signed in or session ended, 5 some files of several
failed, 130 cancelled. A message says what happened; an advice says what to do next. Neither ever holds a secret.
"""

from __future__ import annotations

from typing import ClassVar


class TransferError(Exception):
    """A failure that a person can be told about."""

    exit_code: ClassVar[int] = 1

    def __init__(self, message: str, advice: str = "", *, code: str = "failed") -> None:
        super().__init__(message)
        self.message = message
        self.advice = advice
        self.code = code


class UsageError(TransferError):
    """What was asked for cannot be done as it was written."""

    exit_code = 2


class KeyringError(TransferError):
    """There is no keyring that may hold the session token, or it does not answer."""

    exit_code = 3

    def __init__(self, message: str, advice: str = "") -> None:
        super().__init__(message, advice, code="no_keyring")


class NotSignedInError(TransferError):
    """No session token for the platform, or the platform does not accept it any more."""

    exit_code = 4

    def __init__(self, message: str, advice: str = "") -> None:
        super().__init__(message, advice, code="not_signed_in")


class SomeFailedError(TransferError):
    """At least one file of several failed and at least one did not."""

    exit_code = 5


class StoppedError(TransferError):
    """The person, or the window, asked to stop."""

    exit_code = 130

    def __init__(self, message: str = "Stopped.") -> None:
        super().__init__(message, code="stopped")


class UnreachableError(TransferError):
    """The platform could not be reached, also after trying again for as long as was agreed."""

    def __init__(self, message: str, advice: str = "") -> None:
        super().__init__(message, advice, code="unreachable")


class RefusedError(TransferError):
    """The platform understood and said no. `code` and `status` are the platform's own."""

    def __init__(
        self,
        message: str,
        advice: str = "",
        *,
        code: str,
        status: int,
        request_id: str = "",
        retry_later: bool = False,
        retry_after: float | None = None,
    ) -> None:
        super().__init__(message, advice, code=code)
        self.status = status
        self.request_id = request_id
        self.retry_later = retry_later  # the same request may succeed later, at the earliest in `retry_after` seconds
        self.retry_after = retry_after


class BadAnswerError(TransferError):
    """The platform answered something that the protocol does not allow."""

    def __init__(self, message: str) -> None:
        super().__init__(
            message,
            "Is this address really a Mix-IP platform, and is this app new enough for it?",
            code="bad_answer",
        )


class FileChangedError(TransferError):
    """The local file is not what it was when the delivery began."""

    def __init__(self, name: str) -> None:
        super().__init__(
            f"{name} changed while it was sent, so nothing was delivered.",
            "Run the same command again once the file is finished.",
            code="file_changed",
        )


class UnverifiedError(TransferError):
    """What arrived is not what was sent: the SHA-256 of the two ends differ."""

    def __init__(self, message: str, advice: str) -> None:
        super().__init__(message, advice, code="unverified")
