"""The declaration that the guard enforces and the cookie policy shows."""

from functools import cache
from importlib.resources import as_file, files

from strictly_necessary import Declaration, load


@cache
def declaration() -> Declaration:
    """`legal/policy.toml`, checked. Raises DeclarationError: a wrong declaration never starts."""
    with as_file(files("mixip") / "legal" / "policy.toml") as path:
        return load(path)
