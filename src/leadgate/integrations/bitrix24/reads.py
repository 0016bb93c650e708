"""The look before the write: which contacts exist, how the leads stand, the portal's mode and sources.

One batch of reads for as many commands as it holds, a second one only where a linked contact must be known.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from leadgate.integrations.bitrix24.batch import MAX_COMMANDS, NOT_RUN, BatchAnswer, Command
from leadgate.integrations.bitrix24.client import PortalClient
from leadgate.integrations.bitrix24.corrections import read_written
from leadgate.integrations.bitrix24.errors import Failure, Meaning, unclear
from leadgate.integrations.bitrix24.fields import (
    CONTACT_TYPE,
    ENTITY_TYPE,
    ORIGINATOR,
    digits_of,
    person_keys,
    phone_spellings,
)
from leadgate.integrations.bitrix24.shapes import as_id, as_mapping, as_rows, as_text, ids_of
from leadgate.integrations.bitrix24.standing import Standing, read_reachable, read_standing
from leadgate.model.leads import CreateLead, CrmCommand, CrmEntity, LeadRef, UpdateLead

_CONTACT_SELECT = ("id", "originId", "originatorId")
_PAGE = 50  # rows of a list in one answer


@dataclass(frozen=True, slots=True)
class PortalFacts:
    """What changes rarely: where leads go, and the portal's sources (code to name)."""

    entity: CrmEntity
    sources: Mapping[str, str]


@dataclass(slots=True)
class Picture:
    """What stands in the CRM, as far as the commands of one delivery need it; grows with every answer.

    Attributes:
        contacts: contact id by phone, e-mail or origin (`fields.person_keys`, `origin:…`).
        standings: leads and deals that exist; one that was asked for and is missing here was deleted.
        made: leads made in this delivery, by our `lead_id`.
    """

    facts: PortalFacts
    contacts: dict[str, int] = field(default_factory=dict)
    standings: dict[LeadRef, Standing] = field(default_factory=dict)
    made: dict[str, Standing] = field(default_factory=dict)


FACTS_COMMANDS = (
    Command("mode", "crm.settings.mode.get", {}),
    Command("sources", "crm.status.list", {"filter": {"ENTITY_ID": "SOURCE"}}),
)


async def look(client: PortalClient, commands: Sequence[CrmCommand], facts: PortalFacts | None) -> Picture | Failure:
    """Read what the commands need; `facts` None means they are read along."""
    asked = read_commands(commands, with_facts=facts is None)
    if not asked and facts is not None:
        return Picture(facts)
    answer = await client.batch(asked, halt=False)
    if isinstance(answer, Failure):
        return answer
    if failure := _first_failure(asked, answer):
        return failure.of_target()
    known = facts or read_facts(answer)
    if isinstance(known, Failure):
        return known
    picture = Picture(known, _contacts(asked, answer), _standings(answer))
    return await _look_at_contacts(client, commands, picture)


def count_readable(commands: Sequence[CrmCommand], *, with_facts: bool) -> int:
    """How many of the commands, from the first on, the first batch of reads serves; at least 1.

    It holds 50 commands, and each of its lists must fit one page.
    """
    least, most = 1, len(commands)
    while least < most:
        middle = (least + most + 1) // 2
        if _is_readable_at_once(commands[:middle], with_facts=with_facts):
            least = middle
        else:
            most = middle - 1
    return least


def _is_readable_at_once(commands: Sequence[CrmCommand], *, with_facts: bool) -> bool:
    new = sum(isinstance(command, CreateLead) for command in commands)
    is_within_pages = new <= _PAGE and len(_refs(commands)) <= _PAGE
    return is_within_pages and len(read_commands(commands, with_facts=with_facts)) <= MAX_COMMANDS


def read_commands(commands: Sequence[CrmCommand], *, with_facts: bool) -> list[Command]:
    """The first batch: a search for every phone and e-mail, and at most five lists."""
    asked = list(FACTS_COMMANDS) if with_facts else []
    for key in dict.fromkeys(key for command in commands for key in _search_keys(command)):
        asked.append(_search(f"d{len(asked)}", key))
    origins = [command.origin_id for command in commands if isinstance(command, CreateLead)]
    if origins:
        asked.append(Command("origins", "crm.item.list", _by_origin(CONTACT_TYPE, origins, _CONTACT_SELECT)))
    for entity in CrmEntity:
        ids = sorted({ref.crm_id for ref in _refs(commands) if ref.entity is entity})
        if ids:
            asked.append(Command(f"items_{entity}", "crm.item.list", _by_id(ENTITY_TYPE[entity], ids)))
    return asked


def read_facts(answer: BatchAnswer) -> PortalFacts | Failure:
    """Mode and sources; a mode that is neither 1 nor 2 is an unreadable answer."""
    mode = as_id(answer.values.get("mode"))
    if mode not in {1, 2}:
        return unclear("mode_unreadable")
    rows = as_rows(answer.values.get("sources"))
    sources = {as_text(row.get("STATUS_ID")): as_text(row.get("NAME")) for row in rows}
    return PortalFacts(CrmEntity.DEAL if mode == 2 else CrmEntity.LEAD, sources)  # noqa: PLR2004  # crm-enum-settings-mode.md


