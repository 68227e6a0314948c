"""The delivery API."""

from typing import Any

from litestar import Request, delete, get, post, put
from litestar.concurrency import sync_to_thread
from litestar.params import FromPath, JSONBody
from litestar.response.base import ASGIResponse

from mixip.edge.described import CHANGE, JSON, READ, answer, operation, refusals
from mixip.edge.injected import Db, Files, Injected, Time, Who
from mixip.edge.responses import as_json
from mixip.errors import Problem
from mixip.transfers import actions
from mixip.transfers.actions import Room
from mixip.transfers.crowd import Crowd
from mixip.transfers.digests import parse_content_digest
from mixip.transfers.receiving import prepare, receive_segment
from mixip.transfers.schemas import DeliveryList, DeliveryView, NewDelivery
from mixip.transfers.verification import Verifier

PATIENCE = 10.0  # seconds that a commit waits for its verification before it answers 202

AnyRequest = Request[Any, Any, Any]


@post(
    "/api/works/{work_id:str}/deliveries",
    tags=["Deliveries"],
    summary="Open a delivery",
    response_description="The delivery with its plan.",
    responses=refusals(
        *JSON,
        "not_found",
        "file_name_invalid",
        "file_empty",
        "file_too_large",
        "quota_exceeded",
        "too_many_deliveries",
        "storage_full",
    ),
    sync_to_thread=True,
)
def open_delivery(
    work_id: FromPath[str],
    data: JSONBody[NewDelivery],
    db: Db,
    store: Files,
    room: Injected[Room],
    caller: Who,
    clock: Time,
) -> DeliveryView:
    """Plan the upload of one file and reserve its space. The answer holds the plan: the segments to send."""
    return actions.open_delivery(db, store, room, account_id=caller.account_id, work_id=work_id, new=data, at=clock())


@get(
    "/api/works/{work_id:str}/deliveries",
    tags=["Deliveries"],
    summary="Unfinished deliveries",
    response_description="The deliveries.",
    responses=refusals(*READ, "not_found"),
    sync_to_thread=True,
)
def list_deliveries(work_id: FromPath[str], db: Db, caller: Who) -> DeliveryList:
    """Your deliveries of this work that are not yet delivered, with what has arrived: where to continue."""
    return DeliveryList(actions.list_deliveries(db, caller.account_id, work_id))


@get(
    "/api/deliveries/{delivery_id:str}",
    tags=["Deliveries"],
    summary="Show a delivery",
    response_description="The delivery.",
    responses=refusals(*READ, "not_found"),
    sync_to_thread=True,
)
def show_delivery(delivery_id: FromPath[str], db: Db, caller: Who) -> DeliveryView:
    """What is planned, what has arrived, how far it is verified, and the file that it became."""
    return actions.show_delivery(db, caller.account_id, delivery_id)


@put(
    "/api/deliveries/{delivery_id:str}/segments/{index:int}",
    tags=["Deliveries"],
    summary="Send a segment",
    response_description="The segment is there, checked.",
    responses=refusals(
        *CHANGE,
        "digest_missing",
        "segment_incomplete",
        "not_found",
        "segment_unknown",
        "delivery_closed",
        "segment_too_large",
        "digest_mismatch",
        "too_many_at_once",
        "storage_full",
    ),
    operation_class=operation(
        headers={"Content-Digest": ("The digest of the body (RFC 9530): `sha-256=:…:` or `blake3=:…:`.", True)},
        takes="application/octet-stream",
    ),
    status_code=204,
    request_max_body_size=None,  # the plan limits it
)
async def send_segment(
    request: AnyRequest,
    delivery_id: FromPath[str],
    index: FromPath[int],
    db: Db,
    store: Files,
    caller: Who,
    crowd: Injected[Crowd],
    clock: Time,
) -> None:
    """Send the bytes of one segment with their Content-Digest. Any order, several at once, repeatable."""
    announced = parse_content_digest(request.headers.get("content-digest"))
    if announced is None:
        raise Problem("digest_missing")
    segment, present = await sync_to_thread(
        prepare,
        db,
        account_id=caller.account_id,
        delivery_id=delivery_id,
        index=index,
        announced=announced,
        length=request.content_length,
    )
    with crowd.one_more(caller.account_id):
        await receive_segment(
            request.receive,
            db,
            store,
            delivery_id=delivery_id,
            segment=segment,
            announced=announced,
            present=present,
            at=clock(),
        )


@post(
    "/api/deliveries/{delivery_id:str}/commit",
    tags=["Deliveries"],
    summary="Commit a delivery",
    responses={
        200: answer(DeliveryView, "It is delivered; `file` is the file."),
        202: answer(DeliveryView, "It is still being verified, or a segment was damaged and has to be sent again."),
        **refusals(*CHANGE, "not_found", "segments_missing", "storage_full"),
    },
    status_code=200,
)
async def commit_delivery(
    delivery_id: FromPath[str], db: Db, caller: Who, verifier: Injected[Verifier], clock: Time
) -> ASGIResponse:
    """Check everything and list the file. 200 when it is delivered, 202 while it is still being verified."""
    row = await sync_to_thread(
        actions.begin_commit, db, account_id=caller.account_id, delivery_id=delivery_id, at=clock()
    )
    if row.state == "verifying":
        await verifier.verify(delivery_id, caller.account_id, patience=PATIENCE)
    view = await sync_to_thread(actions.show_delivery, db, caller.account_id, delivery_id)
    return as_json(view, status=200 if view.state == "delivered" else 202)


@delete(
    "/api/deliveries/{delivery_id:str}",
    tags=["Deliveries"],
    summary="Cancel a delivery",
    response_description="It is gone.",
    responses=refusals(*CHANGE, "not_found", "delivery_closed"),
    sync_to_thread=True,
)
def cancel_delivery(delivery_id: FromPath[str], db: Db, store: Files, caller: Who) -> None:
    """Remove an unfinished delivery and what has arrived of it."""
    actions.cancel_delivery(db, store, account_id=caller.account_id, delivery_id=delivery_id)


ROUTES = (open_delivery, list_deliveries, show_delivery, send_segment, commit_delivery, cancel_delivery)
