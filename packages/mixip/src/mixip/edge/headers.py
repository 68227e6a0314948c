"""Reading single values from raw ASGI headers."""

from mixip.edge.asgi import Scope


def header(scope: Scope, name: bytes) -> str | None:
    """The value of a header, or None when it is absent. Sent twice counts as absent: there is no telling which."""
    found = [value for key, value in scope["headers"] if key.lower() == name]
    return found[0].decode("latin-1") if len(found) == 1 else None


def values(scope: Scope, name: bytes) -> list[bytes]:
    """The values of every header of this name; `name` is in lower case."""
    return [value for key, value in scope["headers"] if key.lower() == name]


def is_api(scope: Scope) -> bool:
    """Whether the answer is for a program (problem details) rather than for a person (a page)."""
    path = scope["path"]
    if path.startswith(("/api/", "/oauth/token", "/oauth/revoke", "/.well-known/")):
        return True
    return "application/json" in (header(scope, b"accept") or "")
