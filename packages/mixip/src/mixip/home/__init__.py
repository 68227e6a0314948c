"""The public home page, and whether the platform is well."""

from mixip.home.routes import ROUTES

__all__ = ["ROUTES"]
