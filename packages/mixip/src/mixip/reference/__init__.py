"""The API's description and the table of errors."""

from mixip.reference.routes import ROUTES

__all__ = ["ROUTES"]
