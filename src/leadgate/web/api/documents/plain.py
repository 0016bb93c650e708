"""From our records to what JSON knows, and pages of a listing."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields, is_dataclass
from datetime import UTC, datetime
from enum import Enum
from typing import Annotated, Generic, TypeVar

from msgspec import Meta

from leadgate.errors import ConfigurationError
from leadgate.model.views import Page

T = TypeVar("T")
R = TypeVar("R")

Moment = Annotated[datetime, Meta(tz=True)]
"""An aware time; `date-time` in the OpenAPI document."""


@dataclass(frozen=True, slots=True)
class Items(Generic[T]):
    """One page of a listing.

    Attributes:
        next: the `cursor` of the following page; null on the last one.
    """

    items: Sequence[T]
    next: str | None = None


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


def page_of(page: Page[T], to_document: Callable[[T], R]) -> Items[R]:
    """A page of rows as a page of documents."""
    return Items([to_document(row) for row in page.items], page.next_cursor)


def cut_page(rows: Sequence[T], *, limit: int, cursor: str | None) -> Page[T]:
    """One page of a short list that is read whole; the cursor counts rows.

    Raises:
        ConfigurationError: the cursor is not one of ours.
    """
    if cursor is not None and not (cursor.isascii() and cursor.isdecimal() and len(cursor) < 10):  # noqa: PLR2004 - more rows than any list read whole
        raise ConfigurationError(
            "This cursor is not one of ours.", code="page.cursor_wrong", hint="Take `next` of the page before."
        )
    start = int(cursor or 0)
    end = start + max(limit, 1)
    return Page(rows[start:end], str(end) if len(rows) > end else None)
