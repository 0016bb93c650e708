from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from leadgate.delivery.plan import plan_lane
from leadgate.model.deliveries import DeliveryKind, DeliveryState
from leadgate.ports.stores import StoredDelivery
from leadgate.testing.connections import NOW
from leadgate.testing.storage_suite import new_delivery

CREATE, ENTRY, MESSAGE = DeliveryKind.CREATE_LEAD, DeliveryKind.TIMELINE_ENTRY, DeliveryKind.MESSAGE
WAITING, SENDING, UNKNOWN = DeliveryState.WAITING, DeliveryState.SENDING, DeliveryState.UNKNOWN
LATER = NOW + timedelta(minutes=1)


def item(
    name: str, kind: DeliveryKind, lead: str | None, state: DeliveryState = WAITING, *, later: bool = False
) -> StoredDelivery:
    """A delivery of a lead."""
    due_at = LATER if later else NOW
    return replace(new_delivery(name, lead_id=lead), kind=kind, state=state, due_at=due_at)


def names(deliveries: Sequence[StoredDelivery]) -> str:
    """Their names in a row."""
    return "".join(delivery.delivery_id.removeprefix("dlv_") for delivery in deliveries)


def test_a_creation_takes_its_entries_along() -> None:
    """One batch for the whole request."""
    plan = plan_lane([item("a", CREATE, "1"), item("b", ENTRY, "1")], frozenset(), capacity=50, now=NOW)
    assert (names(plan.send), plan.park) == ("ab", [])


def test_entries_of_a_lead_that_is_nowhere_are_parked() -> None:
    """Its creation is a dead letter: they wake when a human brings it through."""
    plan = plan_lane([item("a", ENTRY, "1"), item("b", ENTRY, "2")], frozenset({"2"}), capacity=50, now=NOW)
    assert (names(plan.park), names(plan.send)) == ("a", "b")
    assert not plan.is_done, "what lies behind the window must be looked at too"


def test_a_creation_that_is_younger_than_its_entries_goes_first() -> None:
    """Entries that moved to a new lead stand before it in the lane; they follow it in their order."""
    lane = [
        item("a", ENTRY, "1"),
        item("x", ENTRY, "2"),
        item("b", ENTRY, "1"),
        item("c", CREATE, "1"),
        item("d", ENTRY, "1"),
    ]
    plan = plan_lane(lane, frozenset({"2"}), capacity=50, now=NOW)
    assert (names(plan.send), plan.park) == ("xcabd", [])


def test_a_lead_waits_alone() -> None:
    """One that is not due, or whose fate is not known, holds up its own entries and no other lead."""
    lane = [
        item("a", CREATE, "1", later=True),
        item("b", ENTRY, "1"),
        item("c", CREATE, "2", UNKNOWN),
        item("d", ENTRY, "2"),
        item("e", CREATE, "3", SENDING),
        item("f", ENTRY, "3"),
        item("g", CREATE, "4"),
    ]
    plan = plan_lane(lane, frozenset(), capacity=50, now=NOW)
    assert (names(plan.send), names(plan.look_up), names(plan.orphans)) == ("g", "c", "e")
    assert plan.park == []


def test_an_unknown_one_waits_for_its_quiet_time() -> None:
    """Asking too early finds nothing."""
    plan = plan_lane([item("a", CREATE, "1", UNKNOWN, later=True)], frozenset(), capacity=50, now=NOW)
    assert plan.is_done


def test_an_unknown_entry_is_asked_for_when_its_lead_is_there() -> None:
    """Without the lead there is no place to look at."""
    lane = [item("a", CREATE, "1"), item("b", ENTRY, "1", UNKNOWN)]
    assert names(plan_lane(lane, frozenset(), capacity=50, now=NOW).look_up) == ""
    assert names(plan_lane(lane[1:], frozenset({"1"}), capacity=50, now=NOW).look_up) == "b"


def test_a_chat_is_one_line() -> None:
    """The second message waits for the first, whatever it waits for."""
    lane = [item("a", MESSAGE, None, later=True), item("b", MESSAGE, None)]
    plan = plan_lane(lane, frozenset(), capacity=1, now=NOW)
    assert plan.send == []


def test_an_empty_lane_sleeps() -> None:
    """Until it is woken."""
    plan = plan_lane([], frozenset(), capacity=1, now=NOW)
    assert plan.is_done


@given(
    st.lists(
        st.tuples(
            st.sampled_from([CREATE, ENTRY]),
            st.sampled_from("12"),
            st.sampled_from([WAITING, SENDING, UNKNOWN]),
            st.booleans(),
        ),
        max_size=12,
    ),
    st.integers(1, 5),
    st.sets(st.sampled_from("12")),
)
def test_no_plan_overtakes_or_stalls(
    shapes: list[tuple[DeliveryKind, str, DeliveryState, bool]], capacity: int, in_crm: set[str]
) -> None:
    """For any lane: nothing twice, entries in order, at most what fits; and work that is due is never slept through."""
    lane = [item(f"{n:02d}", kind, lead, state, later=later) for n, (kind, lead, state, later) in enumerate(shapes)]
    plan = plan_lane(lane, frozenset(in_crm), capacity=capacity, now=NOW)
    planned = [*plan.send, *plan.look_up, *plan.orphans, *plan.park]
    assert len({d.delivery_id for d in planned}) == len(planned)
    assert len(plan.send) <= capacity
    assert len(plan.look_up) <= capacity
    for lead in "12":
        entries = [d.delivery_id for d in plan.send if d.lead_id == lead and d.kind is ENTRY]
        assert entries == sorted(entries)
        stuck = {d.lead_id for d in lane if d.state is not WAITING}
        if lead not in stuck and all(d.due_at == NOW for d in lane) and any(d.lead_id == lead for d in lane):
            assert not plan.is_done
