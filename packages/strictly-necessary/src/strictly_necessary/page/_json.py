"""The declaration as an object for machines. Its shape is described in docs/how-to/publish-the-page.md."""

from __future__ import annotations

from typing import Any

from strictly_necessary.declaration._items import Item, Override, Policy, ThirdParty
from strictly_necessary.page._browsers import BROWSERS
from strictly_necessary.page._edition import Edition, lifetime_in_words, readers_in_words, removal_in_words

FORMAT = 1
"""Goes up when a key is taken away or means something else; new keys may come without that."""


def document(view: Edition) -> dict[str, Any]:
    _ = view.language.gettext
    return {
        "format": FORMAT,
        "language": view.language.code,
        "policy": _policy(view.policy),
        "consent": view.consent,
        "changes": view.changes,
        "items": [_item(view, item) for item in view.declaration.items],
        "third_parties": [_third_party(party) for party in view.declaration.third_parties],
        "headers": [override_as_json(override) for override in view.declaration.overrides],
        "browsers": [
            {"name": each.name, "settings": _(each.settings), "one_site": _(each.one_site)} for each in BROWSERS
        ],
    }


def _policy(policy: Policy) -> dict[str, Any]:
    return {
        "service": policy.service,
        "operator": policy.operator,
        "contact": policy.contact,
        "version": policy.version,
        "last_updated": policy.last_updated.isoformat(),
        "jurisdictions": [jurisdiction.value for jurisdiction in policy.jurisdictions],
        "languages": list(policy.languages),
        "privacy_policy": policy.privacy_policy,
        "terms": policy.terms,
        "desktop_apps": list(policy.desktop_apps),
        "hosts": list(policy.hosts),
        "starts": policy.starts_at.isoformat().replace("+00:00", "Z"),
        "change": policy.change.value if policy.change else None,
        "summary": policy.summary,
        "ask": list(policy.ask),
    }


def _item(view: Edition, item: Item) -> dict[str, Any]:
    return {
        "id": item.id,
        "title": item.title,
        "name": item.name,
        "kind": item.kind.value,
        "exempt": view.declaration.is_exempt(item),
        "purposes": [{"category": each.category.value, "purpose": each.text} for each in item.purposes],
        "values": list(item.values),
        "lifetime": item.lifetime.text,
        "lifetime_seconds": item.lifetime.seconds,
        "lifetime_in_words": lifetime_in_words(view, item),
        "renewed": item.renewed,
        "reason": item.reason,
        "provider": item.provider,
        "first_party": item.id in view.own,
        "recipients": list(item.recipients),
        "readable_by_application": item.readable_by_application,
        "readers": readers_in_words(view, item),
        "set_when": item.set_when,
        "set_by": item.set_by.value,
        "script": item.script,
        "requires_action": item.requires_action,
        "information": item.information,
        "objection": item.objection,
        "removal": removal_in_words(view, item),
        "http_only": item.http_only,
        "secure": item.secure,
        "same_site": item.same_site.value if item.same_site else None,
        "path": item.path,
        "domain": item.domain,
        "partitioned": item.partitioned,
    }


def _third_party(party: ThirdParty) -> dict[str, Any]:
    return {
        "name": party.name,
        "host": party.host,
        "feature": party.feature,
        "action": party.action,
        "storage": party.storage,
        "privacy": party.privacy,
    }


def override_as_json(override: Override) -> dict[str, Any]:
    return {
        "name": override.name,
        "directive": override.directive,
        "value": override.value,
        "paths": list(override.paths),
        "reason": override.reason,
    }
