"""The policies. `policy.toml` is the declaration: the guard enforces it and the cookie policy is rendered from it."""

from mixip.legal.routes import ROUTES

__all__ = ["ROUTES"]
