"""A declaration in one language, and what the page says about each of its items."""

from __future__ import annotations

import gettext
from dataclasses import dataclass

from strictly_necessary.declaration import Declaration
from strictly_necessary.declaration._items import Category, Item, Kind, Policy, Purpose, SetBy
from strictly_necessary.page._blocks import Card, Code, Fact, Strong, Weight, Words
from strictly_necessary.page._language import N_, Language, language_for
from strictly_necessary.page._reach import Reach
from strictly_necessary.versions import Version

KINDS = {
    Kind.COOKIE: N_("Cookie"),
    Kind.LOCAL: N_("Entry in the browser’s local storage"),
    Kind.SESSION: N_("Entry in the browser’s session storage"),
    Kind.INDEXEDDB: N_("Database in the browser (IndexedDB)"),
    Kind.CACHE: N_("Copies of pages in the browser (Cache Storage)"),
    Kind.SERVICE_WORKER: N_("Service worker"),
    Kind.OPFS: N_("Private file in the browser (OPFS)"),
}

CATEGORIES = {
    Category.USER_INPUT: N_("What you entered"),
    Category.AUTHENTICATION: N_("Signing in"),
    Category.SECURITY: N_("Security"),
    Category.MULTIMEDIA_PLAYER: N_("Playing media"),
    Category.LOAD_BALANCING: N_("Load balancing"),
    Category.PREFERENCE: N_("Display preference"),
    Category.SERVICE: N_("A feature you asked for"),
    Category.CONSENT_CHOICE: N_("Your answer"),
    Category.AUDIENCE_MEASUREMENT: N_("Counting visits"),
    Category.ANALYTICS: N_("Statistics"),
    Category.ADVERTISING: N_("Advertising"),
    Category.SOCIAL_MEDIA: N_("Social media"),
    Category.PERSONALISATION: N_("Personalisation"),
}


@dataclass(frozen=True, slots=True)
class Edition:
    """`declaration` has its texts in the language already, and `reach` tells whom its pages reach; `own` are the items
    that the operator provides. `consent` and `changes` are the addresses of the pages with people's answers and with
    all versions, and `scheduled` is the version that follows."""

    declaration: Declaration
    language: Language
    own: frozenset[str]
    reach: Reach
    consent: str | None = None
    changes: str | None = None
    scheduled: Version | None = None

    @property
    def policy(self) -> Policy:
        return self.declaration.policy


def edition(declaration: Declaration, language: str | None, catalogue: gettext.NullTranslations | None) -> Edition:
    """In this language, or in the declaration's own. Raises ValueError if the texts of the page or of the declaration
    are not in it."""
    policy = declaration.policy
    code = language or policy.languages[0]
    ours = language_for(code, catalogue)
    if code not in policy.languages:
        raise ValueError(
            f"the declaration is not in {code!r}, only in {', '.join(policy.languages)}: "
            "add it to languages in [policy], and translate the texts below [items.translations.…]"
        )
    own = frozenset(item.id for item in declaration.items if item.provider == policy.operator)
    translated = declaration.in_language(code)
    return Edition(translated, ours, own, Reach(translated))


def item_card(view: Edition, item: Item) -> Card:
    """Everything that a person may want to know of an item: first what it does, last what it looks like."""
    _ = view.language.gettext
    name: Words = (Code(item.name),)
    if item.is_pattern:
        name = view.language.words("{name} and names that begin with it", name=Code(item.stem))
    purposes = purposes_in_words(view, item)
    facts = [
        Fact(view.language.ngettext("Purpose", "Purposes", len(purposes)), purposes, Weight.LEAD),
        Fact(_("Lifetime"), ((lifetime_in_words(view, item),),)),
    ]
    if item.reason:
        facts.append(Fact(_("Reason"), ((item.reason,),)))
    facts.append(Fact(_("Set when"), ((item.set_when,),)))
    if not view.declaration.is_exempt(item):
        facts.append(Fact(_("Consent"), ((_("Without your consent it is neither stored nor read."),),)))
    facts.append(Fact(_("How to remove it"), ((removal_in_words(view, item),),)))
    if item.objection:
        facts.append(Fact(_("How to say no"), ((item.objection,),)))
    if item.information:
        beside = _("What stands beside the control") if item.requires_action else _("What you are told")
        facts.append(Fact(beside, ((item.information,),)))
    facts += [
        Fact(_("Provider"), ((provider_in_words(view, item),),), Weight.BRIEF),
        Fact(_("Who else gets it"), ((recipients_in_words(view, item),),), Weight.BRIEF),
        Fact(_("Who can read it"), ((readers_in_words(view, item),),)),
        Fact(_("Name"), (name,), Weight.BRIEF),
        Fact(_("Kind"), ((_(KINDS[item.kind]),),), Weight.BRIEF),
    ]
    if item.values:
        facts.append(Fact(_("Values"), ((", ".join(item.values),),)))
    if item.kind is Kind.COOKIE and item.set_by is not SetBy.INFRASTRUCTURE:
        facts.append(Fact(_("Attributes"), ((Code("; ".join(_attributes(item))),),)))
    return Card(f"item-{item.id}", (title_in_words(view, item),), tuple(facts))


