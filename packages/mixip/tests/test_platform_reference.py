"""The API's description: valid, true of what the platform answers, and readable."""

import html
import re
from typing import Any

import httpx
import pytest
from openapi_schema_validator import OAS31Validator
from openapi_spec_validator import validate

from mixip.errors import ERRORS
from tests.support.people import Person
from tests.support.platform import RunningPlatform

Document = dict[str, Any]
PROBLEM = "application/problem+json"


@pytest.fixture
def document(http: httpx.Client) -> Document:
    return http.get("/api/openapi.json").json()  # type: ignore[no-any-return]


@pytest.fixture
def page(http: httpx.Client) -> str:
    """The page, with its characters as people see them."""
    return html.unescape(http.get("/api").text)


def operations(document: Document) -> list[tuple[str, str, Document]]:
    return [(method, path, about) for path, methods in document["paths"].items() for method, about in methods.items()]


def require_described(document: Document, method: str, path: str, answer: httpx.Response) -> None:
    """Fail unless the document has this answer: its status, its media type, and the shape of its JSON."""
    responses = document["paths"][path][method.lower()]["responses"]
    assert str(answer.status_code) in responses, answer.text
    content = responses[str(answer.status_code)].get("content", {})
    media_type = answer.headers.get("content-type", "").partition(";")[0]
    if not content:
        assert answer.content == b""
        return
    wide = media_type.partition("/")[0] + "/*"
    assert media_type in content or wide in content
    schema = content.get(media_type, {}).get("schema")
    if schema:
        OAS31Validator({**schema, "components": document["components"]}).validate(answer.json())


def test_the_document_is_valid_openapi(document: Document) -> None:
    validate(document)


def test_errors_are_problem_details_with_codes_of_the_table(document: Document) -> None:
    problem = document["components"]["schemas"]["Problem"]
    assert set(problem["required"]) == {"type", "title", "status", "detail", "code", "action", "request_id"}
    for method, path, about in operations(document):
        for status, response in about["responses"].items():
            if PROBLEM not in response.get("content", {}) or status == "default":
                continue
            codes = re.findall(r"\((\w+)\)\.", response["description"])
            assert codes, (method, path, status)
            assert {ERRORS[code].status for code in codes} == {int(status)}, (method, path)
    assert "Bad request syntax" not in str(document)
    assert "status_code" not in str(document)


def test_only_what_is_public_needs_no_session(platform: RunningPlatform, document: Document) -> None:
    public = {
        (method.lower(), re.sub(r":\w+\}", "}", route.path))
        for route in platform.parts.api.routes
        for handler in route.route_handlers  # type: ignore[union-attr]
        for method in handler.http_methods
        if handler.opt.get("public")
    }
    for method, path, about in operations(document):
        assert (about.get("security") == []) == ((method, path) in public), (method, path)
        assert ("401" in about["responses"]) or (method, path) in public, (method, path)


