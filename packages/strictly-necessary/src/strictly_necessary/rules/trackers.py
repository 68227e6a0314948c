"""Third parties: who is known to track people, and what loads without anybody asking for it.

The lists are our own and short: they hold the names that come into a declaration by accident or by a copied snippet.
What is not on them is not thereby harmless.
"""

from __future__ import annotations

from strictly_necessary._findings import Severity
from strictly_necessary.declaration._items import EXEMPT, Category, Item, Override, ThirdParty
from strictly_necessary.declaration._overrides import hosts_in
from strictly_necessary.declaration._vocabulary import LOADS
from strictly_necessary.rules._rule import Rule, warning

TRACKER_HOSTS = (
    "ads-twitter.com",
    "ads.linkedin.com",
    "adservice.google.com",
    "amplitude.com",
    "analytics.tiktok.com",
    "bat.bing.com",
    "business-api.tiktok.com",
    "clarity.ms",
    "criteo.com",
    "criteo.net",
    "doubleclick.net",
    "facebook.net",
    "fullstory.com",
    "google-analytics.com",
    "googleadservices.com",
    "googlesyndication.com",
    "googletagmanager.com",
    "heap.io",
    "heapanalytics.com",
    "hotjar.com",
    "hotjar.io",
    "licdn.com",
    "mixpanel.com",
    "mxpnl.com",
    "segment.com",
    "segment.io",
)
"""Hosts of advertisers and of analytics for more than one site; whatever lies below one is meant too."""

TRACKER_NAMES = (
    "_clck",
    "_clsk",
    "_fbc",
    "_fbp",
    "_ga",
    "_gac_",
    "_gat",
    "_gcl",
    "_gid",
    "_hj",
    "_li_",
    "_pin_unauth",
    "_scid",
    "_tt_enable_cookie",
    "_ttp",
    "_uetsid",
    "_uetvid",
    "__gads",
    "__gpi",
    "__utm",
    "ajs_",
    "amp_",
    "amplitude",
    "bcookie",
    "hubspotutk",
    "IDE",
    "li_fat_id",
    "mp_",
    "muc_ads",
)
"""What the names begin with under which these keep people apart."""

_WHOLE = frozenset({"_ga", "_gid", "IDE", "_fbp", "_fbc", "_ttp", "bcookie"})
"""Of these, only the whole name, or what follows it after `_`: `_gallery` is nobody's."""
_PRIVACY = "Directive 2002/58/EC article 5(3); WP194 section 4"


def is_tracker_host(host: str) -> bool:
    """Whether the host, or one above it, is on our list."""
    host = host.lower()
    return any(host == known or host.endswith(f".{known}") for known in TRACKER_HOSTS)


def is_tracker_name(item: Item) -> bool:
    """Whether the item has, or its pattern takes in, the name of a known tracker."""
    stem = item.stem
    for known in TRACKER_NAMES:
        if known in _WHOLE:
            if stem == known or stem.startswith(f"{known}_"):
                return True
        elif stem.startswith(known) or (item.is_pattern and len(stem) > 2 and known.startswith(stem)):
            return True
    return False


def _loads_from_tracker(override: Override, _parties: frozenset[str]) -> bool:
    return any(is_tracker_host(host) for host in hosts_in(override))


def _loads_unasked(override: Override, parties: frozenset[str]) -> bool:
    return override.directive in LOADS and not override.paths and not parties.isdisjoint(hosts_in(override))


def _is_tracker(party: ThirdParty) -> bool:
    return is_tracker_host(party.host)


def _hides_tracker(item: Item) -> bool:
    exempt = any(each in EXEMPT and each is not Category.AUDIENCE_MEASUREMENT for each in item.categories)
    return exempt and is_tracker_name(item)


TRACKER_RULES: tuple[Rule, ...] = (
    Rule(
        "SN241",
        Severity.ERROR,
        "nothing loads from a known tracker or advertiser, whatever the reason",
        _PRIVACY,
        "value",
        "remove the host; what it learns is never strictly necessary",
        override=_loads_from_tracker,
    ),
    Rule(
        "SN242",
        Severity.WARNING,
        "a third party that every page may load from is asked without any act of the person",
        "Directive 2002/58/EC article 5(3); WP194 section 2.2",
        "value",
        'write paths = ["..."] with the pages of the feature that needs it, or serve the file yourself',
        override=_loads_unasked,
    ),
    Rule(
        "SN243",
        Severity.WARNING,
        "this third party is a known tracker or advertiser",
        _PRIVACY,
        "host",
        "remove it, unless people really go there themselves by the act that is named",
        party=_is_tracker,
    ),
    warning(
        "SN244",
        "a known tracker keeps people apart under this name, and this is said to be strictly necessary",
        _PRIVACY,
        "name",
        "find out who sets it, and remove it; rename what is really yours",
        _hides_tracker,
    ),
)
