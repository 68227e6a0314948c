"""The policy in plain words: what the page says, as sections and blocks, before it becomes HTML or Markdown."""

from __future__ import annotations

from strictly_necessary.declaration._items import Category
from strictly_necessary.page._blocks import Block, Bullets, Link, Paragraph, Section, Strong, paragraph
from strictly_necessary.page._browsers import BROWSERS
from strictly_necessary.page._claims import absent, approach, keeps_only_the_necessary, nothing_is_kept, summary
from strictly_necessary.page._edition import Edition, item_card
from strictly_necessary.page._others import headers_section, third_parties_section


def sections(view: Edition) -> tuple[Section, ...]:
    """The whole page, in order."""
    return (
        summary(view),
        _meaning(view),
        approach(view),
        items_section(view),
        absent(view),
        third_parties_section(view),
        _control(view),
        *([_desktop(view)] if view.policy.desktop_apps else []),
        *([headers_section(view)] if view.declaration.overrides else []),
        _changes(view),
        _contact(view),
    )


def items_section(view: Edition) -> Section:
    """What is kept: one card for each item."""
    _ = view.language.gettext
    intro = _("This is the complete list. Each entry says when it is set; before that, it is not there.")
    cards = tuple(item_card(view, item) for item in view.declaration.items)
    blocks: tuple[Block, ...] = (paragraph(intro), *cards) if cards else (paragraph(nothing_is_kept(view)),)
    return Section("items", _("What we keep in your browser"), blocks)


def _meaning(view: Edition) -> Section:
    _ = view.language.gettext
    text = _(
        "A cookie is a small piece of text that a site asks your browser to keep and to send back. With it the site "
        "knows your browser again on the next page or visit. Browsers offer other places too: local storage, session "
        "storage, databases, caches, service workers and private files. When we say “cookies”, we mean all of them."
    )
    return Section("meaning", _("What cookies are"), (paragraph(text),))


def _control(view: Edition) -> Section:
    _ = view.language.gettext
    effect = _(
        "You decide what your browser keeps. You can look at it, clear it, block it, or make an exception for one site."
    )
    if any(Category.AUTHENTICATION in item.categories for item in view.declaration.items):
        if keeps_only_the_necessary(view):
            effect += " " + _("{service} keeps only what is necessary.", service=view.policy.service)
        effect += " " + _(
            "If you block all of it, some things stop working: you can still read the public pages, but you cannot "
            "sign in."
        )
    ways = tuple(
        (Strong(_("{label}:", label=browser.name)), f" {_(browser.settings)}. {_(browser.one_site)}")
        for browser in BROWSERS
    )
    note = _(
        "Browsers rename their settings now and then; searching the settings for “cookies” finds them too. Most also "
        "show what a site has stored when you click the icon beside its address."
    )
    return Section("control", _("How to control cookies"), (paragraph(effect), Bullets(ways), paragraph(note)))


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
    return Section("desktop", _("Desktop apps"), (paragraph(text),))


def _changes(view: Edition) -> Section:
    _ = view.language.gettext
    text = _(
        "When what we keep changes, this page and its date change with it. This is version {version} of {date}. We "
        "undertake that an important change, such as a cookie that is not strictly necessary, is announced in the "
        "product and, where the law asks for it, made only with your consent.",
        version=view.policy.version,
        date=view.language.date(view.policy.last_updated),
    )
    return Section("changes", _("Changes"), (paragraph(text),))


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
