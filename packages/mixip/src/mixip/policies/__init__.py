"""The versions of the cookie policy: what was released, and which of them this instance keeps to."""

from mixip.policies.importing import import_first, import_shipped
from mixip.policies.imprint import Imprint, in_the_name_of
from mixip.policies.preview import write_preview
from mixip.policies.reading import UnfitError
from mixip.policies.releasing import (
    Plan,
    RefusedError,
    Wishes,
    check_withdrawal,
    plan_version,
    release_version,
    withdraw_version,
)
from mixip.policies.running import NoPolicyError, Policies
from mixip.policies.status import difference_document, sentences, status_of, verdict

__all__ = [
    "Imprint",
    "NoPolicyError",
    "Plan",
    "Policies",
    "RefusedError",
    "UnfitError",
    "Wishes",
    "check_withdrawal",
    "difference_document",
    "import_first",
    "import_shipped",
    "in_the_name_of",
    "plan_version",
    "release_version",
    "sentences",
    "status_of",
    "verdict",
    "withdraw_version",
    "write_preview",
]
