"""The authorization server for the Pro Transfer App: docs/desktop-sign-in.md."""

from mixip.desktop.actions import sweep_codes
from mixip.desktop.routes import ROUTES

__all__ = ["ROUTES", "sweep_codes"]
