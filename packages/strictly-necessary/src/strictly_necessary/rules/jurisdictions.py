"""What single jurisdictions ask: of audience measurement that goes without consent, and of records of choices.

- UK: Schedule A1 of the Privacy and Electronic Communications (EC Directive) Regulations 2003 (PECR), inserted by
  section 112 and Schedule 12 of the Data (Use and Access) Act 2025, in force since 5 February 2026 (SI 2026/82).
- FR: article 82 of law 78-17, as the CNIL reads it: guidelines 2020-091 and recommendation 2020-092 of 17 September
  2020, and its page on audience measurement ("Cookies : solutions pour les outils de mesure d'audience", 4 July 2025).

- UK, how it is read: the Information Commissioner's guidance on storage and access technologies, 29 April 2026.

Elsewhere in the EU audience measurement needs consent, which is rule SN201.
"""

from __future__ import annotations

from strictly_necessary.declaration._items import Category, Jurisdiction, SameSite
from strictly_necessary.rules._rule import Rule, error, lives_longer_than, of, warning

_UK = frozenset({Jurisdiction.UK})
_FR = frozenset({Jurisdiction.FR})
_MONTH = 30 * 86_400

MEASURING_LIFE = 13 * _MONTH
"""Seconds that a measuring cookie lives at most in France; the months are those of the declaration."""

CHOICE_LIFE = 6 * _MONTH
"""Seconds after which people are asked again in France."""

_STATISTICS = "PECR Schedule A1 paragraph 5(1)"
_APPEARANCE = "PECR Schedule A1 paragraph 6"
_ICO = "ICO on storage and access technologies, 29 April 2026"
_MEASURING = "CNIL guidelines 2020-091 article 5"
_ADVICE = "CNIL on audience measurement, 4 July 2025"
_measures = of(Category.AUDIENCE_MEASUREMENT)

JURISDICTION_RULES: tuple[Rule, ...] = (
    error(
        "SN221",
        "audience measurement goes without consent only if people are told of it",
        f"{_STATISTICS}; {_ICO}",
        "information",
        'write information = "..." and show that text where people look for it',
        _measures(lambda item: item.information is None),
        jurisdictions=_UK,
        unasked=True,
    ),
    error(
        "SN222",
        "audience measurement goes without consent only if people can say no, simply and free of charge",
        f"{_STATISTICS}; {_ICO}",
        "objection",
        'write objection = "..." and say there how',
        _measures(lambda item: item.objection is None),
        jurisdictions=_UK,
        unasked=True,
    ),
    warning(
        "SN223",
        "others get what audience measurement tells only to help to improve the service",
        _STATISTICS,
        "recipients",
        'remove recipients, or write reason = "..." and say there how they help',
        _measures(lambda item: bool(item.recipients) and item.reason is None),
        jurisdictions=_UK,
        unasked=True,
    ),
    error(
        "SN224",
        "audience measurement goes without consent only for the publisher alone, so it has no recipients",
        f"{_MEASURING}; {_ADVICE}",
        "recipients",
        "remove recipients; a processor that works for you alone is the provider",
        _measures(lambda item: bool(item.recipients)),
        jurisdictions=_FR,
        unasked=True,
    ),
    warning(
        "SN225",
        "what measures the audience lives for 13 months at most",
        _ADVICE,
        "lifetime",
        'write a limit of at most "13 months"',
        _measures(lambda item: lives_longer_than(item, MEASURING_LIFE)),
        jurisdictions=_FR,
        unasked=True,
    ),
    warning(
        "SN226",
        "later visits do not start the life of what measures the audience anew",
        _ADVICE,
        "renewed",
        "remove renewed, and send the cookie only to those who have none",
        _measures(lambda item: item.renewed),
        jurisdictions=_FR,
        unasked=True,
    ),
    error(
        "SN227",
        "what measures the audience follows nobody to other sites, so requests from there do not carry it",
        f"{_MEASURING}; {_ADVICE}",
        "same_site",
        "write Lax or Strict",
        _measures(lambda item: item.same_site is SameSite.NONE),
        jurisdictions=_FR,
        unasked=True,
    ),
    warning(
        "SN228",
        "people are asked again after 6 months",
        "CNIL recommendation 2020-092, on how long choices are kept",
        "lifetime",
        'write a limit of at most "6 months"',
        of(Category.CONSENT_CHOICE)(lambda item: lives_longer_than(item, CHOICE_LIFE)),
        jurisdictions=_FR,
    ),
    error(
        "SN229",
        "what measures the audience serves nothing else, so that nothing is put together from it",
        f"{_MEASURING}; {_ADVICE}",
        "name",
        "give the other purposes an item of their own",
        _measures(lambda item: len(item.categories) > 1),
        jurisdictions=_FR,
        unasked=True,
    ),
    warning(
        "SN230",
        "people should be told of audience measurement",
        _ADVICE,
        "information",
        'write information = "..." and show that text where people look for it',
        _measures(lambda item: item.information is None),
        jurisdictions=_FR,
        unasked=True,
    ),
    warning(
        "SN231",
        "people can object to being counted where what is counted is still about them",
        "GDPR article 21(1)",
        "objection",
        'write objection = "..." and say there how',
        _measures(lambda item: item.objection is None),
        jurisdictions=_FR,
        unasked=True,
    ),
    warning(
        "SN232",
        "whoever chose how the site looks needs a simple way to take the choice back",
        f"{_APPEARANCE}; {_ICO}",
        "removal",
        'write removal = "...", such as “Choose System.”, or objection = "..."',
        of(Category.PREFERENCE)(
            lambda item: not item.lifetime.is_session and item.removal is None and item.objection is None
        ),
        jurisdictions=_UK,
    ),
)
