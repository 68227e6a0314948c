"""Where a request came from and goes to: what proxies and browsers write, and what an operator does."""

import asyncio
from typing import Any

import pytest

from mixip.edge.address import network_name, network_of, resolve_address
from mixip.edge.cross_origin import came_from_elsewhere
from mixip.settings import SettingsError, from_environment

PROXY = "10.0.0.1"


def seen(
    *headers: tuple[str, str], peer: str = PROXY, trusted: str = "10.0.0.0/8, 2001:db8:ffff::/48", url: str = ""
) -> Any:
    """The scope of a request as it comes through."""
    settings = from_environment({"MIXIP_TRUSTED_PROXIES": trusted, "MIXIP_PUBLIC_URL": url})
    scope = {
        "type": "http",
        "scheme": "http",
        "method": "POST",
        "path": "/",
        "client": (peer, 50000),
        "headers": [(b"Host", b"localhost:8000"), *((key.encode(), value.encode("latin-1")) for key, value in headers)],
    }
    arrived: list[Any] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        arrived.append(scope)

    asyncio.run(resolve_address(app, settings)(scope, None, None))  # type: ignore[arg-type]
    return arrived[0]


@pytest.mark.parametrize(
    ("chain", "network"),
    [
        ("203.0.113.5", "203.0.113.5"),
        ("203.0.113.5:1234", "203.0.113.5"),
        ("2001:db8::1", "2001:0db8:0000:0000::/64"),
        ("[2001:db8::1]", "2001:0db8:0000:0000::/64"),
        ("[2001:db8::1]:443", "2001:0db8:0000:0000::/64"),
        ("::ffff:203.0.113.5", "203.0.113.5"),
        ("198.51.100.7, 203.0.113.5:1234, 10.0.0.9:80", "203.0.113.5"),
        ("203.0.113.5, [2001:db8:ffff::9]:443", "203.0.113.5"),
        ("203.0.113.5, ::ffff:10.0.0.9", "203.0.113.5"),
        ("203.0.113.5, , ", "203.0.113.5"),
    ],
)
def test_the_client_is_the_last_hop_that_is_no_proxy_of_ours(chain: str, network: str) -> None:
    assert network_of(seen(("X-Forwarded-For", chain))) == network
    assert network_of(seen(("x-forwarded-for", chain), peer="::ffff:10.0.0.1")) == network


@pytest.mark.parametrize(
    "hop", ["unknown", "_hidden", "203.0.113.5:", "203.0.113.256", "[::1", "[::1]x", "é", "1.2.3.4:5:6", "[]:443", ":"]
)
def test_behind_a_hop_that_is_no_address_is_nobody_but_the_peer(hop: str) -> None:
    assert network_of(seen(("X-Forwarded-For", f"198.51.100.7, {hop}"))) == PROXY
    assert network_of(seen(("X-Forwarded-For", f"198.51.100.7, {hop}, 10.0.0.9"))) == PROXY


def test_strangers_do_not_choose_who_they_are() -> None:
    assert network_of(seen(("X-Forwarded-For", "198.51.100.7"), peer="203.0.113.5")) == "203.0.113.5"
    assert network_of(seen(("X-Forwarded-For", "198.51.100.7, 203.0.113.5"))) == "203.0.113.5"


def test_hosts_of_one_ipv6_network_are_one() -> None:
    assert network_name("2001:db8:1:2::1") == network_name("2001:db8:1:2:ffff::") == "2001:0db8:0001:0002::/64"
    assert network_name("a socket") == "unknown"


@pytest.mark.parametrize(
    ("headers", "elsewhere"),
    [
        ([], False),
        ([("sec-fetch-site", "same-origin")], False),
        ([("Sec-Fetch-Site", "cross-site")], True),
        ([("sec-fetch-site", "cross-site"), ("sec-fetch-site", "same-origin")], True),
        ([("sec-fetch-site", "same-origin"), ("Sec-Fetch-Site", "same-origin")], True),
        ([("sec-fetch-site", "")], True),
        ([("origin", "https://mixip.example.org")], False),
        ([("Origin", "https://evil.example")], True),
        ([("origin", "https://mixip.example.org"), ("origin", "https://mixip.example.org")], True),
        ([("sec-fetch-site", "same-origin"), ("origin", "https://a.example"), ("origin", "https://b.example")], True),
        ([("sec-fetch-site", "same-origin"), ("origin", "https://mixip.example.org")], False),
    ],
)
def test_each_header_of_a_browser_counts_once(headers: list[tuple[str, str]], *, elsewhere: bool) -> None:
    assert came_from_elsewhere(seen(*headers, url="https://mixip.example.org")) is elsewhere


@pytest.mark.parametrize(
    ("written", "origin"),
    [
        ("https://MixIP.Example.org", "https://mixip.example.org"),
        ("HTTPS://mixip.example.org:443/", "https://mixip.example.org"),
        ("http://mixip.example.org:80", "http://mixip.example.org"),
        ("https://mixip.example.org:8443", "https://mixip.example.org:8443"),
        ("https://mixip.example.org:80", "https://mixip.example.org:80"),
        ("http://[2001:DB8::1]:8000", "http://[2001:db8::1]:8000"),
    ],
)
def test_the_public_address_is_kept_as_browsers_write_it(written: str, origin: str) -> None:
    assert from_environment({"MIXIP_PUBLIC_URL": written}).public_url == origin
    assert not came_from_elsewhere(seen(("origin", origin), url=written))


@pytest.mark.parametrize(
    "written",
    [
        "mixip.example.org",
        "ftp://a.example",
        "https://",
        "https://:443",
        "https://a.example/x",
        "https://a.example?x",
        "https://a.example#x",
        "https://user:secret@a.example",
        "https://a.example:99999",
        "https://a.example:b",
    ],
)
def test_what_is_no_public_address_is_refused(written: str) -> None:
    with pytest.raises(SettingsError, match="MIXIP_PUBLIC_URL"):
        from_environment({"MIXIP_PUBLIC_URL": written})


@pytest.mark.parametrize("written", ["mysql://mixip:s3cret@db/mixip", "s3cret", "postgresql:s3cret"])
def test_a_wrong_database_address_is_never_shown(written: str) -> None:
    with pytest.raises(SettingsError, match="MIXIP_DATABASE_URL: an address that starts") as caught:
        from_environment({"MIXIP_DATABASE_URL": written, "MIXIP_PORT": "x"})
    assert "s3cret" not in str(caught.value)
    assert "MIXIP_PORT=x" in str(caught.value), "what is no secret is shown"


def test_the_database_address_is_not_printed_with_the_other_settings() -> None:
    settings = from_environment({"MIXIP_DATABASE_URL": "postgresql://mixip:s3cret@db/mixip"})
    assert "s3cret" in settings.database_url
    assert "s3cret" not in repr(settings)
