"""What a dead command says of a lead, and correcting it. Personal data: who reads it is logged."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta, Struct

from leadgate.errors import ConflictError, FieldProblem, UnknownKeyError
from leadgate.intake.phones import find_e164
from leadgate.model.deliveries import DeliveryState
from leadgate.model.views import LeadData
from leadgate.web.access import Act
from leadgate.web.api.documents.deliveries import DeliveryStateDocument, LeadDataDocument, lead_data_document
from leadgate.web.api.endpoint import Call, Nothing, reads, writes
from leadgate.web.api.reading import InvalidRequestError
from leadgate.web.pages.delivery_fix import MAX_COMMENT_LENGTH, MAX_NAME_LENGTH, find_wrong


class FixBody(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Replaces all four: read them, change what is wrong, send them back. `phone` in any writing; null or empty for none."""

    name: Annotated[str, Meta(max_length=MAX_NAME_LENGTH)] | None
    phone: Annotated[str, Meta(max_length=64)] | None
    email: Annotated[str, Meta(max_length=320)] | None
    comment: Annotated[str, Meta(max_length=MAX_COMMENT_LENGTH)] | None


async def show_lead_data(call: Call[Nothing, Nothing]) -> LeadDataDocument:
    """What a dead command says of its lead (personal data; who reads it is logged)."""
    try:
        return lead_data_document(await call.house.desk.lead_data(call.names["delivery_id"], by=call.by))
    except UnknownKeyError as error:
        raise _erased() from error


async def fix_delivery(call: Call[Nothing, FixBody]) -> None:
    """Correct what a dead command says of its lead, and send it again."""
    given = {name: (getattr(call.body, name) or "").strip() for name in ("name", "phone", "email", "comment")}
    wrong = find_wrong(given)
    if wrong:
        raise InvalidRequestError(*(FieldProblem(name, "cannot be sent so") for name in sorted(wrong)))
    data = LeadData(
        name=given["name"] or None,
        phone=find_e164(given["phone"]),
        email=given["email"] or None,
        comment=given["comment"] or None,
    )
    try:
        await call.house.desk.fix(call.names["delivery_id"], data, by=call.by)
    except UnknownKeyError as error:
        raise _erased() from error


def _fixed(call: Call[Nothing, FixBody], _result: object) -> DeliveryStateDocument:
    return DeliveryStateDocument(delivery=call.names["delivery_id"], state=DeliveryState.WAITING)


def _erased() -> ConflictError:
    return ConflictError("The person was erased; nothing can be read or corrected.", code="delivery.person_erased")


ENDPOINTS = (
    reads("/deliveries/{delivery_id}/fix", show_lead_data, act=Act.FIX),
    writes("/deliveries/{delivery_id}/fix", fix_delivery, _fixed, act=Act.FIX),
)
