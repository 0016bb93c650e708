"""`leadgate events …`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from leadgate.cli.options import BY_COMMAND, FIRST_PAGE, NO_OPTIONS, Common, Paging, with_app
from leadgate.cli.output import print_fields, print_json, print_lines, print_page, print_table, short_time
from leadgate.crm.endings import tell_ending
from leadgate.intake.normalised import to_public
from leadgate.model.events import EventState
from leadgate.model.views import EventDetail, EventRow, Page
from leadgate.web.api.documents.events import EventStateDocument, event_detail_document, event_document

if TYPE_CHECKING:
    from leadgate.app import App

EventId = Annotated[str, Parameter(help="Id of the event, evt_….")]


def list_all(
    *,
    state: Annotated[EventState | None, Parameter(help="Only events in this state.")] = None,
    connection: Annotated[str | None, Parameter(help="Only events of this connection.")] = None,
    paging: Paging = FIRST_PAGE,
    common: Common = NO_OPTIONS,
) -> int:
    """List received events, newest first.

    Example: leadgate events list --state failed
    """

    async def work(app: App) -> Page[EventRow]:
        return await app.desk.events(limit=paging.limit, cursor=paging.cursor, state=state, connection_id=connection)

    page = with_app(common, work)
    if common.json:
        print_page(page, event_document)
    else:
        print_table(
            ("id", "received (UTC)", "from", "state", "lead in the CRM", "why", "until (UTC)"),
            ((*_row(row),) for row in page.items),
            empty="Nothing came yet.",
            more=page.next_cursor,
        )
    return 0


def show(event_id: EventId, /, *, common: Common = NO_OPTIONS) -> int:
    """Show one event: what it said (personal data!) and what became of it.

    Example: leadgate events show evt_01JD…
    """

    async def work(app: App) -> tuple[EventDetail, str]:
        return await app.desk.event(event_id), app.locale

    detail, locale = with_app(common, work)
    if common.json:
        print_json(event_detail_document(detail))
        return 0
    print_fields(event_document(detail.row), but={"ending"})
    print_lines(f"ending: {tell_ending(detail.row.ending, locale)}")
    for fact in detail.facts:
        print_lines("said: " + ", ".join(f"{k}={v}" for k, v in to_public(fact).items() if v is not None))
    for row in detail.deliveries:
        print_lines(f"delivery: {row.delivery_id} {row.kind.value} {row.state.value} {row.external_id or ''}".rstrip())
    return 0


def replay(event_id: EventId, /, *, common: Common = NO_OPTIONS) -> int:
    """Work again on an event that failed or was ignored. A running gateway does it; what came of it cannot double.

    Example: leadgate events replay evt_01JD…
    """
    with_app(common, lambda app: app.desk.replay(event_id, by=BY_COMMAND))
    if common.json:
        print_json(EventStateDocument(event=event_id, state=EventState.RECEIVED))
    else:
        print_lines(f"{event_id} will be worked on again.")
    return 0


def _row(row: EventRow) -> tuple[str, ...]:
    ref = row.crm_ref
    return (
        row.event_id,
        short_time(row.received_at),
        row.connection_name,
        row.ending.state.value,
        "—" if ref is None else str(ref),
        row.ending.note or row.ending.why or "",
        short_time(row.ending.until),
    )
