"""Works as pages and as an API."""

import html

import httpx
import pytest

from tests.support.people import Person, new_person


def test_a_work_is_created_listed_and_opened(visitor: Person) -> None:
    visitor.sign_up()
    response = visitor.submit("/works/new", title="  Der grüne <Ton>  ", kind="music", description="line 1\r\nline 2")
    assert response.status_code == 303
    address = response.headers["location"]
    page = visitor.get(address).text
    assert html.escape("Der grüne <Ton>") in page
    assert "<Ton>" not in page
    assert html.escape("Der grüne <Ton>") in visitor.get("/works").text
    work = visitor.get(f"/api{address}").json()
    assert (work["title"], work["kind"], work["description"]) == ("Der grüne <Ton>", "music", "line 1\nline 2")


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"title": ""}, "title_missing"),
        ({"title": " \u3000 "}, "title_missing"),
        ({"title": "x" * 201}, "title_too_long"),
        ({"title": "x" * 10_000}, "title_too_long"),
        ({"title": "a\0b"}, "title_invalid"),
        ({"title": "a\nb"}, "title_invalid"),
        ({"title": "a", "kind": "nonsense"}, "kind_unknown"),
        ({"title": "a", "description": "x" * 5001}, "description_too_long"),
        ({"title": "a", "description": "a\0b"}, "description_invalid"),
    ],
)
def test_works_that_are_refused(owner: Person, fields: dict[str, str], expected: str) -> None:
    by_api = owner.call("POST", "/api/works", json=fields)
    assert (by_api.status_code, by_api.json()["code"]) == (422, expected)
    by_form = owner.submit("/works/new", **{"kind": "film", **fields})
    assert (by_form.status_code, by_form.headers["x-error-code"]) == (422, expected)
    assert html.escape(fields["title"]).replace("&#x27;", "'") in by_form.text, "what was typed is not lost"


def test_a_title_of_200_characters_is_kept(owner: Person) -> None:
    title = "Ü" * 200
    work = owner.create_work(title)
    assert owner.get(f"/api/works/{work}").json()["title"] == title


def test_many_works_come_in_pages(http: httpx.Client) -> None:
    person = new_person(http)
    person.sign_up()
    made = [person.create_work(f"Work {n}") for n in range(120)]
    seen: list[str] = []
    cursor = None
    for expected in (50, 50, 20):
        answer = person.get("/api/works", params={"before": cursor} if cursor else {}).json()
        assert len(answer["works"]) == expected
        seen += [work["id"] for work in answer["works"]]
        cursor = answer["next"]
    assert cursor is None
    assert sorted(seen, reverse=True) == seen
    assert set(seen) == set(made)
    first_page = person.get("/works").text
    assert f"/works?before={seen[49]}" in html.unescape(first_page)
    assert "Work 0<" in person.get(f"/works?before={seen[99]}").text


def test_works_are_found_by_their_exact_title(owner: Person) -> None:
    work = owner.create_work("Only this one")
    owner.create_work("Only this one, too")
    found = owner.get("/api/works", params={"title": "Only this one"}).json()["works"]
    assert [entry["id"] for entry in found] == [work]


def test_the_list_counts_files_and_bytes(owner: Person) -> None:
    work = owner.create_work()
    owner.deliver(work, "a", b"12345")
    owner.deliver(work, "b", b"123")
    shown = owner.get(f"/api/works/{work}").json()
    assert (shown["files"], shown["bytes"]) == (2, 8)


def test_nobody_sees_somebody_elses_works(owner: Person, outsider: Person) -> None:
    work = owner.create_work("Secret title")
    assert "Secret title" not in outsider.get("/works").text
    assert work not in outsider.get("/api/works").text
    page = outsider.get(f"/works/{work}")
    assert page.status_code == 404
    assert "Secret title" not in page.text


def test_cursors_that_make_no_sense(owner: Person) -> None:
    assert owner.get("/api/works", params={"before": "' OR 1=1 --"}).status_code == 200
    assert owner.get("/api/works", params={"before": "x" * 65}).status_code == 400
