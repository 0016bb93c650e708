"""A person on one card: masked unless it was asked for openly, with counts and what became of corrections."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from leadgate.crm.identity import Identities
from leadgate.errors import UnknownKeyError
from leadgate.model.connections import Connection
from leadgate.model.deliveries import DeliveryKind
from leadgate.model.leads import Person
from leadgate.model.subjects import (
    CORRECTION_STATES,
    BlockReason,
    ChannelOfPerson,
    Correction,
    CorrectionState,
    SubjectCard,
)
from leadgate.ports.stores import Transaction
from leadgate.ports.stores.persons import PersonsDelivery
from leadgate.rights.masks import masked

PAGE = 500
"""Rows of a person that are read at once."""


def make_card(tx: Transaction, identities: Identities, subject_id: str, *, is_open: bool) -> SubjectCard:
    """The card of the person that this subject is; `is_open` shows what is otherwise masked."""
    subject_ids = identities.everyone(tx, subject_id)
    subjects = tx.persons.all_of(subject_ids)
    profile = known_profile(tx, identities, subject_ids)
    shown = profile if is_open else masked(profile)
    channels = _channels(tx, subject_ids)
    blocked = next((one for one in subjects if one.blocked_at is not None), None)
    erased = [one.erased_at for one in subjects if one.erased_at is not None]
    return SubjectCard(
        subject_id=subject_ids[0],
        subject_ids=subject_ids,
        name=shown.name,
        phone=shown.phone,
        email=shown.email,
        username=shown.username,
        channel_user_id=shown.channel_user_id,
        identifiers=list(dict.fromkeys(one.kind for one in tx.persons.identifiers(subject_ids))),
        channels=channels,
        counts=dict(tx.persons.counts(subject_ids)),
        since=min(one.created_at for one in subjects),
        last_heard_at=max((one.heard_at for one in channels if one.heard_at is not None), default=None),
        blocked_at=None if blocked is None else blocked.blocked_at,
        block_reason=None if blocked is None else _reason(blocked.block_reason),
        erased_at=max(erased) if len(erased) == len(subjects) else None,
        corrections=corrections(tx, subject_ids),
    )


def known_profile(tx: Transaction, identities: Identities, subject_ids: Sequence[str]) -> Person:
    """What is known of the person, the subject that stands for them first; nothing of what was erased."""
    known = Person()
    for subject_id in subject_ids:
        try:
            profile = identities.profile(tx, subject_id)
        except UnknownKeyError:
            continue
        known = Person(
            name=known.name or profile.name,
            phone=known.phone or profile.phone,
            email=known.email or profile.email,
            username=known.username or profile.username,
            channel_user_id=known.channel_user_id or profile.channel_user_id,
        )
    return known


def corrections(tx: Transaction, subject_ids: Sequence[str]) -> list[Correction]:
    """Corrections on their way to the CRM or there, newest first: updates of a lead that no event brought about."""
    found = [
        one
        for one in all_deliveries(tx, subject_ids)
        if one.delivery.kind is DeliveryKind.UPDATE_LEAD and one.delivery.event_id is None
    ]
    leads = {one.lead.lead_id: one.lead for one in tx.persons.leads(subject_ids)}
    refs = {lead_id: None if lead.ref is None else str(lead.ref) for lead_id, lead in leads.items()}
    return [_correction(one, refs.get(one.delivery.lead_id or "")) for one in reversed(found)]


def all_deliveries(tx: Transaction, subject_ids: Sequence[str]) -> list[PersonsDelivery]:
    """Every delivery of the person, oldest first."""
    found: list[PersonsDelivery] = []
    after = 0
    while page := tx.persons.deliveries(subject_ids, after=after, limit=PAGE):
        after = page[-1][0]
        found += [one for _, one in page]
    return found


def name_connection(tx: Transaction) -> Callable[[str], Connection | None]:
    """Looks each connection up once, removed ones too."""
    known: dict[str, Connection | None] = {}

    def find(connection_id: str) -> Connection | None:
        if connection_id not in known:
            known[connection_id] = tx.connections.find(connection_id)
        return known[connection_id]

    return find


def _channels(tx: Transaction, subject_ids: Sequence[str]) -> list[ChannelOfPerson]:
    find = name_connection(tx)
    chats = [(chat, find(chat.connection_id)) for chat in tx.conversations.of_subjects(subject_ids)]
    return [
        ChannelOfPerson(
            kind="" if connection is None else connection.kind,
            connection_id=chat.connection_id,
            name="" if connection is None else connection.name,
            heard_at=chat.heard_at,
            is_reachable=chat.unreachable_since is None,
        )
        for chat, connection in chats
    ]


def _correction(found: PersonsDelivery, ref: str | None) -> Correction:
    delivery = found.delivery
    return Correction(
        delivery_id=delivery.delivery_id,
        crm_ref=ref,
        state=CORRECTION_STATES.get(delivery.state, CorrectionState.WAITING),
        created_at=delivery.created_at,
        done_at=found.done_at,
        error_code=found.error_code,
    )


def _reason(word: str | None) -> BlockReason:
    return BlockReason(word) if word in set(BlockReason) else BlockReason.OTHER
