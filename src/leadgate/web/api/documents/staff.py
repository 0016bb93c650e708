"""People who sign in, as programs and commands see them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from leadgate.model.staff import Role, Staff, StaffView
from leadgate.web.api.documents.plain import Moment


@dataclass(frozen=True, slots=True, kw_only=True)
class StaffDocument:
    """A person: `invited` until they have set a password; `sessions` counts the browsers in which they are signed in."""

    id: str
    name: str | None
    role: Role
    state: Literal["active", "invited"]
    second_factor: bool
    sessions: int
    last_seen_at: Moment | None
    invited_until: Moment | None
    created_at: Moment


@dataclass(frozen=True, slots=True, kw_only=True)
class InvitedDocument:
    """A person and the one-time address where they set a password, which is shown this once."""

    id: str
    name: str | None
    role: Role
    setup_url: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangedStaffDocument:
    """A person after a change that ended every session of theirs."""

    id: str
    role: Role
    state: Literal["active", "disabled"]


def staff_document(view: StaffView) -> StaffDocument:
    """A person with how they sign in."""
    return StaffDocument(
        id=view.staff.staff_id,
        name=view.staff.name or None,
        role=view.staff.role,
        state="active" if view.has_password else "invited",
        second_factor=view.factors.is_on,
        sessions=len(view.sessions),
        last_seen_at=max((one.seen_at for one in view.sessions), default=None),
        invited_until=view.invited_until,
        created_at=view.staff.created_at,
    )


def invited_document(staff: Staff, setup_url: str) -> InvitedDocument:
    """Somebody who was just invited."""
    return InvitedDocument(id=staff.staff_id, name=staff.name or None, role=staff.role, setup_url=setup_url)
