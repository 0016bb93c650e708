"""Looking at a client's data: why, and who did."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class RevealReason(StrEnum):
    """Why somebody looks: a closed list, so that no client's data gets into the journal by way of a reason."""

    CALL = "call"
    COMPLAINT = "complaint"
    REQUEST = "request"
    CHECK = "check"
    FIX = "fix"
    """To put right what the CRM did not take."""
    PROGRAM = "program"
    """A program read it with a token of its own; nobody is asked there."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reveal:
    """One look at a client's data.

    Attributes:
        on_id: what was opened, `evt_…` or `dlv_…`.
        by: who looked; `by_name` is the name of one who still works here.
        words: what was written beside the reason; None when nothing was, or the client was erased since.
    """

    reveal_id: str
    on_id: str
    by: str
    by_name: str | None
    reason: RevealReason
    at: datetime
    words: str | None