def test_what_a_delivery_answers_is_as_described(owner: Person, visitor: Person, document: Document) -> None:
    def check(method: str, template: str, status: int, person: Person = owner, **options: Any) -> httpx.Response:
        ids = options.pop("ids", {"work_id": "x", "delivery_id": "x", "file_id": "x", "index": 0})
        answer = person.call(method, template.format(**ids), **options)
        assert answer.status_code == status, answer.text
        require_described(document, method, template, answer)
        return answer

    for method, path, about in operations(document):
        if about.get("security") != []:
            check(method.upper(), path, 401, visitor)
            if method == "get" and "{" in path:
                check(method.upper(), path, 404)
    check("GET", "/api/session", 200)
    check("GET", "/healthz", 200)
    check("GET", "/readyz", 200)
    check("GET", "/.well-known/oauth-authorization-server", 200)
    check("POST", "/oauth/token", 400, visitor, data={"grant_type": "password"})
    check("POST", "/oauth/token", 401, visitor, data={"grant_type": "authorization_code", "client_id": "x"})
    check("POST", "/oauth/revoke", 200, visitor, data={"token": "x"})
    check("POST", "/api/works", 422, json={"title": ""})
    check("POST", "/api/works", 400, content=b"{", headers={"content-type": "application/json"})
    check("POST", "/api/works", 415, content=b"x", headers={"content-type": "multipart/form-data; boundary=x"})
    work = check("POST", "/api/works", 201, json={"title": "A described film"}).json()["id"]
    of_work = {"work_id": work}
    deliveries = "/api/works/{work_id}/deliveries"
    check("POST", deliveries, 422, ids=of_work, json={"file_name": "", "size": 1})
    opened = check("POST", deliveries, 201, ids=of_work, json={"file_name": "a.bin", "size": 5}).json()
    of_delivery = {"delivery_id": opened["id"], "index": 0}
    segment = "/api/deliveries/{delivery_id}/segments/{index}"
    commit = "/api/deliveries/{delivery_id}/commit"
    check("PUT", segment, 400, ids=of_delivery, content=b"12345")
    check("POST", commit, 409, ids=of_delivery)
    assert owner.send(opened, 0, b"123456").status_code == 413
    sent = owner.send(opened, 0, b"12345")
    require_described(document, "PUT", segment, sent)
    check("GET", deliveries, 200, ids=of_work)
    done = check("POST", commit, 200, ids=of_delivery).json()
    check("DELETE", "/api/deliveries/{delivery_id}", 409, ids=of_delivery)
    of_file = {"file_id": done["file"]["id"]}
    content = "/api/files/{file_id}/content"
    whole = check("GET", content, 200, ids=of_file)
    check("GET", content, 206, ids=of_file, headers={"range": "bytes=0-1"})
    check("GET", content, 416, ids=of_file, headers={"range": "bytes=9-"})
    check("GET", content, 304, ids=of_file, headers={"if-none-match": whole.headers["etag"]})
    check("GET", "/api/files/{file_id}", 200, ids=of_file)
    check("GET", "/api/works/{work_id}/files", 200, ids=of_work)
    check("GET", "/api/works", 200)


def test_bytes_are_described_as_bytes(document: Document) -> None:
    paths = document["paths"]
    for status in ("200", "206"):
        of_content = paths["/api/files/{file_id}/content"]["get"]["responses"][status]["content"]
        assert list(of_content) == ["application/octet-stream"]
        of_media = paths["/api/files/{file_id}/media"]["get"]["responses"][status]["content"]
        assert list(of_media) == ["audio/*", "video/*"]
    assert list(paths["/api/files/{file_id}/preview"]["get"]["responses"]["200"]["content"]) == ["image/*"]
    segment = paths["/api/deliveries/{delivery_id}/segments/{index}"]["put"]
    assert list(segment["requestBody"]["content"]) == ["application/octet-stream"]
    header = next(one for one in segment["parameters"] if one["in"] == "header")
    assert (header["name"], header["required"]) == ("Content-Digest", True)
    assert "202" in paths["/api/deliveries/{delivery_id}/commit"]["post"]["responses"]


def test_the_page_shows_the_fields_of_every_schema_and_links_to_them(page: str, document: Document) -> None:
    for name, schema in document["components"]["schemas"].items():
        _, found, after = page.partition(f'<h3 id="schema-{name}">')
        assert found, name
        shown = re.findall(r"<dt><code>([^<]+)</code>", after.partition("</dl>")[0].replace("<wbr>", ""))
        assert shown == list(schema["properties"]), name
    links = set(re.findall(r'href="#(schema-\w+)"', page))
    assert {"schema-NewDelivery", "schema-DeliveryView", "schema-FileView", "schema-WorkView"} <= links
    assert links <= set(re.findall(r'id="(schema-\w+)"', page))


def test_the_page_reads_as_sentences(page: str) -> None:
    main = re.sub(r"<[^>]+>", "", page.partition("<main")[2].partition("</main>")[0])
    assert "`" not in main
    assert ".:" not in main
    assert "The session. SessionView (application/json)" in main
    assert "bytes (application/octet-stream)" in main
    assert "anything" not in main
