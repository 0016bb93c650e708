"""`leadgate incident …`."""

from __future__ import annotations

import json
import sys
from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from cyclopts import Parameter

from leadgate.cli.options import BY_COMMAND, FIRST_PAGE, NO_OPTIONS, Common, Paging, with_app
from leadgate.cli.output import print_json, print_lines, print_page, print_table, short_time
from leadgate.cli.papers import write_paper
from leadgate.errors import ConfigurationError
from leadgate.model.incidents import IncidentView, Notice
from leadgate.web.api.documents.incidents import NoticeDocument, incident_document, incident_row
from leadgate.web.api.documents.plain import cut_page

if TYPE_CHECKING:
    from leadgate.app import App

_LISTED = 500
_Connection = Annotated[str | None, Parameter(help="Only this connection, conn_…; default all of them.")]
_Moment = Annotated[str | None, Parameter(help="ISO 8601 time with offset.")]


def open_one(
    *,
    what: Annotated[str, Parameter(help="What happened, in your words; kept encrypted.")] = "",
    found_at: Annotated[str | None, Parameter(help="When it was found, ISO 8601 with offset; default now.")] = None,
    drill: Annotated[bool, Parameter(negative=(), help="A rehearsal: all works alike, every paper is marked.")] = False,
    freeze: Annotated[bool, Parameter(help="Stop what goes out at once.")] = True,
    connection: _Connection = None,
    common: Common = NO_OPTIONS,
) -> int:
    """Open an incident and stop everything that goes out; the two clocks run. Ends when nothing is on its way any more.

    Example: leadgate incident open --what "The portal's password was found in a public chat"
    """
    found = _read_time("found-at", found_at)
    return _do(
        common,
        lambda app: app.incidents.open(
            found_at=found, what=what, is_drill=drill, freeze=freeze, connection_id=connection, by=BY_COMMAND
        ),
    )


def show(
    incident_id: Annotated[str | None, Parameter(help="Id of an incident, inc_…; default the open one.")] = None,
    /,
    *,
    all: Annotated[bool, Parameter(negative=(), help="List every incident instead.")] = False,  # noqa: A002 - the option's name
    paging: Paging = FIRST_PAGE,
    common: Common = NO_OPTIONS,
) -> int:
    """Show an incident: clocks, what is stopped, counts, the words; or with --all the list.

    Example: leadgate incident show
    """
    if not all:
        return _do(common, lambda app: app.incidents.show(incident_id))
    rows = with_app(common, lambda app: app.incidents.all(limit=_LISTED))
    page = cut_page(rows, limit=paging.limit, cursor=paging.cursor)
    if common.json:
        print_page(page, incident_row)
    else:
        print_table(
            ("incident", "found", "opened", "closed", "drill"),
            (
                (
                    one.incident_id,
                    short_time(one.found_at),
                    short_time(one.opened_at),
                    short_time(one.closed_at),
                    "yes" if one.is_drill else "no",
                )
                for one in page.items
            ),
            empty="There was no incident.",
            more=page.next_cursor,
        )
    return 0


def freeze(*, connection: _Connection = None, common: Common = NO_OPTIONS) -> int:
    """Stop what goes out, on every node; what arrives is kept. Ends when nothing is on its way, else exit code 1.

    Example: leadgate incident freeze --connection conn_01JD…
    """
    return _do(common, lambda app: app.incidents.freeze(connection_id=connection, by=BY_COMMAND))


def unfreeze(*, connection: _Connection = None, common: Common = NO_OPTIONS) -> int:
    """Send again what waits, in order.

    Example: leadgate incident unfreeze
    """
    return _do(common, lambda app: app.incidents.unfreeze(connection_id=connection, by=BY_COMMAND))


def count(
    *, since: _Moment = None, until: _Moment = None, connection: _Connection = None, common: Common = NO_OPTIONS
) -> int:
    """Count who may be affected: people, what they are known by, messages; the numbers go into the notices.

    Example: leadgate incident count --since 2026-11-20T00:00:00+03:00 --connection conn_01JD…
    """
    begin, end = _read_time("since", since), _read_time("until", until)
    return _do(
        common,
        lambda app: app.incidents.count(since=begin, until=end, connection_id=connection, by=BY_COMMAND),
    )


def note(
    *,
    what: Annotated[str | None, Parameter(help="What happened.")] = None,
    causes: Annotated[str | None, Parameter(help="Supposed causes.")] = None,
    harm: Annotated[str | None, Parameter(help="Harm that people may suffer.")] = None,
    measures: Annotated[str | None, Parameter(help="What was done.")] = None,
    contact: Annotated[str | None, Parameter(help="Who speaks with Roskomnadzor.")] = None,
    culprits: Annotated[str | None, Parameter(help="Whose acts caused it, where known.")] = None,
    found_at: Annotated[str | None, Parameter(help="When it was found, if that was wrong.")] = None,
    file: Annotated[
        str | None,
        Parameter(help="The same fields as a JSON object; - reads standard input.", allow_leading_hyphen=True),
    ] = None,
    common: Common = NO_OPTIONS,
) -> int:
    """Write down what is known; it goes into the notices and is kept encrypted.

    Example: leadgate incident note --causes "A password was sent in a chat" --measures "The key was replaced"
    """
    given = {
        "what": what,
        "causes": causes,
        "harm": harm,
        "measures": measures,
        "contact": contact,
        "culprits": culprits,
    }
    words = {**_read_words(file), **{name: text for name, text in given.items() if text is not None}}
    found = _read_time("found-at", found_at)
    return _do(common, lambda app: app.incidents.note(words, found_at=found, by=BY_COMMAND))


