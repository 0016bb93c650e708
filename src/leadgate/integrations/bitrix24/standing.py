"""What already stands in the CRM: one lead, deal or contact as far as our commands must know it. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from leadgate.integrations.bitrix24.corrections import Written, read_written
from leadgate.integrations.bitrix24.fields import Id, digits_of, email_entry, phone_entry, short_name
from leadgate.integrations.bitrix24.shapes import as_id, as_rows, as_text, ids_of
from leadgate.model.leads import CrmEntity, Person

_CLOSED_STAGES = frozenset({"CONVERTED", "JUNK", "WON", "LOSE"})  # for answers without the semantics of the stage


@dataclass(frozen=True, slots=True)
class Reachable:
    """Name, phones (digits) and e-mails (lower case) that a record has."""

    name: str = ""
    phones: frozenset[str] = frozenset()
    emails: frozenset[str] = frozenset()

    def missing(self, person: Person) -> dict[str, object]:
        """Fields that would add what the record does not have yet; empty when it has everything."""
        entries = []
        if person.phone and digits_of(person.phone) not in self.phones:
            entries.append(phone_entry(person.phone))
        if person.email and person.email.strip().casefold() not in self.emails:
            entries.append(email_entry(person.email))
        fields: dict[str, object] = {"fm": entries} if entries else {}
        if not self.name and short_name(person):
            fields["name"] = short_name(person)
        return fields

    def with_person(self, person: Person) -> Reachable:
        """The record after `missing` was added."""
        phones = {digits_of(person.phone)} if person.phone else set()
        emails = {person.email.strip().casefold()} if person.email else set()
        return Reachable(self.name or short_name(person), self.phones | phones, self.emails | emails)


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """A lead or deal.

    Attributes:
        item_id: a reference while its creation stands in the same batch.
        own: what the lead itself has; a deal has nothing of its own.
        primary: what the first contact has; None when that is not known.
        written: what it says of its person, for a correction; None while its creation stands in the same batch.
        people: likewise of the contacts, by number.
    """

    entity: CrmEntity
    item_id: Id
    is_closed: bool = False
    own: Reachable = Reachable()
    contacts: tuple[Id, ...] = ()
    primary: Reachable | None = None
    written: Written | None = None
    people: Mapping[int, Written] = field(default_factory=dict)

    def with_contact(self, contact: Id) -> Standing:
        """The same record, linked to one contact more."""
        return replace(self, contacts=(*self.contacts, contact))


def read_standing(entity: CrmEntity, row: Mapping[str, object]) -> Standing | None:
    """A row of `crm.item.list`, or None when it has no id."""
    item_id = as_id(row.get("id"))
    if item_id is None:
        return None
    contacts = ids_of(row.get("contactIds"))
    single = as_id(row.get("contactId"))
    return Standing(
        entity=entity,
        item_id=item_id,
        is_closed=is_closed(row),
        own=read_reachable(row) if entity is CrmEntity.LEAD else Reachable(),
        contacts=contacts or ((single,) if single else ()),
        written=read_written(row),
    )


def is_closed(row: Mapping[str, object]) -> bool:
    """True when the stage is final (success or failure); a converted lead stands in such a stage."""
    semantics = as_text(row.get("stageSemanticId"))
    if semantics:
        return semantics in {"S", "F"}
    if row.get("closed") in {"Y", True}:
        return True
    return as_text(row.get("stageId")).rpartition(":")[2] in _CLOSED_STAGES


def read_reachable(row: Mapping[str, object]) -> Reachable:
    """Name, phones and e-mails of a row that was selected with `*`."""
    entries = [(as_text(entry.get("typeId")), as_text(entry.get("value"))) for entry in as_rows(row.get("fm"))]
    return Reachable(
        name=as_text(row.get("name")),
        phones=frozenset(digits_of(value) for kind, value in entries if kind == "PHONE"),
        emails=frozenset(value.strip().casefold() for kind, value in entries if kind == "EMAIL"),
    )
