"""Destroying what stands in the portal of an erased person: look, make blank, delete where the access may.

Blank first, because a portal keeps what is deleted in its recycle bin for a while, and because an access with the least rights
may change its own leads and not delete them. Every step may be repeated.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from leadgate.integrations.bitrix24.batch import MAX_COMMANDS, NOT_RUN, BatchAnswer, Command
from leadgate.integrations.bitrix24.client import PortalClient
from leadgate.integrations.bitrix24.entries import find_entries
from leadgate.integrations.bitrix24.errors import GONE_CODES, Failure, Meaning, unclear
from leadgate.integrations.bitrix24.fields import CONTACT_TYPE, ENTITY_TYPE, ORIGINATOR
from leadgate.integrations.bitrix24.shapes import as_id, as_mapping, as_rows, as_text, ids_of
from leadgate.model.leads import CrmEntity, EraseLead, LeadRef
from leadgate.model.outcomes import Delivered, NotExecuted, Outcome, RetryLater
from leadgate.ports.crm import BeforeCall

TITLE = "Удалено по запросу"
_NAMES = ("name", "secondName", "lastName", "post", "address")
_TEXTS = ("comments", "sourceDescription", "utmSource", "utmMedium", "utmCampaign", "utmContent", "utmTerm")
_TYPES = {ENTITY_TYPE[entity]: entity.value for entity in CrmEntity} | {CONTACT_TYPE: "contact"}
_ORIGINS_AT_ONCE = 50
_DENIED = "bitrix24.ACCESS_DENIED"
DELETED, BLANK, KEPT = "deleted", "blank", "kept"

Row = Mapping[str, object]
Thing = tuple[int, int]
"""Type of a record and its number."""


@dataclass(slots=True)
class Remains:
    """What stands in the portal of one lead's person.

    Attributes:
        rows: leads, deals and contacts that are to go.
        kept: contacts that are the salon's own, or on which other things hang: not ours to destroy.
        comments: our entries in the timelines, by number.
    """

    rows: dict[Thing, Row] = field(default_factory=dict)
    kept: list[Thing] = field(default_factory=list)
    comments: list[int] = field(default_factory=list)

    @property
    def is_blank(self) -> bool:
        """Nothing that says anything about anybody is left."""
        return not self.comments and not any(_blanks(thing, row) for thing, row in self.rows.items())


async def erase(client: PortalClient, command: EraseLead, before_call: BeforeCall) -> Outcome:
    """Carry one order out.

    Raises:
        LeaseLostError: from `before_call`; nothing further was sent.
    """
    remains = await look(client, command)
    if isinstance(remains, RetryLater):
        return remains
    failure = await _make_blank(client, remains, before_call)
    if failure is not None:
        return failure.outcome(wrote=True)
    if not remains.rows:
        return Delivered(_words(command, remains, set()))
    gone = await _delete(client, remains, before_call)
    return gone.outcome(wrote=True) if isinstance(gone, Failure) else Delivered(_words(command, remains, gone))


async def look_up(client: PortalClient, command: EraseLead) -> Outcome:
    """Done when nothing is left, or nothing but blank records: deleting those besides is tried with the order alone."""
    remains = await look(client, command)
    if isinstance(remains, RetryLater):
        return remains
    return Delivered(_words(command, remains, set())) if remains.is_blank else NotExecuted()


async def look(client: PortalClient, command: EraseLead) -> Remains | RetryLater:
    """Read what there is; RetryLater when the portal cannot be asked."""
    found = await _look(client, command)
    if isinstance(found, Failure):
        outcome = found.outcome(wrote=False)
        return outcome if isinstance(outcome, RetryLater) else found.not_tried()
    return found


async def _look(client: PortalClient, command: EraseLead) -> Remains | Failure | RetryLater:
    asked = list(_questions(command))
    answer = await client.batch(asked, halt=False)
    if isinstance(answer, Failure):
        return answer
    rows: dict[Thing, Row] = {}
    for question in asked:
        page = _rows_of(question, answer)
        if isinstance(page, Failure):
            return page
        rows |= page
    items = {thing: row for thing, row in rows.items() if thing[0] != CONTACT_TYPE and _is_of_lead(thing, row, command)}
    linked = {contact for row in items.values() for contact in _contacts_of(row)}
    made = {thing[1] for thing, row in rows.items() if thing[0] == CONTACT_TYPE and _is_ours(row, command)}
    remains = Remains(rows=dict(items))
    failure = await _sort_contacts(client, command, sorted(linked | made), remains)
    if failure is not None:
        return failure
    return await _find_comments(client, command, remains)


def _questions(command: EraseLead) -> Iterator[Command]:
    """The lead under its handle and its number, and the contacts that were made for it."""
    for entity, type_id in ENTITY_TYPE.items():
        yield _list(f"o{entity.value}", type_id, {"originatorId": ORIGINATOR, "@originId": [command.origin_id]})
    if command.ref is not None:
        yield _list("ref", ENTITY_TYPE[command.ref.entity], {"@id": [command.ref.crm_id]})
    origins = [command.origin_id, *(f"{command.origin_id}:{entry_id}" for entry_id in command.entry_ids)]
    for start in range(0, len(origins), _ORIGINS_AT_ONCE):
        part = origins[start : start + _ORIGINS_AT_ONCE]
        yield _list(f"c{start}", CONTACT_TYPE, {"originatorId": ORIGINATOR, "@originId": part})


async def _sort_contacts(
    client: PortalClient, command: EraseLead, contacts: Sequence[int], remains: Remains
) -> Failure | None:
    """A contact goes when it is ours and every lead and deal on it is the person's."""
    if not contacts:
        return None
    asked = [_list("contacts", CONTACT_TYPE, {"@id": list(contacts)})]
    asked += [
        _list(f"{letter}{contact}", type_id, {"contactId": contact})
        for contact in contacts
        for letter, type_id in (("l", ENTITY_TYPE[CrmEntity.LEAD]), ("d", ENTITY_TYPE[CrmEntity.DEAL]))
    ]
    hanging: dict[int, dict[Thing, Row]] = {contact: {} for contact in contacts}
    cards: dict[Thing, Row] = {}
    for start in range(0, len(asked), MAX_COMMANDS):
        part = asked[start : start + MAX_COMMANDS]
        answer = await client.batch(part, halt=False)
        if isinstance(answer, Failure):
            return answer
        for question in part:
            page = _rows_of(question, answer)
            if isinstance(page, Failure):
                return page
            if question.key == "contacts":
                cards = page
            else:
                hanging[int(question.key[1:])] |= page
    for thing, row in cards.items():
        on_it = hanging.get(thing[1], {})
        if _is_ours(row, command) and all(_is_sibling(other, command) for other in on_it.values()):
            remains.rows[thing] = row
        else:
            remains.kept.append(thing)
    return None


