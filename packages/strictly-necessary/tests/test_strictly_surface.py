"""What others may rely on: the exported names, the examples in the README, and what importing brings along."""

import asyncio
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import strictly_necessary
from strictly_necessary import asgi, cookies, headers, page
from strictly_necessary.rules import RULES

PACKAGE = Path(__file__).parent.parent
README = (PACKAGE / "README.md").read_text(encoding="utf-8")


def test_the_exported_names_are_pinned() -> None:
    assert {
        module.__name__: sorted(module.__all__) for module in (strictly_necessary, asgi, cookies, headers, page)
    } == {
        "strictly_necessary": [
            "Category",
            "CookieSyntaxError",
            "Declaration",
            "DeclarationError",
            "Direction",
            "Finding",
            "GuardError",
            "GuardFinding",
            "Item",
            "Jurisdiction",
            "Kind",
            "Lifetime",
            "Policy",
            "SameSite",
            "SetBy",
            "Severity",
            "ThirdParty",
            "check",
            "delete_cookie",
            "load",
            "set_cookie",
        ],
        "strictly_necessary.asgi": ["Guard", "Mode"],
        "strictly_necessary.cookies": [
            "CookiePair",
            "CookieSyntaxError",
            "SetCookie",
            "parse_cookie_date",
            "parse_cookie_header",
            "parse_set_cookie",
            "serialize_cookie_header",
            "serialize_set_cookie",
        ],
        "strictly_necessary.headers": ["DENIED_FEATURES", "content_security_policy", "security_headers"],
        "strictly_necessary.page": [
            "render_html",
            "render_items_html",
            "render_json",
            "render_markdown",
            "render_page",
            "render_third_parties_html",
        ],
    }
    for module in (strictly_necessary, asgi, cookies, headers, page):
        assert all(hasattr(module, name) for name in module.__all__)


def test_importing_brings_no_framework_and_no_third_party_along() -> None:
    program = (
        "import sys; before = set(sys.modules)\n"
        "import strictly_necessary, strictly_necessary.asgi, strictly_necessary.page, strictly_necessary.headers\n"
        "new = {name.partition('.')[0] for name in set(sys.modules) - before}\n"
        "print(sorted(new - set(sys.stdlib_module_names)))"
    )
    result = subprocess.run([sys.executable, "-c", program], capture_output=True, encoding="utf-8", check=True)
    assert result.stdout == "['strictly_necessary']\n"


def test_every_code_is_explained_in_the_readme() -> None:
    source = "".join(file.read_text(encoding="utf-8") for file in (PACKAGE / "src").rglob("*.py"))
    used = set(re.findall(r'"(SN\d{3})"', source)) | {rule.code for rule in RULES}
    explained = re.findall(r"^\| (SN\d{3}) \|", README, re.MULTILINE)
    assert sorted(used) == explained


def test_the_readme_tells_the_sources_of_the_rules() -> None:
    for rule in RULES:
        assert f"| {rule.code} | {rule.text} | {rule.source} |" in README


def test_the_example_in_the_readme_works(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    toml, program = re.findall(r"```(?:toml|python)\n(.*?)```", README, re.DOTALL)[:2]
    (tmp_path / "policy.toml").write_text(toml, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    space: dict[str, Any] = {}
    exec(compile(program, "README.md", "exec"), space)  # noqa: S102 -- the example is ours
    assert len([line for line in program.splitlines() if line.strip()]) <= 10

    def ask(path: str, cookie: bytes) -> dict[bytes, bytes]:
        sent: list[Any] = []

        async def receive() -> Any:
            return {"type": "http.request", "body": b"", "more_body": False}

        async def send(message: Any) -> None:
            sent.append(message)

        scope = {"type": "http", "method": "GET", "path": path, "headers": [(b"cookie", cookie)], "query_string": b""}
        asyncio.run(space["app"](scope, receive, send))
        assert sent[-1]["body"] == b"__Host-session=abc"
        return dict(sent[0]["headers"])

    answer = ask("/", b"_ga=GA1; __Host-session=abc")
    assert answer[b"set-cookie"] == b"__Host-session=token; Path=/; Secure; HttpOnly; SameSite=Lax"
    assert b"default-src 'none'" in answer[b"content-security-policy"]
