"""Finding, starting and ending Chromium."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import shutil
import signal
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from strictly_necessary.audit._plan import Plan
from strictly_necessary.audit.browser._protocol import BrowserError

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
_START_LIMIT = 30.0

_OFF = (
    "AutofillServerCommunication,CertificateTransparencyComponentUpdater,HttpsUpgrades,HttpsFirstBalancedMode,"
    "HttpsFirstBalancedModeAutoEnable,IsolateOrigins,IsolateSandboxedIframes,MediaRouter,NetworkTimeServiceQuerying,"
    "OptimizationHints,OptimizationGuideModelDownloading,OptimizationTargetPrediction,PaintHolding,"
    "PreloadTopChromeWebUI,Prerender2,RenderDocument,SafeBrowsing,site-per-process,Translate,WebUIOmniboxAimPopup,"
    "WebUIOmniboxFullPopup,WebUIOmniboxPopup"
)
"""Features that ask for something by themselves, hide what a site asks for, or draw parts of a window that nobody sees
(a renderer of 120 MB each). Frames of other sites stay in the
page's process, so that one clock holds for all of them."""

_FLAGS = (
    "--headless",
    "--remote-debugging-port=0",
    "--no-first-run",
    "--no-default-browser-check",
    "--no-service-autorun",
    "--no-startup-window",  # it would be drawn for nobody, by a process of its own
    "--disable-back-forward-cache",  # a page that is kept there holds the clock of the next ones
    "--disable-background-networking",
    "--disable-blink-features=AutomationControlled",  # navigator.webdriver: many a tracker spares robots
    "--disable-background-timer-throttling",
    "--disable-backgrounding-occluded-windows",
    "--disable-breakpad",
    "--disable-client-side-phishing-detection",
    "--disable-component-extensions-with-background-pages",
    "--disable-component-update",
    "--disable-default-apps",
    "--disable-dev-shm-usage",
    "--disable-domain-reliability",
    "--disable-extensions",
    "--disable-gpu",
    "--disable-hang-monitor",
    "--disable-prompt-on-repost",
    "--disable-renderer-backgrounding",
    "--disable-search-engine-choice-screen",
    "--disable-site-isolation-trials",
    "--disable-sync",
    "--enable-unsafe-swiftshader",
    "--force-color-profile=srgb",
    "--hide-scrollbars",
    "--metrics-recording-only",
    "--mute-audio",
    "--noerrdialogs",
    "--password-store=basic",
    "--use-mock-keychain",
    "--window-size=1280,800",
    f"--disable-features={_OFF}",
)

_TIED = (
    ("/bin/sh", "-c", 'exec "$0" "$@" --remote-debugging-pipe 3<&0 4>/dev/null </dev/null')
    if os.name == "posix"
    else ()
)
"""Chromium ends when the pipe by which it could be told what to do is closed. Nothing is ever said in it; but when
somebody kills the audit, which then can end nothing by itself, it is closed too."""

COMMON = {"profile": {"cookie_controls_mode": 0}}
"""Cookies of other sites are taken, as by most people's browsers. A context of the audit counts as a private window,
which would refuse them, and what they are for would not be seen."""

BLOCKED_COOKIES = {"profile": {"default_content_setting_values": {"cookies": 2}}}
"""The preference that a person sets who blocks all cookies."""


def find_chromium(given: str | None) -> str:
    """The program to start. Raises `BrowserError` if there is none."""
    if given is not None:
        found = shutil.which(given)
        if found is None:
            raise BrowserError(f"{given} is not a program: give --chromium the path of Chromium or Chrome")
        return found
    for name in NAMES:
        if found := shutil.which(name):
            return found
    for root in _playwright_folders():
        for pattern in (
            "chromium-*/chrome-*/chrome",
            "chromium-*/chrome-*/*.app/Contents/MacOS/*",
            "chromium-*/chrome-*/chrome.exe",
        ):
            if places := sorted(root.glob(pattern)):
                return str(places[-1])
    raise BrowserError(
        "no Chromium found: install it (`apt install chromium`, or `playwright install chromium`), "
        "or say with --chromium where it is"
    )


