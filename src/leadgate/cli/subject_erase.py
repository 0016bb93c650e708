"""`leadgate subject erase`, and what became of it."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from leadgate.cli.options import BY_COMMAND, NO_OPTIONS, Common, with_app
from leadgate.cli.output import print_json, print_lines, print_table, short_time
from leadgate.errors import ConfigurationError
from leadgate.model.erasures import Erasure, ErasureReason, OrderState
from leadgate.model.views import Page
from leadgate.web.api.documents.erasures import erasure_document
from leadgate.web.api.documents.plain import page_of, plain

if TYPE_CHECKING:
    from leadgate.app import App

Identifier = Annotated[str, Parameter(help="A phone in any writing, an e-mail, a user name, or an id, subj_….")]
ErasureId = Annotated[str, Parameter(help="Id of the erasure, era_….")]
_WAIT_FOR_CRM_S = 10.0
_LOOK_EVERY_S = 0.25


def erase(
    identifier: Identifier,
    /,
    *,
    yes: Annotated[bool, Parameter(help="Do it; without it the command says what would go.", negative=())] = False,
    reason: Annotated[ErasureReason, Parameter(help="Why; stays on the act.")] = ErasureReason.REQUEST,
    out: Annotated[Path | None, Parameter(help="Where to write the act, for instance act.pdf.")] = None,
    common: Common = NO_OPTIONS,
) -> int:
    """Erase a person for good: every row, the data key, and the lead in the CRM, which a running gateway orders at once.

    Example: leadgate subject erase +79000000412 --yes --reason request --out act.pdf
    """
    if not yes:
        return _preview(identifier, common)

    async def work(app: App) -> Erasure:
        subject_id = await app.erasing.whose(identifier, channels=_channels(app))
        erasure = await app.erasing.erase(subject_id, reason=reason, by=BY_COMMAND)
        erasure = await _wait_for_crm(app, erasure)
        if out is not None:
            _write(out, await app.erasure_papers.act(erasure.erasure_id))
        return erasure

    erasure = with_app(common, work)
    if common.json:
        print_json({**_document(erasure), "act": None if out is None else str(out)})
        return 0
    keys = ", ".join(key.scope for key in erasure.keys)
    print_lines(f"{erasure.subject_id} is erased: {erasure.erasure_id}.", f"Destroyed: {keys or 'nothing more'}.")
    print_lines(_tell_order(erasure))
    if out is not None:
        print_lines(f"The act: {out}.")
    return 0


def erasures(
    *,
    limit: Annotated[int, Parameter(help="How many to show, 1 to 500.")] = 50,
    cursor: Annotated[str | None, Parameter(help="`next` of the page before.")] = None,
    common: Common = NO_OPTIONS,
) -> int:
    """List erasures, newest first, with what became of the order to the CRM.

    Example: leadgate subject erasures
    """
    if cursor is not None and not cursor.isdecimal():
        raise ConfigurationError(
            "This cursor is not one of ours.", code="page.cursor_wrong", hint="Take `next` of the page before."
        )
    most = max(1, min(limit, 500))
    before = None if cursor is None else int(cursor)
    found = with_app(common, lambda app: app.erasing.newest(limit=most + 1, before=before))
    shown, more = found[:most], str(found[most - 1].number) if len(found) > most else None
    if common.json:
        print_json(page_of(Page(shown, more), erasure_document))
    else:
        print_table(
            ("erasure", "at (UTC)", "person", "why", "CRM", "answer"),
            (
                (
                    one.erasure_id,
                    short_time(one.at),
                    one.subject_id,
                    one.reason.value,
                    one.order.value,
                    one.error_code or one.answer or "",
                )
                for one in shown
            ),
            empty="Nobody was erased.",
            more=more,
        )
    return 0


def act(
    erasure_id: ErasureId,
    /,
    *,
    out: Annotated[Path, Parameter(help="Where to write it, for instance act.pdf.")],
    extract: Annotated[bool, Parameter(help="The extract from the journal instead of the act.", negative=())] = False,
    common: Common = NO_OPTIONS,
) -> int:
    """Write the act of an erasure, or the extract from the journal, as a PDF.

    Example: leadgate subject act era_01JD… --out act.pdf
    """

    async def work(app: App) -> bytes:
        papers = app.erasure_papers
        return await (papers.extract(erasure_id) if extract else papers.act(erasure_id))

    _write(out, with_app(common, work))
    if common.json:
        print_json({"erasure": erasure_id, "act": str(out)})
    else:
        print_lines(f"Written: {out}.")
    return 0


def _preview(identifier: str, common: Common) -> int:
    async def work(app: App) -> tuple[list[str], dict[str, int]]:
        subject_id = await app.erasing.whose(identifier, channels=_channels(app))
        people, counts = await app.erasing.preview(subject_id)
        return list(people), counts

    people, counts = with_app(common, work)
    if common.json:
        print_json({"subject": people[0], "subjects": people, "would_erase": counts})
    told = ", ".join(f"{name} {count}" for name, count in counts.items())
    raise ConfigurationError(
        f"Nothing was erased. This would go for good: {people[0]} ({told}).",
        code="erasure.not_confirmed",
        hint="Say --yes to do it.",
    )


async def _wait_for_crm(app: App, erasure: Erasure) -> Erasure:
    """A running gateway carries the order out within seconds; without one, or with the CRM away, it stays a task."""
    until_s = app.clock.monotonic_s() + _WAIT_FOR_CRM_S
    while erasure.order is OrderState.OPEN and app.clock.monotonic_s() < until_s and await _is_anybody_at_work(app):
        await asyncio.sleep(_LOOK_EVERY_S)
        erasure = await app.erasing.find(erasure.erasure_id)
    return erasure


async def _is_anybody_at_work(app: App) -> bool:
    return bool(await app.storage.read(lambda tx: tx.lanes.holders()))


def _channels(app: App) -> list[str]:
    return [manifest.kind for manifest in app.connections.kinds()]


def _document(erasure: Erasure) -> dict[str, object]:
    document = plain(erasure_document(erasure))
    return document if isinstance(document, dict) else {}


def _tell_order(erasure: Erasure) -> str:
    orders = ", ".join(erasure.delivery_ids)
    match erasure.order:
        case OrderState.NONE:
            return "Nothing of them was in a CRM."
        case OrderState.DONE | OrderState.GIVEN_UP:
            return f"The CRM: {erasure.answer or erasure.order.value}."
        case OrderState.OPEN:
            return f"The CRM has not answered yet; the order stays until it does: {orders}."
        case OrderState.REFUSED:
            return f"The CRM did not do it ({erasure.error_code}). See to it there; the order: {orders or 'none'}."


def _write(out: Path, paper: bytes) -> None:
    try:
        out.write_bytes(paper)
    except OSError as error:
        raise ConfigurationError(f"{out} cannot be written: {error.strerror}.") from error
