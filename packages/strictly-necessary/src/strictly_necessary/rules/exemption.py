"""What the exemption from consent asks, wherever the directive or the British regulations hold.

WP194 is Opinion 04/2012 of the Article 29 Working Party on the exemption from consent.
"""

from __future__ import annotations

from strictly_necessary._findings import Severity
from strictly_necessary.declaration._items import EXEMPT, Category, Jurisdiction, Purpose, SetBy
from strictly_necessary.rules._rule import Rule, error, lives_longer_than, of, warning

USER_INPUT_LIFE = 86_400
"""Seconds that a cookie with a person's input may outlive its page: WP194 section 3.1 says a few hours."""

SECURITY_LIFE = 180 * 86_400
"""Seconds after which we doubt that something is kept for security. The opinion has no number: this is ours."""

SIGNED_IN_LIFE = 390 * 86_400
"""Seconds after which we doubt that anybody still remembers having ticked a box: 13 months, and ours too."""


def _needs_consent(purpose: Purpose, jurisdictions: frozenset[Jurisdiction]) -> bool:
    return not EXEMPT.get(purpose.category, frozenset()) >= jurisdictions


EXEMPTION_RULES: tuple[Rule, ...] = (
    Rule(
        "SN201",
        Severity.ERROR,
        "what is not strictly necessary is neither stored nor read before the person says yes",
        "Directive 2002/58/EC article 5(3); PECR regulation 6 and Schedule A1; WP194 sections 2.4 and 4",
        "category",
        "remove this purpose, or the item; or have people asked: declare a cookie that remembers the answer, with "
        'category = "consent-choice", set_by = "server", http_only = false, secure = true, same_site = "Lax", '
        'path = "/", readable_by_application = false and lifetime = "6 months"',
        purpose=_needs_consent,
        unasked=True,
    ),
    error(
        "SN202",
        "to stay signed in beyond the browser session is the person's choice",
        "WP194 section 3.2",
        "lifetime",
        'write requires_action = true and say in set_when which control it is, or write lifetime = "session"',
        of(Category.AUTHENTICATION)(lambda item: not item.lifetime.is_session and not item.requires_action),
    ),
    error(
        "SN203",
        "a preference is written only when the person chooses it",
        "WP194 section 3.6",
        "requires_action",
        "write requires_action = true, and write the item only in the handler of that choice",
        of(Category.PREFERENCE)(lambda item: not item.requires_action),
    ),
    error(
        "SN204",
        "a preference that outlives the browser session needs a line beside its control that says so",
        "WP194 section 3.6",
        "information",
        'write information = "..." and show that text beside the control',
        of(Category.PREFERENCE)(lambda item: not item.lifetime.is_session and item.information is None),
    ),
    error(
        "SN205",
        "a preference is written by your server or your script, in answer to the person's act",
        "WP194 section 3.6",
        "set_by",
        'write set_by = "script" or set_by = "server"',
        of(Category.PREFERENCE)(lambda item: item.set_by is SetBy.INFRASTRUCTURE),
    ),
    error(
        "SN206",
        "something kept for security has an explicit limit",
        "WP194 section 3.3",
        "lifetime",
        'write "session", or a limit such as "30 days" together with a reason',
        of(Category.SECURITY)(lambda item: item.lifetime.is_persistent),
    ),
    error(
        "SN207",
        "something kept for security beyond the browser session needs a reason for its limit",
        "WP194 section 3.3",
        "reason",
        'write reason = "..."',
        of(Category.SECURITY)(lambda item: item.lifetime.seconds is not None and item.reason is None),
    ),
    error(
        "SN208",
        "load balancing lasts no longer than the browser session, unless a reason says why it has to",
        "WP194 section 3.5",
        "lifetime",
        'write lifetime = "session", or the true life and reason = "..."',
        of(Category.LOAD_BALANCING)(lambda item: not item.lifetime.is_session and item.reason is None),
    ),
    error(
        "SN209",
        "load balancing is the business of the infrastructure, and of nobody else",
        "WP194 section 3.5",
        "set_by",
        'write set_by = "infrastructure"',
        of(Category.LOAD_BALANCING)(lambda item: item.set_by is not SetBy.INFRASTRUCTURE),
    ),
    error(
        "SN210",
        "what the infrastructure sets is not for the application to read",
        "WP194 section 3.5",
        "readable_by_application",
        "write readable_by_application = false",
        lambda item: item.set_by is SetBy.INFRASTRUCTURE and item.readable_by_application,
    ),
    error(
        "SN211",
        "what a person has entered is kept for a few hours at most",
        "WP194 section 3.1",
        "lifetime",
        'write "session", or at most 24 hours',
        of(Category.USER_INPUT)(lambda item: lives_longer_than(item, USER_INPUT_LIFE)),
    ),
    error(
        "SN212",
        "what a media player needs ends with the browser session",
        "WP194 section 3.4",
        "lifetime",
        'write lifetime = "session"',
        of(Category.MULTIMEDIA_PLAYER)(lambda item: not item.lifetime.is_session),
    ),
    warning(
        "SN213",
        "what is strictly necessary serves the service alone; to tell others is another purpose, which needs consent",
        "WP194 section 2.4; GDPR article 5(1)(b)",
        "recipients",
        "remove recipients, or say in the purpose why they cannot be spared and ask a lawyer",
        lambda item: bool(item.recipients) and Category.AUDIENCE_MEASUREMENT not in item.categories,
        unasked=True,
    ),
    error(
        "SN214",
        "the infrastructure knows of no act of the person, so nothing that it sets can wait for one",
        "WP194 section 2.2",
        "requires_action",
        'remove requires_action, or write set_by = "script" or set_by = "server"',
        lambda item: item.set_by is SetBy.INFRASTRUCTURE and item.requires_action,
    ),
    error(
        "SN215",
        "the record of a person's choice has an explicit limit, after which they are asked again",
        "EDPB Guidelines 05/2020 on consent, paragraph 111",
        "lifetime",
        'write a limit such as "6 months"',
        of(Category.CONSENT_CHOICE)(lambda item: item.lifetime.is_persistent),
    ),
    error(
        "SN216",
        "whoever ticks the box that keeps them signed in is told beside it that something is kept",
        "WP194 section 3.2",
        "information",
        'write information = "..." and show that text beside the box',
        of(Category.AUTHENTICATION)(lambda item: not item.lifetime.is_session and item.information is None),
    ),
    warning(
        "SN217",
        "load balancing that outlives the browser session is longer than its exemption foresees",
        "WP194 section 3.5",
        "lifetime",
        "have the balancer end it with the browser session if it can",
        of(Category.LOAD_BALANCING)(lambda item: not item.lifetime.is_session and item.reason is not None),
    ),
    warning(
        "SN218",
        "something kept for security for more than 6 months looks like an identifier",
        "WP194 sections 2.3 and 3.3",
        "lifetime",
        'write at most "6 months"',
        of(Category.SECURITY)(lambda item: not item.lifetime.is_persistent and lives_longer_than(item, SECURITY_LIFE)),
    ),
    warning(
        "SN219",
        "after 13 months nobody remembers having chosen to stay signed in",
        "WP194 sections 2.3 and 3.2",
        "lifetime",
        'write at most "13 months"',
        of(Category.AUTHENTICATION)(lambda item: lives_longer_than(item, SIGNED_IN_LIFE)),
    ),
    error(
        "SN220",
        "what a feature needs is kept when the person asks for that feature, and a reason says why it needs it",
        "Directive 2002/58/EC article 5(3); WP194 sections 2.1 and 2.2",
        "reason",
        'write requires_action = true, the act in set_when, and reason = "..."',
        of(Category.SERVICE)(lambda item: item.reason is None or not item.requires_action),
    ),
)