def notice(
    which: Annotated[Literal["24", "72"], Parameter(help="24: the first notice. 72: the result of the inquiry.")],
    /,
    *,
    out: Annotated[Path | None, Parameter(help="Print the draft as PDF into this file.")] = None,
    sent: Annotated[str | None, Parameter(help="You have sent it: its number at Roskomnadzor.")] = None,
    sent_at: Annotated[str | None, Parameter(help="When you sent it; default now.")] = None,
    incident: Annotated[str | None, Parameter(help="Id of an incident, inc_…; default the open one.")] = None,
    common: Common = NO_OPTIONS,
) -> int:
    """Draft a notice as text, or as PDF with --out; with --sent NUMBER mark it as sent. Leadgate sends none itself.

    Example: leadgate incident notice 24 --out notice.pdf
    """
    kind, at = Notice(which), _read_time("sent-at", sent_at)
    if sent is not None:
        return _do(common, lambda app: app.incidents.mark_sent(kind, number=sent, sent_at=at, by=BY_COMMAND))

    async def work(app: App) -> tuple[str, str, bytes | None]:
        view = await app.incidents.show(incident)
        paper = None if out is None else await app.incidents.notice_paper(kind, incident)
        return view.incident.incident_id, await app.incidents.notice_text(kind, incident), paper

    incident_id, text, paper = with_app(common, work)
    if out is not None and paper is not None:
        write_paper(out, paper)
    if common.json:
        print_json(NoticeDocument(incident=incident_id, notice=kind, text=text))
    elif out is not None:
        print_lines(f"Printed into {out}.")
    else:
        print_lines(text.rstrip("\n"))
    return 0


def export(
    incident_id: Annotated[str | None, Parameter(help="Id of an incident, inc_…; default the open one.")] = None,
    /,
    *,
    out: Annotated[Path, Parameter(help="The zip to write.")],
    common: Common = NO_OPTIONS,
) -> int:
    """Put journal, connections, access and facts into one zip without personal data of clients.

    Example: leadgate incident export --out incident.zip
    """
    content = with_app(common, lambda app: app.incidents.export(incident_id, by=BY_COMMAND))
    write_paper(out, content)
    if common.json:
        print_json({"file": str(out), "bytes": len(content)})
    else:
        print_lines(f"Written to {out}.")
    return 0


def close(
    *,
    reason: Annotated[str, Parameter(help="Why, when a notice is not sent.")] = "",
    common: Common = NO_OPTIONS,
) -> int:
    """Close the incident: nothing is stopped, and both notices are sent or --reason says why not.

    Example: leadgate incident close --reason "The suspicion was wrong: the key was our own"
    """
    return _do(common, lambda app: app.incidents.close(reason=reason, by=BY_COMMAND))


def _do(common: Common, work: Callable[[App], Awaitable[IncidentView]]) -> int:
    view = with_app(common, work)
    if common.json:
        print_json(incident_document(view))
    else:
        _print(view)
    return 1 if view.on_their_way else 0


def _print(view: IncidentView) -> None:
    incident = view.incident
    drill = " (a drill)" if incident.is_drill else ""
    state = "open" if incident.is_open else "closed"
    print_lines(f"{incident.incident_id}{drill}: {state}, found {short_time(incident.found_at)} UTC.")
    for clock in view.clocks:
        hours = clock.left.total_seconds() / 3600
        told = f"sent as {clock.sent.number}" if clock.sent else f"{clock.state.value}, {hours:.1f} h left"
        print_lines(f"  {clock.notice.value} h: until {short_time(clock.deadline)} UTC, {told}")
    for freeze_of in view.freezes:
        print_lines(
            f"  stopped: {freeze_of.connection_id or 'everything'}, since {short_time(freeze_of.frozen_at)} UTC"
        )
    if view.freezes:
        print_lines(f"  waiting: {view.waiting}")
    if view.on_their_way:
        print_lines(f"  {view.on_their_way} calls began before and are not over: look again in a minute.")
    affected = incident.affected
    if affected is not None:
        kinds = ", ".join(f"{kind} {total}" for kind, total in affected.identifiers.items()) or "none"
        print_lines(
            f"  people: {affected.persons}; identifiers: {affected.all_identifiers} ({kinds})",
            f"  messages: {affected.messages}, {affected.looked_at} read, {affected.health} perhaps about health",
        )
    for fine in view.fines:
        print_lines(f"  touches the threshold of article 13.11 part {fine.part}: ask a lawyer")


def _read_words(file: str | None) -> Mapping[str, str]:
    if file is None:
        return {}
    try:
        words = json.loads(sys.stdin.read() if file == "-" else Path(file).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        words = None
    if not isinstance(words, dict) or not all(isinstance(text, str) for text in words.values()):
        raise ConfigurationError("The file must hold one JSON object of texts.", code="incident.note_wrong")
    return words


def _read_time(option: str, text: str | None) -> datetime | None:
    if text is None:
        return None
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        at = None
    if at is None or at.tzinfo is None:
        raise ConfigurationError(
            f"--{option} must be an ISO 8601 time with offset, for instance 2026-11-22T00:00:00+03:00."
        )
    return at
