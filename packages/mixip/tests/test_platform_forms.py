"""Forms as browsers send them: nothing typed is lost, and every refusal says what to do."""

import html
import re

import httpx
import pytest

from tests.support.people import Person

OWN_PAGE = {"sec-fetch-site": "same-origin"}
WORK = {"title": "Night <Bus>", "kind": "music", "description": "one\r\ntwo"}


def hidden(page: str) -> dict[str, str]:
    """The fields of the form that is offered again."""
    form = page.partition('id="kept"')[2].partition("</form>")[0]
    found = re.findall(r'name="([^"]*)" value="([^"]*)"', form)
    return {html.unescape(name): html.unescape(value) for name, value in found}


def test_a_form_with_a_stale_token_is_offered_again_with_a_fresh_one(owner: Person) -> None:
    sent = {"csrf_token": "stale", "password": "secret words here", **WORK}
    refused = owner.request("POST", "/works/new", data=sent, headers=OWN_PAGE)
    assert refused.status_code == 403
    assert "Nothing was lost: press the button again." in refused.text
    assert "secret words here" not in refused.text
    assert "<Bus>" not in refused.text
    again = hidden(refused.text)
    assert again == {"csrf_token": owner.csrf, **WORK}
    created = owner.request("POST", "/works/new", data=again, headers=OWN_PAGE)
    assert created.status_code == 303
    assert owner.get(f"/api{created.headers['location']}").json()["title"] == WORK["title"]


def test_a_form_without_a_session_is_kept_while_one_signs_in(http: httpx.Client) -> None:
    refused = http.post("/works/new", data=WORK, headers=OWN_PAGE)
    assert refused.status_code == 401
    assert hidden(refused.text) == {"csrf_token": "", **WORK}
    assert 'href="/sign-in?next=%2Fworks%2Fnew" target="_blank" rel="opener"' in html.unescape(refused.text)


@pytest.mark.parametrize("headers", [{}, {"sec-fetch-site": "none"}])
def test_a_form_is_not_offered_again_unless_it_came_from_our_own_page(owner: Person, headers: dict[str, str]) -> None:
    refused = owner.request("POST", "/works/new", data={"csrf_token": "stale", **WORK}, headers=headers)
    assert refused.status_code == 403
    assert "Try again" not in refused.text
    assert "Open the page anew" in refused.text


def test_a_consent_is_read_again_and_never_only_repeated(owner: Person) -> None:
    refused = owner.request("POST", "/oauth/authorize", data={"csrf_token": "stale"}, headers=OWN_PAGE)
    assert refused.status_code == 403
    assert "Try again" not in refused.text


def test_signing_out_twice_is_no_error(http: httpx.Client, visitor: Person) -> None:
    anonymous = http.post("/sign-out", headers=OWN_PAGE)
    assert (anonymous.status_code, anonymous.headers["location"]) == (303, "/")
    assert http.post("/sign-out", headers={"sec-fetch-site": "cross-site"}).status_code == 403
    visitor.sign_up()
    assert visitor.request("POST", "/sign-out", data={}).status_code == 403
    assert visitor.get("/api/session").status_code == 200, "without the token nobody is signed out"
    assert visitor.submit("/sign-out").status_code == 303
    again = visitor.submit("/sign-out")
    assert (again.status_code, again.headers["location"]) == (303, "/")


@pytest.mark.parametrize(("short", "whole"), [("/legal", "/legal/cookies"), ("/help", "/help/errors")])
def test_shortened_addresses_lead_on(http: httpx.Client, short: str, whole: str) -> None:
    response = http.get(short)
    assert (response.status_code, response.headers["location"]) == (303, whole)


def test_nothing_here_fits_people_who_are_signed_out_too(http: httpx.Client, owner: Person) -> None:
    signed_out, signed_in = http.get("/nothing-here").text, owner.get("/nothing-here").text
    assert "Go to the first page" in signed_out
    assert "your works" not in signed_out
    assert "Go to your works" in signed_in


def test_ending_sessions_says_so(visitor: Person) -> None:
    visitor.sign_up()
    kept = visitor.session, visitor.csrf
    visitor.session = visitor.csrf = ""  # another browser
    visitor.sign_in()
    other = visitor.call("GET", "/api/session").json()["session_id"]
    visitor.session, visitor.csrf = kept
    for path, told in ((f"/account/sessions/{other}/end", "one"), ("/account/sessions/end-others", "others")):
        response = visitor.submit(path)
        assert response.headers["location"] == f"/account/sessions?ended={told}"
    assert "The session was ended." in visitor.get("/account/sessions?ended=one").text
    assert "All other sessions were ended." in visitor.get("/account/sessions?ended=others").text
    assert "<p>x" not in visitor.get("/account/sessions", params={"ended": "<p>x"}).text


def test_a_form_with_errors_says_so_first_and_leads_to_the_field(http: httpx.Client, visitor: Person) -> None:
    visitor.sign_up()
    work = visitor.submit("/works/new", title="", kind="film").text
    assert "<title>Error: New work" in work
    assert re.findall(r'id="(\w+)"[^>]* autofocus', work) == ["title"]
    wrong = http.post("/sign-in", data={"email": visitor.email, "password": "not this one"}).text
    assert "<title>Error: Sign in" in wrong
    assert re.findall(r'id="(\w+)"[^>]* autofocus', wrong) == ["password"]
    assert "Error: " not in http.get("/sign-in").text
    assert "autofocus" not in http.get("/sign-in").text


def test_a_used_address_leads_to_signing_in(http: httpx.Client, visitor: Person) -> None:
    visitor.sign_up()
    fields = {"email": visitor.email, "password": "another harbour night", "next": "/account"}
    taken = http.post("/sign-up", data=fields, headers={"x-forwarded-for": visitor.address})
    assert taken.status_code == 409
    error = html.unescape(taken.text.partition('id="email-error"')[2].partition("</p>")[0])
    assert '<a href="/sign-in?next=/account">Sign in</a>' in error
    assert "@" not in error, "no address in an address"