async def _find_comments(client: PortalClient, command: EraseLead, remains: Remains) -> Remains | RetryLater:
    entities = {ENTITY_TYPE[entity]: entity for entity in CrmEntity}
    places = [
        (LeadRef(entities[type_id], number), entry_id)
        for type_id, number in remains.rows
        if type_id in entities
        for entry_id in command.entry_ids
    ]
    for outcome in (await find_entries(client, places)).values() if places else ():
        if isinstance(outcome, RetryLater):
            return outcome
        if isinstance(outcome, Delivered):
            remains.comments.append(int((outcome.external_id or "").rpartition(":")[2]))
    return remains


async def _make_blank(client: PortalClient, remains: Remains, before_call: BeforeCall) -> Failure | None:
    """Take our entries away and empty the fields; None when all of it stands."""
    writes = [
        Command(f"t{number}", "crm.timeline.comment.delete", {"id": number}) for number in sorted(set(remains.comments))
    ]
    for (type_id, number), row in remains.rows.items():
        if fields := _blanks((type_id, number), row):
            params = {"entityTypeId": type_id, "id": number, "fields": fields}
            writes.append(Command(f"b{type_id}x{number}", "crm.item.update", params))
    for start in range(0, len(writes), MAX_COMMANDS):
        part = writes[start : start + MAX_COMMANDS]
        answer = await client.batch(part, halt=False, before_call=before_call)
        failure = answer if isinstance(answer, Failure) else _first_failure(part, answer)
        if failure is not None:
            return failure
    return None


async def _delete(client: PortalClient, remains: Remains, before_call: BeforeCall) -> set[Thing] | Failure:
    """Delete what is blank; who may not leaves it so. What went, or why nobody knows."""
    things = {f"x{type_id}x{number}": (type_id, number) for type_id, number in remains.rows}
    asked = [
        Command(key, "crm.item.delete", {"entityTypeId": type_id, "id": number})
        for key, (type_id, number) in things.items()
    ]
    gone: set[Thing] = set()
    for start in range(0, len(asked), MAX_COMMANDS):
        part = asked[start : start + MAX_COMMANDS]
        answer = await client.batch(part, halt=False, before_call=before_call)
        if isinstance(answer, Failure):
            return answer
        for question in part:
            value = answer.values[question.key]
            if not isinstance(value, Failure) and value is not NOT_RUN:
                gone.add(things[question.key])
            elif not isinstance(value, Failure) or value.meaning is Meaning.UNKNOWN:
                return value if isinstance(value, Failure) else unclear("answer_incomplete")
            elif value.code in GONE_CODES:
                gone.add(things[question.key])
    return gone


