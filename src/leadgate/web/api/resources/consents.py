"""Consents: the register, the texts by version, what the bot asks for, and the proof."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta, Struct

from leadgate.errors import NotFoundError
from leadgate.model.consents import ConsentPurpose, ConsentRule, ConsentText
from leadgate.observability import get_logger
from leadgate.web.access import Act
from leadgate.web.api.documents.consents import (
    ConsentDetailDocument,
    ConsentDocument,
    ConsentOverviewDocument,
    ConsentProofDocument,
    ConsentRuleDocument,
    ConsentTextDocument,
    consent_detail_document,
    consent_document,
    consent_overview_document,
    consent_proof_document,
    consent_rule_document,
    consent_text_document,
)
from leadgate.web.api.documents.plain import Items, cut_page, page_of
from leadgate.web.api.endpoint import Call, Id, Listing, Nothing, reads, writes

_MAX_DIGITS = 15
_log = get_logger("consents")


class ConsentListing(Listing, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Of everybody, or of one person by their id."""

    subject: Id | None = None


class TextBody(Struct, frozen=True, forbid_unknown_fields=True):
    """The salon's own words for a purpose in a language; they must say how to withdraw."""

    purpose: ConsentPurpose
    locale: Annotated[str, Meta(min_length=2, max_length=2)]
    text: Annotated[str, Meta(min_length=1, max_length=4000, pattern=r"^[^\x00]*$")]


class RuleBody(Struct, frozen=True, forbid_unknown_fields=True):
    """What changes; what is not named stays. An empty `passes_on_to` is nobody."""

    asks_processing: bool | None = None
    advertises: bool | None = None
    passes_on_to: Annotated[str, Meta(max_length=400, pattern=r"^[^\x00]*$")] | None = None


async def list_consents(call: Call[ConsentListing, Nothing]) -> Items[ConsentDocument]:
    """The register, newest first."""
    asked = call.query
    page = await call.house.consents.records(limit=asked.limit, cursor=asked.cursor, subject_id=asked.subject)
    return page_of(page, consent_document)


async def show_consent(call: Call[Nothing, Nothing]) -> ConsentDetailDocument:
    """One line with the text that was shown and, for those who may see it, the answer."""
    number = call.names["number"]
    if not number.isdecimal() or len(number) > _MAX_DIGITS:
        raise NotFoundError("There is no such record.")
    record, text = await call.house.consents.record(int(number))
    may_reveal = call.may(Act.REVEAL)
    if may_reveal:
        _log.info("event.revealed", outcome="shown", event_id=record.event_id, action=call.by)
    return consent_detail_document(record, text, may_reveal=may_reveal)


async def show_consent_overview(call: Call[Nothing, Nothing]) -> ConsentOverviewDocument:
    """What the bot asks for, how many people stand where, and the texts that would be shown now."""
    return consent_overview_document(await call.house.consents.overview())


async def verify_consents(call: Call[Nothing, Nothing]) -> ConsentProofDocument:
    """Read the whole register and prove it, or name the first line that does not fit."""
    return consent_proof_document(await call.house.consents.verify())


async def list_consent_texts(call: Call[Listing, Nothing]) -> Items[ConsentTextDocument]:
    """Every version that was ever shown or written, by purpose and language, the newest first."""
    overview = await call.house.consents.overview()
    page = cut_page(overview.versions, limit=call.query.limit, cursor=call.query.cursor)
    return page_of(page, consent_text_document)


async def write_consent_text(call: Call[Nothing, TextBody]) -> ConsentText:
    """The salon's own words from now on, as a new version."""
    body = call.body
    return await call.house.consents.write_text(body.purpose, body.locale, body.text, by=call.by)


def _written(_call: Call[Nothing, TextBody], text: ConsentText) -> ConsentTextDocument:
    return consent_text_document(text)


async def change_consent_rule(call: Call[Nothing, RuleBody]) -> ConsentRule:
    """What the bot asks for from now on."""
    body = call.body
    return await call.house.consents.change_rule(
        asks_processing=body.asks_processing,
        advertises=body.advertises,
        passes_on_to=body.passes_on_to,
        by=call.by,
    )


def _changed(_call: Call[Nothing, RuleBody], rule: ConsentRule) -> ConsentRuleDocument:
    return consent_rule_document(rule)


ENDPOINTS = (
    reads("/consents", list_consents),
    reads("/consents/overview", show_consent_overview),
    reads("/consents/texts", list_consent_texts),
    reads("/consents/verify", verify_consents),
    reads("/consents/{number}", show_consent),
    writes("/consents/texts", write_consent_text, _written, act=Act.PRIVACY, status=201),
    writes("/consents/rule", change_consent_rule, _changed, act=Act.PRIVACY),
)
