"""For each kind of change, the declaration in asking.toml before and after it, and what people are told in English."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from strictly_necessary import (
    Category,
    Declaration,
    Item,
    Jurisdiction,
    Kind,
    Lifetime,
    Override,
    Purpose,
    SameSite,
    SetBy,
    ThirdParty,
    load,
)
from strictly_necessary.versions import Version, diff

NEW = load(Path(__file__).parent / "asking.toml")
OLD = replace(NEW, policy=replace(NEW.policy, version="7", last_updated=dt.date(2026, 8, 1), summary=None, change=None))
PARTY = ThirdParty(
    "Payments Inc",
    "pay.example.com",
    "Paying",
    "You press Pay.",
    "Its own session cookie.",
    "https://pay.example.com/privacy",
    translations={
        "de": {"feature": "Bezahlen", "action": "Sie drücken auf „Bezahlen“.", "storage": "Ein Sitzungscookie."},
        "fr": {"feature": "Paiement", "action": "Vous payez.", "storage": "Son cookie de session."},
    },
)
FRAME = Override(
    "content-security-policy",
    "https://pay.example.com",
    "Cards are typed there.",
    "frame-src",
    translations={"de": {"reason": "Dort gibt man Karten ein."}, "fr": {"reason": "On y saisit les cartes."}},
)
SPEED = Purpose(
    Category.ADVERTISING,
    "Shows you what you may like.",
    {"de": {"purpose": "Zeigt Ihnen, was Sie mögen."}, "fr": {"purpose": "Vous montre ce que vous aimez."}},
)


@dataclass(frozen=True)
class Case:
    """`told` are the English sentences, in their order."""

    old: Declaration
    new: Declaration
    told: tuple[str, ...]

    @property
    def version(self) -> Version:
        return Version(self.new, diff(self.old, self.new))

    @property
    def previous(self) -> Version:
        return Version(self.old)


def item(declaration: Declaration, item_id: str, **values: Any) -> Declaration:
    """The declaration with other values of one item."""
    items = tuple(replace(each, **values) if each.id == item_id else each for each in declaration.items)
    return replace(declaration, items=items)


def policy(declaration: Declaration, **values: Any) -> Declaration:
    return replace(declaration, policy=replace(declaration.policy, **values))


def of(item_id: str, before: dict[str, Any], after: dict[str, Any], *told: str) -> Case:
    return Case(item(OLD, item_id, **before), item(NEW, item_id, **after), told)


def without(declaration: Declaration, item_id: str) -> Declaration:
    return replace(declaration, items=tuple(each for each in declaration.items if each.id != item_id))


def lasting(text: str) -> dict[str, Lifetime]:
    return {"lifetime": Lifetime.parse(text)}


VISITS: Item = NEW.item("visits")
EXEMPT = tuple(replace(each, category=Category.SECURITY) for each in VISITS.purposes)
STOPPING = {
    "objection": "Press Stop.",
    "translations": {
        "de": {**VISITS.translations["de"], "objection": "Drücken Sie Stopp."},
        "fr": {**VISITS.translations["fr"], "objection": "Appuyez sur Arrêt."},
    },
}

CASES = {
    "nothing": Case(OLD, NEW, ()),
    "new, to be asked": Case(
        without(OLD, "visits"),
        NEW,
        ("New, and only if you say yes: Counting visits. Shows us which pages are read.",),
    ),
    "new, exempt": Case(without(OLD, "session"), NEW, ("New: Staying signed in. Keeps you signed in.",)),
    "gone": Case(OLD, without(NEW, "greeting"), ("No longer there: A greeting.",)),
    "needs consent": of(
        "visits",
        {"purposes": EXEMPT},
        {},
        "Counting visits: from now on only if you say yes.",
        "Counting visits: one more purpose. Shows us which pages are read.",
        "Counting visits: one purpose fewer. It was: Shows us which pages are read.",
    ),
    "needs none any more": of(
        "visits",
        {},
        {"purposes": EXEMPT},
        "Counting visits: from now on without asking you.",
        "Counting visits: one more purpose. Shows us which pages are read.",
        "Counting visits: one purpose fewer. It was: Shows us which pages are read.",
    ),
    "asked again": Case(OLD, policy(NEW, ask=("visits",)), ("Counting visits: we ask you again.",)),
    "one more purpose": of(
        "visits",
        {},
        {"purposes": (*VISITS.purposes, SPEED)},
        "Counting visits: one more purpose. Shows you what you may like.",
    ),
    "one purpose fewer": of(
        "visits",
        {"purposes": (*VISITS.purposes, SPEED)},
        {},
        "Counting visits: one purpose fewer. It was: Shows you what you may like.",
    ),
    "longer": of("visits", {}, lasting("13 months"), "Counting visits: now stays 13 months instead of 6 months."),
    "shorter": of("visits", {}, lasting("1 month"), "Counting visits: now stays 1 month instead of 6 months."),
    "days": of("visits", lasting("1 day"), lasting("2 days"), "Counting visits: now stays 2 days instead of 1 day."),
    "hours": of(
        "visits", lasting("1 hour"), lasting("3 hours"), "Counting visits: now stays 3 hours instead of 1 hour."
    ),
    "minutes": of(
        "visits",
        lasting("1 minute"),
        lasting("30 minutes"),
        "Counting visits: now stays 30 minutes instead of 1 minute.",
    ),
    "for ever": of(
        "visits",
        lasting("session"),
        lasting("persistent"),
        "Counting visits: now stays until you remove it instead of until the browser session ends.",
    ),
    "with the tab": of(
        "greeting",
        {},
        {**lasting("session"), "kind": Kind.SESSION},
        "A greeting: now in another place: Entry in the browser’s session storage. "
        "Before: Entry in the browser’s local storage.",
        "A greeting: now stays until you close the tab instead of until you remove it.",
    ),
    "renewed": of("visits", {}, {"renewed": True}, "Counting visits: each visit now starts its time anew."),
    "not renewed": of("visits", {"renewed": True}, {}, "Counting visits: visits no longer prolong its time."),
    "one more recipient": of(
        "visits", {}, {"recipients": ("Tally GmbH", "Abacus SARL")}, "Counting visits: now also sent to Abacus SARL."
    ),
    "one recipient fewer": of("visits", {}, {"recipients": ()}, "Counting visits: no longer sent to Tally GmbH."),
    "another provider": of(
        "visits", {}, {"provider": "Sums Ltd"}, "Counting visits: now provided by Sums Ltd; before, by Quay Ltd."
    ),
    "another operator": Case(
        OLD,
        policy(NEW, operator="Harbour Ltd"),
        (
            "Counting visits: Harbour Ltd is now responsible for it, and no longer Quay Ltd.",
            "A greeting: Harbour Ltd is now responsible for it, and no longer Quay Ltd.",
            "Quay is now run by Harbour Ltd; before, by Quay Ltd.",
        ),
    ),
    "renamed": of("visits", {}, {"name": "seen"}, "Counting visits: now called seen in your browser. Before: visits."),
    "more names": of(
        "visits",
        {},
        {"name": "visits*"},
        "Counting visits: now under more names: visits and names that begin with it. Before: visits.",
    ),
    "fewer names": of(
        "visits",
        {"name": "visits*"},
        {},
        "Counting visits: now under fewer names: visits. Before: visits and names that begin with it.",
    ),
    "read by the server": of(
        "visits", {"readable_by_application": False}, {}, "Counting visits: our server now reads it too."
    ),
    "not read by the server": of(
        "visits", {}, {"readable_by_application": False}, "Counting visits: our server no longer reads it."
    ),
    "read by scripts": of("visits", {}, {"http_only": False}, "Counting visits: scripts on our pages can now read it."),
    "not read by scripts": of("visits", {"http_only": False}, {}, "Counting visits: scripts can no longer read it."),
    "not encrypted": of(
        "visits",
        {},
        {"secure": False},
        "Counting visits: your browser now also sends it over connections that are not encrypted.",
    ),
    "encrypted": of(
        "visits", {"secure": False}, {}, "Counting visits: your browser now sends it over encrypted connections only."
    ),
    "one for all frames": of(
        "visits",
        {"partitioned": True},
        {},
        "Counting visits: it is now one and the same on all sites that show our pages in theirs.",
    ),
    "one for each frame": of(
        "visits",
        {},
        {"partitioned": True},
        "Counting visits: it is now kept apart for each site that shows our pages in its own.",
    ),
    "strict": of(
        "visits",
        {},
        {"same_site": SameSite.STRICT},
        "Counting visits: your browser now sends it only from one of our pages to another.",
    ),
    "lax": of(
        "visits",
        {"same_site": SameSite.STRICT},
        {},
        "Counting visits: your browser now sends it from our pages, and when you follow a link to us.",
    ),
    "none": of(
        "visits",
        {},
        {"same_site": SameSite.NONE},
        "Counting visits: your browser now sends it also when another site loads something from us.",
    ),
    "more paths": of(
        "visits", {"path": "/shop"}, {}, "Counting visits: now sent to more of our addresses: /. Before: /shop."
    ),
    "fewer paths": of(
        "visits", {}, {"path": "/shop"}, "Counting visits: now sent to fewer of our addresses: /shop. Before: /."
    ),
    "more hosts": of(
        "visits", {}, {"domain": "quay.example"}, "Counting visits: now also sent to the other hosts of quay.example."
    ),
    "fewer hosts": of(
        "visits",
        {"domain": "quay.example"},
        {"domain": "www.quay.example"},
        "Counting visits: now sent to fewer hosts, those of www.quay.example.",
    ),
    "one host": of(
        "visits",
        {"domain": "quay.example"},
        {},
        "Counting visits: now sent to this host only, and no longer to quay.example.",
    ),
    "any value": of(
        "visits", {"values": ("no", "yes")}, {}, "Counting visits: it can now hold any value. Before, only: no, yes."
    ),
    "these values": of("visits", {}, {"values": ("no", "yes")}, "Counting visits: it can now hold: no, yes."),
    "by a script": of(
        "visits",
        {},
        {"set_by": SetBy.SCRIPT},
        "Counting visits: now set by a script on our pages; before, by our server.",
    ),
    "by a script from elsewhere": of(
        "visits",
        {"set_by": SetBy.SCRIPT, "script": "/visits.js"},
        {"set_by": SetBy.SCRIPT, "script": "https://tally.example.org/visits.js"},
        "Counting visits: now set by https://tally.example.org/visits.js; before, by /visits.js.",
    ),
    "by what stands in front": of(
        "visits",
        {},
        {"set_by": SetBy.INFRASTRUCTURE},
        "Counting visits: now set by the hosting infrastructure; before, by our server.",
    ),
    "unasked": of(
        "visits", {"requires_action": True}, {}, "Counting visits: it is now set even if you do not ask for it."
    ),
    "on request": of(
        "visits", {}, {"requires_action": True}, "Counting visits: it is now set only when you ask for it."
    ),
    "no way to object": of(
        "visits",
        STOPPING,
        {},
        "Counting visits: a way to say no is gone. It was: Press Stop.",
        "Counting visits: described in other words.",
    ),
    "a way to object": of(
        "visits",
        {},
        STOPPING,
        "Counting visits: you can now say no. Press Stop.",
        "Counting visits: described in other words.",
    ),
    "other words": of(
        "visits", {}, {"set_when": "You come.", "title": "Counting"}, "Counting: described in other words."
    ),
    "new company": Case(
        OLD, replace(NEW, third_parties=(PARTY,)), ("New service of another company: Payments Inc (Paying).",)
    ),
    "no company": Case(
        replace(OLD, third_parties=(PARTY,)), NEW, ("No longer there, a service of another company: Payments Inc.",)
    ),
    "a company in other words": Case(
        replace(OLD, third_parties=(PARTY,)),
        replace(NEW, third_parties=(replace(PARTY, storage="Two cookies."),)),
        ("Payments Inc: described in other words.",),
    ),
    "a new exception": Case(
        OLD,
        replace(NEW, overrides=(FRAME,)),
        ("A new exception from our strictest security settings: Cards are typed there.",),
    ),
    "another exception": Case(
        replace(OLD, overrides=(replace(FRAME, value="https://old.example"),)),
        replace(NEW, overrides=(FRAME,)),
        ("An exception from our strictest security settings has changed: Cards are typed there.",),
    ),
    "no exception": Case(
        replace(OLD, overrides=(FRAME,)),
        NEW,
        ("An exception from our strictest security settings is gone: content-security-policy frame-src",),
    ),
    "more hosts of ours": Case(
        OLD,
        policy(NEW, hosts=("media.quay.example",)),
        ("We now also use these hosts of our own: media.quay.example.",),
    ),
    "fewer hosts of ours": Case(
        policy(OLD, hosts=("media.quay.example",)), NEW, ("We no longer use these hosts: media.quay.example.",)
    ),
    "one more law": Case(
        OLD,
        policy(NEW, jurisdictions=(*NEW.policy.jurisdictions, Jurisdiction.FR)),
        ("This policy now also keeps to article 82 of the French Data Protection Act.",),
    ),
    "one law fewer": Case(
        OLD,
        policy(NEW, jurisdictions=(Jurisdiction.UK,)),
        ("This policy no longer keeps to article 5(3) of the EU ePrivacy Directive.",),
    ),
    "the policy in other words": Case(
        OLD,
        policy(
            NEW,
            service="Quays",
            contact="hello@quay.example",
            privacy_policy="/privacy-policy",
            terms="/terms",
            desktop_apps=("Quay Sync", "Quay Notes"),
            languages=("en", "de", "fr", "nl"),
        ),
        (
            "The service is now called Quays.",
            "You now reach us at hello@quay.example.",
            "Our Privacy Policy is now at another address.",
            "Our Terms of Service are now at another address.",
            "Our desktop apps are now: Quay Sync and Quay Notes.",
            "This page is now in these languages: English, Deutsch, Français and Nederlands.",
        ),
    ),
}
