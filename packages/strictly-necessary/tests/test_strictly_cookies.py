"""The raw-byte parser and serialiser, against RFC 6265bis."""

import datetime as dt
from email.utils import format_datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from strictly_necessary.cookies import (
    LONGEST_PAIR,
    CookieSyntaxError,
    SetCookie,
    is_token,
    parse_cookie_date,
    parse_cookie_header,
    parse_set_cookie,
    serialize_cookie_header,
    serialize_set_cookie,
)

TOKEN = "!#$%&'*+-.^_`|~0123456789ABCxyz"
names = st.text(TOKEN, min_size=1, max_size=40)
octets = "".join(chr(code) for code in range(0x21, 0x7F) if chr(code) not in '",;\\')
values = st.text(octets, max_size=60)


def parsed(header: bytes) -> list[tuple[bytes, bytes, str]]:
    return [(pair.name, pair.value, pair.problem) for pair in parse_cookie_header(header)]


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        (b"", []),
        (b"; ;\t;", []),
        (b"a=1", [(b"a", b"1", "")]),
        (b"a=1; b=2", [(b"a", b"1", ""), (b"b", b"2", "")]),
        (b"a=1;b=2;", [(b"a", b"1", ""), (b"b", b"2", "")]),
        (b"path=/x; a=1", [(b"path", b"/x", ""), (b"a", b"1", "")]),
        (b"$Version=1; a=b=c==", [(b"$Version", b"1", ""), (b"a", b"b=c==", "")]),
        (b'a="x y"; b=\xc3\xa9,\\', [(b"a", b'"x y"', ""), (b"b", b"\xc3\xa9,\\", "")]),
        (b'a="1; b=2"', [(b"a", b'"1', ""), (b"b", b'2"', "")]),
        (b" a = 1 ", [(b"a", b"1", "")]),
        (b"a=", [(b"a", b"", "")]),
        (b"alone", [(b"", b"alone", "has no name")]),
        (b"=x", [(b"", b"x", "has no name")]),
        (b"b[]=2", [(b"b[]", b"2", "has a name with characters that are not allowed")]),
        (b"\xa0a=2", [(b"\xa0a", b"2", "has a name with characters that are not allowed")]),
        (b"a=1\r\nX: y", [(b"a", b"1\r\nX: y", "has a control character in its value")]),
        (b"a=1\tx", [(b"a", b"1\tx", "")]),
    ],
)
def test_reads_the_cookies_of_a_request(header: bytes, expected: list[tuple[bytes, bytes, str]]) -> None:
    assert parsed(header) == expected


@given(st.binary())
def test_any_bytes_in_a_request_are_read_without_an_error_and_without_loss(header: bytes) -> None:
    pairs = parse_cookie_header(header)
    assert [pair.raw for pair in pairs] == [part.strip(b" \t") for part in header.split(b";") if part.strip(b" \t")]
    for pair in pairs:
        assert pair.problem or is_token(pair.name.decode())


@given(st.lists(st.tuples(names, values)))
def test_a_request_is_written_as_it_was_read(cookies: list[tuple[str, str]]) -> None:
    header = "; ".join(f"{name}={value}" for name, value in cookies).encode()
    assert serialize_cookie_header(parse_cookie_header(header)) == header
    assert [(pair.name.decode(), pair.value.decode()) for pair in parse_cookie_header(header)] == cookies


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        (b"a=1", SetCookie(b"a", b"1")),
        (b"a", SetCookie(b"", b"a")),
        (b"=a", SetCookie(b"", b"a")),
        (b" a = b=c ; path = / ; SECURE;HttpOnly", SetCookie(b"a", b"b=c", path="/", secure=True, http_only=True)),
        (b"a=1; Secure=false; HttpOnly=0", SetCookie(b"a", b"1", secure=True, http_only=True)),
        (b"a=1; Path=/x; Path=y", SetCookie(b"a", b"1")),
        (b"a=1; Path=/x; Path=/y", SetCookie(b"a", b"1", path="/y")),
        (b"a=1; Domain=.Example.ORG", SetCookie(b"a", b"1", domain="example.org")),
        (b"a=1; Domain=x; Domain=", SetCookie(b"a", b"1")),
        (b"a=1; SameSite=lAX", SetCookie(b"a", b"1", same_site="Lax")),
        (b"a=1; SameSite=Strict; SameSite=Bogus", SetCookie(b"a", b"1")),
        (
            b"a=1; SameSite=None; Secure; Partitioned",
            SetCookie(b"a", b"1", None, None, None, None, True, False, "None", True),
        ),
        (b"a=1; Max-Age=60", SetCookie(b"a", b"1", max_age=60)),
        (b"a=1; Max-Age=-1", SetCookie(b"a", b"1", max_age=-1)),
        (b"a=1; Max-Age=+60; Max-Age=6e1; Max-Age=", SetCookie(b"a", b"1")),
        (b"a=1; Max-Age=60; Max-Age=x", SetCookie(b"a", b"1", max_age=60)),
        (b"a=1; Expires=Wed, 09 Jun 2021 10:18:14 GMT", SetCookie(b"a", b"1", expires=1623233894)),
        (b"a=1; Expires=soon", SetCookie(b"a", b"1")),
        (b"a=1; Priority=High; ; =", SetCookie(b"a", b"1")),
        (b"a=1; Path=/" + b"x" * 1023, SetCookie(b"a", b"1", path="/" + "x" * 1023)),
        (b"a=1; Path=/" + b"x" * 1024, SetCookie(b"a", b"1")),
        (b"a=\xff", SetCookie(b"a", b"\xff")),
    ],
)
def test_reads_set_cookie_as_a_browser_does(header: bytes, expected: SetCookie) -> None:
    assert parse_set_cookie(header) == expected


