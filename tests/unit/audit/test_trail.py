"""An act and its trace: which comes first, and what stands in the journal when one of the two fails."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest
from structlog.testing import capture_logs

from leadgate.audit.trail import recorded
from leadgate.errors import ConflictError, JournalUnavailableError
from leadgate.model.journal import JournalEntry, Result, Tag
from leadgate.testing.connections import FixedClock
from leadgate.testing.journal import MemoryJournal

ENTRY = JournalEntry(tag=Tag.DELIVERY_DISCARDED, by="staff_1", on="dlv_1", details={"kind": "lead.create"})


@pytest.fixture
def journal() -> MemoryJournal:
    """Empty."""
    return MemoryJournal(FixedClock())


async def act(journal: MemoryJournal, do: Callable[[], object], *, is_required: bool = True) -> None:
    """Journaled."""
    async with recorded(journal, ENTRY, is_required=is_required):
        do()


def raising(error: BaseException) -> Callable[[], object]:
    """An act that fails."""

    def act() -> None:
        raise error

    return act


async def test_the_entry_is_written_before_the_act(journal: MemoryJournal) -> None:
    """An act without a trace must not be possible, not even by a crash between the two."""
    seen: list[int] = []
    await act(journal, lambda: seen.append(len(journal.rows)))
    assert seen == [1]
    assert [row.entry for row in journal.rows] == [ENTRY]


@pytest.mark.parametrize(
    ("error", "code"),
    [(ConflictError("no", code="delivery.wrong_state"), "delivery.wrong_state"), (ValueError("x"), "unexpected")],
)
async def test_an_act_that_fails_leaves_a_second_entry(journal: MemoryJournal, error: Exception, code: str) -> None:
    """The first one alone would say that it was done."""
    with pytest.raises(type(error)):
        await act(journal, raising(error))
    failed = journal.rows[1].entry
    assert (failed.tag, failed.by, failed.on, failed.result) == (ENTRY.tag, ENTRY.by, ENTRY.on, Result.FAILED)
    assert failed.details == {"kind": "lead.create", "code": code}


async def test_a_cancelled_act_is_not_said_to_have_failed(journal: MemoryJournal) -> None:
    """Its transaction may still have ended well."""
    with pytest.raises(asyncio.CancelledError):
        await act(journal, raising(asyncio.CancelledError()))
    assert [row.entry.result for row in journal.rows] == [Result.DONE]


async def test_without_a_journal_the_act_does_not_happen(journal: MemoryJournal) -> None:
    """Unless it stops something and harms nobody: then the log says that the trace is missing."""
    journal.is_broken, done = True, list[str]()
    with pytest.raises(JournalUnavailableError):
        await act(journal, lambda: done.append("act"))
    assert done == []
    with capture_logs() as logs:
        await act(journal, lambda: done.append("stop"), is_required=False)
    assert done == ["stop"]
    assert [(line["event"], line["kind"]) for line in logs] == [("journal.not_recorded", "delivery.discarded")]


async def test_why_it_failed_is_told_even_when_the_journal_broke_meanwhile(journal: MemoryJournal) -> None:
    """Whoever acted needs the cause, the operator the missing entry."""

    def fail() -> None:
        journal.is_broken = True
        raise ConflictError("no")

    with capture_logs() as logs, pytest.raises(ConflictError):
        await act(journal, fail)
    assert [line["event"] for line in logs] == ["journal.not_recorded"]
