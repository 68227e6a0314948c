"""Signing in by script at a foreign OpenID Connect issuer, which has a host of its own beside the shop's."""

import os
import runpy
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from strictly_necessary import Declaration, load
from strictly_necessary.audit import Judgement, Observation, Plan, State, judge, observe
from strictly_necessary.audit._apart import run_apart

pytestmark = [pytest.mark.browser, pytest.mark.slow]

HERE = Path(__file__).parent
ISSUER = HERE / "issuer"
POLICY = ISSUER / "policy.toml"
self_signed = runpy.run_path(str(HERE / "certificate.py"))["self_signed"]
shop = runpy.run_path(str(ISSUER / "shop.py"))["shop"]


@pytest.fixture(scope="module")
def modules(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the issuer's packages, exactly those of its lock."""
    if shutil.which("npm") is None:
        pytest.skip("the issuer is a program for Node.js: install npm")
    folder = tmp_path_factory.mktemp("issuer")
    for name in ("package.json", "package-lock.json"):
        shutil.copy(ISSUER / name, folder)
    command = ["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--prefer-offline", "--loglevel=error"]
    done = subprocess.run(command, cwd=folder, capture_output=True, encoding="utf-8", check=False, timeout=120)
    assert done.returncode == 0, done.stderr
    return folder


@pytest.fixture(scope="module")
def sites(modules: Path) -> Iterator[dict[str, str]]:
    """Where the hosts are on this machine."""
    certificate, key = self_signed(modules)
    arguments = ["https://issuer.test", "https://shop.test/callback", str(certificate), str(key), str(modules)]
    with subprocess.Popen(
        ["node", str(ISSUER / "issuer.mjs"), *arguments], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    ) as issuer:
        try:
            assert issuer.stdout is not None
            port = int(issuer.stdout.readline())
            with shop(port, certificate, key) as own:
                yield {
                    "shop.test": f"127.0.0.1:{own}",
                    "issuer.test": f"127.0.0.1:{port}",
                    # The issuer's pages ask for a font: nobody is there, and no test asks anybody else.
                    "fonts.googleapis.com": "~NOTFOUND",
                }
        finally:
            issuer.terminate()


@pytest.fixture(scope="module")
def observation(sites: dict[str, str]) -> Iterator[Observation]:
    """One audit, which is judged by several declarations."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(os.environ, "SHOP_LOGIN", "ada")
        patch.setitem(os.environ, "SHOP_PASSWORD", "harbour winter night bus")
        plan = Plan(
            "https://shop.test/",
            states=(State.VISIT, State.SIGNED_IN, State.SIGNED_OUT),
            script=ISSUER / "acts.toml",
            resolve=sites,
            insecure=True,
            screenshots=False,
        )
        yield run_apart(observe(plan, load(POLICY)))


def told(judgement: Judgement) -> list[str]:
    return [f"{each.code} {each.subject}: {each.message}" for each in judgement.findings]


def without_the_issuer(folder: Path) -> Declaration:
    text = POLICY.read_text(encoding="utf-8")
    file = folder / "policy.toml"
    file.write_text(text.partition("[[third_parties]]")[0], encoding="utf-8")
    return load(file)


def test_somebody_was_signed_in_on_every_page(observation: Observation) -> None:
    signed_in = observation.visits(State.SIGNED_IN)
    assert {visit.address for visit in signed_in} >= {f"https://shop.test{path}" for path in ("/account", "/orders")}
    kept = {item.name for visit in signed_in for snapshot in visit.snapshots for item in snapshot.stored}
    assert "__Host-session" in kept
    assert "_session" in kept, "the issuer's own, on its own host"


def test_a_declared_issuer_is_no_finding(observation: Observation) -> None:
    judgement = judge(observation, load(POLICY))
    assert told(judgement) == []
    assert {item.item for item in judgement.items if item.holds} == {"session", "signing-in"}


def test_an_issuer_that_is_not_declared_is_a_finding(observation: Observation, tmp_path: Path) -> None:
    judgement = judge(observation, without_the_issuer(tmp_path))
    assert judgement.fails
    assert all("issuer.test" in each.subject for each in judgement.findings), told(judgement)


def test_neither_the_name_nor_the_password_is_kept_in_what_is_told(observation: Observation) -> None:
    acts = [str(act) for visit in observation.visits() for act in visit.acts]
    assert acts
    assert not [text for text in acts if "harbour" in text or "ada" in text.split()]
