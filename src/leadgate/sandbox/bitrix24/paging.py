"""Pages of a list: fifty rows, `total`, `next`, and `start=-1` that does not count. Pure."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

from leadgate.sandbox.bitrix24.arguments import Params, find, find_integer
from leadgate.sandbox.bitrix24.envelope import Reply

PAGE_SIZE = 50

Row = TypeVar("Row")


def page(
    rows: Sequence[Row],
    params: Params,
    row: Callable[[Row], object],
    *,
    frame: Callable[[list[object]], object] = list,
) -> Reply:
    """One page of `rows` as the `start` of `params` asks for; `row` shapes one entry, `frame` the whole list.

    `start=-1` turns counting off: the first rows, `total` 0 and no `next`.
    """
    start = find_integer(find(params, "start")) or 0
    first = max(start, 0)
    shown = [row(entry) for entry in rows[first : first + PAGE_SIZE]]
    if start < 0:
        return Reply(frame(shown), total=0)
    following = first + PAGE_SIZE
    return Reply(frame(shown), total=len(rows), next=following if following < len(rows) else None)
