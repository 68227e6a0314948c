"""Places to keep or ask something that no declaration can name: SN419."""

from __future__ import annotations

import re
from collections.abc import Iterator

from strictly_necessary.audit._finding import Evidence
from strictly_necessary.audit._observation import Observation, State, Visit
from strictly_necessary.audit.judge._calls import Script, scripts, uses
from strictly_necessary.audit.judge._merging import Raw, seen
from strictly_necessary.audit.judge._sites import shown

_PLACES = {
    "shared storage": ("SharedStorage.set", "SharedStorage.append", "SharedStorage.delete", "SharedStorage.clear",
                       "SharedStorage.get", "SharedStorage.run", "SharedStorage.selectURL", "SharedStorage.batchUpdate",
                       "SharedStorage.createWorklet"),
    "interest groups": ("Navigator.joinAdInterestGroup", "Navigator.updateAdInterestGroups", "Navigator.runAdAuction"),
    "topics": ("Document.browsingTopics",),
    "storage access": ("Document.requestStorageAccess", "Document.requestStorageAccessFor"),
    "storage bucket": ("StorageBucketManager.open",),
    "old file system": ("Window.webkitRequestFileSystem",),
    "background fetch": ("BackgroundFetchManager.fetch",),
    "background sync": ("PeriodicSyncManager.register", "SyncManager.register"),
    "cookie subscription": ("CookieStoreManager.subscribe",),
    "content index": ("ContentIndex.add",),
    "login status": ("NavigatorLogin.setStatus",),
}  # fmt: skip

_HEADERS = {
    "shared-storage-write": "shared storage",
    "observe-browsing-topics": "topics",
    "activate-storage-access": "storage access",
    "set-login": "login status",
    "attribution-reporting-register-source": "attribution reporting",
    "attribution-reporting-register-trigger": "attribution reporting",
}

_ASKED = {"sec-browsing-topics": "topics", "sec-shared-storage-writable": "shared storage"}

_GOES_ON = frozenset({State.RETURNED, State.SIGNED_OUT})
_LONG = 128
_RANDOM = re.compile(r"(?=[^\n]*\d)(?=[^\n]*[A-Za-z])[A-Za-z0-9_.:|=/+-]{16,}|\d{12,}")


def places(observation: Observation) -> Iterator[Raw]:
    constants = _constants(observation)
    for visit in observation.visits():
        yield from _headers(visit)
        for script in scripts(visit):
            for what, apis in _PLACES.items():
                for call in script.of(*apis)[:1]:
                    message = f"{what}: nothing there can be declared, and nobody can look at it or remove it"
                    yield script.raw("SN419", what, message, call, ("asked by", call.api))
            yield from _window_name(script, constants)


def _constants(observation: Observation) -> set[str]:
    """Names that windows get in several fresh browsers alike: what is the same for everybody is no identifier."""
    given: dict[str, set[State]] = {}
    for visit in observation.visits():
        if visit.state not in _GOES_ON:
            for name in uses(each for each in visit.calls if each.api == "Window.name"):
                given.setdefault(name[0], set()).add(visit.state)
    return {name for name, states in given.items() if len(states) > 1}


def _window_name(script: Script, constants: set[str]) -> Iterator[Raw]:
    for call in script.of("Window.name"):
        for (name,) in call.arguments:
            if len(name) >= _LONG or (_RANDOM.search(name) and name not in constants):
                message = "the window's name keeps something from one page to the next, which no declaration can name"
                fix = "keep it where it can be declared, or nowhere"
                yield script.raw("SN419", "window name", message, call, fix=fix)
                return


def _headers(visit: Visit) -> Iterator[Raw]:
    for request in visit.requests:
        found = {name: what for name, what in _HEADERS.items() if name in request.headers}
        found |= {name: what for name, what in _ASKED.items() if name in request.asked}
        for name, what in sorted(found.items()):
            evidence = Evidence(header=f"{name}: …", request=shown(request.url))
            message = f"{what}: nothing there can be declared, and nobody can look at it or remove it"
            yield Raw("SN419", f"{what} by {shown(request.url)}", message, seen(visit, request.act), evidence)
