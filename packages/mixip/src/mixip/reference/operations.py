"""The OpenAPI document, flattened for a page that people read.

Running text is a list of parts: plain words, `code`, or the name of a schema, which the page links to its fields.
"""

from typing import Any

Parts = list[dict[str, Any]]


def operations_of(document: dict[str, Any]) -> list[dict[str, Any]]:
    """One entry per operation, in the order of the document: what to send, and what comes back."""
    return [
        {
            "method": method,
            "path": path,
            "steps": _pieces(path, "/"),
            "summary": operation.get("summary", ""),
            "description": _words(operation.get("description", "")),
            "parameters": [
                {
                    "pieces": _pieces(parameter["name"], "_"),
                    "where": parameter["in"],
                    "required": parameter.get("required", False),
                    "description": _words(parameter.get("description", "")),
                    "type": _type(parameter.get("schema", {})),
                }
                for parameter in operation.get("parameters", [])
            ],
            "request": _body(operation.get("requestBody", {})),
            "responses": [
                {"status": status, "told": _response(response)}
                for status, response in operation.get("responses", {}).items()
            ],
        }
        for path, methods in document.get("paths", {}).items()
        for method, operation in methods.items()
    ]


def schemas_of(document: dict[str, Any]) -> list[dict[str, Any]]:
    """One entry per named schema, by name and its fields."""
    return [
        {
            "name": name,
            "fields": [
                {"pieces": _pieces(field, "_"), "type": _type(about), "required": field in schema.get("required", [])}
                for field, about in schema.get("properties", {}).items()
            ],
        }
        for name, schema in document.get("components", {}).get("schemas", {}).items()
    ]


def _words(text: str) -> Parts:
    """Text with `code` in it."""
    return [{"text": part, "code": index % 2 == 1} for index, part in enumerate(text.split("`")) if part]


def _pieces(name: str, mark: str) -> list[str]:
    """A long name in pieces that begin with `mark`, so that a narrow page breaks it there and not anywhere."""
    first, *rest = name.split(mark)
    return [piece for piece in (first, *(mark + piece for piece in rest)) if piece]


def _plain(text: str) -> Parts:
    return [{"text": text}]


def _joined(many: list[Parts], between: str) -> Parts:
    joined: Parts = []
    for parts in many:
        joined += [*(_plain(between) if joined else []), *parts]
    return joined


def _type(schema: dict[str, Any]) -> Parts:
    if "$ref" in schema:
        return [{"schema": str(schema["$ref"]).rpartition("/")[2]}]
    for choice in ("oneOf", "anyOf"):
        if choice in schema:
            return _joined([_type(option) for option in schema[choice]], " or ")
    values = [schema["const"]] if "const" in schema else schema.get("enum", [])
    if values:
        return _joined([[{"text": "null" if value is None else str(value), "code": True}] for value in values], " or ")
    kind = schema.get("type", "anything")
    if kind == "array":
        return [*_plain("list of "), *_type(schema.get("items", {}))]
    if schema.get("format") == "date-time":
        return _plain("time (RFC 3339)")
    return _plain(" or ".join(kind) if isinstance(kind, list) else str(kind))


def _body(body: dict[str, Any]) -> Parts:
    """The type and, in brackets, the media types that it comes in."""
    by_type: list[tuple[Parts, list[str]]] = []
    for media, content in body.get("content", {}).items():
        kind = _type(content["schema"]) if "schema" in content else _plain("bytes")
        if by_type and by_type[-1][0] == kind:
            by_type[-1][1].append(media)
        else:
            by_type.append((kind, [media]))
    return _joined([[*kind, *_plain(f" ({', '.join(media)})")] for kind, media in by_type], ", ")


def _response(response: dict[str, Any]) -> Parts:
    return _joined([parts for parts in (_words(response.get("description", "")), _body(response)) if parts], " ")
