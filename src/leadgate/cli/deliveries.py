"""`leadgate deliveries …`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from leadgate.cli.options import BY_COMMAND, FIRST_PAGE, NO_OPTIONS, Common, Paging, with_app
from leadgate.cli.output import print_fields, print_json, print_lines, print_page, print_table, short_time
from leadgate.errors import ConfigurationError
from leadgate.model.deliveries import DeliveryState
from leadgate.model.views import DeliveryRow, Page
from leadgate.web.api.documents.deliveries import (
    DeliveryStateDocument,
    RetriedDocument,
    dead_cause_document,
    delivery_detail_document,
    delivery_document,
)

if TYPE_CHECKING:
    from leadgate.app import App

DeliveryId = Annotated[str, Parameter(help="Id of the delivery, dlv_….")]


def list_all(
    *,
    state: Annotated[DeliveryState | None, Parameter(help="Only deliveries in this state, for instance dead.")] = None,
    connection: Annotated[str | None, Parameter(help="Only deliveries to this connection.")] = None,
    paging: Paging = FIRST_PAGE,
    common: Common = NO_OPTIONS,
) -> int:
    """List deliveries, newest first.

    Example: leadgate deliveries list --state dead
    """

    async def work(app: App) -> Page[DeliveryRow]:
        states = () if state is None else (state,)
        return await app.desk.deliveries(
            limit=paging.limit, cursor=paging.cursor, states=states, connection_id=connection
        )

    page = with_app(common, work)
    if common.json:
        print_page(page, delivery_document)
    else:
        print_table(
            ("id", "made (UTC)", "what", "to", "state", "tries", "next (UTC)", "result or error"),
            ((*_row(row),) for row in page.items),
            empty="Nothing to deliver here.",
            more=page.next_cursor,
        )
    return 0


def show(delivery_id: DeliveryId, /, *, common: Common = NO_OPTIONS) -> int:
    """Show one delivery with every attempt.

    Example: leadgate deliveries show dlv_01JD…
    """
    detail = with_app(common, lambda app: app.desk.delivery(delivery_id))
    document = delivery_detail_document(detail)
    if common.json:
        print_json(document)
        return 0
    print_fields(document, but={"history", "fate"})
    for attempt in detail.attempts:
        ended = f"{attempt.outcome.value} {attempt.error_code or ''}".rstrip()
        print_lines(f"{attempt.number}. {short_time(attempt.started_at)} {attempt.kind.value}: {ended}")
    if document.fate is not None:
        fate = document.fate
        print_lines(f"{short_time(fate.at)} {fate.status} {fate.error_code or ''}".rstrip())
    return 0


def retry(
    delivery_id: Annotated[str | None, Parameter(help="Id of the delivery, dlv_….")] = None,
    /,
    *,
    all_dead: Annotated[bool, Parameter(help="Send every dead letter again.", negative=())] = False,
    cause: Annotated[str | None, Parameter(help="With --all-dead: only those with this error code.")] = None,
    common: Common = NO_OPTIONS,
) -> int:
    """Send a dead letter again, or all of them, or all of one cause. A running gateway does it within seconds.

    Example: leadgate deliveries retry --all-dead
    """
    if (delivery_id is None) is not all_dead or (cause is not None and not all_dead):
        raise ConfigurationError("Name one delivery, or say --all-dead, alone or with --cause.")
    if delivery_id is None:
        count = with_app(common, lambda app: app.desk.retry_all_dead(by=BY_COMMAND, cause=cause))
    else:
        one = delivery_id
        with_app(common, lambda app: app.desk.retry(one, by=BY_COMMAND))
        count = 1
    if common.json:
        print_json(RetriedDocument(retried=count))
    else:
        print_lines(f"{count} will be sent again." if count else "There is no dead letter.")
    return 0


def causes(*, common: Common = NO_OPTIONS) -> int:
    """Count dead letters by cause, most first; with what `retry --all-dead --cause` takes.

    Example: leadgate deliveries causes
    """
    found = with_app(common, lambda app: app.desk.dead_causes())
    if common.json:
        print_page(Page(found, None), dead_cause_document)
    else:
        print_table(
            ("cause", "dead letters", "oldest (UTC)"),
            ((one.code or "(none)", str(one.count), short_time(one.since)) for one in found),
            empty="There is no dead letter.",
            more=None,
        )
    return 0


def confirm(delivery_id: DeliveryId, /, *, common: Common = NO_OPTIONS) -> int:
    """Say that a message whose answer was lost did arrive: it is done and is not sent again.

    Example: leadgate deliveries confirm dlv_01JD…
    """
    with_app(common, lambda app: app.desk.confirm(delivery_id, by=BY_COMMAND))
    if common.json:
        print_json(DeliveryStateDocument(delivery=delivery_id, state=DeliveryState.DONE))
    else:
        print_lines(f"{delivery_id} is done.")
    return 0


def discard(
    delivery_id: DeliveryId,
    /,
    *,
    reason: Annotated[str, Parameter(help="Why; stays in the history.")],
    common: Common = NO_OPTIONS,
) -> int:
    """Give a delivery up for good.

    Example: leadgate deliveries discard dlv_01JD… --reason "a test of ours"
    """
    with_app(common, lambda app: app.desk.discard(delivery_id, reason=reason, by=BY_COMMAND))
    if common.json:
        print_json(DeliveryStateDocument(delivery=delivery_id, state=DeliveryState.DISCARDED))
    else:
        print_lines(f"{delivery_id} is given up.")
    return 0


def _row(row: DeliveryRow) -> tuple[str, ...]:
    return (
        row.delivery_id,
        short_time(row.created_at),
        row.kind.value,
        row.connection_name or "(no CRM yet)",
        row.state.value,
        str(row.attempts),
        short_time(row.due_at),
        row.external_id or row.error_code or "",
    )
