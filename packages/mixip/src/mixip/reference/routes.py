"""What programs can do here, for programs and for people."""

from typing import Any

from litestar import Request, get
from litestar.response.base import ASGIResponse

from mixip.edge.pages import page
from mixip.edge.responses import as_json
from mixip.errors import ERRORS
from mixip.reference.document import mended
from mixip.reference.operations import operations_of, schemas_of

AnyRequest = Request[Any, Any, Any]


@get("/api/openapi.json", public=True, include_in_schema=False, sync_to_thread=True)
def openapi_document(request: AnyRequest) -> ASGIResponse:
    """The OpenAPI document."""
    return as_json(mended(request.app.openapi_schema.to_schema()))


@get("/api", public=True, include_in_schema=False, sync_to_thread=True)
def reference_page(request: AnyRequest) -> ASGIResponse:
    """The same, to read; it loads nothing from elsewhere."""
    document = mended(request.app.openapi_schema.to_schema())
    return page(
        request,
        "reference/reference.html",
        info=document["info"],
        operations=operations_of(document),
        schemas=schemas_of(document),
    )


@get("/help/errors", public=True, include_in_schema=False, sync_to_thread=True)
def errors_page(request: AnyRequest) -> ASGIResponse:
    """Every error code, what it means and what to do."""
    return page(request, "errors/help.html", errors=list(ERRORS.values()))


ROUTES = (openapi_document, reference_page, errors_page)
