"""The raw-byte parser and serialiser, against RFC 6265bis."""

import datetime as dt
from email.utils import format_datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from strictly_necessary.cookies import (
    LONGEST_LIFE,
    LONGEST_PAIR,
    CookieSyntaxError,
    SetCookie,
    is_token,
    lifetime,
    parse_cookie_date,
    parse_cookie_header,
    parse_set_cookie,
    refusal,
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
        (b" ;;; \t;a=1 ;\t; b=2\t;", [(b"a", b"1", ""), (b"b", b"2", "")]),
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
        (b"a=1; Max-Age=++60; Max-Age=6e1; Max-Age=", SetCookie(b"a", b"1")),
        (b"a=1; Max-Age=+60", SetCookie(b"a", b"1", max_age=60)),
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
        (b"1 Jan 02023 00:00:00", 1672531200),
        (b"1 Jan 21000 00:00:00", 253370764800),
        (b"1 Jan 210000 00:00:00", None),
        (b"1 Jan 2023 000:000:001", 1672531201),
        (b"1 Jan 2023 000:000:0010", 1672531210),
        (b"1 Jan 2023 " + b"0" * 10_000 + b":0:0", 1672531200),
        (b"1 Jan 2023 100:00:00", None),
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


HOST = "www.example.org"


def refused(header: bytes, *, host: str = HOST, secure: bool = True, by_script: bool = False) -> str | None:
    suffixes = {"co.uk", "github.io"}
    return refusal(parse_set_cookie(header), host=host, secure=secure, by_script=by_script, public_suffixes=suffixes)


@pytest.mark.parametrize(
    ("header", "problem"),
    [
        (b"=a=b", "has no name, and an equals sign in its value"),
        (b"a=1; Domain=other.org", "has a Domain to which the host does not belong"),
        (b"a=1; Domain=ww.example.org", "has a Domain to which the host does not belong"),
        (b"a=1; Domain=x.www.example.org", "has a Domain to which the host does not belong"),
        (b"a=1; Domain=ample.org", "has a Domain to which the host does not belong"),
        (b"a=1; Domain=\xff", "has a Domain that is no host"),
        (b"a=1; Domain=\xc3\xa9" + b"x" * 70, "has a Domain that is no host"),
        (b"a=1; Domain=org", "has a Domain under which anybody can have a site"),
        (b"a=1; SameSite=None", "has SameSite=None, and is not Secure"),
        (b"a=1; Partitioned", "is Partitioned, and not Secure"),
        (b"__SECURE-a=1", "has the prefix of a Secure cookie, and is not Secure"),
        (b"__host-a=1; Path=/", "has the prefix of a Secure cookie, and is not Secure"),
        (b"__Http-a=1; Secure", "has the prefix of an HttpOnly cookie, and is not HttpOnly"),
        (b"__HOST-http-a=1; Secure; Path=/", "has the prefix of an HttpOnly cookie, and is not HttpOnly"),
        (b"__Host-a=1; Secure", "has the prefix of a cookie for one host, and not Path=/ without a Domain"),
        (b"__Host-a=1; Secure; Path=/x", "has the prefix of a cookie for one host, and not Path=/ without a Domain"),
        (
            b"__Host-Http-a=1; Secure; HttpOnly; Path=/; Domain=example.org",
            "has the prefix of a cookie for one host, and not Path=/ without a Domain",
        ),
        (
            b"__Host-a=1; Secure; Path=/; Domain=www.example.org",
            "has the prefix of a cookie for one host, and not Path=/ without a Domain",
        ),
        (b"=__Host-a; Secure; Path=/", "has no name, and a value that begins as the name of a protected cookie"),
        (b"__http-", "has no name, and a value that begins as the name of a protected cookie"),
    ],
)
def test_tells_why_a_browser_refuses(header: bytes, problem: str) -> None:
    assert refused(header) == problem


@pytest.mark.parametrize(
    "header",
    [
        b"a=1",
        b"x",
        b"a=1; Secure; HttpOnly; SameSite=None; Partitioned",
        b"a=1; Domain=example.org",
        b"a=1; Domain=.www.example.ORG",
        b"__Host-a=1; Secure; Path=/",
        b"__Host-Http-a=1; Secure; HttpOnly; Path=/",
        b"__Http-a=1; Secure; HttpOnly; Domain=example.org",
        b"__Secure-a=1; Secure",
        b"__HostHttp-a=1",
        b"_Host-a=1",
        b"=x__Host-a",
    ],
)
def test_refuses_nothing_that_a_browser_takes(header: bytes) -> None:
    assert refused(header) is None


@pytest.mark.parametrize(
    ("host", "as_safe_as_https"),
    [
        ("localhost", True),
        ("LocalHost", True),
        ("a.localhost", True),
        ("a.localhost.", True),
        ("127.0.0.1", True),
        ("127.9.9.9", True),
        ("[::1]", True),
        ("xlocalhost", False),
        ("localhost.example.org", False),
        ("127.example.org", False),
        ("127.0.0.1.example.org", False),
        ("1270.0.0.1", False),
        ("10.0.0.1", False),
        ("[::2]", False),
        (HOST, False),
    ],
)
def test_this_computer_counts_as_secure(host: str, as_safe_as_https: bool) -> None:
    problem = None if as_safe_as_https else "is Secure, and did not come over https or from this computer"
    assert refused(b"a=1; Secure", host=host, secure=False) == problem
    assert refused(b"a=1; Secure", host=host, secure=True) is None


def test_a_script_sets_nothing_that_scripts_cannot_read() -> None:
    assert refused(b"a=1; HttpOnly") is None
    assert refused(b"a=1; HttpOnly", by_script=True) == "is HttpOnly, and a script set it"
    assert refused(b"__Host-a=1; Secure; Path=/", by_script=True) is None
    assert refused(b"__Http-a=1; Secure; HttpOnly", by_script=True)
    assert refused(b"__Http-a=1; Secure", by_script=True)


@pytest.mark.parametrize(
    ("host", "domain", "taken"),
    [
        ("127.0.0.1", "127.0.0.1", True),
        ("127.0.0.1", "0.0.1", False),
        ("[::1]", "[::1]", True),
        ("1.2.3.4.example.org", "example.org", True),
        ("localhost", "localhost", True),
        ("a.localhost", "localhost", False),
        ("co.uk", "co.uk", True),
        ("a.co.uk", "co.uk", False),
        ("a.b.co.uk", "b.co.uk", True),
        ("xn--bcher-kva.de", "b\xc3\xbccher.de", True),
        ("xn--bcher-kva.de", "b\xfccher.de", False),
    ],
)
def test_a_domain_is_never_wider_than_a_site(host: str, domain: str, taken: bool) -> None:
    assert (refused(f"a=1; Domain={domain}".encode("latin-1"), host=host) is None) is taken


def test_an_address_is_its_own_only_host() -> None:
    for host in ("127.0.0.1", "[::1]"):
        assert refused(f"__Host-a=1; Secure; Path=/; Domain={host}".encode(), host=host) is None


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        (b"a=1", None),
        (b"a=1; Max-Age=60", 60),
        (b"a=1; Max-Age=0", 0),
        (b"a=1; Max-Age=-60", 0),
        (b"a=1; Max-Age=99999999999", LONGEST_LIFE),
        (b"a=1; Expires=Thu, 01 Jan 1970 01:00:00 GMT", 3500),
        (b"a=1; Expires=Thu, 01 Jan 1970 00:01:00 GMT", 0),
        (b"a=1; Expires=Thu, 01 Jan 1970 00:01:41 GMT", 1),
        (b"a=1; Expires=Fri, 01 Jan 2100 00:00:00 GMT", LONGEST_LIFE),
        (b"a=1; Expires=Fri, 01 Jan 2100 00:00:00 GMT; Max-Age=60", 60),
        (b"a=1; Max-Age=0; Expires=Fri, 01 Jan 2100 00:00:00 GMT", 0),
        (b"a=1; Max-Age=x; Expires=Thu, 01 Jan 1970 01:00:00 GMT", 3500),
    ],
)
def test_tells_how_long_a_cookie_is_kept(header: bytes, seconds: int | None) -> None:
    assert lifetime(parse_set_cookie(header), now=100) == seconds


