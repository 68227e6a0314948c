"""The policy in plain words: what the page says, as sections and blocks, before it becomes HTML or Markdown."""

from __future__ import annotations

from strictly_necessary.declaration._items import Category
from strictly_necessary.page._blocks import Block, Bullets, Code, Link, Paragraph, Section, Strong, Words, paragraph
from strictly_necessary.page._browsers import BROWSERS
from strictly_necessary.page._claims import LAW, absent, approach, keeps_only_the_necessary, nothing_is_kept, summary
from strictly_necessary.page._edition import Edition, item_card, title_in_words
from strictly_necessary.page._others import headers_section, third_parties_section
from strictly_necessary.versions import Version


def sections(view: Edition) -> tuple[Section, ...]:
    """The whole page, in order."""
    return (
        summary(view),
        _meaning(view),
        approach(view),
        items_section(view),
        *([_consent(view)] if view.declaration.gated else []),
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


def _consent(view: Edition) -> Section:
    """Where something needs consent: how people are asked, and what becomes of the answer."""
    _, declaration = view.language.gettext, view.declaration
    titles = [title_in_words(view, item) for item in declaration.gated]
    asked = _(
        "For this we need your consent, so we ask you first: {titles}. Without your yes, it is neither stored nor "
        "read, and no answer means no.",
        titles=view.language.joined(titles),
    )
    signal = _(
        "If your browser sends Global Privacy Control, we take it as no and do not ask. When something that you "
        "allowed is to do more than before, we ask you again."
    )
    blocks = [paragraph(asked), *_answer(view), Paragraph(_change_of_mind(view)), paragraph(signal)]
    if len(declaration.gated) < len(declaration.items):
        law = view.language.joined([_(LAW[jurisdiction]) for jurisdiction in view.policy.jurisdictions])
        blocks.append(
            paragraph(
                _(
                    "Everything else on the list needs no consent: cookies like these are exempt under {law}.",
                    law=law,
                )
            )
        )
    return Section("consent", _("Your consent"), tuple(blocks))


def _answer(view: Edition) -> list[Paragraph]:
    choice = view.declaration.choice
    if choice is None:
        return []
    kept = view.language.words(
        "The cookie {name} remembers your answer: which version of this policy it was about, what you allowed and what "
        "you refused. We also keep a record of what you were shown, when, and what you answered. If you have an "
        "account, it belongs to that; otherwise nothing in it tells who you are.",
        name=Code(choice.name),
    )
    return [Paragraph(kept)]


def _change_of_mind(view: Edition) -> Words:
    _, words = view.language.gettext, view.language.words
    if view.consent:
        answers = Link(_("Your answers"), view.consent)
        return words(
            "You can change your mind at any time, on the page {answers}. What you take back is removed at once.",
            answers=answers,
        )
    return words(
        "You can change your mind at any time, as easily as you answered. What you take back is removed at once."
    )


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
    blocks = [paragraph(text)]
    if view.scheduled:
        blocks.append(paragraph(scheduled_in_words(view, view.scheduled)))
    if view.changes:
        changes = Link(_("Changes to this policy"), view.changes)
        every = view.language.words(
            "Every version, and what changed with it, stands on the page {changes}.", changes=changes
        )
        blocks.append(Paragraph(every))
    return Section("changes", _("Changes"), tuple(blocks))


def scheduled_in_words(view: Edition, version: Version) -> str:
    """That another version follows, and when."""
    date = view.language.date(version.starts.date())
    return view.language.gettext("Version {version} follows on {date}.", version=version.number, date=date)


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
