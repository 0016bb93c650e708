"""What goes to whom, and how the house treats health: read by everybody, decided by who may decide about personal data."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta, Struct

from leadgate.privacy.decisions import read_place
from leadgate.privacy.rules import HealthMode, PrivacyRules
from leadgate.web.access import Act
from leadgate.web.api.documents.policies import HealthDocument, PoliciesDocument, health_document, policies_document
from leadgate.web.api.endpoint import Call, Nothing, reads, writes

Place = Annotated[str, Meta(min_length=3, max_length=64, pattern=r"^[A-Za-z_]+[:.][A-Za-z_]+$")]
Reason = Annotated[str, Meta(max_length=300, pattern=r"^[^\x00]*$")]


class PoliciesBody(Struct, frozen=True, forbid_unknown_fields=True):
    """Places to open and to close, for instance `crm_comment:ADDRESS` or `lead.email`; opening needs a reason."""

    open: tuple[Place, ...] = ()
    close: tuple[Place, ...] = ()
    reason: Reason = ""


class HealthBody(Struct, frozen=True, forbid_unknown_fields=True):
    """How the house treats health from now on, why, and where written consents are kept if there are any."""

    mode: HealthMode
    reason: Reason
    document: Annotated[str, Meta(max_length=80, pattern=r"^[^\x00]*$")] | None = None


async def show_policies(call: Call[Nothing, Nothing]) -> PoliciesDocument:
    """Who may read what."""
    return policies_document(await call.house.policies.now())


async def set_policies(call: Call[Nothing, PoliciesBody]) -> PrivacyRules:
    """Let more or less through; the journal has it first."""
    return await call.house.policies.set_policies(
        opened=[read_place(word) for word in call.body.open],
        closed=[read_place(word) for word in call.body.close],
        reason=call.body.reason,
        by=call.by,
    )


def _policies(_call: Call[Nothing, PoliciesBody], rules: PrivacyRules) -> PoliciesDocument:
    return policies_document(rules)


async def show_health_mode(call: Call[Nothing, Nothing]) -> HealthDocument:
    """How the house treats health, and how much was held back."""
    policies = call.house.policies
    return health_document(await policies.now(), await policies.held_back(), call.house.time_zone)


async def set_health_mode(call: Call[Nothing, HealthBody]) -> PrivacyRules:
    """Treat health another way; the journal has it first."""
    body = call.body
    return await call.house.policies.set_health(mode=body.mode, document=body.document, reason=body.reason, by=call.by)


def _health(call: Call[Nothing, HealthBody], rules: PrivacyRules) -> HealthDocument:
    return health_document(rules, (), call.house.time_zone)


ENDPOINTS = (
    reads("/policies", show_policies),
    writes("/policies", set_policies, _policies, act=Act.PRIVACY),
    reads("/health-mode", show_health_mode),
    writes("/health-mode", set_health_mode, _health, act=Act.PRIVACY),
)
