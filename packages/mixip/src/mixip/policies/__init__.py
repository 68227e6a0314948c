"""The versions of the cookie policy: what was released, and which of them this instance keeps to."""

from mixip.policies.importing import import_first, import_shipped
from mixip.policies.imprint import Imprint, in_the_name_of
from mixip.policies.reading import UnfitError
from mixip.policies.running import NoPolicyError, Policies

__all__ = ["Imprint", "NoPolicyError", "Policies", "UnfitError", "import_first", "import_shipped", "in_the_name_of"]
