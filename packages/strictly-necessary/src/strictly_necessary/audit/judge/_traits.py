"""Which traits of a browser tell how much about who uses it.

The groups follow the surfaces that the W3C's guidance on fingerprinting names, and what FingerprintJS, creepjs and
amiunique.org read in 2026. A group counts once, whatever is read of it. Traits that many pages need (the language, the
window's size, whether it is a phone) count, but never decide; the `rare` ones have few other uses than telling people
apart.
"""

from __future__ import annotations

from collections.abc import Mapping

COMMON: Mapping[str, tuple[str, ...]] = {
    "the browser's name": ("Navigator.userAgent", "Navigator.appVersion", "Navigator.userAgentData",
                           "NavigatorUAData.brands", "NavigatorUAData.mobile", "NavigatorUAData.platform"),
    "the platform": ("Navigator.platform",),
    "the vendor": ("Navigator.vendor",),
    "the language": ("Navigator.language", "Navigator.languages"),
    "the time zone": ("Date.getTimezoneOffset", "DateTimeFormat.resolvedOptions"),
    "the screen's size": ("Screen.width", "Screen.height"),
    "the density of the screen": ("Window.devicePixelRatio",),
    "touch points": ("Navigator.maxTouchPoints",),
    "cookies allowed": ("Navigator.cookieEnabled",),
    "the window's outer size": ("Window.outerWidth", "Window.outerHeight"),
    "the network": ("NetworkInformation.effectiveType", "NetworkInformation.saveData"),
    "processors": ("Navigator.hardwareConcurrency",),
}  # fmt: skip

RARE: Mapping[str, tuple[str, ...]] = {
    "memory": ("Navigator.deviceMemory", "Performance.memory"),
    "plugins": ("Navigator.plugins", "Navigator.mimeTypes", "Navigator.pdfViewerEnabled", "Navigator.javaEnabled"),
    "the screen's colours": ("Screen.colorDepth", "Screen.pixelDepth"),
    "the screen's free part": ("Screen.availWidth", "Screen.availHeight", "Screen.availLeft", "Screen.availTop"),
    "the window's place": ("Window.screenX", "Window.screenY", "Window.screenLeft", "Window.screenTop"),
    "more screens": ("Screen.isExtended",),
    "Do Not Track": ("Navigator.doNotTrack",),
    "automation": ("Navigator.webdriver",),
    "old names of the browser": ("Navigator.product", "Navigator.productSub", "Navigator.vendorSub",
                                 "Navigator.appName", "Navigator.appCodeName", "Navigator.oscpu"),
    "the network's speed": ("NetworkInformation.rtt", "NetworkInformation.downlink", "NetworkInformation.downlinkMax",
                            "NetworkInformation.type"),
    "room for storage": ("StorageManager.estimate",),
    "details of the browser": ("NavigatorUAData.getHighEntropyValues",),
    "delays of sound": ("AudioContext.baseLatency", "AudioContext.outputLatency",
                        "AudioDestinationNode.maxChannelCount"),
    "codecs for calls": ("RTCRtpSender.getCapabilities",),
    "gamepads": ("Navigator.getGamepads",),
}  # fmt: skip

MANY: Mapping[str, tuple[int, tuple[str, ...]]] = {
    "media queries": (4, ("Window.matchMedia",)),
    "codecs": (5, ("HTMLMediaElement.canPlayType", "MediaSource.isTypeSupported", "MediaCapabilities.decodingInfo",
                   "MediaCapabilities.encodingInfo")),
    "permissions": (3, ("Permissions.query",)),
    "copy protection": (3, ("Navigator.requestMediaKeySystemAccess",)),
}  # fmt: skip
"""Rare only when this many different ones are asked for."""

ENOUGH, ENOUGH_RARE = 8, 3
FEWER, FEWER_RARE = 6, 4
"""So many groups with so many rare ones among them: either pair is a fingerprint."""

HINTS = frozenset({"architecture", "bitness", "model", "platformversion", "uafullversion", "fullversionlist", "wow64",
                   "formfactors", "formfactor"})  # fmt: skip
"""What `getHighEntropyValues` gives beyond what every page knows; two choose a download, three tell devices apart."""

HINT_HEADERS = frozenset({"sec-ch-ua-arch", "sec-ch-ua-bitness", "sec-ch-ua-model", "sec-ch-ua-platform-version",
                          "sec-ch-ua-full-version", "sec-ch-ua-full-version-list", "sec-ch-ua-wow64",
                          "sec-ch-ua-form-factors", "sec-ch-device-memory", "device-memory",
                          "sec-ch-viewport-width", "sec-ch-viewport-height",
                          "sec-ch-dpr", "rtt", "downlink"})  # fmt: skip
ENOUGH_HINTS = 3
