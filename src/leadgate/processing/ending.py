"""The end of an event."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from leadgate.model.events import EventState


@dataclass(frozen=True, slots=True, kw_only=True)
class Ending:
    """The end of an event, or of one fact of it."""

    state: EventState
    reason: str | None = None
    subject_id: str | None = None
    lead_id: str | None = None


def gravest(endings: Sequence[Ending]) -> Ending:
    """One end for the event: a lead before an answer before nothing."""
    order = (EventState.LEAD, EventState.ANSWERED, EventState.IGNORED)
    return min(
        endings,
        key=lambda ending: order.index(ending.state),
        default=Ending(state=EventState.IGNORED, reason="event.empty"),
    )
