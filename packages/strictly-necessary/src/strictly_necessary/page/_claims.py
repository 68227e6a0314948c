"""What the page says of the whole: in short, how we go about it and what we do not do.

Each sentence stands there only if the declaration bears it out, or if it is a promise that the operator makes by
publishing the page.
"""

from __future__ import annotations

from strictly_necessary.declaration._items import Category, Jurisdiction
from strictly_necessary.page._blocks import Block, Section, bullets, paragraph
from strictly_necessary.page._edition import Edition
from strictly_necessary.page._language import N_

LAW = {
    Jurisdiction.EU: N_("article 5(3) of the EU ePrivacy Directive"),
    Jurisdiction.UK: N_("regulation 6 of the UK Privacy and Electronic Communications Regulations (PECR)"),
    Jurisdiction.FR: N_("article 82 of the French Data Protection Act"),
}

AIMS = {
    # Translators: these follow “only what is strictly necessary to”, several of them as a list
    Category.LOAD_BALANCING: N_("keep the service running"),
    Category.AUTHENTICATION: N_("keep you signed in"),
    Category.SECURITY: N_("protect you"),
    Category.SERVICE: N_("give you the features you asked for"),
    Category.USER_INPUT: N_("keep what you entered"),
    Category.MULTIMEDIA_PLAYER: N_("play media"),
    Category.CONSENT_CHOICE: N_("remember your answer"),
    Category.PREFERENCE: N_("remember how you like it to look"),
}


def summary(view: Edition) -> Section:
    """The page in a few sentences."""
    _ = view.language.gettext
    service = view.policy.service
    if not view.declaration.items:
        told = [nothing_is_kept(view)]
    elif not needs_nothing(view):
        told = [
            _("{service} keeps in your browser what is on the list below.", service=service),
            _("What is not strictly necessary waits for your consent, and its entry says so."),
        ]
    elif aims := _aims(view):
        told = [
            _(
                "{service} keeps in your browser only what is strictly necessary to {aims}.",
                service=service,
                aims=view.language.joined(aims),
            )
            if not _counts(view)
            else _(
                "{service} keeps in your browser what is strictly necessary to {aims}, and what counts visits.",
                service=service,
                aims=view.language.joined(aims),
            )
        ]
    else:
        told = [_("{service} keeps in your browser only what counts visits.", service=service)]
    if needs_nothing(view) and _is_ours_alone(view):
        told.append(
            _(
                "Nothing is kept for advertising, for profiling, for following you across sites or for the statistics "
                "of other companies."
            )
        )
    if _counts(view) and needs_nothing(view):
        told.append(_counting(view))
    if not view.reach.is_closed:
        told.append(_("Our pages may also reach others, as the next sections tell."))
    return Section("summary", _("In short"), (paragraph(" ".join(told)),))


def approach(view: Edition) -> Section:
    """What is used, what is not, and why there is no banner."""
    _ = view.language.gettext
    points = _used(view) if needs_nothing(view) else []
    if view.reach.is_closed:
        points.append(
            _(
                "We embed no trackers of others: no Google Analytics, no Meta Pixel, no LinkedIn Insight Tag, no "
                "advertising SDK."
            )
        )
    points += _reached(view)
    if _is_ours_alone(view):
        points.append(_("We neither sell what cookies tell nor share it with marketing networks."))
    else:
        points.append(_("We do not sell what cookies tell."))
    if _has_recipients(view):
        points.append(_("Some of it reaches others; each entry below says whom."))
    if view.declaration.items:
        points.append(_("We neither set nor read anything that is not on the list below."))
    blocks: tuple[Block, ...] = (bullets(points),)
    if needs_nothing(view):
        blocks += (paragraph(_exemption(view)),)
    return Section("approach", _("How we go about it"), blocks)


def absent(view: Edition) -> Section:
    """What cookies are not used for, and what happens before one that needs consent."""
    _ = view.language.gettext
    title = _("What we do not do")
    if not needs_nothing(view):
        waits = _("What is not strictly necessary, we neither store nor read before you agree.")
        return Section("absent", title, (paragraph(waits),))
    start = _("We use neither cookies nor anything like them for:")
    if not view.reach.is_closed:
        start = _("What we keep in your browser ourselves does not serve:")
    points = [
        _("advertising, showing you an advertisement again elsewhere, or building audiences;"),
        _("following you across sites, or recognising your device by its fingerprint;"),
    ]
    if view.reach.advertising:
        points = points[1:]
    if _is_ours_alone(view):
        points += [
            _("passing on what you do to data brokers;"),
            _(
                "statistics by other companies: no Google Analytics, Mixpanel, Amplitude or Hotjar, and no LinkedIn, "
                "Meta or TikTok pixel, on our public pages or anywhere else."
            ),
        ]
    points[-1] = points[-1].rstrip(" \u00a0;.") + "."  # the last one ends the sentence
    if _counts(view):
        promise = _(
            "Should {service} ever want a cookie that needs your consent, we change this page first and ask you. "
            "Nothing of it is stored before you agree.",
            service=view.policy.service,
        )
    else:
        promise = _(
            "Should {service} ever want a cookie that is not strictly necessary, we change this page first and ask "
            "you. Nothing of it is stored before you agree.",
            service=view.policy.service,
        )
    return Section("absent", title, (paragraph(start), bullets(points), paragraph(promise)))


