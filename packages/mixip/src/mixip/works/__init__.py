"""Works: what is being made, and the page where its files come together."""

from mixip.works.routes import ROUTES

__all__ = ["ROUTES"]
