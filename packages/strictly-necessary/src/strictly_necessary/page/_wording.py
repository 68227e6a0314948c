"""The policy in plain words: what the page says, as sections and blocks, before it becomes HTML or Markdown."""

from __future__ import annotations

from strictly_necessary.declaration._items import Category, Jurisdiction, Override
from strictly_necessary.page._blocks import (
    Block,
    Bullets,
    Card,
    Code,
    Fact,
    Link,
    Paragraph,
    Section,
    Strong,
    Word,
)
from strictly_necessary.page._browsers import BROWSERS
from strictly_necessary.page._edition import Edition, item_card
from strictly_necessary.page._language import N_

LAW = {
    Jurisdiction.EU: N_("article 5(3) of the EU ePrivacy Directive"),
    Jurisdiction.UK: N_("regulation 6 of the UK Privacy and Electronic Communications Regulations (PECR)"),
    Jurisdiction.FR: N_("article 82 of the French Data Protection Act"),
}


def sections(view: Edition) -> tuple[Section, ...]:
    """The whole page, in order."""
    return (
        _summary(view),
        _meaning(view),
        _approach(view),
        items_section(view),
        _absent(view),
        third_parties_section(view),
        _control(view),
        *([_desktop(view)] if view.policy.desktop_apps else []),
        *([_headers(view)] if view.declaration.overrides else []),
        _changes(view),
        _contact(view),
    )


def items_section(view: Edition) -> Section:
    """What is kept: one card for each item."""
    _ = view.language.gettext
    intro = _("This is the complete list. Each entry says when it is set; before that, it is not there.")
    nothing = _("{service} keeps nothing in your browser.", service=view.policy.service)
    cards = tuple(item_card(view, item) for item in view.declaration.items)
    blocks: tuple[Block, ...] = (_paragraph(intro), *cards) if cards else (_paragraph(nothing),)
    return Section("items", _("What we keep in your browser"), blocks)


def third_parties_section(view: Edition) -> Section:
    """Other companies, by feature."""
    _ = view.language.gettext
    title = _("Other services")
    start = _paragraph(
        _(
            "Some features may be delivered with the help of others, such as payment, cloud storage or identity "
            "providers. One of them can set cookies of its own, on its own domain, only after you use its feature. "
            "None of them is embedded in the pages of {service}.",
            service=view.policy.service,
        )
    )
    if not view.declaration.third_parties:
        return Section("third-parties", title, (start, _paragraph(_("At present there are none."))))
    cards = tuple(
        Card(
            f"third-party-{number}",
            # Translators: a feature and who delivers it, such as Paying: Payments Inc
            (_("{feature}: {name}", feature=party.feature, name=party.name),),
            (
                Fact(_("Where"), ((Code(party.host),),)),
                Fact(_("When you go there"), ((party.action,),)),
                Fact(_("What it may keep"), ((party.storage,),)),
                Fact(_("Its own policy"), ((Link(party.privacy, party.privacy),),)),
            ),
        )
        for number, party in enumerate(view.declaration.third_parties, 1)
    )
    listed = view.language.words("They are also listed in our {privacy_policy}.", privacy_policy=_privacy_policy(view))
    return Section("third-parties", title, (start, *cards, Paragraph(listed)))


def _summary(view: Edition) -> Section:
    _ = view.language.gettext
    service = view.policy.service
    kept = _(
        "{service} keeps in your browser only what is strictly necessary: what it takes to run the service, to keep "
        "you signed in, to protect you and to remember how you like it to look.",
        service=service,
    )
    never = _(
        "Nothing is kept for advertising, for profiling, for following you across sites or for the statistics of other "
        "companies."
    )
    if not _needs_nothing(view):
        kept = _("{service} keeps in your browser what is on the list below.", service=service)
        never = _("What is not strictly necessary waits for your consent, and its entry says so.")
    text = f"{kept} {never}"
    if _counts(view):
        text += " " + _("Visits are counted, for {service} alone, and you can say no to it.", service=service)
    return Section("summary", _("In short"), (_paragraph(text),))


def _meaning(view: Edition) -> Section:
    _ = view.language.gettext
    text = _(
        "A cookie is a small piece of text that a site asks your browser to keep and to send back. With it the site "
        "knows your browser again on the next page or visit. Browsers offer other places too: local storage, session "
        "storage, databases, caches, service workers and private files. When we say “cookies”, we mean all of them."
    )
    return Section("meaning", _("What cookies are"), (_paragraph(text),))


def _approach(view: Edition) -> Section:
    _ = view.language.gettext
    points = [
        _(
            "We embed no trackers of others: no Google Analytics, no Meta Pixel, no LinkedIn Insight Tag, no "
            "advertising SDK."
        ),
        _("We neither sell what cookies tell nor share it with marketing networks."),
        _("Our server is built to keep this promise: it sets and reads nothing that is not on the list below."),
    ]
    if not _needs_nothing(view):
        return Section("approach", _("How we go about it"), (_bullets(points),))
    law = view.language.joined([_(LAW[jurisdiction]) for jurisdiction in view.policy.jurisdictions])
    if _counts(view):
        first = _("We use only strictly necessary cookies, and ones that count visits for us alone.")
        banner = _(
            "You see no consent banner, because there is nothing to consent to: cookies like these are exempt under "
            "{law}.",
            law=law,
        )
    else:
        first = _("We use only strictly necessary cookies. Without them the service could not do what you ask of it.")
        banner = _(
            "You see no consent banner, because there is nothing to consent to: strictly necessary cookies are exempt "
            "under {law}.",
            law=law,
        )
    points = [first, _("We use no advertising cookies."), *points]
    return Section("approach", _("How we go about it"), (_bullets(points), _paragraph(banner)))


