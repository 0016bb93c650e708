"""The audit journal: identifiers, codes and numbers; no personal data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from leadgate.model.journal import JournalFaultKind, JournalRow, JournalVerdict, Result, Tag
from leadgate.web.api.documents.plain import Moment


@dataclass(frozen=True, slots=True, kw_only=True)
class JournalDocument:
    """One act.

    Attributes:
        number: from 1 without a gap.
        by: a staff id, `command`, `system`, the id of a token, `client:subj_…`.
        on: the id of what it was done to; null when there is no single thing.
    """

    number: int
    at: Moment
    tag: Tag
    by: str
    on: str | None
    result: Result
    details: Mapping[str, str | int]


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckpointDocument:
    """The newest signed checkpoint, C2SP tlog-checkpoint: keep it outside, `journal verify --checkpoint` takes it.

    Null before the first entry.
    """

    checkpoint: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class VerdictDocument:
    """What `journal verify` found; `first_bad` is the number of the first bad entry.

    Attributes:
        entries: how many entries are as they were written.
        fault: null when all is well.
    """

    verified: bool
    entries: int
    first_bad: int | None
    fault: JournalFaultKind | None
    explained: str


def journal_document(row: JournalRow) -> JournalDocument:
    """One act."""
    entry = row.entry
    return JournalDocument(
        number=row.number,
        at=row.at,
        tag=entry.tag,
        by=entry.by,
        on=entry.on,
        result=entry.result,
        details=entry.details,
    )


def verdict_document(verdict: JournalVerdict) -> VerdictDocument:
    """What was found, in one sentence as well."""
    fault = verdict.fault
    return VerdictDocument(
        verified=fault is None,
        entries=verdict.entries,
        first_bad=None if fault is None else fault.number,
        fault=None if fault is None else fault.kind,
        explained=explain(verdict),
    )


def explain(verdict: JournalVerdict) -> str:
    """The verdict in a sentence."""
    if verdict.fault is None:
        return f"The journal is as it was written: {verdict.entries} entries."
    number = verdict.fault.number
    return {
        JournalFaultKind.CHANGED: f"Entry {number} was changed: it is not what was written.",
        JournalFaultKind.MISSING: f"Entry {number} is missing: entries were deleted, cut off, or an older file was put back.",
        JournalFaultKind.SURPLUS: f"Entry {number} was put in: no entry has such a number.",
        JournalFaultKind.REWRITTEN: (
            f"Entry {number} or a later one was rewritten with the journal's own key: it does not lead to the checkpoint."
        ),
        JournalFaultKind.CHECKPOINT_FORGED: (
            f"The checkpoint beside the journal is forged: its key did not sign it. The {verdict.entries} entries fit one another."
        ),
        JournalFaultKind.CHECKPOINT_MISSING: (
            "The checkpoint beside the journal is gone, so a cut end would not be seen."
            f" The {verdict.entries} entries fit one another; compare with a checkpoint of your own (--checkpoint)."
        ),
    }[verdict.fault.kind]
