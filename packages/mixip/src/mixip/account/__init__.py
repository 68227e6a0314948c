"""Your account: who you are signed in as, how it looks, where you are signed in."""

from mixip.account.routes import ROUTES

__all__ = ["ROUTES"]