@pytest.mark.parametrize(
    "header",
    [b"", b"=", b" ; Path=/", b"a=\x00", b"a=1\r\nSet-Cookie: b=2", b"a=1; Path=/\x7f", b"a=" + b"x" * LONGEST_PAIR],
)
def test_refuses_what_a_browser_drops(header: bytes) -> None:
    with pytest.raises(CookieSyntaxError):
        parse_set_cookie(header)


def test_a_pair_may_be_as_long_as_browsers_allow() -> None:
    assert len(parse_set_cookie(b"a=" + b"x" * (LONGEST_PAIR - 1)).value) == LONGEST_PAIR - 1


@given(st.binary())
def test_any_bytes_in_set_cookie_raise_only_the_documented_error(header: bytes) -> None:
    try:
        cookie = parse_set_cookie(header)
    except CookieSyntaxError:
        return
    assert cookie.name or cookie.value
    assert b";" not in cookie.name + cookie.value


@given(
    st.builds(
        SetCookie,
        name=names.map(str.encode),
        value=values.map(str.encode),
        max_age=st.none() | st.integers(0, 10**9),
        domain=st.none() | st.just("example.org"),
        path=st.none() | st.text(octets, max_size=20).map(lambda text: "/" + text),
        secure=st.booleans(),
        http_only=st.booleans(),
        same_site=st.none() | st.sampled_from(["Strict", "Lax", "None"]),
        partitioned=st.booleans(),
    )
)
def test_what_is_written_is_read_back_the_same(cookie: SetCookie) -> None:
    assert parse_set_cookie(serialize_set_cookie(cookie).encode()) == cookie


@pytest.mark.parametrize(
    "cookie",
    [
        SetCookie(b"", b"1"),
        SetCookie(b"a b", b"1"),
        SetCookie(b"a", b"1; Domain=evil"),
        SetCookie(b"a", b"1\r\nSet-Cookie: b=2"),
        SetCookie(b"a", b"x y"),
        SetCookie(b"a", b'"'),
        SetCookie(b"a", b"\xff"),
        SetCookie(b"a", b"x" * LONGEST_PAIR),
        SetCookie(b"a", b"1", path="/; Domain=evil"),
        SetCookie(b"a", b"1", path="/\n"),
        SetCookie(b"a", b"1", domain="é"),
    ],
)
def test_never_writes_what_would_be_read_differently(cookie: SetCookie) -> None:
    with pytest.raises(CookieSyntaxError):
        serialize_set_cookie(cookie)


def test_writes_a_pair_as_long_as_browsers_allow() -> None:
    assert serialize_set_cookie(SetCookie(b"a", b"x" * (LONGEST_PAIR - 1))) == "a=" + "x" * (LONGEST_PAIR - 1)


@pytest.mark.parametrize(
    ("name", "expected"),
    [("__Host-x", True), (TOKEN, True), ("", False), ("a b", False), ("a;", False), ("é", False), ("\ud800", False)],
)
def test_knows_what_may_be_a_name(name: str, expected: bool) -> None:
    assert is_token(name) is expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (b"Thu, 01 Jan 1970 00:00:00 GMT", 0),
        (b"Sunday, 06-Nov-94 08:49:37 GMT", 784111777),
        (b"Sun Nov  6 08:49:37 1994", 784111777),
        (b"8:49:37 6 nov 94", 784111777),
        (b"1 jan 69 0:0:0", 3124224000),
        (b"1 jan 70 0:0:0", 0),
        (b"29 Feb 2024 00:00:00", 1709164800),
        (b"29 Feb 2023 00:00:00", None),
        (b"31 Apr 2023 00:00:00", None),
        (b"0 Jan 2023 00:00:00", None),
        (b"1 Jan 1600 00:00:00", None),
        (b"1 Jan 2023 24:00:00", None),
        (b"1 Jan 2023 00:60:00", None),
        (b"1 Jan 2023 00:00:60", None),
        (b"1 Foo 2023 00:00:00", None),
        (b"1 Jan 2023", None),
        (b"", None),
    ],
)
def test_reads_dates_as_forgivingly_as_browsers(text: bytes, expected: int | None) -> None:
    assert parse_cookie_date(text) == expected


@given(st.datetimes(dt.datetime(1970, 1, 1), dt.datetime(9999, 12, 31)))  # noqa: DTZ001 -- the strategy wants it so
def test_reads_every_http_date(moment: dt.datetime) -> None:
    moment = moment.replace(microsecond=0, tzinfo=dt.UTC)
    assert parse_cookie_date(format_datetime(moment, usegmt=True).encode()) == int(moment.timestamp())


@given(st.binary())
def test_any_bytes_are_a_date_or_none(text: bytes) -> None:
    assert parse_cookie_date(text) is None or isinstance(parse_cookie_date(text), int)
