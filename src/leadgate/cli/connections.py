"""`leadgate connections …`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import Parameter

from leadgate.cli.options import BY_COMMAND, FIRST_PAGE, NO_OPTIONS, Common, Paging, with_app
from leadgate.cli.output import print_json, print_lines, print_table, short_time
from leadgate.errors import NotFoundError
from leadgate.model.connections import CheckReport, FindingState
from leadgate.model.views import ConnectionView

if TYPE_CHECKING:
    from leadgate.app import App

ConnectionId = Annotated[str, Parameter(help="Id of the connection, conn_….")]


def list_all(*, paging: Paging = FIRST_PAGE, common: Common = NO_OPTIONS) -> int:
    """List connections with their lights.

    Example: leadgate connections list --json
    """
    views = list(with_app(common, lambda app: app.desk.connections()))
    start = int(paging.cursor) if paging.cursor and paging.cursor.isdecimal() else 0
    shown = views[start : start + paging.limit]
    more = str(start + paging.limit) if len(views) > start + paging.limit else None
    if common.json:
        print_json({"items": [_document(view) for view in shown], "next": more})
    else:
        print_table(
            ("id", "kind", "name", "state", "waiting", "problem", "last event"),
            ((*_row(view),) for view in shown),
            empty="Nothing is connected yet. Start with: leadgate connect bitrix24 --help",
            more=more,
        )
    return 0


def show(connection_id: ConnectionId, /, *, common: Common = NO_OPTIONS) -> int:
    """Show one connection; secrets are never shown.

    Example: leadgate connections show conn_01JD…
    """
    view = with_app(common, lambda app: _find(app, connection_id))
    if common.json:
        print_json(_document(view))
    else:
        print_lines(*(f"{name}: {value}" for name, value in _document(view).items() if name != "findings"))
        _print_findings(view.report)
    return 0


def check(connection_id: ConnectionId, /, *, common: Common = NO_OPTIONS) -> int:
    """Ask the vendor now; exit code 1 when something has to be cured. Deliveries that wait go at once when all is well.

    Example: leadgate connections check conn_01JD…
    """
    report = with_app(common, lambda app: app.connections.check(connection_id))
    if common.json:
        print_json({"connection": connection_id, "state": report.state.value, "findings": _findings(report)})
    else:
        _print_findings(report)
    return 1 if report.state is FindingState.FAIL else 0


def pause(connection_id: ConnectionId, /, *, common: Common = NO_OPTIONS) -> int:
    """Keep all that arrives, work on nothing.

    Example: leadgate connections pause conn_01JD…
    """
    return _change(connection_id, common, "paused")


def resume(connection_id: ConnectionId, /, *, common: Common = NO_OPTIONS) -> int:
    """Go on at once.

    Example: leadgate connections resume conn_01JD…
    """
    return _change(connection_id, common, "active")


def remove(connection_id: ConnectionId, /, *, common: Common = NO_OPTIONS) -> int:
    """Take a connection away; its history stays.

    Example: leadgate connections remove conn_01JD…
    """
    return _change(connection_id, common, "removed")


def _change(connection_id: str, common: Common, state: str) -> int:
    async def work(app: App) -> None:
        verbs = {"paused": app.connections.pause, "active": app.connections.resume, "removed": app.connections.remove}
        await verbs[state](connection_id, by=BY_COMMAND)

    with_app(common, work)
    if common.json:
        print_json({"connection": connection_id, "state": state})
    else:
        print_lines(f"{connection_id} is {state} now.")
    return 0


async def _find(app: App, connection_id: str) -> ConnectionView:
    for view in await app.desk.connections():
        if view.connection.connection_id == connection_id:
            return view
    raise NotFoundError(f"There is no connection {connection_id}.", hint="See: leadgate connections list")


def _document(view: ConnectionView) -> dict[str, Any]:
    connection = view.connection
    return {
        "id": connection.connection_id,
        "kind": connection.kind,
        "name": connection.name,
        "state": connection.state.value,
        "light": view.light.value,
        "problem": view.problem,
        "since": view.since,
        "waiting": view.waiting,
        "webhook_path": f"/webhooks/{connection.kind}/{connection.connection_id}",
        "settings": dict(connection.settings),
        "created_at": connection.created_at,
        "last_event_at": view.last_event_at,
        "checked_at": view.checked_at,
        "findings": _findings(view.report),
    }


def _findings(report: CheckReport | None) -> list[dict[str, str]]:
    if report is None:
        return []
    return [{"code": f.code, "state": f.state.value, "text": f.text, "cure": f.cure} for f in report.findings]


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
