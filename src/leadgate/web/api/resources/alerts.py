"""Alarms: what is raised now, and the addresses that are told. An address holds secrets; it is taken, never given."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

from msgspec import Meta, Struct

from leadgate.model.alerts import AddressTrial, AlertTarget
from leadgate.model.secret import Secret
from leadgate.web.access import Act
from leadgate.web.api.documents.alerts import (
    AddressDocument,
    AlertsDocument,
    NewAddressDocument,
    RemovedAddressDocument,
    TrialDocument,
    address_document,
    alerts_document,
    new_address_document,
    newest_alerts,
    trials_document,
)
from leadgate.web.api.documents.plain import Items, cut_page, page_of
from leadgate.web.api.endpoint import Call, Id, Listing, Nothing, reads, writes


class AddressBody(Struct, frozen=True, forbid_unknown_fields=True):
    """One more address to tell of alarms: an Apprise address (it holds secrets), and what people call it."""

    url: Annotated[str, Meta(min_length=1, max_length=2000, pattern=r"^[^\x00]*$")]
    name: Annotated[str, Meta(min_length=1, max_length=80, pattern=r"^[^\x00]*$")] | None = None


class TrialBody(Struct, frozen=True, forbid_unknown_fields=True):
    """Which address is tried; every one when it is not named."""

    address: Id | None = None


async def list_alerts(call: Call[Listing, Nothing]) -> AlertsDocument:
    """What is raised now, newest first, and where it is sent."""
    overview = await call.house.alerts.overview()
    return alerts_document(overview, newest_alerts(overview, limit=call.query.limit, cursor=call.query.cursor))


async def list_addresses(call: Call[Listing, Nothing]) -> Items[AddressDocument]:
    """Where alarms are sent, oldest first, and how the sends end."""
    overview = await call.house.alerts.overview()
    page = cut_page(overview.targets, limit=call.query.limit, cursor=call.query.cursor)
    return page_of(page, address_document)


async def add_address(call: Call[Nothing, AddressBody]) -> AlertTarget:
    """Tell one more address of alarms."""
    return await call.house.alerts.add(Secret(call.body.url), name=call.body.name, by=call.by)


def _added(_call: Call[Nothing, AddressBody], target: AlertTarget) -> NewAddressDocument:
    return new_address_document(target)


async def remove_address(call: Call[Nothing, Nothing]) -> None:
    """Tell an address of alarms no more."""
    await call.house.alerts.remove(call.names["address_id"], by=call.by)


def _removed(call: Call[Nothing, Nothing], _result: object) -> RemovedAddressDocument:
    return RemovedAddressDocument(address=call.names["address_id"])


async def try_addresses(call: Call[Nothing, TrialBody]) -> Sequence[AddressTrial]:
    """Send a trial message to one address or to every one."""
    return await call.house.alerts.test(call.body.address)


def _tried(_call: Call[Nothing, TrialBody], trials: Sequence[AddressTrial]) -> Items[TrialDocument]:
    return trials_document(trials)


ENDPOINTS = (
    reads("/alerts", list_alerts),
    reads("/alerts/addresses", list_addresses),
    writes("/alerts/addresses", add_address, _added, act=Act.CONNECT, status=201),
    writes("/alerts/addresses/{address_id}", remove_address, _removed, act=Act.CONNECT, method="DELETE"),
    writes("/alerts/test", try_addresses, _tried, act=Act.CONNECT, is_one_commit=False),
)
