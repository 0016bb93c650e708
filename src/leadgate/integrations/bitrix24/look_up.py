"""After an unknown outcome: is it there? Reads only.

A lead is found by its exact origin id, an entry of the timeline by the id in its text, an update by what the
lead has now.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from leadgate.errors import ServiceUnavailableError
from leadgate.integrations.bitrix24.batch import BatchAnswer, Command
from leadgate.integrations.bitrix24.client import PortalClient
from leadgate.integrations.bitrix24.corrections import correction
from leadgate.integrations.bitrix24.entries import Place, find_entries
from leadgate.integrations.bitrix24.errors import Failure, unclear
from leadgate.integrations.bitrix24.fields import ENTITY_TYPE, ORIGINATOR, person_keys
from leadgate.integrations.bitrix24.plan import lead_words
from leadgate.integrations.bitrix24.reads import Picture, PortalFacts, look
from leadgate.integrations.bitrix24.shapes import as_id, as_mapping, as_rows, as_text
from leadgate.integrations.bitrix24.standing import Reachable, Standing
from leadgate.model.leads import AddTimelineEntry, CreateLead, CrmCommand, CrmEntity, LeadRef, UpdateLead
from leadgate.model.outcomes import Delivered, NotExecuted, Outcome, RetryLater, Scope

_PAGE = 50
_MAX_PAGES = 200
_DENIED = "bitrix24.ACCESS_DENIED"

Found = Mapping[str, tuple[LeadRef, ...]]


async def find_leads(client: PortalClient, origin_ids: Sequence[str]) -> Found | Failure:
    """Leads and deals by exact origin id; an absent or empty id has none.

    An empty id is never asked for: the filter would match every record without one. A right that is missing
    for one of the two kinds means that we never made one of that kind; missing for both, the question has no
    answer.
    """
    wanted = sorted({origin_id for origin_id in origin_ids if origin_id})
    found: dict[str, tuple[LeadRef, ...]] = dict.fromkeys(origin_ids, ())
    for start in range(0, len(wanted), _PAGE):
        page = await _find_page(client, wanted[start : start + _PAGE])
        if isinstance(page, Failure):
            return page
        found.update(page)
    return found


async def find_origins(client: PortalClient, origin_ids: Sequence[str]) -> Found:
    """As `find_leads`.

    Raises:
        ServiceUnavailableError: the portal could not be asked.
    """
    found = await find_leads(client, origin_ids)
    if isinstance(found, Failure):
        raise ServiceUnavailableError(
            "Bitrix24 could not be asked for its leads.",
            code=found.code,
            hint="Check the connection and try again.",
        )
    return found


async def look_up(client: PortalClient, commands: Sequence[CrmCommand], facts: PortalFacts | None) -> list[Outcome]:
    """Delivered, NotExecuted or RetryLater for each command."""
    origins = [command.origin_id for command in commands if isinstance(command, CreateLead)]
    found = await find_leads(client, origins) if origins else {}
    if isinstance(found, Failure):
        return [found.outcome(wrote=False)] * len(commands)
    leads = {command.lead_id: found[command.origin_id] for command in commands if isinstance(command, CreateLead)}
    entries = await find_entries(client, _places(commands, leads))
    return [await _outcome(client, command, leads=leads, entries=entries, facts=facts) for command in commands]


async def _outcome(
    client: PortalClient,
    command: CrmCommand,
    *,
    leads: Found,
    entries: Mapping[Place, Outcome],
    facts: PortalFacts | None,
) -> Outcome:
    refs = _refs(command, leads)
    if refs is None:
        return RetryLater("bitrix24.lead_not_known", Scope.ITEM)
    if isinstance(command, CreateLead):
        return Delivered(lead_words(refs[0].entity, refs[0].crm_id)) if refs else NotExecuted()
    for ref in refs:
        if isinstance(command, AddTimelineEntry):
            outcome = entries[ref, command.entry_id]
        elif isinstance(command, UpdateLead):  # orders to destroy are looked up by `erase`
            outcome = await _find_update(client, ref, command, facts=facts)
        else:
            continue
        if not isinstance(outcome, NotExecuted):
            return outcome
    return NotExecuted()


def _refs(command: CrmCommand, leads: Found) -> tuple[LeadRef, ...] | None:
    """Where the lead of this command stands (several places when it was doubled), or None when nobody knows."""
    if isinstance(command, CreateLead) or command.ref is None:
        return leads.get(command.lead_id)
    return (command.ref,)


def _places(commands: Sequence[CrmCommand], leads: Found) -> list[Place]:
    return [
        (ref, command.entry_id)
        for command in commands
        if isinstance(command, AddTimelineEntry)
        for ref in _refs(command, leads) or ()
    ]


async def _find_page(client: PortalClient, origin_ids: Sequence[str]) -> Found | Failure:
    """Rows are compared again: a filter that a portal passes over would return any lead."""
    found: dict[str, tuple[LeadRef, ...]] = dict.fromkeys(origin_ids, ())
    starts = dict.fromkeys(CrmEntity, 0)
    for _ in range(_MAX_PAGES):
        asked = [_list_leads(entity, origin_ids, start) for entity, start in starts.items()]
        answer = await client.batch(asked, halt=False)
        failure = answer if isinstance(answer, Failure) else unanswered(answer)
        if isinstance(answer, Failure) or failure is not None:
            return failure or unclear("answer_unreadable")
        for entity in list(starts):
            _take_rows(found, entity, answer.values[entity.value])
            if entity.value in answer.nexts:
                starts[entity] = answer.nexts[entity.value]
            else:
                del starts[entity]
        if not starts:
            break
    return found


def _list_leads(entity: CrmEntity, origin_ids: Sequence[str], start: int) -> Command:
    params = {
        "entityTypeId": ENTITY_TYPE[entity],
        "select": ["id", "originId", "originatorId"],
        "filter": {"originatorId": ORIGINATOR, "@originId": list(origin_ids)},
        "order": {"id": "ASC"},
        "start": start,
    }
    return Command(entity.value, "crm.item.list", params)


def unanswered(answer: BatchAnswer) -> Failure | None:
    """Why the question has no answer, or None when it has one."""
    values = list(answer.values.values())
    failures = [value for value in values if isinstance(value, Failure)]
    grave = next((failure for failure in failures if failure.code != _DENIED), None)
    if grave is not None:
        return grave
    if failures and len(failures) == len(values):
        return failures[0]
    readable = all(isinstance(v, Failure) or isinstance(as_mapping(v).get("items"), list) for v in values)
    return None if readable else unclear("answer_unreadable")


def _take_rows(found: dict[str, tuple[LeadRef, ...]], entity: CrmEntity, value: object) -> None:
    for row in as_rows(as_mapping(value).get("items")):
        origin, crm_id = as_text(row.get("originId")), as_id(row.get("id"))
        if origin in found and crm_id is not None and row.get("originatorId") == ORIGINATOR:
            found[origin] = (*found[origin], LeadRef(entity, crm_id))


async def _find_update(
    client: PortalClient, ref: LeadRef, command: UpdateLead, *, facts: PortalFacts | None
) -> Outcome:
    """Delivered when the lead has all parts and its contact; less may be sent again, nothing doubles."""
    probe = replace(command, ref=ref)
    picture = await look(client, [probe], facts)
    if isinstance(picture, Failure):
        return picture.outcome(wrote=False)
    standing = picture.standings.get(ref)
    if standing is None or not (_is_corrected(standing, command) or _has_all(standing, command, picture)):
        return NotExecuted()
    return Delivered(lead_words(ref.entity, ref.crm_id))


def _is_corrected(standing: Standing, command: UpdateLead) -> bool:
    """True when a correction would change nothing any more; False for everything that is none."""
    if command.instead_of is None or standing.written is None:
        return False
    wrong, right, is_lead = command.instead_of, command.person, standing.entity is CrmEntity.LEAD
    people = [] if command.keeps_contacts else standing.people.values()
    return not correction(standing.written, wrong=wrong, right=right, has_own_person=is_lead) and not any(
        correction(written, wrong=wrong, right=right, adds=place == 0 and not is_lead)
        for place, written in enumerate(people)
    )


def _has_all(standing: Standing, command: UpdateLead, picture: Picture) -> bool:
    if command.instead_of is not None:
        return False
    is_lead, keys = standing.entity is CrmEntity.LEAD, person_keys(command.for_contact)
    own, person = (standing.own, command.person) if is_lead else (standing.primary or Reachable(), command.for_contact)
    known = [picture.contacts[key] for key in keys if key in picture.contacts]
    is_linked = not keys or any(contact in standing.contacts for contact in known)
    return is_linked and not own.missing(person)
