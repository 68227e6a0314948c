"""The audit of a site of fifty pages in all states, beside a named peer: how long, and how much it takes.

Two programs are compared that do different work: what each does with a page stands in the README.
"""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from benchmarks.audit.usage import Usage
from strictly_necessary.audit.browser._process import find_chromium

HERE = Path(__file__).parent
PEER_PAGES = 20
"""The peer takes pages that the first one links to, and is slow: a part of them says enough."""


def measure(folder: Path) -> list[dict[str, object]]:
    """One row for the whole, one for each state, and one for the peer where npm can install it."""
    with _site() as address:
        told, usage = _run([sys.executable, "-m", "benchmarks.audit.run", address])
        wrong = [*told["findings"], *(item for item, holds in told["items"].items() if not holds)]
        if wrong:
            raise RuntimeError(f"the site of the benchmark is meant to be clean: {wrong}")
        states = told["states"]
        visits = sum(state["visits"] for state in states.values())
        rows = [_row("strictly audit, all states", told["seconds"], visits, usage)]
        rows += [_row(f"… {name}", state["seconds"], state["visits"]) for name, state in states.items()]
        if modules := _peers(folder):
            command = ["node", str(HERE / "peers" / "blacklight.mjs"), address, find_chromium(None), str(PEER_PAGES)]
            peer, usage = _run([*command, str(folder / "blacklight"), str(modules)])
            rows.append(_row("Blacklight's collector, one state", round(peer["seconds"], 1), peer["pages"], usage))
    return rows


def _row(what: str, seconds: float, visits: int, usage: Usage | None = None) -> dict[str, object]:
    return {
        "what": what,
        "page visits": visits,
        "seconds": seconds,
        "seconds per visit": round(seconds / visits, 2) if visits else "",
        "processor, s": round(usage.processor) if usage else "",
        "processor per visit, s": round(usage.processor / visits, 2) if usage and visits else "",
        "most memory, MiB": round(usage.peak / 2**20) if usage else "",
    }


@contextmanager
def _site() -> Iterator[str]:
    with subprocess.Popen(
        [sys.executable, "-m", "benchmarks.audit.site"], stdout=subprocess.PIPE, encoding="utf-8"
    ) as site:
        try:
            assert site.stdout is not None
            yield site.stdout.readline().strip()
        finally:
            site.terminate()


def _run(command: list[str]) -> tuple[dict[str, Any], Usage]:
    """What the program tells as JSON on its last line, and what it used together with its browser."""
    with subprocess.Popen(command, stdout=subprocess.PIPE, encoding="utf-8") as process:
        usage = Usage(process.pid)
        usage.start()
        out, _ = process.communicate()
        usage.stop()
    if process.returncode:
        raise RuntimeError(f"{command[:3]} ended with {process.returncode}")
    told: dict[str, Any] = json.loads(out.splitlines()[-1])
    return told, usage


def _peers(folder: Path) -> Path | None:
    """A folder with the peer, exactly as in its lock; None where there is no npm, or it cannot install it."""
    if shutil.which("npm") is None:
        print("without npm there is no peer to compare with", file=sys.stderr)
        return None
    modules = folder / "peers"
    modules.mkdir()
    for name in ("package.json", "package-lock.json"):
        shutil.copy(HERE / "peers" / name, modules)
    environment = {**os.environ, "PUPPETEER_SKIP_DOWNLOAD": "1"}
    command = ["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--prefer-offline", "--loglevel=error"]
    done = subprocess.run(command, cwd=modules, env=environment, check=False)
    return modules if done.returncode == 0 else None
