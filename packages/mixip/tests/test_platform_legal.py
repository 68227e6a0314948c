"""The legal pages: in the name of who runs the platform, and true to the declaration."""

import re
from pathlib import Path

import httpx

from mixip.edge.policy import declaration
from tests.support.platform import PlatformThread


def test_the_operator_stands_in_every_legal_text(tmp_path: Path) -> None:
    with PlatformThread(tmp_path, MIXIP_OPERATOR="Harbour <Films>", MIXIP_CONTACT="data@harbour.example") as running:
        pages = {name: httpx.get(f"{running.url}/legal/{name}").text for name in ("cookies", "privacy", "terms")}
    for name, text in pages.items():
        assert "Harbour &lt;Films&gt;" in text, name
        assert "mailto:data@harbour.example" in text.replace("&#x2f;", "/"), name
        assert "privacy@mixip.io" not in text, name


def test_the_cookie_page_names_every_declared_item(http: httpx.Client) -> None:
    text = http.get("/legal/cookies").text
    for item in declaration().items:
        assert item.name.rstrip("*") in text
        assert item.purpose in text
    for browser in ("Chrome", "Safari", "Firefox", "Edge"):
        assert browser in text
    assert re.search(r"23 November 2026|2026-11-23", text)
    assert "privacy@mixip.io" in text


def test_the_hints_beside_the_controls_are_the_declared_ones(http: httpx.Client) -> None:
    text = http.get("/account/display").text
    for name in ("theme", "accent"):
        information = declaration().item(name).information
        assert information
        assert information in text
