"""`leadgate retention …`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from leadgate.cli.options import BY_COMMAND, NO_OPTIONS, Common, with_app
from leadgate.cli.output import print_json, print_lines, print_table, short_time
from leadgate.model.retention import COUNT_LIMIT, DataKind, RetentionLine
from leadgate.web.api.documents.plain import plain
from leadgate.web.api.documents.retention import retention_document

if TYPE_CHECKING:
    from leadgate.app import App


def show(*, common: Common = NO_OPTIONS) -> int:
    """How long which kind of data is kept, what goes next, and what went.

    Example: leadgate retention show
    """
    lines = with_app(common, lambda app: app.retention.lines())
    if common.json:
        print_json({"items": [plain(retention_document(line)) for line in lines]})
    else:
        _print(lines)
    return 0


def choose(
    kind: Annotated[DataKind, Parameter(help="Which kind of data; see `retention show`.")],
    days: Annotated[int | None, Parameter(help="For how many days it is kept; leave it out for the default.")] = None,
    /,
    *,
    common: Common = NO_OPTIONS,
) -> int:
    """Keep a kind of data longer or shorter. A shorter term takes effect with the next sweep; nothing swept comes back.

    Example: leadgate retention set bodies 7
    """

    async def work(app: App) -> Sequence[RetentionLine]:
        await app.retention.choose(kind, days, by=BY_COMMAND)
        return await app.retention.lines()

    line = next(line for line in with_app(common, work) if line.kind is kind)
    if common.json:
        print_json(plain(retention_document(line)))
    else:
        print_lines(f"{kind.value} are kept for {line.days} days; {_count(line.due)} go with the next sweep.")
    return 0


def sweep(*, common: Common = NO_OPTIONS) -> int:
    """Destroy now what is over. A running gateway does it by itself once a day.

    Example: leadgate retention sweep
    """
    gone = with_app(common, lambda app: app.retention.sweep(by=BY_COMMAND))
    if common.json:
        print_json({kind.value: count for kind, count in gone.items()})
    elif not gone:
        print_lines("Another node sweeps just now; see: leadgate retention show")
    else:
        print_lines("Destroyed: " + ", ".join(f"{count} {kind.value}" for kind, count in gone.items()) + ".")
    return 0


def _print(lines: Sequence[RetentionLine]) -> None:
    print_table(
        ("kind", "kept, days", "goes next", "within a week", "last sweep (UTC)", "went then", "went ever"),
        (
            (
                line.kind.value,
                f"{line.days}{'' if line.is_own else ' (default)'}",
                _count(line.due),
                _count(line.due_in_week),
                short_time(line.swept_at),
                str(line.gone_last),
                str(line.gone_ever),
            )
            for line in lines
        ),
        empty="",
        more=None,
    )


def _count(number: int) -> str:
    return f"more than {COUNT_LIMIT}" if number > COUNT_LIMIT else str(number)
