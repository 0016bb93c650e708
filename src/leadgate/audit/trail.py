"""An act that leaves a trace: journaled before it is done, and once more when it fails."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Iterable
from dataclasses import replace

from leadgate.errors import JournalUnavailableError, LeadgateError
from leadgate.model.journal import JournalEntry, Result
from leadgate.observability import get_logger
from leadgate.ports.journal import Trail

UNEXPECTED = "unexpected"
"""The code in the second entry when the act failed by none of our own errors."""

_log = get_logger("journal")


@contextlib.asynccontextmanager
async def recorded(journal: Trail, entry: JournalEntry, *, is_required: bool = True) -> AsyncIterator[None]:
    """Record `entry`, then let the block act; when the block raises, a second entry says that it failed, and why.

    What can be refused for a wrong question is refused before: only an act that was really tried belongs in the journal. A
    block that is cancelled leaves the first entry alone: nobody knows whether it was still done.

    Args:
        is_required: False for an act that stops something and harms nobody: it is done even when it cannot be recorded,
            and the log says so.

    Raises:
        JournalUnavailableError: the entry is required and could not be written; the block does not run.
    """
    if is_required:
        await journal.record(entry)
    else:
        await _try(journal, entry)
    try:
        yield
    except Exception as error:
        code = error.code if isinstance(error, LeadgateError) else UNEXPECTED
        await _try(journal, replace(entry, result=Result.FAILED, details={**entry.details, "code": code}))
        raise


@contextlib.asynccontextmanager
async def all_recorded(journal: Trail, entries: Iterable[JournalEntry]) -> AsyncIterator[None]:
    """As `recorded`, for one act that has an entry for each of several things."""
    async with contextlib.AsyncExitStack() as acts:
        for entry in entries:
            await acts.enter_async_context(recorded(journal, entry))
        yield


async def _try(journal: Trail, entry: JournalEntry) -> None:
    try:
        await journal.record(entry)
    except JournalUnavailableError as error:
        _log.error("journal.not_recorded", error_code=error.code, action=entry.by, kind=entry.tag.value)