@given(st.binary(), st.text(max_size=40), st.booleans(), st.booleans())
def test_any_cookie_from_anywhere_is_taken_or_refused_without_an_error(
    attributes: bytes, host: str, secure: bool, by_script: bool
) -> None:
    try:
        cookie = parse_set_cookie(b"a=1; Domain=" + attributes)
    except CookieSyntaxError:
        return
    problem = refusal(cookie, host=host, secure=secure, by_script=by_script)
    assert problem is None or problem.startswith(("has ", "is "))
    if problem is None and cookie.domain is not None and cookie.domain.isascii():
        assert host.lower().endswith(cookie.domain)


@given(st.from_regex(rb"(?i)__(host-|secure-|http-|host-http-)[a-z]*(=[a-z]*)?", fullmatch=True), st.booleans())
def test_no_protected_name_is_taken_without_protection(pair: bytes, nameless: bool) -> None:
    assert refused(b"=" + pair if nameless else pair)


@given(st.integers(), st.none() | st.integers(-(10**12), 10**12))
def test_no_life_is_negative_or_longer_than_browsers_allow(max_age: int, expires: int | None) -> None:
    for cookie in (SetCookie(b"a", b"1", max_age=max_age), SetCookie(b"a", b"1", expires=expires)):
        life = lifetime(cookie, now=1.5e9)
        assert life is None or 0 <= life <= LONGEST_LIFE
