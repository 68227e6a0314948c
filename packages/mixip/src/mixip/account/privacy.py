"""What an account was told and asked about, what it answered, and the record of it to take along."""

import json
from typing import Any

from litestar import Request, get
from litestar.response.base import ASGIResponse

from mixip.edge.injected import Injected, Who
from mixip.edge.pages import page
from mixip.edge.responses import respond
from mixip.edge.told import consent_of, consents_html, wished_language
from strictly_necessary.consent import Ledger, Receipt, as_json
from strictly_necessary.versions import History

AnyRequest = Request[Any, Any, Any]

SHOWN = 50
_DONE = {"granted": "You allowed it", "refused": "You refused it", "withdrawn": "You took it back"}
_WHERE = {"page": "in a browser", "app": "in the app"}


@get("/account/privacy", include_in_schema=False, sync_to_thread=True)
def privacy_page(request: AnyRequest, ledger: Injected[Ledger], caller: Who) -> ASGIResponse:
    """Acknowledgements, consents with a button that withdraws each, and receipts."""
    ticket = consent_of(request.scope)
    version = ticket.standing.version
    receipts = ledger.receipts(caller.account_id)
    return page(
        request,
        "account/privacy.html",
        asks_here=True,
        version=version.number,
        consents_html=consents_html(request.scope, wished_language(request.scope, version.declaration)),
        acknowledged=[
            {"version": each.version, "at": each.at, "where": _WHERE[each.channel.value]}
            for each in ledger.acknowledgements(caller.account_id)
        ],
        receipts=[_shown(each) for each in receipts[:SHOWN]],
        older=max(0, len(receipts) - SHOWN),
    )


@get("/account/privacy/receipts.json", include_in_schema=False, sync_to_thread=True)
def receipts_download(request: AnyRequest, ledger: Injected[Ledger], caller: Who) -> ASGIResponse:
    """Every receipt, in the shape of ISO/IEC TS 27560, to take along."""
    history = consent_of(request.scope).history
    records = [_exported(each, history) for each in ledger.receipts(caller.account_id)]
    body = json.dumps(records, ensure_ascii=False, indent=2) + "\n"
    headers = {"content-disposition": 'attachment; filename="mixip-consent-receipts.json"'}
    return respond(body.encode(), "application/json", headers=headers)


def _shown(receipt: Receipt) -> dict[str, Any]:
    return {
        "at": receipt.at,
        "version": receipt.version,
        "where": _WHERE[receipt.channel.value],
        "text": receipt.text,
        "language": receipt.language,
        "answers": [
            {"title": answer.item.title or answer.item.name, "done": _DONE[answer.action.value]}
            for answer in receipt.answers
        ],
    }


def _exported(receipt: Receipt, history: History) -> dict[str, Any]:
    return as_json(receipt, history.version(receipt.version).declaration, withdrawal="/account/privacy")


ROUTES = (privacy_page, receipts_download)
