"""The error table: every refusal that a person or a program can meet, with its status, its words and what to do next.

`/help/errors` shows this table; the API answers with the same words as problem details (RFC 9457).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class ErrorKind:
    """One row of the table. `title`, `detail` and `action` are safe to show to anybody."""

    code: str
    status: int
    title: str
    detail: str
    action: str


_ROWS = (
    # who is asking
    ("not_signed_in", 401, "You are not signed in", "This needs a session, and there is none or it has ended.",
     "Sign in and try again."),
    ("sign_in_failed", 401, "That did not work", "The e-mail address and the password do not belong together.",
     "Check both and try again."),
    ("too_many_attempts", 429, "Too many attempts", "There were many attempts in a short time, so we wait a little.",
     "Wait for the time given and try again."),
    ("csrf_failed", 403, "This page is out of date", "The request did not carry the token of your session.",
     "Open the page anew and try again there."),
    ("cross_origin", 403, "This came from another site", "Another site tried to act in your name. We did not let it.",
     "If it was you, open the platform itself and try again there."),
    ("email_taken", 409, "There is an account already", "An account with this e-mail address exists.",
     "Sign in instead, or use another address."),
    ("email_invalid", 422, "Check the e-mail address", "This does not look like an e-mail address.",
     "Enter an address like name@example.org."),
    ("password_too_short", 422, "A longer password, please", "The password has fewer than 8 characters.",
     "Use 8 characters or more; a few words make a good password."),
    ("password_too_long", 422, "A shorter password, please", "The password has more than 256 characters.",
     "Use 256 characters or fewer."),
    ("password_common", 422, "Another password, please", "Too many people use this password.",
     "Choose something that others cannot guess; a few words make a good password."),
    ("password_is_email", 422, "Another password, please", "The password is the e-mail address.",
     "Choose something that others cannot guess."),
    # works
    ("not_found", 404, "Nothing here", "There is nothing at this address, or it is not yours to see.",
     "Check the address."),
    ("title_missing", 422, "A title, please", "The title is empty.", "Give the work a title."),
    ("title_too_long", 422, "A shorter title, please", "The title has more than 200 characters.",
     "Use 200 characters or fewer."),
    ("title_invalid", 422, "Check the title", "The title has control characters in it.",
     "Type the title anew, without them."),
    ("description_too_long", 422, "A shorter description, please", "The description has more than 5,000 characters.",
     "Use 5,000 characters or fewer."),
    ("description_invalid", 422, "Check the description", "The description has control characters in it.",
     "Type it anew, without them."),
    ("kind_unknown", 422, "Choose a kind", "There is no such kind of work.",
     "Choose one of the kinds that are offered."),
    # deliveries
    ("file_name_invalid", 422, "This file name does not work",
     "A file name has 1 to 255 bytes, no slashes and no control characters, and is not . or ..",
     "Rename the file and choose it again."),
    ("file_empty", 422, "The file is empty", "A file of 0 bytes cannot be delivered.",
     "Check that the file was written completely, and choose it again."),
    ("file_too_large", 422, "The file is too large", "The file is larger than this platform accepts.",
     "Ask the operator for a higher limit."),
    ("quota_exceeded", 409, "Your space is used up", "With this file you would have more than your share of space.",
     "Remove unfinished deliveries, or ask the operator for more."),
    ("too_many_at_once", 429, "Too many at once", "You are sending more segments at once than we take.",
     "Wait until some have arrived."),
    ("too_many_deliveries", 409, "Too many unfinished deliveries", "You have 1,000 unfinished deliveries.",
     "Finish or remove some of them first."),
    ("digest_missing", 400, "A digest is needed", "The segment came without a usable Content-Digest.",
     "Send Content-Digest with sha-256 or blake3."),
    ("digest_mismatch", 422, "The segment arrived damaged", "The bytes that arrived do not have the digest announced.",
     "Send the segment again."),
    ("segment_unknown", 404, "No such segment", "The plan of this delivery has no segment with this number.",
     "Read the plan and send the segments that it lists."),
    ("segment_too_large", 413, "The segment is too large", "The body is longer than the plan says.",
     "Send exactly the planned length."),
    ("segment_incomplete", 400, "The segment is incomplete", "The body is shorter than the plan says.",
     "Send the whole segment again."),
    ("segments_missing", 409, "Not everything has arrived", "Some segments are missing.",
     "Send the missing segments, then commit again."),
    ("delivery_closed", 409, "This delivery is closed", "The delivery is being checked or is complete.",
     "Nothing is left to send. Start a new delivery for another file."),
    ("storage_full", 507, "The storage is full", "There is no room for this on the platform's disk.",
     "Nothing was lost: ask the operator to make room, then continue."),
    ("range_not_satisfiable", 416, "No such range", "The file has no bytes in the range asked for.",
     "Ask for a range within the file."),
    # the desktop app
    ("authorization_invalid", 400, "The app asked in a wrong way", "The sign-in request of the app is not complete.",
     "Start again from the app. If it happens again, update the app."),
    # the request itself
    ("malformed_request", 400, "We could not read that", "The request is not written as this address expects.",
     "Check the request against the API's description."),
    ("malformed_json", 400, "We could not read that", "The body is not valid JSON.", "Send valid JSON."),
    ("method_not_allowed", 405, "Not in this way", "This address does not take this kind of request.",
     "Check the method."),
    ("media_type_unsupported", 415, "Not in this form", "This address does not take bodies of this type.",
     "Send JSON or a form, as the API's description says."),
    ("request_too_slow", 408, "That took too long", "The request did not arrive within the time for it.",
     "Check your connection and try again."),
    ("body_too_large", 413, "That is too much", "The request is larger than this address accepts.", "Send less."),
    ("header_too_large", 431, "The headers are too large", "The request's headers are longer than 32 KiB.",
     "Delete this site's cookies in your browser, or send shorter headers."),
    ("internal_error", 500, "Something broke here", "This is our fault, not yours. Nothing you saved was lost.",
     "Try again. If it stays, tell the operator the request id."),
    ("unavailable", 503, "Not available right now", "The platform cannot answer at the moment.",
     "Try again in a minute."),
)  # fmt: skip

ERRORS: Mapping[str, ErrorKind] = {row[0]: ErrorKind(*row) for row in _ROWS}


class Problem(Exception):  # noqa: N818  the standard's word (RFC 9457)
    """A refusal from the table. Raise it where a request cannot go on; the edge turns it into an answer.

    `extra` adds members to the problem details; `headers` adds response headers.
    """

    def __init__(
        self,
        code: str,
        *,
        detail: str | None = None,
        extra: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(code)
        self.kind = ERRORS[code]
        self.detail = detail or self.kind.detail
        self.extra = extra or {}
        self.headers = headers or {}
