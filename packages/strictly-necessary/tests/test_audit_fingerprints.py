"""Judging fingerprints, on observations made by hand: each trick, and what looks like it and is none."""

from __future__ import annotations

from dataclasses import replace

import pytest

from strictly_necessary.audit._observation import Act, Call, Deed, Observation, Place, Request, Run, State, Visit
from strictly_necessary.audit.judge.fingerprints import findings

PAGE = "https://shop.example/"
SCRIPT = "https://shop.example/app.js"
LOAD, MOVE, PRESS = 0, 2, 3
ACTS = (Act(Deed.LOAD), Act(Deed.WAIT), Act(Deed.MOVE, "1,2"), Act(Deed.PRESS, 'button "Start"'))
Use = tuple[str, ...]


def call(api: str, *uses: Use, act: int = LOAD, script: str = SCRIPT, worker: str | None = None) -> Call:
    return Call(api, script, act, arguments=uses, stack=(Place(script, 3, 7, "f"),), frame=PAGE, worker=worker)


def judged(*calls: Call, requests: tuple[Request, ...] = (), states: tuple[State, ...] = (State.VISIT,)) -> list[str]:
    visit = Visit(State.VISIT, PAGE, PAGE, acts=ACTS, calls=calls, requests=requests)
    runs = tuple(Run(state, (replace(visit, state=state),)) for state in states)
    return sorted({each.code for each in findings(Observation(PAGE, "Chromium", runs))})


def each(interface: str, names: str) -> list[Call]:
    return [call(f"{interface}.{name}") for name in names.split()]


FAMILIES = [f"family {number}" for number in range(25)]
LIMITS = [(str(number),) for number in range(3379, 3391)]
UNMASKED = call("WebGLRenderingContext.getParameter", ("37446",))
PEER = each("RTCPeerConnection", "createDataChannel createOffer onicecandidate")
TRAITS = [*each("Navigator", "userAgent language platform hardwareConcurrency deviceMemory plugins doNotTrack"),
          *each("Screen", "width height colorDepth"), call("Date.getTimezoneOffset")]  # fmt: skip
RESPONSIVE = [*each("Navigator", "userAgent language languages platform vendor maxTouchPoints hardwareConcurrency"),
              *each("Window", "devicePixelRatio outerWidth"), *each("Screen", "width height"),
              call("DateTimeFormat.resolvedOptions"), call("Navigator.webdriver"),
              call("Window.matchMedia", ("(prefers-color-scheme: dark)",), ("(min-width: 600px)",))]  # fmt: skip


def picture(letters: int, size: str = "280", drawer: str = SCRIPT, kind: str = "2d") -> Use:
    return (size, "60", str(letters), drawer, kind)


TRICKS: dict[str, tuple[str, list[Call]]] = {
    "text read as an address": ("SN430", [call("HTMLCanvasElement.toDataURL", picture(30))]),
    "text read as a file in a worker": (
        "SN430",
        [call("OffscreenCanvas.convertToBlob", picture(12), worker=SCRIPT)],
    ),
    "pixels while the pointer moves": ("SN430", [call("CanvasRenderingContext2D.getImageData", picture(9), act=MOVE)]),
    "a worker's picture": (
        "SN430",
        [
            call("OffscreenCanvas.transferToImageBitmap", ("20",), worker="https://shop.example/w.js"),
            call("HTMLCanvasElement.toDataURL", picture(0, drawer="", kind="bitmap")),
        ],
    ),
    "the card": ("SN431", [UNMASKED]),
    "limits and a picture": (
        "SN431",
        [
            call("WebGLRenderingContext.getParameter", *LIMITS),
            call("WebGLRenderingContext.readPixels", ("256", "256", "0", "", "webgl")),
        ],
    ),
    "WebGPU": ("SN431", each("GPUAdapterInfo", "vendor architecture")),
    "sound": ("SN432", [call("AudioBuffer.getChannelData", ("computed",))]),
    "analyser": ("SN432", [call("AnalyserNode.getFloatFrequencyData", ("computed",))]),
    "widths": ("SN433", [call("HTMLElement.measure", *[("mmlli", family) for family in FAMILIES])]),
    "checks": ("SN433", [call("FontFaceSet.check", *[(family,) for family in FAMILIES])]),
    "local sources": ("SN433", [call("new FontFace", *[(family,) for family in FAMILIES])]),
    "the list of fonts": ("SN433", [call("Window.queryLocalFonts")]),
    "traits": ("SN434", TRAITS),
    "hints": ("SN434", [call("NavigatorUAData.getHighEntropyValues", ("model",), ("bitness",), ("platformVersion",))]),
    "battery": ("SN435", [call("Navigator.getBattery")]),
    "motion": ("SN435", [call("EventTarget.addEventListener", ("devicemotion", "window"))]),
    "gyroscope": ("SN435", [call("new Gyroscope")]),
    "addresses": ("SN436", PEER),
    "addresses from the description": (
        "SN436",
        each("RTCPeerConnection", "createOffer setLocalDescription localDescription"),
    ),
    "devices": ("SN437", [call("MediaDevices.enumerateDevices")]),
    "voices": ("SN437", [call("SpeechSynthesis.getVoices", act=MOVE)]),
    "topics": ("SN419", [call("Document.browsingTopics")]),
    "storage access": ("SN419", [call("Document.requestStorageAccess", act=PRESS)]),
    "window name": ("SN419", [call("Window.name", ("uid-8f14e45fceea167a",))]),
    "long window name": ("SN419", [call("Window.name", ("x" * 300,))]),
}

