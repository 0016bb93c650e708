"""`leadgate staff …`."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from leadgate.cli.options import BY_COMMAND, FIRST_PAGE, NO_OPTIONS, Common, Paging, with_app
from leadgate.cli.output import print_json, print_lines, print_page, print_table, short_time
from leadgate.model.reveals import Reveal
from leadgate.model.secret import Secret
from leadgate.model.staff import Role, Staff
from leadgate.web.api.documents.plain import cut_page, plain
from leadgate.web.api.documents.staff import (
    InvitedDocument,
    StaffDocument,
    invited_document,
    staff_document,
)

if TYPE_CHECKING:
    from leadgate.app import App

_Who = Annotated[str, Parameter(help="Sign-in name or id, staff_….")]


def add(
    name: Annotated[str, Parameter(help="The name the person signs in with.")],
    /,
    *,
    role: Annotated[Role, Parameter(help="What the person may do; see docs/security/rights.md.")],
    common: Common = NO_OPTIONS,
) -> int:
    """Invite somebody. Prints the one-time address where they set a password; it works once, for three days.

    Example: leadgate staff add "Лейла" --role manager
    """
    return _invite(common, lambda app: app.roster.add(name, role, by=BY_COMMAND))


def list_all(*, paging: Paging = FIRST_PAGE, common: Common = NO_OPTIONS) -> int:
    """List who works here, with second factors and sessions.

    Example: leadgate staff list
    """

    async def work(app: App) -> list[StaffDocument]:
        return [staff_document(view) for view in await app.roster.all()]

    page = cut_page(with_app(common, work), limit=paging.limit, cursor=paging.cursor)
    if common.json:
        print_page(page, lambda person: person)
    else:
        print_table(
            ("id", "name", "role", "state", "second factor", "sessions", "last seen (UTC)"),
            ((*_row(person),) for person in page.items),
            empty='There is nobody yet. Invite somebody with: leadgate staff add "Name" --role manager',
            more=page.next_cursor,
        )
    return 0


def change_role(
    who: _Who,
    role: Annotated[Role, Parameter(help="The new role.")],
    /,
    *,
    common: Common = NO_OPTIONS,
) -> int:
    """Give another role. Every session of the person ends at once.

    Example: leadgate staff role "Лейла" auditor
    """
    changed = with_app(common, lambda app: app.roster.change_role(who, role, by=BY_COMMAND))
    if common.json:
        print_json({"id": changed.staff_id, "role": changed.role.value})
    else:
        print_lines(f"{changed.staff_id} is {changed.role.value} now; every session of theirs has ended.")
    return 0


def disable(who: _Who, /, *, common: Common = NO_OPTIONS) -> int:
    """End somebody's access at once: sessions, password, second factors, addresses.

    Example: leadgate staff disable "Лейла"
    """
    gone = with_app(common, lambda app: app.roster.dismiss(who, by=BY_COMMAND))
    if common.json:
        print_json({"id": gone.staff_id, "state": "disabled"})
    else:
        print_lines(f"{gone.staff_id} has no access any more.")
    return 0


def reset(who: _Who, /, *, common: Common = NO_OPTIONS) -> int:
    """Make a fresh one-time address in place of password, second factors and sessions: the way in for whoever is locked out.

    Example: leadgate staff reset "Ирина"
    """
    return _invite(common, lambda app: app.roster.reset(who, by=BY_COMMAND))


def sign_out(who: _Who, /, *, common: Common = NO_OPTIONS) -> int:
    """End every session of somebody at once; they may sign in again.

    Example: leadgate staff sign-out "Лейла"
    """
    person = with_app(common, lambda app: app.roster.end_sessions(who, by=BY_COMMAND))
    if common.json:
        print_json({"id": person.staff_id, "sessions": 0})
    else:
        print_lines(f"{person.staff_id} is signed out everywhere.")
    return 0


def reveals(
    *,
    on: Annotated[str | None, Parameter(help="Only looks at this event or delivery, evt_… or dlv_….")] = None,
    paging: Paging = FIRST_PAGE,
    common: Common = NO_OPTIONS,
) -> int:
    """List who looked at clients' data and why, newest first, with the words they wrote beside it.

    Example: leadgate staff reveals --limit 20
    """
    page = with_app(common, lambda app: app.reveals.page(limit=paging.limit, cursor=paging.cursor, on=on))
    if common.json:
        print_page(page, _document)
    else:
        print_table(
            ("when (UTC)", "who", "what", "reason", "words"),
            (
                (short_time(one.at), one.by_name or one.by, one.on_id, one.reason.value, one.words or "—")
                for one in page.items
            ),
            empty="Nobody has looked at a client's data yet.",
            more=page.next_cursor,
        )
    return 0


def _invite(common: Common, work: Callable[[App], Awaitable[tuple[Staff, Secret]]]) -> int:
    async def invite(app: App) -> InvitedDocument:
        staff, token = await work(app)
        return invited_document(staff, app.setup_url(token))

    invited = with_app(common, invite)
    if common.json:
        print_json(plain(invited))
        return 0
    print_lines(
        f"{invited.name or invited.id}, {invited.role.value}: {invited.id}",
        f"Set password: {invited.setup_url}",
        "(works once, for three days; hand it over in person)",
    )
    return 0


def _row(person: StaffDocument) -> tuple[str, ...]:
    return (
        person.id,
        person.name or "—",
        person.role.value,
        person.state,
        "yes" if person.second_factor else "no",
        str(person.sessions),
        short_time(person.last_seen_at),
    )


def _document(one: Reveal) -> dict[str, object]:
    return {
        "id": one.reveal_id,
        "on": one.on_id,
        "by": one.by,
        "name": one.by_name,
        "reason": one.reason,
        "at": one.at,
        "words": one.words,
    }
