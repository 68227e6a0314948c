"""The OpenAPI document, flattened for a page that people read."""

from typing import Any


def operations_of(document: dict[str, Any]) -> list[dict[str, Any]]:
    """One entry per operation, in the order of the document: what to send, and what comes back."""
    return [
        {
            "method": method,
            "path": path,
            "summary": operation.get("summary", ""),
            "description": operation.get("description", ""),
            "parameters": [
                {
                    "name": parameter["name"],
                    "where": parameter["in"],
                    "required": parameter.get("required", False),
                    "description": parameter.get("description", ""),
                    "type": _type(parameter.get("schema", {})),
                }
                for parameter in operation.get("parameters", [])
            ],
            "request": _body(operation.get("requestBody", {})),
            "responses": [
                {"status": status, "description": _response(response)}
                for status, response in operation.get("responses", {}).items()
            ],
        }
        for path, methods in document.get("paths", {}).items()
        for method, operation in methods.items()
    ]


def _type(schema: dict[str, Any]) -> str:
    if "$ref" in schema:
        return str(schema["$ref"]).rpartition("/")[2]
    for choice in ("oneOf", "anyOf"):
        if choice in schema:
            return " or ".join(_type(option) for option in schema[choice])
    kind = schema.get("type", "anything")
    if kind == "array":
        return f"list of {_type(schema.get('items', {}))}"
    return " or ".join(kind) if isinstance(kind, list) else str(kind)


def _body(body: dict[str, Any]) -> str:
    return ", ".join(
        f"{media}: {_type(content.get('schema', {}))}" for media, content in body.get("content", {}).items()
    )


def _response(response: dict[str, Any]) -> str:
    body = _body(response)
    return f"{response.get('description', '')}{': ' + body if body else ''}"
