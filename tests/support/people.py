"""People who use the platform over HTTP, as browsers and apps do."""

import base64
import hashlib
import itertools
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import httpx

PASSWORD = "correct horse battery"

_numbers = itertools.count(1)


def content_digest(data: bytes) -> str:
    return f"sha-256=:{base64.b64encode(hashlib.sha256(data).digest()).decode()}:"


@dataclass
class Person:
    """Somebody with a browser: cookies are sent by hand, since a client keeps Secure ones from plain http."""

    http: httpx.Client
    email: str
    address: str
    session: str = ""
    csrf: str = ""

    @property
    def headers(self) -> dict[str, str]:
        headers = {"x-forwarded-for": self.address}
        if self.session:
            headers["cookie"] = f"__Host-Http-mixip_session={self.session}; __Host-mixip_csrf={self.csrf}"
        return headers

    def take_cookies(self, response: httpx.Response) -> None:
        for line in response.headers.get_list("set-cookie"):
            name, _, rest = line.partition("=")
            value = rest.partition(";")[0]
            if name == "__Host-Http-mixip_session":
                self.session = value
            if name == "__Host-mixip_csrf":
                self.csrf = value

    def request(self, method: str, path: str, **options: Any) -> httpx.Response:
        headers = {**self.headers, **options.pop("headers", {})}
        return self.http.request(method, path, headers=headers, **options)

    def get(self, path: str, **options: Any) -> httpx.Response:
        return self.request("GET", path, **options)

    def submit(self, path: str, **fields: str) -> httpx.Response:
        """Post a form of the platform's own pages."""
        return self.request("POST", path, data={"csrf_token": self.csrf, **fields})

    def call(self, method: str, path: str, **options: Any) -> httpx.Response:
        """Call the API as the pages' scripts do."""
        headers = {"x-csrf-token": self.csrf, "accept": "application/json", **options.pop("headers", {})}
        return self.request(method, path, headers=headers, **options)

    def sign_up(self, password: str = PASSWORD) -> httpx.Response:
        response = self.submit("/sign-up", email=self.email, password=password)
        self.take_cookies(response)
        return response

    def sign_in(self, password: str = PASSWORD, email: str | None = None, next: str = "") -> httpx.Response:  # noqa: A002
        response = self.submit("/sign-in", email=email or self.email, password=password, next=next)
        self.take_cookies(response)
        return response

    def create_work(self, title: str = "A film") -> str:
        response = self.call("POST", "/api/works", json={"title": title, "kind": "film"})
        assert response.status_code == 201, response.text
        return str(response.json()["id"])

    def open_delivery(self, work: str, name: str, size: int, **more: Any) -> dict[str, Any]:
        response = self.call("POST", f"/api/works/{work}/deliveries", json={"file_name": name, "size": size, **more})
        assert response.status_code == 201, response.text
        return dict(response.json())

    def send(self, delivery: dict[str, Any], index: int, data: bytes, digest: str | None = None) -> httpx.Response:
        return self.call(
            "PUT",
            f"/api/deliveries/{delivery['id']}/segments/{index}",
            content=data,
            headers={"content-digest": digest or content_digest(data)},
        )

    def commit(self, delivery: dict[str, Any]) -> httpx.Response:
        return self.call("POST", f"/api/deliveries/{delivery['id']}/commit")

    def deliver(self, work: str, name: str, data: bytes) -> dict[str, Any]:
        """Deliver a whole file and return it as the API shows it."""
        delivery = self.open_delivery(work, name, len(data))
        for index, (start, end) in enumerate(ranges(delivery["plan"])):
            assert self.send(delivery, index, data[start:end]).status_code == 204
        response = self.commit(delivery)
        assert response.status_code == 200, response.text
        return dict(response.json()["file"])


def ranges(plan: list[dict[str, Any]]) -> Iterator[tuple[int, int]]:
    """The (start, end) of every segment of a plan."""
    start = 0
    for run in plan:
        for _ in range(run["count"]):
            yield start, start + run["length"]
            start += run["length"]


def new_person(http: httpx.Client, name: str = "person") -> Person:
    """Somebody new, at an address of their own, not signed up yet."""
    number = next(_numbers)
    email = f"{re.sub('[^a-z]', '', name)}{number}@example.org"
    return Person(http, email, f"198.51.{number // 250}.{number % 250 + 1}")
