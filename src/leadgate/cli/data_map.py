"""`leadgate data-map`: who receives personal data, and decisions about recipients abroad."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from leadgate.cli.options import BY_COMMAND, NO_OPTIONS, Common, with_app
from leadgate.cli.output import print_json, print_lines, print_table
from leadgate.cli.papers import write_paper
from leadgate.model.recipients import DataMap, Recipient, Standing
from leadgate.web.api.documents.data_map import DecidedDocument, data_map_document, recipient_document

if TYPE_CHECKING:
    from leadgate.app import App


def show(
    *,
    out: Annotated[Path | None, Parameter(help="Also print the map as PDF into this file.")] = None,
    common: Common = NO_OPTIONS,
) -> int:
    """Show who receives personal data, in which country and why; exit code 1 while a recipient waits for a decision.

    Example: leadgate data-map --out map.pdf
    """

    async def work(app: App) -> tuple[DataMap, bytes | None]:
        return await app.data_map.draw(), None if out is None else await app.data_map.paper()

    drawn, paper = with_app(common, work)
    if out is not None and paper is not None:
        write_paper(out, paper)
    if common.json:
        print_json(data_map_document(drawn))
    else:
        _print(drawn.recipients)
        if out is not None:
            print_lines(f"Printed into {out}.")
    return 1 if drawn.undecided else 0


def decide(
    host: Annotated[str, Parameter(help="Host of the recipient, as `leadgate data-map` shows it.")],
    /,
    *,
    reason: Annotated[str, Parameter(help="Why, in the owner's words; kept with the decision.")],
    allow: Annotated[bool, Parameter(help="Allow it, or with --no-allow refuse it.")] = True,
    country: Annotated[
        str, Parameter(help="Where a host stands that we do not know, two letters, for instance RU.")
    ] = "",
    rkn_notice: Annotated[str, Parameter(help="Reference of the notice of cross-border transfer.")] = "",
    common: Common = NO_OPTIONS,
) -> int:
    """Allow or refuse a recipient abroad or of unknown country; the decision is journaled before it holds.

    Example: leadgate data-map decide crm.example --country RU --reason "Our own server in Kazan"
    """

    async def work(app: App) -> Sequence[Recipient]:
        return await app.data_map.decide(
            host, is_allowed=allow, country=country, reason=reason, rkn_notice=rkn_notice, by=BY_COMMAND
        )

    rows = with_app(common, work)
    if common.json:
        print_json(DecidedDocument(host=rows[0].host, recipients=[recipient_document(row) for row in rows]))
    else:
        _print(rows)
    return 0


def _print(rows: Sequence[Recipient]) -> None:
    print_table(
        ("role", "name", "host", "where", "may it", "goes"),
        (
            (
                row.role.value,
                row.title or "—",
                row.host or "—",
                row.country or row.place.value,
                row.standing.value + (" (paused)" if row.is_paused else ""),
                ", ".join(kind.value for kind in row.goes) or "—",
            )
            for row in rows
        ),
        empty="Nobody receives personal data.",
        more=None,
    )
    if any(row.standing is Standing.UNDECIDED for row in rows):
        print_lines("Decide on each `undecided` one: leadgate data-map decide HOST --reason …")
