"""People who sign in. Addresses of set-up are shown once and kept nowhere, so an answer with one is never repeated."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta, Struct

from leadgate.model.staff import Role
from leadgate.web.access import Act
from leadgate.web.api.documents.plain import Items, cut_page, page_of
from leadgate.web.api.documents.staff import (
    ChangedStaffDocument,
    InvitedDocument,
    StaffDocument,
    invited_document,
    staff_document,
)
from leadgate.web.api.endpoint import Call, Listing, Nothing, asks, reads, writes


class StaffBody(Struct, frozen=True, forbid_unknown_fields=True):
    """Whom to invite."""

    name: Annotated[str, Meta(min_length=1, max_length=80, pattern=r"^[^\x00]*$")]
    role: Role


class RoleBody(Struct, frozen=True, forbid_unknown_fields=True):
    """Which role."""

    role: Role


async def list_staff(call: Call[Listing, Nothing]) -> Items[StaffDocument]:
    """Who works here, oldest first."""
    page = cut_page(await call.house.roster.all(), limit=call.query.limit, cursor=call.query.cursor)
    return page_of(page, staff_document)


async def invite_staff(call: Call[Nothing, StaffBody]) -> InvitedDocument:
    """Invite somebody; the answer holds the one-time address where they set a password, this once."""
    staff, token = await call.house.roster.add(call.body.name, call.body.role, by=call.by)
    return invited_document(staff, call.house.setup_url(token))


async def reset_staff(call: Call[Nothing, Nothing]) -> InvitedDocument:
    """Take away password, second factors and sessions; the answer holds the one-time address that is the only way in."""
    staff, token = await call.house.roster.reset(call.names["staff_id"], by=call.by)
    return invited_document(staff, call.house.setup_url(token))


async def change_role(call: Call[Nothing, RoleBody]) -> ChangedStaffDocument:
    """Give another role; every session of the person ends at once."""
    staff = await call.house.roster.change_role(call.names["staff_id"], call.body.role, by=call.by)
    return ChangedStaffDocument(id=staff.staff_id, role=staff.role, state="active")


async def dismiss_staff(call: Call[Nothing, Nothing]) -> ChangedStaffDocument:
    """They work here no more: every way in ends at once."""
    staff = await call.house.roster.dismiss(call.names["staff_id"], by=call.by)
    return ChangedStaffDocument(id=staff.staff_id, role=staff.role, state="disabled")


def _told(_call: Call[Nothing, Nothing], done: ChangedStaffDocument) -> ChangedStaffDocument:
    return done


def _told_role(_call: Call[Nothing, RoleBody], done: ChangedStaffDocument) -> ChangedStaffDocument:
    return done


ENDPOINTS = (
    reads("/staff", list_staff),
    asks("/staff", invite_staff, act=Act.PEOPLE),
    asks("/staff/{staff_id}/reset", reset_staff, act=Act.PEOPLE),
    writes("/staff/{staff_id}/role", change_role, _told_role, act=Act.PEOPLE, is_one_commit=False),
    writes("/staff/{staff_id}/disable", dismiss_staff, _told, act=Act.PEOPLE, is_one_commit=False),
)
