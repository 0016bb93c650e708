from datetime import timedelta

import pytest

from leadgate.catalogue.texts import LOCALES, load_texts
from leadgate.crm import endings, ledger
from leadgate.crm.endings import CrmDuty, name_ending, tell_ending
from leadgate.model.deliveries import DeliveryKind, DeliveryState
from leadgate.model.events import EventState
from leadgate.model.views import EndState, EventEnd
from leadgate.testing.connections import NOW

SOON, LATER = NOW + timedelta(minutes=1), NOW + timedelta(minutes=9)


def duty(state: DeliveryState, **more: object) -> CrmDuty:
    """A command for the CRM that came of an event."""
    known: dict[str, object] = {
        "kind": DeliveryKind.CREATE_LEAD,
        "error_code": None,
        "due_at": SOON,
        "discard_reason": None,
        "has_crm": True,
        "is_paused": False,
        "lane_due_at": LATER,
        "lane_problem": None,
    }
    return CrmDuty(state=state, **{**known, **more})  # type: ignore[arg-type]  # the fields of the duty, by name


DONE, DEAD = duty(DeliveryState.DONE), duty(DeliveryState.DEAD, error_code="bitrix24.100")
WAITING = duty(DeliveryState.WAITING)


@pytest.mark.parametrize(
    ("state", "reason", "duties", "end"),
    [
        (EventState.RECEIVED, None, [], EventEnd(state=EndState.WAITING, why="not_worked_on")),
        (EventState.ANSWERED, None, [], EventEnd(state=EndState.ANSWERED)),
        (EventState.IGNORED, "group_chat", [], EventEnd(state=EndState.IGNORED, why="group_chat")),
        (EventState.FAILED, "event.crashed", [], EventEnd(state=EndState.REFUSED, why="event.crashed")),
        (EventState.LEAD, None, [DONE, DONE], EventEnd(state=EndState.DELIVERED)),
        (EventState.LEAD, None, [DONE, WAITING, DEAD], EventEnd(state=EndState.REFUSED, why="bitrix24.100")),
        (EventState.LEAD, None, [DONE, WAITING], EventEnd(state=EndState.WAITING, why="in_turn", until=SOON)),
        (
            EventState.LEAD,
            None,
            [duty(DeliveryState.UNKNOWN)],
            EventEnd(state=EndState.WAITING, why="look_up", until=SOON),
        ),
        (
            EventState.LEAD,
            None,
            [duty(DeliveryState.WAITING, lane_problem="bitrix24.unreachable")],
            EventEnd(state=EndState.WAITING, why="bitrix24.unreachable", until=LATER),
        ),
        (
            EventState.LEAD,
            None,
            [duty(DeliveryState.WAITING, error_code="bitrix24.timeout", due_at=None)],
            EventEnd(state=EndState.WAITING, why="bitrix24.timeout", until=LATER),
        ),
        (
            EventState.LEAD,
            None,
            [duty(DeliveryState.WAITING, is_paused=True)],
            EventEnd(state=EndState.WAITING, why="paused"),
        ),
        (
            EventState.LEAD,
            None,
            [duty(DeliveryState.WAITING, has_crm=False)],
            EventEnd(state=EndState.WAITING, why="no_crm"),
        ),
        (
            EventState.LEAD,
            None,
            [DONE, duty(DeliveryState.DISCARDED, discard_reason="дубль")],
            EventEnd(state=EndState.IGNORED, why="given_up", note="дубль"),
        ),
        (
            EventState.LEAD,
            None,
            [DONE, duty(DeliveryState.DISCARDED, kind=DeliveryKind.UPDATE_LEAD)],
            EventEnd(state=EndState.DELIVERED),
        ),
    ],
)
def test_every_event_stands_in_one_named_state(
    state: EventState, reason: str | None, duties: list[CrmDuty], end: EventEnd
) -> None:
    """The owner asks for one event what became of it: one word, why, and until when."""
    assert name_ending(state, reason, duties, is_erased=False) == end


@pytest.mark.parametrize("state", EventState)
def test_erased_comes_before_all(state: EventState) -> None:
    """Of a person who was erased nothing else is told."""
    assert name_ending(state, "group_chat", [DEAD], is_erased=True) == EventEnd(state=EndState.ERASED)


def test_an_ending_is_told_in_one_line() -> None:
    """State, cause and time in words; a vendor's code stays as it is; a human's words are repeated."""
    held_up = EventEnd(state=EndState.WAITING, why="look_up", until=SOON)
    assert (
        tell_ending(held_up, "en")
        == "waiting, the answer of the CRM was lost; after the quiet time we look whether it arrived,"
        " until 2026-11-22 12:01:00 UTC"
    )
    given_up = EventEnd(state=EndState.IGNORED, why="given_up", note="дубль")
    assert tell_ending(given_up, "ru") == "пропущено, от отправки отказался сотрудник, дубль"
    assert tell_ending(EventEnd(state=EndState.REFUSED, why="bitrix24.100"), "ru") == "не принято, bitrix24.100"


@pytest.mark.parametrize("locale", LOCALES)
def test_every_state_cause_and_finding_has_words_and_no_words_are_left_over(locale: str) -> None:
    """A code without words would break the page or the nightly run in front of the owner."""
    causes = [endings.NOT_WORKED_ON, endings.PAUSED, endings.NO_CRM, endings.LOOK_UP, endings.IN_TURN, endings.GIVEN_UP]
    findings = [ledger.MISSING, ledger.DOUBLED, ledger.STRANGER, ledger.UNSETTLED, ledger.MOVED, ledger.CLOSED]
    findings.append(ledger.ACCEPTED)
    wanted = {f"state.{state}" for state in EndState} | {f"why.{cause}" for cause in causes}
    wanted |= {f"finding.{code}" for code in findings}
    assert load_texts("ledger", locale).keys() == wanted | {"until", "crm.lead", "crm.deal"}