def title_in_words(view: Edition, item: Item) -> str:
    """What people call the item."""
    return item.title or view.language.gettext(CATEGORIES[item.purposes[0].category])


def purposes_in_words(view: Edition, item: Item) -> tuple[Words, ...]:
    """What the item is for, one by one."""
    return tuple(_purpose(view, each, alone=len(item.purposes) == 1) for each in item.purposes)


def lifetime_in_words(view: Edition, item: Item) -> str:
    """How long the item stays."""
    _ = view.language.gettext
    if item.lifetime.is_persistent:
        return _("Persistent: it stays until you remove it or clear your browser’s storage.")
    if item.lifetime.is_session:
        if item.kind is Kind.SESSION:
            return _("Session only: it goes when you close the tab.")
        return _("Session only: it goes when the browser session ends, usually when you close the browser.")
    limit = _limit(view.language, item.lifetime.text)
    # Translators: the limit above is counted from the last visit
    anew = _("Each visit starts it anew.")
    return f"{limit} {anew}" if item.renewed else limit


def _limit(language: Language, text: str) -> str:
    number, unit = int(text.split()[0]), text.split()[1].removesuffix("s")
    if unit == "minute":
        return language.ngettext("At most {number} minute.", "At most {number} minutes.", number)
    if unit == "hour":
        return language.ngettext("At most {number} hour.", "At most {number} hours.", number)
    if unit == "day":
        return language.ngettext("At most {number} day.", "At most {number} days.", number)
    return language.ngettext("At most {number} month.", "At most {number} months.", number)


def readers_in_words(view: Edition, item: Item) -> str:
    """Who can read the item."""
    _ = view.language.gettext
    service = view.policy.service
    if item.kind is not Kind.COOKIE:
        text = _("Scripts of {service} in your browser. The browser does not send it by itself.", service=service)
    elif item.set_by is SetBy.INFRASTRUCTURE:
        text = _("Only the hosting infrastructure. {service} itself does not read it.", service=service)
    elif item.readable_by_application and item.http_only:
        text = _("The server of {service}. No script can read it.", service=service)
    elif item.readable_by_application or item == view.declaration.choice:  # which the guard on the server reads
        text = _("The server of {service} and its own scripts in your browser.", service=service)
    elif item.http_only:
        text = _("Nobody. No script can read it.")
    else:
        text = _("Scripts of {service} in your browser, and not its server.", service=service)
    if view.reach.runs_scripts and not (item.kind is Kind.COOKIE and item.http_only):
        text += " " + _("Scripts of others that run in our pages could read it too.")
    if item.domain:
        text += " " + _("Your browser also sends it to the other hosts of {domain}.", domain=item.domain)
    return text


def removal_in_words(view: Edition, item: Item) -> str:
    """How a person gets rid of the item: on the site itself if there is a way, and in the browser."""
    _ = view.language.gettext
    if item.removal:
        browser = _("Or delete it in your browser’s settings.")
        return f"{item.removal} {browser}"
    if not view.declaration.is_exempt(item):
        return _("Take back your consent, or delete it in your browser’s settings.")
    if Category.AUTHENTICATION in item.categories:
        return _("Sign out, or delete it in your browser’s settings.")
    if item.lifetime.is_session and item.kind is Kind.SESSION:
        return _("Close the tab, or delete it in your browser’s settings.")
    if item.lifetime.is_session and item.kind is Kind.COOKIE:
        return _("End the browser session, or delete it in your browser’s settings.")
    return _("Delete it in your browser’s settings, under the data of this site.")


def _purpose(view: Edition, purpose: Purpose, *, alone: bool) -> Words:
    if alone:
        return (purpose.text,)
    # Translators: one of several purposes, such as Security: Keeps other sites from acting in your name.
    label = view.language.gettext("{label}:", label=view.language.gettext(CATEGORIES[purpose.category]))
    return (Strong(label), f" {purpose.text}")


def provider_in_words(view: Edition, item: Item) -> str:
    """Who is behind the item, and whether that is the operator."""
    if item.id not in view.own:
        return item.provider
    return view.language.gettext("{provider} (first party)", provider=item.provider)


def recipients_in_words(view: Edition, item: Item) -> str:
    """Who gets what it tells, beside the provider."""
    return view.language.joined(item.recipients) if item.recipients else view.language.gettext("Nobody.")


def _attributes(item: Item) -> list[str]:
    attributes = [f"Path={item.path}"]
    if item.domain:
        attributes.append(f"Domain={item.domain}")
    attributes += [name for name, on in (("Secure", item.secure), ("HttpOnly", item.http_only)) if on]
    if item.same_site:
        attributes.append(f"SameSite={item.same_site.value}")
    return attributes + (["Partitioned"] if item.partitioned else [])
