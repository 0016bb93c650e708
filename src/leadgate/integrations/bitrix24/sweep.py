"""The sweep: everything in the portal that bears our mark, page by page. Reads only.

Facts (`huge-data.md`, `list-methods-pecularities.md`): a page has 50 rows; with `start=-1` nothing is counted, and the next page
is asked for by `>id`. One request asks for a page of leads and a page of deals at once.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Final

from leadgate.errors import ServiceUnavailableError
from leadgate.integrations.bitrix24.batch import BatchAnswer, Command
from leadgate.integrations.bitrix24.client import PortalClient
from leadgate.integrations.bitrix24.errors import Failure, unclear
from leadgate.integrations.bitrix24.fields import ENTITY_TYPE, ORIGINATOR
from leadgate.integrations.bitrix24.look_up import unanswered
from leadgate.integrations.bitrix24.shapes import as_id, as_mapping, as_rows, as_text
from leadgate.integrations.bitrix24.standing import is_closed
from leadgate.model.leads import CrmEntity, LeadRef, SweptLead

PAGE_SIZE: Final = 50
MARGIN: Final = timedelta(hours=24)
"""A portal may pass over the offset of a time in a filter (b24-rest-docs issue 215): a day covers every zone."""

_SELECT = ("id", "originId", "originatorId", "stageId", "stageSemanticId", "createdTime")


async def sweep(client: PortalClient, since: datetime | None) -> AsyncIterator[Sequence[SweptLead]]:
    """Pages of leads and deals with our mark, made or changed since then (and up to a day before).

    Raises:
        ServiceUnavailableError: the portal could not be asked, or its answer cannot be read.
    """
    after = dict.fromkeys(CrmEntity, 0)
    while after:
        answer = await _ask(client, after, since)
        page: list[SweptLead] = []
        for entity, last_id in list(after.items()):
            rows = as_rows(as_mapping(answer.values[entity.value]).get("items"))
            page += [lead for row in rows if (lead := _read(entity, row)) is not None]
            ids = [number for row in rows if (number := as_id(row.get("id"))) is not None]
            if len(rows) < PAGE_SIZE:
                del after[entity]
            elif ids and min(ids) > last_id:
                after[entity] = max(ids)
            else:  # the portal passed over the filter: asking on would never end
                raise _unavailable(unclear("answer_unreadable"))
        yield page


async def _ask(client: PortalClient, after: Mapping[CrmEntity, int], since: datetime | None) -> BatchAnswer:
    answer = await client.batch([_list(entity, last_id, since) for entity, last_id in after.items()], halt=False)
    failure = answer if isinstance(answer, Failure) else unanswered(answer)
    if isinstance(answer, Failure) or failure is not None:
        raise _unavailable(failure or unclear("answer_unreadable"))
    return answer


def _list(entity: CrmEntity, last_id: int, since: datetime | None) -> Command:
    wish: dict[str, object] = {"=%originatorId": f"{ORIGINATOR}%", ">id": last_id}
    if since is not None:
        wish[">=updatedTime"] = (since.astimezone(UTC) - MARGIN).isoformat(timespec="seconds")
    params = {
        "entityTypeId": ENTITY_TYPE[entity],
        "select": list(_SELECT),
        "filter": wish,
        "order": {"id": "ASC"},
        "start": -1,
    }
    return Command(entity.value, "crm.item.list", params)


def _read(entity: CrmEntity, row: Mapping[str, object]) -> SweptLead | None:
    """A row is compared again: a filter that a portal passes over would make every lead one of ours."""
    crm_id = as_id(row.get("id"))
    if crm_id is None or not as_text(row.get("originatorId")).startswith(ORIGINATOR):
        return None
    return SweptLead(
        ref=LeadRef(entity, crm_id),
        origin_id=as_text(row.get("originId")),
        is_closed=is_closed(row),
        created_at=_moment(as_text(row.get("createdTime"))),
    )


def _moment(text: str) -> datetime | None:
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        return None
    return at if at.tzinfo else None


def _unavailable(failure: Failure) -> ServiceUnavailableError:
    return ServiceUnavailableError(
        "Bitrix24 could not be asked for its leads.", code=failure.code, hint="Check the connection and try again."
    )
