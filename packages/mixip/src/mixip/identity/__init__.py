"""Who you are: the embedded provider with e-mail and password, sign-up, sign-in, sign-out."""

from mixip.identity.passwords import PasswordRoom
from mixip.identity.queries import created_at as account_created_at
from mixip.identity.routes import ROUTES
from mixip.identity.throttle import sweep_throttles

__all__ = ["ROUTES", "PasswordRoom", "account_created_at", "sweep_throttles"]
