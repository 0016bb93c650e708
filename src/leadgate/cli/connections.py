"""`leadgate connections …`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from leadgate.cli.options import BY_COMMAND, FIRST_PAGE, NO_OPTIONS, Common, Paging, with_app
from leadgate.cli.output import print_fields, print_json, print_lines, print_page, print_table, short_time
from leadgate.errors import NotFoundError
from leadgate.model.connections import CheckReport, ConnectionState, FindingState
from leadgate.model.views import ConnectionView
from leadgate.web.api.documents.connections import (
    ConnectionStateDocument,
    connection_check_document,
    connection_document,
)
from leadgate.web.api.documents.plain import cut_page

if TYPE_CHECKING:
    from leadgate.app import App

ConnectionId = Annotated[str, Parameter(help="Id of the connection, conn_….")]


def list_all(*, paging: Paging = FIRST_PAGE, common: Common = NO_OPTIONS) -> int:
    """List connections with their lights.

    Example: leadgate connections list --json
    """
    views = list(with_app(common, lambda app: app.desk.connections()))
    page = cut_page(views, limit=paging.limit, cursor=paging.cursor)
    if common.json:
        print_page(page, connection_document)
    else:
        print_table(
            ("id", "kind", "name", "state", "waiting", "problem", "last event"),
            ((*_row(view),) for view in page.items),
            empty="Nothing is connected yet. Start with: leadgate connect bitrix24 --help",
            more=page.next_cursor,
        )
    return 0


def show(connection_id: ConnectionId, /, *, common: Common = NO_OPTIONS) -> int:
    """Show one connection; secrets are never shown.

    Example: leadgate connections show conn_01JD…
    """
    view = with_app(common, lambda app: _find(app, connection_id))
    if common.json:
        print_json(connection_document(view))
    else:
        print_fields(connection_document(view), but={"findings"})
        _print_findings(view.report)
    return 0


def check(connection_id: ConnectionId, /, *, common: Common = NO_OPTIONS) -> int:
    """Ask the vendor now; exit code 1 when something has to be cured. Deliveries that wait go at once when all is well.

    Example: leadgate connections check conn_01JD…
    """
    report = with_app(common, lambda app: app.connections.check(connection_id))
    if common.json:
        print_json(connection_check_document(connection_id, report))
    else:
        _print_findings(report)
    return 1 if report.state is FindingState.FAIL else 0


def pause(connection_id: ConnectionId, /, *, common: Common = NO_OPTIONS) -> int:
    """Keep all that arrives, work on nothing.

    Example: leadgate connections pause conn_01JD…
    """
    return _change(connection_id, common, ConnectionState.PAUSED)


def resume(connection_id: ConnectionId, /, *, common: Common = NO_OPTIONS) -> int:
    """Go on at once.

    Example: leadgate connections resume conn_01JD…
    """
    return _change(connection_id, common, ConnectionState.ACTIVE)


def remove(connection_id: ConnectionId, /, *, common: Common = NO_OPTIONS) -> int:
    """Take a connection away; its history stays.

    Example: leadgate connections remove conn_01JD…
    """
    return _change(connection_id, common, ConnectionState.REMOVED)


def _change(connection_id: str, common: Common, state: ConnectionState) -> int:
    async def work(app: App) -> None:
        verbs = {
            ConnectionState.PAUSED: app.connections.pause,
            ConnectionState.ACTIVE: app.connections.resume,
            ConnectionState.REMOVED: app.connections.remove,
        }
        await verbs[state](connection_id, by=BY_COMMAND)

    with_app(common, work)
    if common.json:
        print_json(ConnectionStateDocument(connection=connection_id, state=state))
    else:
        print_lines(f"{connection_id} is {state.value} now.")
    return 0


async def _find(app: App, connection_id: str) -> ConnectionView:
    for view in await app.desk.connections():
        if view.connection.connection_id == connection_id:
            return view
    raise NotFoundError(f"There is no connection {connection_id}.", hint="See: leadgate connections list")


def _row(view: ConnectionView) -> tuple[str, ...]:
    connection = view.connection
    return (
        connection.connection_id,
        connection.kind,
        connection.name,
        connection.state.value,
        str(view.waiting),
        view.problem or "—",
        short_time(view.last_event_at),
    )


def _print_findings(report: CheckReport | None) -> None:
    for finding in report.findings if report is not None else ():
        print_lines(f"{finding.state.value}: {finding.text} {finding.cure}".rstrip())