def _playwright_folders() -> list[Path]:
    """Where `playwright install` puts its browsers (playwright.dev, "Managing browser binaries")."""
    given = os.environ.get("PLAYWRIGHT_BROWSERS_PATH")
    home = Path.home()
    if given and given != "0":
        return [Path(given)]
    if sys.platform == "darwin":
        return [home / "Library" / "Caches" / "ms-playwright"]
    if sys.platform == "win32":
        return [home / "AppData" / "Local" / "ms-playwright"]
    return [home / ".cache" / "ms-playwright"]


def flags(plan: Plan) -> list[str]:
    """What the browser is started with, but for its profile."""
    result = list(_FLAGS)
    if hasattr(os, "geteuid") and os.geteuid() == 0:
        result.append("--no-sandbox")  # Chromium refuses to run as root with it
    if plan.resolve:
        result.append("--host-resolver-rules=" + ",".join(f"MAP {host} {to}" for host, to in plan.resolve.items()))
    if plan.insecure:
        result.append("--ignore-certificate-errors")
    return result


class Process:
    """One running Chromium with a profile of its own, which `stop` removes."""

    def __init__(self, process: asyncio.subprocess.Process, profile: Path, endpoint: str) -> None:
        self._process = process
        self._profile = profile
        self.endpoint = endpoint
        self.pid = process.pid

    @property
    def running(self) -> bool:
        return self._process.returncode is None

    async def stop(self) -> None:
        if self.running:
            _signal(self._process, signal.SIGTERM)
            try:
                await asyncio.wait_for(self._process.wait(), 3)
            except TimeoutError:
                _signal(self._process, getattr(signal, "SIGKILL", signal.SIGTERM))
                await self._process.wait()
        await _remove(self._profile)


def _signal(process: asyncio.subprocess.Process, number: int) -> None:
    with contextlib.suppress(ProcessLookupError):
        process.send_signal(number)


async def _remove(profile: Path) -> None:
    for _ in range(20):
        if _is_removed(profile):
            return
        await asyncio.sleep(0.05)  # the last of its processes is still writing


def _is_removed(profile: Path) -> bool:
    shutil.rmtree(profile, ignore_errors=True)
    return not profile.exists()


async def start(program: str, arguments: Sequence[str], *, cookies: bool) -> Process:
    """Raises `BrowserError` if it does not come up."""
    profile = Path(tempfile.mkdtemp(prefix="strictly-audit-"))
    try:
        return await _start_in(profile, program, arguments, cookies=cookies)
    except BaseException:  # also where the audit is cancelled meanwhile
        await _remove(profile)
        raise


async def _start_in(profile: Path, program: str, arguments: Sequence[str], *, cookies: bool) -> Process:
    (profile / "Default").mkdir()
    (profile / "Default" / "Preferences").write_text(json.dumps(COMMON if cookies else BLOCKED_COOKIES))
    process = await asyncio.create_subprocess_exec(
        *_TIED,
        program,
        *arguments,
        f"--user-data-dir={profile}",
        stdin=asyncio.subprocess.PIPE if _TIED else asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.DEVNULL,
        start_new_session=True,  # Ctrl-C is for the audit, which ends the browser itself
    )
    try:
        address = await asyncio.wait_for(_address(process, profile / "DevToolsActivePort"), _START_LIMIT)
    except BaseException as error:
        await Process(process, profile, "").stop()
        if isinstance(error, TimeoutError):
            raise BrowserError(f"{program} did not start within {_START_LIMIT:g} seconds") from None
        raise
    return Process(process, profile, address)


def _lines(file: Path) -> list[str]:
    return file.read_text().split() if file.exists() else []


async def _address(process: asyncio.subprocess.Process, file: Path) -> str:
    while True:
        if process.returncode is not None:
            raise BrowserError(
                f"Chromium ended at once with exit code {process.returncode}: "
                "start it by hand to see why, or give another with --chromium"
            )
        if len(lines := _lines(file)) == 2:
            return f"ws://127.0.0.1:{lines[0]}{lines[1]}"
        await asyncio.sleep(0.01)
