"""How commands print: one JSON document, or lines for people; never a secret unless the command exists to show it once."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Collection, Iterable, Sequence
from datetime import UTC, datetime
from typing import TypeVar

from leadgate.model.views import Page
from leadgate.web.api.documents.plain import page_of, plain

T = TypeVar("T")


def print_json(document: object) -> None:
    """One JSON document on one line, flushed."""
    print(json.dumps(plain(document), ensure_ascii=False), flush=True)


def print_lines(*lines: str) -> None:
    """Lines for people."""
    for line in lines:
        print(line)
    sys.stdout.flush()


def print_fields(document: object, *, but: Collection[str]) -> None:
    """A record for people, one field a line, without those that have lines of their own."""
    shown = plain(document)
    if isinstance(shown, dict):
        print_lines(*(f"{name}: {value}" for name, value in shown.items() if name not in but))


def print_page(page: Page[T], to_document: Callable[[T], object]) -> None:
    """A listing as the contract wants it: `items` and `next`."""
    print_json(page_of(page, to_document))


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


def short_time(at: datetime | None) -> str:
    """For tables: UTC to the second, or a dash."""
    return "—" if at is None else f"{at.astimezone(UTC):%Y-%m-%d %H:%M:%S}"
