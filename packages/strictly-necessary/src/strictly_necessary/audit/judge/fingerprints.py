"""Fingerprints: what scripts read of the device to know somebody again, and places that no declaration can name.

Each judge looks for what the trick cannot do without, and not for a product: a text that is drawn and read back, one
text measured in many fonts. What a person's choice brought is clean where the feature is what it was chosen for.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from strictly_necessary.audit._finding import Evidence
from strictly_necessary.audit._observation import Observation, Request, Visit
from strictly_necessary.audit.judge import _traits
from strictly_necessary.audit.judge._calls import Judge, Script, number, scripts, uses
from strictly_necessary.audit.judge._merging import Raw, seen
from strictly_necessary.audit.judge._places import places
from strictly_necessary.audit.judge._sites import is_third, shown
from strictly_necessary.declaration import Declaration

LETTERS = 5
"""Fewer are a test whether a sign, such as an emoji, can be drawn."""

PIXELS = 256
"""Fewer are a test of one colour."""

LIMITS, ALL_LIMITS, FAMILIES = 10, 25, 20

_CANVAS = ("HTMLCanvasElement.toDataURL", "HTMLCanvasElement.toBlob", "OffscreenCanvas.convertToBlob",
           "CanvasRenderingContext2D.getImageData", "VideoFrame.copyTo",
           "WebGLRenderingContext.readPixels")  # fmt: skip
_UNMASKED = {"37445": "UNMASKED_VENDOR_WEBGL", "37446": "UNMASKED_RENDERER_WEBGL"}
_NO_LIMIT = frozenset({"7936", "7937", "7938", "35724", *_UNMASKED})
_SENSORS = tuple(
    f"new {name}"
    for name in ("Accelerometer", "LinearAccelerationSensor", "GravitySensor", "Gyroscope", "Magnetometer",
                 "AbsoluteOrientationSensor", "RelativeOrientationSensor", "AmbientLightSensor", "IdleDetector")
)  # fmt: skip
_MOTION = frozenset({"devicemotion", "deviceorientation", "deviceorientationabsolute"})
_LISTS = {
    "MediaDevices.enumerateDevices": "the list of cameras and microphones",
    "SpeechSynthesis.getVoices": "the list of voices",
    "Keyboard.getLayoutMap": "the layout of the keyboard",
    "Window.getScreenDetails": "the list of screens",
    "Navigator.getInstalledRelatedApps": "the list of apps",
    "Navigator.requestMIDIAccess": "the list of instruments",
    "USB.getDevices": "the list of USB devices",
    "HID.getDevices": "the list of input devices",
    "Serial.getPorts": "the list of serial ports",
    "Bluetooth.getDevices": "the list of Bluetooth devices",
}
_ICE = frozenset({"icecandidate", "icegatheringstatechange"})
_ADDRESSES = (
    *(f"RTCPeerConnection.{name}" for name in ("onicecandidate", "onicegatheringstatechange", "localDescription",
                                               "currentLocalDescription", "pendingLocalDescription", "getStats")),
    "RTCIceCandidate.candidate", "RTCIceCandidate.address",
)  # fmt: skip


def findings(observation: Observation, declaration: Declaration | None = None) -> Iterator[Raw]:  # noqa: ARG001 -- as all judges
    """SN419 and SN430 to SN437. The declaration has no say: none of them can be declared."""
    yield from places(observation)
    by_header = {name for visit in observation.visits() for each in visit.requests for name in _named_hints(each)}
    for visit in observation.visits():
        yield from _hints(visit)
        yield from _sent_hints(visit, by_header)
        for script in scripts(visit):
            for judge in _JUDGES:
                yield from judge(script)


def _canvas(script: Script) -> Iterator[Raw]:
    for call in script.by_itself(*_CANVAS):
        for width, height, letters, drawer, kind in call.arguments:
            if number(width) * number(height) < PIXELS:
                continue
            if (number(letters) >= LETTERS and drawer == call.script) or (kind == "bitmap" and _lent(script.visit)):
                message = "a text is drawn on a canvas and read back, which tells browsers apart"
                yield script.raw("SN430", "canvas", message, call, ("read by", call.api))
                return


def _lent(visit: Visit) -> bool:
    """Whether a worker wrote on a canvas and gave the picture away."""
    lent = (each for each in visit.calls if each.api == "OffscreenCanvas.transferToImageBitmap" and each.worker)
    return any(number(use[0]) >= LETTERS for use in uses(lent))


def _webgl(script: Script) -> Iterator[Raw]:
    asked = script.of("WebGLRenderingContext.getParameter")
    names = {use[0] for use in uses(asked)}
    card = sorted(_UNMASKED[name] for name in names & _UNMASKED.keys())
    if card:
        call = next(each for each in asked if any(use[0] in _UNMASKED for use in each.arguments))
        message = "the name of the graphics card is read, which tells devices apart"
        yield script.raw("SN431", "WebGL", message, call, ("read", ", ".join(card)))
        return
    info = script.of(*(f"GPUAdapterInfo.{name}" for name in ("vendor", "architecture", "device", "description")))
    if len({each.api for each in info}) >= 2 or script.of("GPUAdapter.requestAdapterInfo"):
        call = (info or script.of("GPUAdapter.requestAdapterInfo"))[0]
        yield script.raw("SN431", "WebGPU", "the name of the graphics card is read, which tells devices apart", call)
        return
    limits = len(names - _NO_LIMIT)
    if limits >= ALL_LIMITS or (limits >= LIMITS and _read_back(script)):
        message = "limits of the graphics card are read, many or with a picture, which tells devices apart"
        yield script.raw("SN431", "WebGL", message, asked[0], ("limits read", str(limits)))


def _read_back(script: Script) -> bool:
    calls = script.by_itself("WebGLRenderingContext.readPixels", *_CANVAS)
    return any(use[4] == "webgl" and number(use[0]) * number(use[1]) >= PIXELS for use in uses(calls))


def _audio(script: Script) -> Iterator[Raw]:
    reads = tuple(f"AudioBuffer.{name}" for name in ("getChannelData", "copyFromChannel"))
    analyses = ("getFloatFrequencyData", "getByteFrequencyData", "getFloatTimeDomainData", "getByteTimeDomainData")
    every = (*reads, *(f"AnalyserNode.{name}" for name in analyses), "DynamicsCompressorNode.reduction")
    for call in script.by_itself(*every):
        if ("computed",) in call.arguments:
            message = "a sound is computed and read back, which tells browsers apart"
            yield script.raw("SN432", "sound", message, call, ("read by", call.api))
            return


def _fonts(script: Script) -> Iterator[Raw]:
    for call in script.by_itself("Window.queryLocalFonts"):
        yield script.raw("SN433", "fonts", "the list of installed fonts is read", call)
        return
    texts: dict[str, set[str]] = {}
    measures = script.of("HTMLElement.measure", "CanvasRenderingContext2D.measureText")
    for text, family in uses(measures):
        texts.setdefault(text, set()).add(family)
    checks = script.of("FontFaceSet.check"), script.of("new FontFace")
    for families, calls in [
        *((found, measures) for found in texts.values()),
        *(({use[0] for use in uses(calls)}, calls) for calls in checks),
    ]:
        if len(families) >= FAMILIES:
            message = "many fonts are tried, to learn which are installed, which tells devices apart"
            yield script.raw("SN433", "fonts", message, calls[0], ("tried by", calls[0].api))
            return


def _read_traits(script: Script) -> Iterator[Raw]:
    asked = {call.api for call in script.calls}
    common = {name for name, apis in _traits.COMMON.items() if asked.intersection(apis)}
    rare = {name for name, apis in _traits.RARE.items() if asked.intersection(apis)}
    rare |= {name for name, (least, apis) in _traits.MANY.items() if len(set(uses(script.of(*apis)))) >= least}
    hints = {use[0].lower() for use in uses(script.of("NavigatorUAData.getHighEntropyValues"))} & _traits.HINTS
    groups = len(common) + len(rare)
    many = groups >= _traits.ENOUGH and len(rare) >= _traits.ENOUGH_RARE
    if len(hints) >= _traits.ENOUGH_HINTS:
        rare.add("details of the browser")
    elif not many and not (groups >= _traits.FEWER and len(rare) >= _traits.FEWER_RARE):
        return
    apis = {api for name in rare for api in _traits.RARE.get(name, ()) or _traits.MANY[name][1]}
    call = next(each for each in script.calls if each.api in apis)
    message = "many traits of the browser and the screen are read, which together tell devices apart"
    yield script.raw("SN434", "traits", message, call, ("read", ", ".join(sorted(common | rare))))


def _hints(visit: Visit) -> Iterator[Raw]:
    """Client hints that an answer asks the browser for."""
    for request in visit.requests:
        names = _named_hints(request)
        if len(names) >= _traits.ENOUGH_HINTS:
            url = shown(request.url)
            evidence = Evidence(header=f"accept-ch: {', '.join(names)}", request=url)
            message = "an answer asks for many details of the browser, which together tell devices apart"
            fix = "ask for the hints that the page is made by, and no others"
            yield Raw("SN434", f"client hints asked for by {url}", message, seen(visit, request.act), evidence, fix=fix)


def _named_hints(request: Request) -> list[str]:
    asked = ",".join(request.headers.get(name, "") for name in ("accept-ch", "critical-ch"))
    return sorted({name.strip().lower() for name in asked.split(",")} & _traits.HINT_HEADERS)


def _sent_hints(visit: Visit, by_header: set[str]) -> Iterator[Raw]:
    """Client hints that are sent though no header asked for them: the page did, in its HTML."""
    for request in visit.requests:
        names = sorted((request.asked.keys() & _traits.HINT_HEADERS) - by_header)
        if len(names) >= _traits.ENOUGH_HINTS:
            page = shown(request.top)
            message = "a page asks for many details of the browser, which together tell devices apart"
            evidence = Evidence(request=shown(request.url), detail=(("sent", ", ".join(names)),))
            fix = "ask for the hints that the page is made by, and no others"
            yield Raw(
                "SN434", f"client hints asked for by {page}", message, seen(visit, request.act), evidence, fix=fix
            )


def _sensors(script: Script) -> Iterator[Raw]:
    calls = script.by_itself("Navigator.getBattery", "PressureObserver.observe", *_SENSORS)
    calls += [
        call
        for call in script.by_itself("EventTarget.addEventListener")
        if any(use[0] in _MOTION for use in call.arguments)
    ]
    for call in calls:
        if call.api == "Navigator.getBattery":
            yield script.raw("SN435", "battery", "the battery is read, and nobody asked for it", call)
        else:
            yield script.raw(
                "SN435", "sensors", "sensors are read, and nobody asked for it", call, ("read by", call.api)
            )


def _connections(script: Script) -> Iterator[Raw]:
    opened = script.by_itself("RTCPeerConnection.createOffer", "RTCPeerConnection.createDataChannel",
                              "RTCPeerConnection.setLocalDescription")  # fmt: skip
    listens = [
        call
        for call in script.by_itself("EventTarget.addEventListener")
        if any(use[0] in _ICE for use in call.arguments)
    ]
    learns = [*listens, *script.by_itself(*_ADDRESSES)]
    servers = {
        host
        for use in uses(script.by_itself("new RTCPeerConnection", "RTCPeerConnection.setConfiguration"))
        if (host := _ice_host(use[0])) and is_third(f"https://{host}/", script.visit.address or script.visit.url)
    }
    if opened and servers:
        hosts = ", ".join(sorted(servers))
        message = f"a connection is prepared that nobody asked for, and {hosts} is asked for the network's address"
        yield script.raw("SN436", "WebRTC", message, opened[0], ("asked", hosts))
    elif opened and learns:
        message = "a connection is prepared that nobody asked for, and the network's addresses are read from it"
        yield script.raw("SN436", "WebRTC", message, opened[0])


def _ice_host(url: str) -> str:
    """The host of a server for connections, such as `turn:relay.example:3478?transport=udp` (RFC 7064 and 7065)."""
    found = re.fullmatch(r"(?:stun|turn)s?:(\[[^\]]+\]|[^:?]+)(?::\d+)?(?:\?.*)?", url, re.IGNORECASE)
    return found[1].lower() if found else ""


def _lists(script: Script) -> Iterator[Raw]:
    for call in script.by_itself(*_LISTS):
        what = _LISTS[call.api]
        yield script.raw("SN437", what, f"{what} is read, and nobody asked for it", call)


_JUDGES: tuple[Judge, ...] = (_canvas, _webgl, _audio, _fonts, _read_traits, _sensors, _connections, _lists)
