"""The policy in plain words: what the page says, as sections and blocks, before it becomes HTML or Markdown."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from strictly_necessary._items import Category, Item, Jurisdiction, Kind, Policy, SetBy
from strictly_necessary.declaration import Declaration


@dataclass(frozen=True, slots=True)
class Link:
    """Words that lead to an address."""

    text: str
    address: str


@dataclass(frozen=True, slots=True)
class Code:
    """Something to read letter by letter."""

    text: str


Words = tuple[str | Link | Code, ...]


@dataclass(frozen=True, slots=True)
class Paragraph:
    words: Words


@dataclass(frozen=True, slots=True)
class Bullets:
    points: tuple[Words, ...]


@dataclass(frozen=True, slots=True)
class Card:
    """One item or third party: a heading and its facts."""

    id: str
    title: Words
    facts: tuple[tuple[str, Words], ...]


Block = Paragraph | Bullets | Card


@dataclass(frozen=True, slots=True)
class Section:
    id: str
    title: str
    blocks: tuple[Block, ...]


BROWSERS = (
    ("Chrome", "Settings → Privacy and security → Cookies and other site data"),
    ("Safari", "Settings → Privacy → Manage Website Data"),
    ("Firefox", "Settings → Privacy & Security → Cookies and Site Data"),
    ("Edge", "Settings → Cookies and site permissions → Manage and delete cookies"),
)

KINDS = {
    Kind.COOKIE: "Cookie",
    Kind.LOCAL: "Entry in the browser's local storage",
    Kind.SESSION: "Entry in the browser's session storage",
    Kind.INDEXEDDB: "Database in the browser (IndexedDB)",
    Kind.CACHE: "Copies of pages in the browser (Cache Storage)",
    Kind.SERVICE_WORKER: "Service worker",
    Kind.OPFS: "Private file in the browser (OPFS)",
}

CATEGORIES = {
    Category.USER_INPUT: "What you entered",
    Category.AUTHENTICATION: "Signing in",
    Category.SECURITY: "Security",
    Category.MULTIMEDIA_PLAYER: "Playing media",
    Category.LOAD_BALANCING: "Load balancing",
    Category.PREFERENCE: "Display preference",
    Category.CONSENT_CHOICE: "Your answer",
    Category.AUDIENCE_MEASUREMENT: "Counting visits",
    Category.ANALYTICS: "Statistics",
    Category.ADVERTISING: "Advertising",
    Category.SOCIAL_MEDIA: "Social media",
    Category.PERSONALISATION: "Personalisation",
}

_LAW = {
    Jurisdiction.EU: "article 5(3) of the EU ePrivacy Directive",
    Jurisdiction.UK: "regulation 6 of the UK Privacy and Electronic Communications Regulations (PECR)",
    Jurisdiction.FR: "article 82 of the French Data Protection Act",
}


# Not strftime's, whose language depends on the machine.
_MONTHS = (
    *("January", "February", "March", "April", "May", "June"),
    *("July", "August", "September", "October", "November", "December"),
)


def sections(declaration: Declaration) -> tuple[Section, ...]:
    """The whole page, in order."""
    policy = declaration.policy
    parts = [
        _summary(policy),
        _meaning(),
        _approach(declaration),
        items_section(declaration),
        _absent(policy),
        third_parties_section(declaration),
        _control(policy),
        *([_desktop(policy)] if policy.desktop_apps else []),
        _changes(policy),
        _contact(policy),
    ]
    return tuple(parts)


def date_in_words(date: dt.date) -> str:
    return f"{date.day} {_MONTHS[date.month - 1]} {date.year}"


def lifetime_in_words(item: Item) -> str:
    """How long the item stays."""
    if item.lifetime.is_persistent:
        return "Persistent: it stays until you remove it or clear your browser's storage."
    if not item.lifetime.is_session:
        return f"At most {item.lifetime.text}."
    if item.kind is Kind.SESSION:
        return "Session only: it goes when you close the tab."
    return "Session only: it goes when the browser session ends, usually when you close the browser."


def readers_in_words(item: Item, policy: Policy) -> str:
    """Who can read the item."""
    if item.kind is not Kind.COOKIE:
        return f"Scripts of {policy.service} in your browser. It is never sent to a server."
    if item.set_by is SetBy.INFRASTRUCTURE:
        return (
            f"Only the hosting infrastructure. {policy.service} removes it from each request before reading the rest."
        )
    readers = [f"the server of {policy.service}"] if item.readable_by_application else []
    if not item.http_only:
        readers.append("its own scripts in your browser")
    text = " and ".join(readers) or "nobody"
    return f"{text[0].upper()}{text[1:]}.{' No script can read it.' if item.http_only else ''}"


def removal_in_words(item: Item) -> str:
    """How a person gets rid of the item."""
    if item.categories & {Category.AUTHENTICATION, Category.SECURITY}:
        return "Sign out, or delete it in your browser's settings."
    if item.lifetime.is_session:
        return "End the browser session, or delete it in your browser's settings."
    return "Delete it in your browser's settings, under the data of this site."


def items_section(declaration: Declaration) -> Section:
    """What is kept: one card for each item."""
    cards = tuple(_card(item, declaration.policy) for item in declaration.items)
    intro = Paragraph(("This is the complete list. Each entry says when it is set; before that, it is not there.",))
    nothing = Paragraph((f"{declaration.policy.service} keeps nothing in your browser.",))
    return Section("items", "What we keep in your browser", (intro, *cards) if cards else (nothing,))


def third_parties_section(declaration: Declaration) -> Section:
    """Other companies, by feature."""
    service = declaration.policy.service
    start = Paragraph(
        (
            "Some features may be delivered with the help of others, such as payment, cloud storage or identity "
            "providers. One of them can set cookies of its own, on its own domain, only after you use its feature. "
            f"None of them is embedded in the pages of {service}.",
        )
    )
    if not declaration.third_parties:
        return Section("third-parties", "Other services", (start, Paragraph(("At present there are none.",))))
    cards = tuple(
        Card(
            f"third-party-{number}",
            (f"{party.feature}: {party.name}",),
            (
                ("Where", (Code(party.host),)),
                ("When you go there", (party.action,)),
                ("What it may keep", (party.storage,)),
                ("Its own policy", (Link(party.privacy, party.privacy),)),
            ),
        )
        for number, party in enumerate(declaration.third_parties, 1)
    )
    listed = Paragraph(("They are also listed in our ", *_privacy_policy(declaration.policy), "."))
    return Section("third-parties", "Other services", (start, *cards, listed))


def _card(item: Item, policy: Policy) -> Card:
    first_party = " (first party)" if item.provider == policy.operator else ""
    facts: list[tuple[str, Words]] = [
        ("Name", (Code(item.stem), " and names that begin with it") if item.is_pattern else (Code(item.name),)),
        ("Kind", (KINDS[item.kind],)),
        ("Purpose", (" ".join(purpose.text for purpose in item.purposes),)),
        ("Lifetime", (lifetime_in_words(item),)),
        ("Provider", (item.provider + first_party,)),
        ("Set when", (item.set_when,)),
        ("Who can read it", (readers_in_words(item, policy),)),
        ("How to remove it", (removal_in_words(item),)),
    ]
    if item.values:
        facts.insert(3, ("Values", (", ".join(item.values),)))
    if item.reason:
        facts.append(("Why it stays that long", (item.reason,)))
    if item.kind is Kind.COOKIE and item.set_by is not SetBy.INFRASTRUCTURE:
        facts.append(("Attributes", (Code("; ".join(_attributes(item))),)))
    return Card(f"item-{item.id}", (item.title or CATEGORIES[item.purposes[0].category],), tuple(facts))


def _attributes(item: Item) -> list[str]:
    attributes = [f"Path={item.path}"]
    if item.domain:
        attributes.append(f"Domain={item.domain}")
    attributes += [name for name, on in (("Secure", item.secure), ("HttpOnly", item.http_only)) if on]
    if item.same_site:
        attributes.append(f"SameSite={item.same_site.value}")
    return attributes + (["Partitioned"] if item.partitioned else [])


def _summary(policy: Policy) -> Section:
    text = (
        f"{policy.service} keeps in your browser only what is strictly necessary: what it takes to run the service, to "
        "keep you signed in, to protect you and to remember how you like it to look. Nothing is kept for advertising, "
        "for profiling, for following you across sites or for the statistics of other companies."
    )
    return Section("summary", "In short", (Paragraph((text,)),))


def _meaning() -> Section:
    text = (
        "A cookie is a small piece of text that a site asks your browser to keep and to send back. With it the site "
        "knows your browser again on the next page or visit. Browsers offer other places too: local storage, session "
        "storage, databases, caches, service workers and private files. When we say “cookies”, we mean all of them."
    )
    return Section("meaning", "What cookies are", (Paragraph((text,)),))


def _approach(declaration: Declaration) -> Section:
    policy = declaration.policy
    points: list[Words] = [
        ("We use only strictly necessary cookies. Without them the service could not do what you ask of it.",),
        ("We use no advertising cookies.",),
        (
            "We embed no trackers of others: no Google Analytics, no Meta Pixel, no LinkedIn Insight Tag, no "
            "advertising SDK.",
        ),
        ("We neither sell what cookies tell nor share it with marketing networks.",),
        ("Our server is built to keep this promise: it sets and reads nothing that is not on the list below.",),
    ]
    law = " and ".join(_LAW[jurisdiction] for jurisdiction in policy.jurisdictions)
    banner = (
        "You see no consent banner, because there is nothing to consent to: strictly necessary cookies are exempt "
        f"under {law}."
    )
    blocks: tuple[Block, ...] = (Bullets(tuple(points)),)
    if all(declaration.is_exempt(item) for item in declaration.items):
        blocks += (Paragraph((banner,)),)
    return Section("approach", "How we go about it", blocks)


def _absent(policy: Policy) -> Section:
    points: tuple[Words, ...] = (
        ("advertising, showing you an advertisement again elsewhere, or building audiences;",),
        ("following you across sites, or recognising your device by its fingerprint;",),
        ("passing on what you do to data brokers;",),
        (
            "statistics by other companies: no Google Analytics, Mixpanel, Amplitude or Hotjar, and no LinkedIn, Meta "
            "or TikTok pixel, on our public pages or anywhere else.",
        ),
    )
    promise = (
        f"Should {policy.service} ever want a cookie that is not strictly necessary, we change this page first and ask "
        "you. Nothing of it is stored before you agree."
    )
    start = Paragraph(("We use neither cookies nor anything like them for:",))
    return Section("absent", "What we do not do", (start, Bullets(points), Paragraph((promise,))))


def _control(policy: Policy) -> Section:
    effect = (
        "You decide what your browser keeps. You can look at it, clear it, block it, or make an exception for one "
        f"site. Because {policy.service} keeps only what is necessary, blocking all of it stops what needs it: you "
        "can still read the public pages, but you cannot sign in."
    )
    points = tuple((f"{browser}: {path}",) for browser, path in BROWSERS)
    note = "Browsers rename their settings now and then; searching the settings for “cookies” finds them too."
    return Section("control", "How to control cookies", (Paragraph((effect,)), Bullets(points), Paragraph((note,))))


def _desktop(policy: Policy) -> Section:
    apps = " and ".join(policy.desktop_apps)
    text = (
        f"{apps} signs in with the same kind of token as the website. It is not a cookie there: it lies in the secure "
        "storage of your operating system. There is no advertising SDK and no tracker of others in it."
    )
    return Section("desktop", "Desktop apps", (Paragraph((text,)),))


def _changes(policy: Policy) -> Section:
    text = (
        f"When what we keep changes, this page and its date change with it. This is version {policy.version} of "
        f"{date_in_words(policy.last_updated)}. An important change, such as a cookie that is not strictly necessary, "
        "is announced in the product and, where the law asks for it, waits for your consent."
    )
    return Section("changes", "Changes", (Paragraph((text,)),))


def _contact(policy: Policy) -> Section:
    address = policy.contact if policy.contact.startswith("https://") else f"mailto:{policy.contact}"
    words: Words = (
        f"Do you have a question about this policy, or about how {policy.operator} handles your data? Write to ",
        Link(policy.contact, address),
        ".",
    )
    terms: Words = (Link("Terms of Service", policy.terms),) if policy.terms else ("Terms of Service",)
    beside: Words = ("This policy is read together with our ", *_privacy_policy(policy), " and our ", *terms, ".")
    return Section("contact", "Contact", (Paragraph(words), Paragraph(beside)))


def _privacy_policy(policy: Policy) -> Words:
    return (Link("Privacy Policy", policy.privacy_policy),) if policy.privacy_policy else ("Privacy Policy",)
