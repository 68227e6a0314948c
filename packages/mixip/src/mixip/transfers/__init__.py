"""Deliveries: how a file gets here, whole. docs/transfer-protocol.md defines the terms and the protocol."""

from mixip.transfers.actions import Room, sweep_deliveries
from mixip.transfers.crowd import Crowd
from mixip.transfers.queries import OpenDelivery, drop_claims, open_deliveries_of
from mixip.transfers.routes import ROUTES
from mixip.transfers.verification import Verifier

__all__ = [
    "ROUTES",
    "Crowd",
    "OpenDelivery",
    "Room",
    "Verifier",
    "drop_claims",
    "open_deliveries_of",
    "sweep_deliveries",
]
