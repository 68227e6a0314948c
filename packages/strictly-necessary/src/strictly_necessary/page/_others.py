"""What the page says of other companies, and of the security headers that let pages reach them."""

from __future__ import annotations

from strictly_necessary.declaration._items import Override, ThirdParty
from strictly_necessary.page._blocks import Block, Card, Code, Fact, Link, Paragraph, Section, Words, paragraph
from strictly_necessary.page._edition import Edition


def third_parties_section(view: Edition) -> Section:
    """Other companies, by feature."""
    _ = view.language.gettext
    title = _("Other services")
    start = [
        _(
            "When another company helps to deliver a feature, such as payment, cloud storage or signing in, that "
            "company is listed here."
        ),
        *_reaching(view),
    ]
    parties = view.declaration.third_parties
    if not parties:
        start.append(_("At present there are none."))
    blocks: tuple[Block, ...] = (paragraph(" ".join(start)),)
    blocks += tuple(party_card(view, number, party) for number, party in enumerate(parties, 1))
    if parties and view.policy.privacy_policy:
        link = Link(_("Privacy Policy"), view.policy.privacy_policy)
        words = view.language.words("They are also listed in our {privacy_policy}.", privacy_policy=link)
        blocks += (Paragraph(words),)
    return Section("third-parties", title, blocks)


def _reaching(view: Edition) -> list[str]:
    """Whether the companies are asked only when a person wants their feature."""
    _ = view.language.gettext
    service = view.policy.service
    reach = view.reach
    if not (reach.parties or reach.anyone):
        return [
            _(
                "It can set cookies of its own, on its own domain, only after you use its feature. No such company "
                "is embedded in the pages of {service}.",
                service=service,
            )
        ]
    told = []
    if reach.parties:
        told.append(
            _(
                "Pages of {service} may load from some of these companies or send to them before you use the feature: "
                "their entries say on which pages.",
                service=service,
            )
        )
    if reach.anyone:
        told.append(_("Some pages may also load from sites that are not listed here or send to them."))
    elif len(reach.parties) < len(view.declaration.third_parties):
        told.append(_("The others can set cookies of their own, on their own domains, only after you use the feature."))
    return told


def party_card(view: Edition, number: int, party: ThirdParty) -> Card:
    """What people may want to know before they go there."""
    _ = view.language.gettext
    facts = [
        Fact(_("Where"), ((Code(party.host),),)),
        Fact(_("When you go there"), ((party.action,),)),
        Fact(_("What it may keep"), ((party.storage,),)),
        Fact(_("Its own policy"), ((Link(party.privacy, party.privacy),),)),
    ]
    if party in view.reach.parties:
        facts.insert(1, Fact(_("Pages that may reach it"), _pages(view, view.reach.paths(party))))
    # Translators: a feature and who delivers it, such as Paying: Payments Inc
    title = _("{feature}: {name}", feature=party.feature, name=party.name)
    return Card(f"third-party-{number}", (title,), tuple(facts))


def headers_section(view: Edition) -> Section:
    """The security headers that are other than the strictest, and why."""
    _ = view.language.gettext
    start = _(
        "Our strictest settings let a page load from us alone, run nothing of others and reach no sensor. These are "
        "the exceptions from them, and why they are made."
    )
    cards = tuple(override_card(view, number, each) for number, each in enumerate(view.declaration.overrides, 1))
    return Section("headers", _("Exceptions in our security settings"), (paragraph(start), *cards))


def override_card(view: Edition, number: int, override: Override) -> Card:
    """What the header is set to, where, and why."""
    _ = view.language.gettext
    name = f"{override.name} {override.directive}" if override.directive else override.name
    facts = (
        Fact(_("Set to"), ((Code(override.value) if override.value else _("Not sent"),),)),
        Fact(_("Pages"), _pages(view, override.paths)),
        Fact(_("Reason"), ((override.reason,),)),
    )
    return Card(f"header-{number}", (Code(name),), facts)


def _pages(view: Edition, paths: tuple[str, ...]) -> tuple[Words, ...]:
    return tuple((Code(path),) for path in paths) or ((view.language.gettext("All pages"),),)