TWINS: dict[str, list[Call]] = {
    "a photograph made smaller": [call("HTMLCanvasElement.toDataURL", picture(0, drawer=""))],
    "an emoji test": [
        call("CanvasRenderingContext2D.getImageData", picture(0)),
        call("HTMLCanvasElement.toDataURL", picture(1)),
    ],
    "one pixel": [call("CanvasRenderingContext2D.getImageData", ("1", "1", "30", SCRIPT, "2d"))],
    "a chart that is saved": [call("HTMLCanvasElement.toBlob", picture(80), act=PRESS)],
    "somebody else's text": [call("HTMLCanvasElement.toDataURL", picture(30, drawer="https://shop.example/chart.js"))],
    "a viewer": [call("WebGLRenderingContext.getParameter", ("3379",), ("7938",), *LIMITS[:6])],
    "a viewer that looks at a pixel": [
        call("WebGLRenderingContext.getParameter", *LIMITS),
        call("WebGLRenderingContext.readPixels", ("1", "1", "0", "", "webgl")),
    ],
    "a waveform": [call("AudioBuffer.getChannelData", ("other",)), call("BaseAudioContext.createAnalyser")],
    "a synthesizer": [call("AnalyserNode.getByteTimeDomainData", ("computed",), act=PRESS)],
    "a font loader": [
        call("HTMLElement.measure", ("BESbswy", "serif"), ("BESbswy", "own")),
        call("FontFaceSet.check", ("own",)),
    ],
    "an editor": [
        call("CanvasRenderingContext2D.measureText", *[(str(n), f) for n in range(60) for f in ("serif", "own")])
    ],
    "a font menu": [call("HTMLElement.measure", *[(family, family) for family in FAMILIES])],
    "a responsive page": RESPONSIVE,
    "a download that fits": [
        call("NavigatorUAData.getHighEntropyValues", ("architecture",), ("bitness",), ("platform",))
    ],
    "a spirit level": [call("EventTarget.addEventListener", ("deviceorientation", "window"), act=PRESS)],
    "a call": [replace(each_, act=PRESS) for each_ in PEER],
    "a connection that nobody listens to": [call("new RTCPeerConnection"), call("RTCPeerConnection.createDataChannel")],
    "the choice of a microphone": [call("MediaDevices.enumerateDevices", act=PRESS)],
    "a named window": [call("Window.name", ("checkout",))],
}


@pytest.mark.parametrize("name", TRICKS)
def test_the_trick_is_found(name: str) -> None:
    code, calls = TRICKS[name]
    assert judged(*calls) == [code]


@pytest.mark.parametrize("name", TWINS)
def test_what_looks_like_it_is_clean(name: str) -> None:
    assert judged(*TWINS[name]) == []


def test_traits_of_two_scripts_are_not_added() -> None:
    half = [replace(found, script="https://shop.example/b.js") for found in TRAITS[5:]]
    assert judged(*TRAITS[:5], *half) == []


def test_traits_of_one_script_are_added_over_frames_and_acts() -> None:
    rest = [replace(found, act=PRESS, frame="about:blank", worker=SCRIPT) for found in TRAITS[5:]]
    assert judged(*TRAITS[:5], *rest) == ["SN434"]


def test_a_name_that_all_browsers_get_alike_is_no_identifier() -> None:
    named = call("Window.name", ("payment-window-2024-v17",))
    assert judged(named, states=(State.VISIT, State.GPC)) == []
    assert judged(named, states=(State.VISIT, State.RETURNED)) == ["SN419"]


def test_the_finding_names_the_script_its_line_and_no_value() -> None:
    visit = Visit(State.VISIT, PAGE, PAGE, acts=ACTS, calls=(call("Window.name", ("uid-8f14e45fceea167a",)),))
    [raw] = findings(Observation(PAGE, "Chromium", (Run(State.VISIT, (visit,)),)))
    assert raw.subject == f"window name by {SCRIPT}"
    assert raw.evidence.stack == (Place(SCRIPT, 3, 7, "f"),)
    assert "8f14" not in repr(raw)


def test_hints_that_an_answer_asks_for_are_counted() -> None:
    asked = Request(
        PAGE, "GET", "document", LOAD, PAGE, PAGE, headers={"accept-ch": "Sec-CH-UA-Model, Sec-CH-UA-Arch, RTT"}
    )
    assert judged(requests=(asked,)) == ["SN434"]
    assert judged(requests=(replace(asked, headers={"accept-ch": "Sec-CH-Prefers-Color-Scheme, DPR"}),)) == []


def test_topics_in_a_request_are_found() -> None:
    asked = Request("https://ads.example/", "GET", "fetch", LOAD, PAGE, PAGE, asked={"sec-browsing-topics": "();p=P0"})
    assert judged(requests=(asked,)) == ["SN419"]