def _absent(view: Edition) -> Section:
    _ = view.language.gettext
    points = [
        _("advertising, showing you an advertisement again elsewhere, or building audiences;"),
        _("following you across sites, or recognising your device by its fingerprint;"),
        _("passing on what you do to data brokers;"),
        _(
            "statistics by other companies: no Google Analytics, Mixpanel, Amplitude or Hotjar, and no LinkedIn, Meta "
            "or TikTok pixel, on our public pages or anywhere else."
        ),
    ]
    promise = _(
        "Should {service} ever want a cookie that is not strictly necessary, we change this page first and ask you. "
        "Nothing of it is stored before you agree.",
        service=view.policy.service,
    )
    start = _paragraph(_("We use neither cookies nor anything like them for:"))
    blocks = (start, _bullets(points), _paragraph(promise)) if _needs_nothing(view) else (_paragraph(promise),)
    return Section("absent", _("What we do not do"), blocks)


def _control(view: Edition) -> Section:
    _ = view.language.gettext
    effect = _(
        "You decide what your browser keeps. You can look at it, clear it, block it, or make an exception for one site."
    )
    if any(Category.AUTHENTICATION in item.categories for item in view.declaration.items):
        effect += " " + _(
            "Because {service} keeps only what is necessary, blocking all of it stops what needs it: you can still "
            "read the public pages, but you cannot sign in.",
            service=view.policy.service,
        )
    ways = tuple(
        (Strong(_("{label}:", label=browser.name)), f" {_(browser.settings)}. {_(browser.one_site)}")
        for browser in BROWSERS
    )
    note = _(
        "Browsers rename their settings now and then; searching the settings for “cookies” finds them too. Most also "
        "show what a site has stored when you click the icon beside its address."
    )
    return Section("control", _("How to control cookies"), (_paragraph(effect), Bullets(ways), _paragraph(note)))


def _desktop(view: Edition) -> Section:
    _ = view.language.gettext
    apps = view.policy.desktop_apps
    text = view.language.ngettext(
        "{apps} signs in with the same kind of token as the website. It is not a cookie there: it lies in the secure "
        "storage of your operating system. There is no advertising SDK and no tracker of others in it.",
        "{apps} sign in with the same kind of token as the website. It is not a cookie there: it lies in the secure "
        "storage of your operating system. There is no advertising SDK and no tracker of others in them.",
        len(apps),
        apps=view.language.joined(apps),
    )
    return Section("desktop", _("Desktop apps"), (_paragraph(text),))


def _headers(view: Edition) -> Section:
    _ = view.language.gettext
    start = _(
        "With each page our server tells your browser what the page may do: load from us alone, run nothing of others, "
        "reach no sensor. These are the exceptions from our strictest settings, and why they are made."
    )
    cards = tuple(_override_card(view, number, each) for number, each in enumerate(view.declaration.overrides, 1))
    return Section("headers", _("Exceptions in our security settings"), (_paragraph(start), *cards))


def _override_card(view: Edition, number: int, override: Override) -> Card:
    _ = view.language.gettext
    name = f"{override.name} {override.directive}" if override.directive else override.name
    where = tuple((Code(path),) for path in override.paths) or ((_("All pages"),),)
    facts = (
        Fact(_("Set to"), ((Code(override.value) if override.value else _("Not sent"),),)),
        Fact(_("Pages"), where),
        Fact(_("Reason"), ((override.reason,),)),
    )
    return Card(f"header-{number}", (Code(name),), facts)


def _changes(view: Edition) -> Section:
    _ = view.language.gettext
    text = _(
        "When what we keep changes, this page and its date change with it. This is version {version} of {date}. An "
        "important change, such as a cookie that is not strictly necessary, is announced in the product and, where the "
        "law asks for it, waits for your consent.",
        version=view.policy.version,
        date=view.language.date(view.policy.last_updated),
    )
    return Section("changes", _("Changes"), (_paragraph(text),))


def _contact(view: Edition) -> Section:
    _, words, policy = view.language.gettext, view.language.words, view.policy
    address = policy.contact if policy.contact.startswith("https://") else f"mailto:{policy.contact}"
    question = words(
        "Do you have a question about this policy, or about how {operator} handles your data? Write to {address}.",
        operator=policy.operator,
        address=Link(policy.contact, address),
    )
    privacy_policy = Link(_("Privacy Policy"), policy.privacy_policy) if policy.privacy_policy else None
    terms = Link(_("Terms of Service"), policy.terms) if policy.terms else None
    blocks = [Paragraph(question)]
    if privacy_policy and terms:
        beside = words(
            "This policy is read together with our {privacy_policy} and our {terms}.",
            privacy_policy=privacy_policy,
            terms=terms,
        )
        blocks.append(Paragraph(beside))
    elif privacy_policy:
        beside = words("This policy is read together with our {privacy_policy}.", privacy_policy=privacy_policy)
        blocks.append(Paragraph(beside))
    elif terms:
        blocks.append(Paragraph(words("This policy is read together with our {terms}.", terms=terms)))
    return Section("contact", _("Contact"), tuple(blocks))


def _privacy_policy(view: Edition) -> Word:
    label = view.language.gettext("Privacy Policy")
    return Link(label, view.policy.privacy_policy) if view.policy.privacy_policy else label


def _needs_nothing(view: Edition) -> bool:
    """Whether there is nothing to consent to."""
    return all(view.declaration.is_exempt(item) for item in view.declaration.items)


def _counts(view: Edition) -> bool:
    return any(Category.AUDIENCE_MEASUREMENT in item.categories for item in view.declaration.items)


def _paragraph(text: str) -> Paragraph:
    return Paragraph((text,))


def _bullets(points: list[str]) -> Bullets:
    return Bullets(tuple((point,) for point in points))
