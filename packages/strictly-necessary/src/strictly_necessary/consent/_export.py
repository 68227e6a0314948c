"""Receipts as JSON for people and for other programs, in the shape of ISO/IEC TS 27560:2023, section 6.3.

The names of the fields are those of that specification; which of them are filled is in docs/reference/consent.md, and
what they may hold in receipt.schema.json. Beside them stand `item` in purposes and events, so that each answer is found
with its item, and `channel` in events.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from importlib.resources import files
from typing import Any

from strictly_necessary.consent._receipts import Action, Answer, Receipt
from strictly_necessary.declaration import Declaration
from strictly_necessary.declaration._items import Item, Lifetime, Policy, Purpose
from strictly_necessary.versions import History

SCHEMA_VERSION = "strictly-necessary-receipt-1"
WITHDRAWAL = "/.well-known/cookie-consent"
_SOMEBODY = "pii_principal"
_STATES = {
    Action.GRANTED: "consent given",
    Action.REFUSED: "consent refused",
    Action.WITHDRAWN: "consent withdrawn",
}


def as_json(receipt: Receipt, declaration: Declaration, *, withdrawal: str = WITHDRAWAL) -> dict[str, Any]:
    """The receipt as what `json.dumps` takes, in the shape of ISO/IEC TS 27560:2023. `declaration` is that of the
    version that was answered, for who asked and where; what was asked is in the receipt. `withdrawal` is the address or
    a sentence where people withdraw. Raises ValueError for another version's declaration."""
    policy = declaration.policy
    if policy.version != receipt.version:
        raise ValueError(f"the declaration of version {receipt.version} is needed, and not of {policy.version}")
    record: dict[str, Any] = {"schema_version": SCHEMA_VERSION, "record_id": receipt.id}
    if receipt.account is not None:
        record["pii_principal_id"] = receipt.account
    notice = {"version": receipt.version, "last_updated": policy.last_updated.isoformat(), "text": receipt.text}
    if policy.privacy_policy is not None:
        notice["address"] = policy.privacy_policy
    record["pii_processing"] = {
        "privacy_notice": notice,
        "language": receipt.language,
        "purposes": [
            _purpose(answer.item, purpose, policy, withdrawal)
            for answer in receipt.answers
            for purpose in answer.item.purposes
        ],
    }
    record["party_identification"] = list(_parties(receipt, policy))
    record["event"] = [_event(answer, receipt, declaration) for answer in receipt.answers]
    return record


def export(receipts: Iterable[Receipt], history: History, *, withdrawal: str = WITHDRAWAL) -> str:
    """The receipts as one JSON array, such as a person takes along. Raises KeyError for a receipt of a version that the
    history does not have: released versions are kept for this."""
    records = [
        as_json(receipt, history.version(receipt.version).declaration, withdrawal=withdrawal) for receipt in receipts
    ]
    return json.dumps(records, ensure_ascii=False, indent=2) + "\n"


def receipt_schema() -> str:
    """The JSON Schema of one exported receipt."""
    return files(__package__).joinpath("receipt.schema.json").read_text(encoding="utf-8")


def _purpose(item: Item, purpose: Purpose, policy: Policy, withdrawal: str) -> dict[str, Any]:
    return {
        "item": item.id,
        "purpose": purpose.text,
        "purpose_type": purpose.category.value,
        "lawful_basis": "consent",
        "pii_information": [
            {"pii_type": f"{item.kind.value} {item.name}", "pii_attribute_id": item.id, "pii_optional": True}
        ],
        "pii_controllers": [policy.operator],
        "collection_method": item.set_when,
        "storage_locations": ["the person's device"],
        "retention_period": _duration(item.lifetime),
        "jurisdiction": [jurisdiction.value for jurisdiction in policy.jurisdictions],
        "recipient_third_parties": _recipients(item, policy),
        "withdrawal_method": withdrawal,
    }


def _recipients(item: Item, policy: Policy) -> list[str]:
    """The provider is one of them, unless it is who runs the service."""
    return [name for name in dict.fromkeys((item.provider, *item.recipients)) if name != policy.operator]


def _parties(receipt: Receipt, policy: Policy) -> Iterator[dict[str, str]]:
    reached = "party_url" if policy.contact.startswith("https://") else "party_email"
    yield {
        "party_id": policy.operator,
        "party_name": policy.operator,
        "party_role": "controller",
        "party_type": "PII controller",
        "party_contact": policy.contact,
        reached: policy.contact,
    }
    names = (name for answer in receipt.answers for name in _recipients(answer.item, policy))
    for name in dict.fromkeys(names):
        yield {"party_id": name, "party_name": name, "party_role": "recipient", "party_type": "third party"}


def _event(answer: Answer, receipt: Receipt, declaration: Declaration) -> dict[str, str]:
    event = {
        "item": answer.item.id,
        "event_time": receipt.at.isoformat().replace("+00:00", "Z"),
        "entity_id": _SOMEBODY if receipt.account is None else receipt.account,
        "event_type": "explicit",
        "event_state": _STATES[answer.action],
        "channel": receipt.channel.value,
    }
    if declaration.choice is not None:
        event["validity_duration"] = _duration(declaration.choice.lifetime)
    return event


def _duration(lifetime: Lifetime) -> str:
    """As ISO 8601 writes it, or the word of the declaration where there is no number."""
    if lifetime.seconds is None:
        return lifetime.text
    days, rest = divmod(lifetime.seconds, 86_400)
    return f"P{days}D" if not rest else f"PT{lifetime.seconds}S"
