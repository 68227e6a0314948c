"""What the API's description says beyond the types of a handler: refusals, media types, headers.

`responses=` and `operation_class=` of a route use it; the document itself is made in `mixip.reference`.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import msgspec
from litestar.openapi import ResponseSpec
from litestar.openapi.spec import (
    OpenAPIMediaType,
    OpenAPIResponse,
    OpenAPIType,
    Operation,
    Parameter,
    RequestBody,
    Schema,
)

from mixip.errors import ERRORS

# What any address of the kind may answer. What only a fault brings (500, 503) is the document's default answer.
READ = ("not_signed_in", "malformed_request")
CHANGE = (*READ, "cross_origin", "csrf_failed")
FORM = ("malformed_request", "cross_origin", "body_too_large", "media_type_unsupported", "request_too_slow")
JSON = (*CHANGE, "malformed_json", "body_too_large", "media_type_unsupported", "request_too_slow")


class Problem(msgspec.Struct, frozen=True):
    """Why a request was refused (RFC 9457)."""

    type: str
    title: str
    status: int
    detail: str
    code: str
    action: str
    request_id: str


def refusals(*codes: str) -> dict[int, ResponseSpec]:
    """The problem details that a route answers with, by status, for rows of the error table."""
    told: dict[int, list[str]] = {}
    for kind in (ERRORS[code] for code in codes):
        told.setdefault(kind.status, []).append(f"{kind.title} ({kind.code}).")
    return {
        status: ResponseSpec(
            Problem,
            generate_examples=False,
            description=" ".join(told[status]),
            media_type="application/problem+json",
        )
        for status in sorted(told)
    }


def answer(data: type | None, description: str) -> ResponseSpec:
    """An answer of a handler that writes its JSON itself; None for one without JSON."""
    return ResponseSpec(data, generate_examples=False, description=description)


def operation(
    *,
    public: bool = False,
    headers: Mapping[str, tuple[str, bool]] | None = None,
    takes: str | None = None,
    gives: Mapping[int, tuple[str, ...]] | None = None,
) -> type[Operation]:
    """An `operation_class` for what no type says.

    `headers`: request headers with their meaning and whether they are required; `takes`: the media type of a body of
    bytes; `gives`: the media types of answers of bytes, by status.
    """

    @dataclass
    class Described(Operation):
        def __post_init__(self) -> None:
            if public:
                self.security = []  # as opposed to None, which stands for the document's own
            if headers:
                self.parameters = [*(self.parameters or []), *(_header(name, *headers[name]) for name in headers)]
            if takes:
                self.request_body = RequestBody(content={takes: OpenAPIMediaType()}, required=True)
            for status, media_types in (gives or {}).items():
                response = (self.responses or {})[str(status)]
                if isinstance(response, OpenAPIResponse):
                    response.content = {media_type: OpenAPIMediaType() for media_type in media_types}

    return Described


def _header(name: str, description: str, required: bool) -> Parameter:  # noqa: FBT001  from a table
    schema = Schema(type=OpenAPIType.STRING)
    return Parameter(name=name, param_in="header", schema=schema, description=description, required=required)
