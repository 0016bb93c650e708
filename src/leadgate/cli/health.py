"""`leadgate health …`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from leadgate.cli.options import BY_COMMAND, NO_OPTIONS, Common, with_app
from leadgate.cli.output import print_json, print_lines, print_table
from leadgate.privacy.rules import HealthMode
from leadgate.web.api.documents.policies import HealthDocument, health_document

if TYPE_CHECKING:
    from leadgate.app import App

_MEANINGS = {
    HealthMode.NONE: "no questions about health: what clients say of it is held back everywhere",
    HealthMode.CLINIC: "a clinic: no message names a service",
}


def show(*, common: Common = NO_OPTIONS) -> int:
    """Show how the house treats health, and how much was held back in the last thirty days.

    Example: leadgate health show
    """

    async def work(app: App) -> HealthDocument:
        return health_document(await app.policies.now(), await app.policies.held_back(), app.time_zone)

    document = with_app(common, work)
    if common.json:
        print_json(document)
        return 0
    _print(document)
    print_table(
        ("day", "kept from", "kind", "count"),
        ((one.day, one.place, one.kind, str(one.count)) for one in document.held_back),
        empty="Nothing was held back in the last thirty days.",
        more=None,
    )
    if document.refused:
        print_lines(
            "", "What is stored cannot be obeyed, so the stricter mode holds. See: docs/runbook/policy-refused.md"
        )
    return 0


def set_(
    mode: Annotated[HealthMode, Parameter(help="none: a salon; clinic: messages are neutral.")],
    /,
    *,
    reason: Annotated[str, Parameter(help="Why; kept in the history.")] = "",
    document: Annotated[
        str | None, Parameter(help="Where written consents are kept; only then may words about health go to the CRM.")
    ] = None,
    common: Common = NO_OPTIONS,
) -> int:
    """Treat health another way. A running gateway follows within seconds.

    Example: leadgate health set clinic --reason "we are a clinic of cosmetology"
    """

    async def work(app: App) -> HealthDocument:
        rules = await app.policies.set_health(mode=mode, document=document, reason=reason, by=BY_COMMAND)
        return health_document(rules, (), app.time_zone)

    told = with_app(common, work)
    if common.json:
        print_json(told)
    else:
        _print(told)
    return 0


def _print(document: HealthDocument) -> None:
    print_lines(f"Mode {document.mode.value}: {_MEANINGS[document.mode]}.")
    if document.mode is HealthMode.CLINIC:
        print_lines(f"Written consents: {document.document or 'none on file, so words about health stay here'}.")
