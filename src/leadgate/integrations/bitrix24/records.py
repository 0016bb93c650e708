"""What stands in the portal of a person: leads and deals, their histories, and the contacts they are linked to. Reads only.

Who of the staff made, changed or holds a record is left out: the answer goes to the client whom it is about.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Final

from leadgate.errors import ServiceUnavailableError
from leadgate.integrations.bitrix24.batch import MAX_COMMANDS, BatchAnswer, Command
from leadgate.integrations.bitrix24.client import PortalClient
from leadgate.integrations.bitrix24.errors import GONE_CODES, Failure, unclear
from leadgate.integrations.bitrix24.fields import CONTACT_TYPE, ENTITY_TYPE
from leadgate.integrations.bitrix24.shapes import as_id, as_mapping, as_rows, as_text
from leadgate.integrations.bitrix24.standing import read_standing
from leadgate.model.leads import CrmEntity, CrmEntry, CrmRecord, LeadRef

_PAGE: Final = 50
_MAX_PAGES: Final = 200
_OF_STAFF: Final = frozenset(
    {"assignedById", "createdBy", "updatedBy", "movedBy", "lastActivityBy", "observers", "companyIds"}
)
_TECHNICAL: Final = frozenset({"fm", "entityTypeId", "contactIds", "contactId", "companyId", "leadId", "opened"})
_EMPTY: Final = ("", "0")

Row = Mapping[str, object]


async def read_records(client: PortalClient, refs: Sequence[LeadRef]) -> list[CrmRecord]:
    """Leads and deals as given, then contacts; what is not there is left out.

    Raises:
        ServiceUnavailableError: the portal could not be asked, or its answer cannot be read.
    """
    rows: dict[LeadRef, Row] = {}
    for entity in CrmEntity:
        ids = sorted({ref.crm_id for ref in refs if ref.entity is entity})
        rows |= {
            LeadRef(entity, number): row for number, row in (await _list(client, ENTITY_TYPE[entity], ids)).items()
        }
    linked = _contacts_of(rows)
    contacts = await _list(client, CONTACT_TYPE, sorted(linked))
    entries = await _histories(client, [*map(_owner, rows), *(("contact", number) for number in contacts)])
    found = [_record(str(ref), row, entries[_owner(ref)]) for ref, row in rows.items()]
    return found + [
        _record(f"contact:{number}", row, entries["contact", number], linked=linked[number])
        for number, row in contacts.items()
    ]


async def _list(client: PortalClient, type_id: int, ids: Sequence[int]) -> dict[int, Row]:
    found: dict[int, Row] = {}
    for start in range(0, len(ids), _PAGE):
        wish = {"entityTypeId": type_id, "select": ["*"], "filter": {"@id": list(ids[start : start + _PAGE])}}
        answer = await _ask(client, [Command("rows", "crm.item.list", wish)])
        value = answer.values["rows"]
        if isinstance(value, Failure) or not isinstance(as_mapping(value).get("items"), list):
            raise _unavailable(value if isinstance(value, Failure) else unclear("answer_unreadable"))
        for row in as_rows(as_mapping(value).get("items")):
            number = as_id(row.get("id"))
            if number is not None and number in ids:  # a filter that a portal passes over would give us strangers
                found[number] = row
    return found


def _contacts_of(rows: Mapping[LeadRef, Row]) -> dict[int, list[str]]:
    linked: dict[int, list[str]] = {}
    for ref, row in rows.items():
        standing = read_standing(ref.entity, row)
        for contact in standing.contacts if standing is not None else ():
            if isinstance(contact, int):
                linked.setdefault(contact, []).append(str(ref))
    return linked


async def _histories(client: PortalClient, owners: Sequence[tuple[str, int]]) -> dict[tuple[str, int], list[CrmEntry]]:
    """All comments of these records, oldest first."""
    entries: dict[tuple[str, int], list[CrmEntry]] = {owner: [] for owner in owners}
    starts = dict.fromkeys(owners, 0)
    for _ in range(_MAX_PAGES):
        asked = {f"t{place}": owner for place, owner in enumerate(list(starts)[:MAX_COMMANDS])}
        if not asked:
            return entries
        answer = await _ask(client, [_comments(key, owner, starts[owner]) for key, owner in asked.items()])
        for key, owner in asked.items():
            entries[owner] += _read_comments(answer.values[key])
            if key in answer.nexts:
                starts[owner] = answer.nexts[key]
            else:
                del starts[owner]
    raise _unavailable(unclear("answer_unreadable"))


def _comments(key: str, owner: tuple[str, int], start: int) -> Command:
    kind, number = owner
    wish = {"ENTITY_ID": number, "ENTITY_TYPE": kind}
    params = {"filter": wish, "select": ["ID", "COMMENT", "CREATED"], "order": {"ID": "ASC"}, "start": start}
    return Command(key, "crm.timeline.comment.list", params)


def _read_comments(value: object) -> Iterator[CrmEntry]:
    if isinstance(value, Failure):
        if value.code in GONE_CODES:
            return
        raise _unavailable(value)
    if not isinstance(value, list):
        raise _unavailable(unclear("answer_unreadable"))
    for row in as_rows(value):
        yield CrmEntry(at=_moment(as_text(row.get("CREATED"))), text=as_text(row.get("COMMENT")))


def _record(name: str, row: Row, entries: Sequence[CrmEntry], *, linked: Sequence[str] = ()) -> CrmRecord:
    multi = [(as_text(entry.get("typeId")), as_text(entry.get("value"))) for entry in as_rows(row.get("fm"))]
    return CrmRecord(
        name=name,
        fields=dict(_fields(row)),
        phones=[value for kind, value in multi if kind == "PHONE"],
        emails=[value for kind, value in multi if kind == "EMAIL"],
        others=[value for kind, value in multi if kind not in {"PHONE", "EMAIL"}],
        entries=entries,
        linked=linked,
    )


def _fields(row: Row) -> Iterator[tuple[str, str]]:
    for name, value in row.items():
        if name in _OF_STAFF or name in _TECHNICAL:
            continue
        values = value if isinstance(value, list) else [value]
        text = ", ".join(str(one) for one in values if isinstance(one, str | int | float) and str(one) not in _EMPTY)
        if text:
            yield name, text


def _owner(ref: LeadRef) -> tuple[str, int]:
    return ref.entity.value, ref.crm_id


def _moment(text: str) -> datetime | None:
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        return None
    return found if found.tzinfo is not None else None


async def _ask(client: PortalClient, commands: Sequence[Command]) -> BatchAnswer:
    answer = await client.batch(commands, halt=False)
    if isinstance(answer, Failure):
        raise _unavailable(answer)
    return answer


def _unavailable(failure: Failure) -> ServiceUnavailableError:
    return ServiceUnavailableError(
        "Bitrix24 could not be asked for what it holds of this person.",
        code=failure.code,
        hint="Check the connection and try again.",
    )
