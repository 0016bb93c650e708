"""Correcting what is held of a person: profile, identifiers, what the dialogue remembers, what waits to go out, and the CRM."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from leadgate.crm.identity import Identities
from leadgate.delivery.payloads import HOMELESS_LANE, Outbox, Payload, crm_lane
from leadgate.errors import ConfigurationError, ConflictError, UnknownKeyError
from leadgate.model.deliveries import OPEN_STATES, DeliveryState
from leadgate.model.leads import AddTimelineEntry, CreateLead, LeadState, Person, UpdateLead
from leadgate.model.subjects import Corrected, NewValues
from leadgate.ports.stores import Transaction
from leadgate.ports.stores.persons import PersonsLead
from leadgate.rights.blocking import lock_person
from leadgate.rights.card import all_deliveries, known_profile
from leadgate.rights.reader import Reader
from leadgate.vault.envelope import Vault

FIELDS = ("name", "phone", "email")
_CHANGEABLE = (*OPEN_STATES, DeliveryState.DEAD)


class Corrections:
    """Corrects one person inside one transaction."""

    def __init__(self, vault: Vault, identities: Identities, outbox: Outbox, reader: Reader) -> None:
        """Seal with this vault and enqueue the orders to the CRM with `outbox`."""
        self._vault = vault
        self._identities = identities
        self._outbox = outbox
        self._reader = reader

    def correct(self, tx: Transaction, subject_id: str, values: NewValues, *, at: datetime) -> Corrected:
        """Put the right values in the place of those on the person's card, everywhere we hold them, and order it in the CRM.

        Where another channel of the person tells something else than the card, that stays: it was not what was corrected.

        Raises:
            ConfigurationError: nothing is to be changed (`subject.nothing_to_correct`).
            ConflictError: the person was erased (`subject.erased`).
        """
        everyone = lock_person(tx, subject_id)
        before = known_profile(tx, self._identities, everyone)
        right = {
            name: value for name in FIELDS if (value := getattr(values, name)) not in {None, getattr(before, name)}
        }
        if not right:
            raise ConfigurationError(
                "Nothing would change: give a name, a phone or an e-mail that is not known yet.",
                code="subject.nothing_to_correct",
            )
        wrong = Person(**{name: getattr(before, name) for name in right})
        # Before the marks move: whose the old phone is says whose the contact in the CRM is.
        is_shared = self.is_shared(tx, everyone, before)
        if not self._correct_profiles(tx, everyone, wrong, Person(**right)):
            raise ConflictError("This person was erased: nothing is left to correct.", code="subject.erased")
        self._move_marks(tx, everyone, wrong, Person(**right), at=at)
        self._correct_chats(tx, everyone, wrong, Person(**right))
        self._correct_waiting(tx, everyone, wrong, Person(**right))
        orders = [
            self._order(tx, lead, wrong, Person(**right), keeps_contacts=is_shared, at=at)
            for lead in tx.persons.leads(everyone)
            if lead.lead.state is not LeadState.REFUSED
        ]
        return Corrected(subject_id=everyone[0], fields=sorted(right), orders=orders)

    def is_shared(self, tx: Transaction, subject_ids: Sequence[str], person: Person) -> bool:
        """True when the phone or e-mail of the person is how we know somebody else: what hangs on it is not theirs alone."""
        owners = (
            tx.subjects.find_by(kind, self._vault.index(tx.workspace_id, kind, value)) for kind, value in _marks(person)
        )
        return any(owner is not None and owner not in subject_ids for owner in owners)

    def _correct_profiles(self, tx: Transaction, subject_ids: Sequence[str], wrong: Person, right: Person) -> bool:
        """Every profile that says the wrong thing; the one that stands for the person says the right thing in any case."""
        is_first = True
        for subject_id in subject_ids:
            try:
                profile = self._identities.profile(tx, subject_id)
            except UnknownKeyError:
                continue
            changed = _corrected(profile, wrong, right)
            if is_first:
                told = {name: value for name in FIELDS if (value := getattr(right, name)) is not None}
                changed, is_first = replace(changed, **told), False
            if changed != profile:
                self._identities.keep_profile(tx, subject_id, changed)
        return not is_first

    def _move_marks(
        self, tx: Transaction, subject_ids: Sequence[str], wrong: Person, right: Person, *, at: datetime
    ) -> None:
        """They are found by what is right, and no longer by what is wrong; what belongs to somebody else stays theirs."""
        for kind, value in _marks(wrong):
            if getattr(right, kind) is not None:
                tx.persons.drop_identifier(subject_ids, kind, self._vault.index(tx.workspace_id, kind, value))
        for kind, value in _marks(right):
            index = self._vault.index(tx.workspace_id, kind, value)
            tx.subjects.add_identifier(subject_ids[0], kind, index, at=at)

    def _correct_chats(self, tx: Transaction, subject_ids: Sequence[str], wrong: Person, right: Person) -> None:
        for stored in tx.conversations.of_subjects(subject_ids):
            try:
                state = self._reader.chat(tx, stored).state
            except UnknownKeyError:
                continue
            person = _corrected(Person(name=state.name, phone=state.phone), wrong, right)
            changed = replace(state, name=person.name, phone=person.phone)
            if changed != state:
                self._reader.correct_chat(tx, stored, changed)

    def _correct_waiting(self, tx: Transaction, subject_ids: Sequence[str], wrong: Person, right: Person) -> None:
        """What has not gone yet goes with the right values; a call that is under way has the old ones, and the order follows it."""
        for found in all_deliveries(tx, subject_ids):
            if found.delivery.state not in _CHANGEABLE:
                continue
            try:
                payload = self._reader.payload(tx, found.delivery)
            except UnknownKeyError:
                continue
            changed = _corrected_payload(payload, wrong, right)
            if changed != payload:
                self._outbox.rewrite(tx, found.delivery, changed)

    def _order(
        self, tx: Transaction, found: PersonsLead, wrong: Person, right: Person, *, keeps_contacts: bool, at: datetime
    ) -> str:
        lead = found.lead
        crm = lead.crm_connection_id
        command = UpdateLead(
            lead_id=lead.lead_id,
            origin_id=lead.origin_id,
            person=right,
            ref=lead.ref,
            instead_of=wrong,
            keeps_contacts=keeps_contacts,
        )
        return self._outbox.enqueue(
            tx,
            command,
            lane=HOMELESS_LANE if crm is None else crm_lane(crm),
            connection_id=crm or "",
            subject_id=lead.subject_id,
            event_id=None,
            lead_id=lead.lead_id,
            at=at,
        )


def _marks(person: Person) -> list[tuple[str, str]]:
    """As `crm.identity` keeps them."""
    values = (("phone", person.phone), ("email", person.email.casefold() if person.email else None))
    return [(kind, value) for kind, value in values if value]


def _corrected(person: Person, wrong: Person, right: Person) -> Person:
    """What says the wrong thing says the right one."""
    changed = {
        name: getattr(right, name)
        for name in FIELDS
        if getattr(right, name) is not None
        and getattr(person, name) is not None
        and getattr(person, name) == getattr(wrong, name)
    }
    return replace(person, **changed)


def _corrected_payload(payload: Payload, wrong: Person, right: Person) -> Payload:
    if isinstance(payload, CreateLead):
        title = payload.title
        if wrong.name and right.name:
            title = title.replace(wrong.name, right.name)
        return replace(payload, person=_corrected(payload.person, wrong, right), title=title)
    if isinstance(payload, UpdateLead):
        return replace(payload, person=_corrected(payload.person, wrong, right))
    if isinstance(payload, AddTimelineEntry) and right.name and payload.author == wrong.name:
        return replace(payload, author=right.name)
    return payload
