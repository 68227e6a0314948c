"""The OpenAPI document: what Litestar makes of the routes, and what it gets wrong or cannot know put right."""

from typing import Any

_PROBLEM = {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}
_DEFAULT = {"description": "Any other refusal; its code is explained at /help/errors.", "content": _PROBLEM}
_OF_PROGRAMS = ("/api/", "/oauth/", "/.well-known/")  # elsewhere a refusal is a page


def mended(document: dict[str, Any]) -> dict[str, Any]:
    """The document with a default answer per operation, answers in the order of their status, and exact lists."""
    for path, methods in document["paths"].items():
        for operation in methods.values():
            responses = dict(sorted(operation["responses"].items()))
            if path.startswith(_OF_PROGRAMS):
                responses["default"] = _DEFAULT
            operation["responses"] = responses
    return _exact(document)  # type: ignore[no-any-return]


def _exact(value: Any) -> Any:
    """Litestar takes the dots of `tuple[X, ...]` for one more type, anything, when the tuple has limits."""
    if isinstance(value, list):
        return [_exact(one) for one in value]
    if not isinstance(value, dict):
        return value
    options = value.get("oneOf")
    if isinstance(options, list) and {} in options:
        kept = [_exact(option) for option in options if option != {}]
        rest = {key: _exact(one) for key, one in value.items() if key != "oneOf"}
        return {**rest, **(kept[0] if len(kept) == 1 else {"oneOf": kept})}
    return {key: _exact(one) for key, one in value.items()}