def _search_keys(command: CrmCommand) -> Sequence[str]:
    return person_keys(command.for_contact) if isinstance(command, CreateLead | UpdateLead) else ()


def _search(key: str, person_key: str) -> Command:
    kind, _, value = person_key.partition(":")
    values = phone_spellings(f"+{value}") if kind == "phone" else [value]
    params = {"entity_type": "CONTACT", "type": kind.upper(), "values": values}
    return Command(key, "crm.duplicate.findbycomm", params)


def _refs(commands: Sequence[CrmCommand]) -> set[LeadRef]:
    return {command.ref for command in commands if not isinstance(command, CreateLead) and command.ref is not None}


def _by_id(type_id: int, ids: Sequence[int]) -> dict[str, object]:
    """`fm` comes with `*` only."""
    return {"entityTypeId": type_id, "select": ["*"], "filter": {"@id": list(ids)}}


def _by_origin(type_id: int, origins: Sequence[str], select: Sequence[str]) -> dict[str, object]:
    wish = {"originatorId": ORIGINATOR, "@originId": list(origins)}
    return {"entityTypeId": type_id, "select": list(select), "filter": wish, "order": {"id": "ASC"}}


def _first_failure(asked: Sequence[Command], answer: BatchAnswer) -> Failure | None:
    """The first answer that we cannot do without.

    A refused list of sources costs only the source, a refused search only a contact that may stand there
    twice.
    """
    failures = (_failure_of(command, answer.values[command.key]) for command in asked)
    return next((failure for failure in failures if failure is not None), None)


def _failure_of(command: Command, value: object) -> Failure | None:
    if isinstance(value, Failure):
        is_needed = command.method not in {"crm.status.list", "crm.duplicate.findbycomm"}
        return value if is_needed or value.meaning is not Meaning.REFUSED else None
    return None if _is_readable(command, value) else unclear("answer_unreadable")


def _is_readable(command: Command, value: object) -> bool:
    """An unreadable list must not look like an empty one: its leads would count as deleted."""
    match command.method:
        case "crm.item.list":
            return isinstance(as_mapping(value).get("items"), list)
        case "crm.duplicate.findbycomm":
            return value == [] or isinstance(as_mapping(value).get("CONTACT"), list)
        case _:
            return value is not NOT_RUN


def _contacts(asked: Sequence[Command], answer: BatchAnswer) -> dict[str, int]:
    """The oldest contact for every key."""
    found = {}
    for command in asked:
        if command.method == "crm.duplicate.findbycomm":
            ids = ids_of(as_mapping(answer.values[command.key]).get("CONTACT"))
            if ids:
                found[_key_of(command)] = min(ids)
    for row in as_rows(as_mapping(answer.values.get("origins")).get("items")):
        contact, origin = as_id(row.get("id")), as_text(row.get("originId"))
        if contact and origin and row.get("originatorId") == ORIGINATOR:
            found.setdefault(f"origin:{origin}", contact)
    return found


def _key_of(search: Command) -> str:
    values = search.params["values"]
    first = str(values[0]) if isinstance(values, list) else ""
    return f"phone:{digits_of(first)}" if search.params["type"] == "PHONE" else f"email:{first}"


def _standings(answer: BatchAnswer) -> dict[LeadRef, Standing]:
    standings = {}
    for entity in CrmEntity:
        for row in as_rows(as_mapping(answer.values.get(f"items_{entity}")).get("items")):
            standing = read_standing(entity, row)
            if standing is not None and isinstance(standing.item_id, int):
                standings[LeadRef(entity, standing.item_id)] = standing
    return standings


async def _look_at_contacts(
    client: PortalClient, commands: Sequence[CrmCommand], picture: Picture
) -> Picture | Failure:
    """Read the first contact of every lead that is to be updated: what it has must not be added again. Of a correction all."""
    updated = {command.ref for command in commands if isinstance(command, UpdateLead) and command.ref}
    linked = {ref: picture.standings[ref].contacts for ref in updated if ref in picture.standings}
    wanted = [contacts if _corrects(ref, commands) else contacts[:1] for ref, contacts in linked.items()]
    ids = sorted({contact for contacts in wanted for contact in contacts if isinstance(contact, int)})[:_PAGE]
    if not ids:
        return picture
    command = Command("contacts", "crm.item.list", _by_id(CONTACT_TYPE, ids))
    answer = await client.batch([command], halt=False)
    failure = answer if isinstance(answer, Failure) else _first_failure([command], answer)
    if isinstance(answer, Failure) or failure is not None:
        return (failure or unclear("answer_unreadable")).of_target()
    rows = {as_id(row.get("id")): row for row in as_rows(as_mapping(answer.values["contacts"]).get("items"))}
    for ref, contacts in linked.items():
        standing = picture.standings[ref]
        if contacts and contacts[0] in rows:
            standing = replace(standing, primary=read_reachable(rows[contacts[0]]))
        people = {contact: read_written(rows[contact]) for contact in contacts if contact in rows}
        picture.standings[ref] = replace(standing, people=people)
    return picture


def _corrects(ref: LeadRef, commands: Sequence[CrmCommand]) -> bool:
    """True when one of the commands corrects this record."""
    return any(isinstance(one, UpdateLead) and one.ref == ref and one.instead_of is not None for one in commands)