def _blanks(thing: Thing, row: Row) -> dict[str, object]:
    """Fields that would make a record say nothing of anybody; none when it is blank."""
    fields: dict[str, object] = {name: "" for name in (*_NAMES, *_TEXTS) if as_text(row.get(name)).strip()}
    if thing[0] == CONTACT_TYPE:
        if as_text(row.get("name")) in {"", TITLE}:
            fields.pop("name", None)
        else:
            fields["name"] = TITLE  # a contact without any name is refused
    elif as_text(row.get("title")) not in {"", TITLE}:
        fields["title"] = TITLE
    entries = {str(as_id(entry.get("id"))): entry for entry in as_rows(row.get("fm")) if as_id(entry.get("id"))}
    if entries:
        # An entry that is known by its number and has no value any more is taken away.
        fields["fm"] = {
            number: {"typeId": entry.get("typeId"), "valueType": entry.get("valueType"), "value": ""}
            for number, entry in entries.items()
        }
    if row.get("birthdate"):
        fields["birthdate"] = ""
    return fields


def _words(command: EraseLead, remains: Remains, gone: set[Thing]) -> str:
    """What was done, by the portal's own numbers: `lead:101=deleted contact:30001=kept`."""
    done = {thing: DELETED if thing in gone else BLANK for thing in remains.rows}
    if command.ref is not None:
        done.setdefault((ENTITY_TYPE[command.ref.entity], command.ref.crm_id), DELETED)
    done |= dict.fromkeys(remains.kept, KEPT)
    return " ".join(f"{_TYPES[type_id]}:{number}={word}" for (type_id, number), word in sorted(done.items()))


def _list(key: str, type_id: int, wish: Mapping[str, object]) -> Command:
    """`fm` comes with `*` only."""
    params = {"entityTypeId": type_id, "select": ["*"], "filter": dict(wish), "order": {"id": "ASC"}}
    return Command(key, "crm.item.list", params)


def _rows_of(question: Command, answer: BatchAnswer) -> dict[Thing, Row] | Failure:
    """Rows by type and number. A kind of record that we may not even see holds nothing that we made."""
    value, type_id = answer.values[question.key], question.params["entityTypeId"]
    if isinstance(value, Failure):
        return {} if value.code == _DENIED and type_id == ENTITY_TYPE[CrmEntity.DEAL] else value
    found = as_mapping(value).get("items")
    if not isinstance(found, list) or not isinstance(type_id, int):
        return unclear("answer_unreadable")
    return {(type_id, number): row for row in as_rows(found) if (number := as_id(row.get("id"))) is not None}


def _is_of_lead(thing: Thing, row: Row, command: EraseLead) -> bool:
    """Compared again: a filter that a portal passes over gives anybody's. A number counts while no other handle stands there."""
    if row.get("originatorId") == ORIGINATOR and row.get("originId") == command.origin_id:
        return True
    ref = command.ref
    is_named = ref is not None and thing == (ENTITY_TYPE[ref.entity], ref.crm_id)
    return is_named and not as_text(row.get("originId"))


def _is_ours(row: Row, command: EraseLead) -> bool:
    """A contact that we made for a lead of this person."""
    origin = as_text(row.get("originId"))
    is_theirs = any(origin == one or origin.startswith(f"{one}:") for one in command.siblings)
    return row.get("originatorId") == ORIGINATOR and is_theirs


def _is_sibling(row: Row, command: EraseLead) -> bool:
    return row.get("originatorId") == ORIGINATOR and as_text(row.get("originId")) in command.siblings


def _contacts_of(row: Row) -> tuple[int, ...]:
    single = as_id(row.get("contactId"))
    return ids_of(row.get("contactIds")) or ((single,) if single else ())


def _first_failure(asked: Sequence[Command], answer: BatchAnswer) -> Failure | None:
    """The gravest: what nobody knows before what was refused; what is gone meanwhile is no failure."""
    failures = []
    for command in asked:
        value = answer.values[command.key]
        if value is NOT_RUN:
            return unclear("answer_incomplete")
        if isinstance(value, Failure) and value.code not in GONE_CODES:
            failures.append(value)
    unknown = next((failure for failure in failures if failure.meaning is Meaning.UNKNOWN), None)
    return unknown or next(iter(failures), None)
