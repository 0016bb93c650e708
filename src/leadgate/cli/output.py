"""How commands print: one JSON document, or lines for people; never a secret unless the command exists to show it once."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterable, Sequence
from dataclasses import fields, is_dataclass
from datetime import UTC, datetime
from enum import Enum
from typing import TypeVar

from leadgate.model.views import Page

T = TypeVar("T")


def print_json(document: object) -> None:
    """One JSON document on one line, flushed."""
    print(json.dumps(plain(document), ensure_ascii=False), flush=True)


def print_lines(*lines: str) -> None:
    """Lines for people."""
    for line in lines:
        print(line)
    sys.stdout.flush()


def print_page(page: Page[T], to_document: Callable[[T], object]) -> None:
    """A listing as the contract wants it: `items` and `next`."""
    print_json({"items": [to_document(item) for item in page.items], "next": page.next_cursor})


def print_table(headings: Sequence[str], rows: Iterable[Sequence[str]], *, empty: str, more: str | None) -> None:
    """Columns for people; what to say when there is nothing; the cursor of the next page."""
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    cells = list(rows)
    if not cells:
        print(empty)
        return
    table = Table(box=None, pad_edge=False, header_style="dim")
    # The first column is the id that people copy: it is never cut, the others fold.
    table.add_column(headings[0], no_wrap=True, min_width=max(len(row[0]) for row in cells))
    for heading in headings[1:]:
        table.add_column(heading, overflow="fold")
    for row in cells:
        table.add_row(*(Text(cell) for cell in row))
    # A pipe has no width: ids are never cut there.
    Console(width=None if sys.stdout.isatty() else 400).print(table)
    if more is not None:
        print(f"More: --cursor {more}")


def plain(value: object) -> object:
    """Anything of ours as JSON knows it: times ISO 8601 with offset, enums their values, records their fields."""
    match value:
        case datetime():
            return value.astimezone(UTC).isoformat()
        case Enum():
            return value.value
        case dict():
            return {str(key): plain(item) for key, item in value.items()}
        case list() | tuple():
            return [plain(item) for item in value]
        case _ if is_dataclass(value) and not isinstance(value, type):
            return {field.name: plain(getattr(value, field.name)) for field in fields(value)}
        case _:
            return value


def short_time(at: datetime | None) -> str:
    """For tables: UTC to the second, or a dash."""
    return "—" if at is None else f"{at.astimezone(UTC):%Y-%m-%d %H:%M:%S}"
