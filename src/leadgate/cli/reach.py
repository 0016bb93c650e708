"""`leadgate reach`: who can be written to, and links to another channel."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from leadgate.cli.options import BY_COMMAND, FIRST_PAGE, NO_OPTIONS, Common, Paging, with_app
from leadgate.cli.output import print_json, print_lines, print_table, short_time
from leadgate.model.reach import ChannelReach, LostPerson, ReachReport
from leadgate.model.views import Page

if TYPE_CHECKING:
    from leadgate.app import App


@dataclass(frozen=True, slots=True, kw_only=True)
class LostDocument:
    """Somebody who could not be written to any more; `crm` is their last lead there, for instance `lead:48211`."""

    subject: str
    crm: str | None
    has_phone: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class ReachDocument:
    """The report; `without`, `lost`, `items` and `next` only when a channel is left out."""

    people: int
    reachable: int
    several: int
    channels: Sequence[ChannelReach]
    without: str | None
    lost: int | None
    items: Sequence[LostDocument] | None
    next: str | None


def report(
    *,
    without: Annotated[
        str | None, Parameter(help="Who would be lost if this kind of channel closed: whatsapp …")
    ] = None,
    paging: Paging = FIRST_PAGE,
    common: Common = NO_OPTIONS,
) -> int:
    """Show how many people can be written to and where; with --without, who would be lost.

    Example: leadgate reach --without whatsapp
    """

    async def work(app: App) -> tuple[ReachReport, Page[LostPerson] | None]:
        lost = None
        if without is not None:
            lost = await app.reachability.lost_without(without, limit=paging.limit, cursor=paging.cursor)
        return await app.reachability.report(), lost

    found, lost = with_app(common, work)
    document = _document(found, without, lost)
    if common.json:
        print_json(document)
        return 0
    _print_report(found)
    if lost is not None:
        print_lines("", f"Without {without} nobody could write to {document.lost} of them.")
        print_table(
            ("person", "last lead", "phone"),
            ((one.subject, one.crm or "—", "yes" if one.has_phone else "no") for one in document.items or ()),
            empty="Nobody would be lost.",
            more=document.next,
        )
    return 0


def link(
    who: Annotated[str, Parameter(help="A phone, an e-mail address, @name, subj_…, lead_… or evt_….")],
    /,
    *,
    to: Annotated[str | None, Parameter(help="Only into this connection, conn_….")] = None,
    common: Common = NO_OPTIONS,
) -> int:
    """Make one-time links by which a person comes to another channel and is known there at once.

    Example: leadgate reach link lead_01JD… --to conn_01JD…
    """
    links = with_app(common, lambda app: app.reachability.invite(who, to=to, by=BY_COMMAND))
    if common.json:
        print_json({"items": links})
        return 0
    for made in links:
        print_lines(f"{made.kind} ({made.connection_id}), until {short_time(made.expires_at)} UTC:", made.url)
    print_lines("Each is good once, and whoever opens it is taken for this person: send it to nobody else.")
    return 0


def _print_report(found: ReachReport) -> None:
    print_lines(
        f"{found.people} people, {found.reachable} can be written to, {found.several} of them in several channels."
    )
    print_table(
        ("channel", "can be written to", "only there", "of those with a phone"),
        ((c.kind, str(c.reachable), str(c.only_there), str(c.only_there_with_phone)) for c in found.channels),
        empty="There is no channel yet in which anybody wrote.",
        more=None,
    )


def _document(found: ReachReport, without: str | None, lost: Page[LostPerson] | None) -> ReachDocument:
    alone = next((channel.only_there for channel in found.channels if channel.kind == without), 0)
    return ReachDocument(
        people=found.people,
        reachable=found.reachable,
        several=found.several,
        channels=found.channels,
        without=without,
        lost=None if lost is None else alone,
        items=None if lost is None else [_lost_document(person) for person in lost.items],
        next=None if lost is None else lost.next_cursor,
    )


def _lost_document(person: LostPerson) -> LostDocument:
    ref = person.crm_ref
    name = None if ref is None else f"{ref.entity.value}:{ref.crm_id}"
    return LostDocument(subject=person.subject_id, crm=name, has_phone=person.has_phone)