def needs_nothing(view: Edition) -> bool:
    """Whether all that is kept may be kept without consent."""
    return all(view.declaration.is_exempt(item) for item in view.declaration.items)


def keeps_only_the_necessary(view: Edition) -> bool:
    return needs_nothing(view) and not _counts(view)


def nothing_is_kept(view: Edition) -> str:
    return view.language.gettext("{service} keeps nothing in your browser.", service=view.policy.service)


def _aims(view: Edition) -> list[str]:
    categories = {category for item in view.declaration.items for category in item.categories}
    return [view.language.gettext(aim) for category, aim in AIMS.items() if category in categories]


def _used(view: Edition) -> list[str]:
    _ = view.language.gettext
    if not view.declaration.items:
        return [_("We use no cookies.")]
    if not _counts(view):
        first = _("We use only strictly necessary cookies. Without them the service could not do what you ask of it.")
    elif _counts_for_itself(view):
        first = _("We use only strictly necessary cookies, and ones that count visits for us alone.")
    else:
        first = _("We use only strictly necessary cookies, and ones that count visits.")
    return [first] if view.reach.advertising else [first, _("We use no advertising cookies.")]


def _counting(view: Edition) -> str:
    """Those who count without consent have to let people say no: rule SN222."""
    _ = view.language.gettext
    if _counts_for_itself(view):
        return _("Visits are counted, for {service} alone, and you can say no to it.", service=view.policy.service)
    return _("Visits are counted, and you can say no to it.")


def _exemption(view: Edition) -> str:
    """Why nobody is asked. It speaks of a banner only if the declaration shows that none is needed."""
    _ = view.language.gettext
    law = view.language.joined([_(LAW[jurisdiction]) for jurisdiction in view.policy.jurisdictions])
    asks = not view.reach.is_closed or _holds(view, Category.CONSENT_CHOICE)
    if not view.declaration.items:
        if asks:
            return _("We keep nothing in your browser ourselves, so for that we need no consent.")
        return _("You see no consent banner, because there is nothing to consent to.")
    if asks and _counts(view):
        text = _("What we keep ourselves needs no consent: cookies like these are exempt under {law}.", law=law)
    elif asks:
        text = _("What we keep ourselves needs no consent: strictly necessary cookies are exempt under {law}.", law=law)
    elif _counts(view):
        text = _(
            "You see no consent banner, because there is nothing to consent to: cookies like these are exempt under "
            "{law}.",
            law=law,
        )
    else:
        text = _(
            "You see no consent banner, because there is nothing to consent to: strictly necessary cookies are exempt "
            "under {law}.",
            law=law,
        )
    if any(item.requires_action and not item.lifetime.is_session for item in view.declaration.items):
        text += " " + _("Some stay longer than the browser session because you asked for it; their entries say how.")
    return text


def _reached(view: Edition) -> list[str]:
    """Whom else the pages reach, and for what."""
    _ = view.language.gettext
    told = []
    if view.reach.parties:
        # Translators: a company and the feature that it delivers, such as Payments Inc (Paying)
        names = [_("{name} ({feature})", name=each.name, feature=each.feature) for each in view.reach.parties]
        told.append(
            _(
                "Our pages may load from other companies or send to them: {names}. More about them stands below.",
                names=view.language.joined(names),
            )
        )
    if view.reach.anyone:
        told.append(
            _(
                "Our pages may also load from sites that are not listed here or send to them; the exceptions in our "
                "security settings below say why."
            )
        )
    if view.reach.advertising:
        told.append(
            _(
                "Our pages use features of browsers that serve advertising; the exceptions in our security settings "
                "below say why."
            )
        )
    return told


def _is_ours_alone(view: Edition) -> bool:
    """Whether what is kept and what happens on the pages reaches nobody else."""
    return view.reach.is_closed and not _has_recipients(view) and (not _counts(view) or _counts_for_itself(view))


def _has_recipients(view: Edition) -> bool:
    return any(item.recipients for item in view.declaration.items)


def _holds(view: Edition, category: Category) -> bool:
    return any(category in item.categories for item in view.declaration.items)


def _counts(view: Edition) -> bool:
    return _holds(view, Category.AUDIENCE_MEASUREMENT)


def _counts_for_itself(view: Edition) -> bool:
    counting = [item for item in view.declaration.items if Category.AUDIENCE_MEASUREMENT in item.categories]
    return view.reach.is_closed and all(item.id in view.own and not item.recipients for item in counting)
