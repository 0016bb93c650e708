"""A lane looks at the oldest of its work only: what is held up there must hide nothing, and must not be overtaken."""

from datetime import timedelta

import pytest

from leadgate.model.deliveries import DeliveryState
from leadgate.model.outcomes import LeadClosed, Refused, RetryLater, Scope
from leadgate.storage.deliveries import SqlDeliveryStore
from leadgate.testing.scripted_target import Lost
from tests.delivery.rig import Rig

_MORE_THAN_THE_WINDOW = 25
_NO_LONGER_FRESH = timedelta(minutes=5)
DONE = DeliveryState.DONE
DOWN = RetryLater(code="target.down", scope=Scope.TARGET)


async def test_more_held_up_entries_than_a_lane_sees_hide_no_other_lead(rig: Rig) -> None:
    """A portal lost answers and then refused the leads: their entries wait for a person, and that may take days."""
    for number in range(_MORE_THAN_THE_WINDOW):
        await rig.says(f"held-{number}", "Хочу стрижку")
    rig.crm.script(*[Lost(executed=False)] * _MORE_THAN_THE_WINDOW)
    await rig.work()
    rig.crm.script(*[Refused("crm.field_missing")] * _MORE_THAN_THE_WINDOW)
    await rig.work(rig.crm.quiet)
    held = await rig.states()
    assert (held.count(DeliveryState.DEAD), held.count(DeliveryState.UNKNOWN)) == (_MORE_THAN_THE_WINDOW,) * 2

    rig.crm.size = 2
    for number in range(3):
        await rig.says(f"client-{number}", "Хочу маникюр")
    await rig.work(_NO_LONGER_FRESH)
    assert (await rig.states())[2 * _MORE_THAN_THE_WINDOW :] == [DONE] * 6
    await rig.says("client-0", "Лучше завтра")
    await rig.work(_NO_LONGER_FRESH)
    assert (await rig.states())[-1] is DONE, "the lane is awake for what comes next"


async def test_an_entry_that_was_parked_out_of_sight_of_its_lead_is_not_overtaken(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Moved from a closed lead, it is older than the creation of the new one: the lane may see it long before that."""
    rig.crm.size = 2
    await rig.says("Алсу", "Хочу стрижку")
    await rig.work()
    await rig.says("Алсу", "И ещё маникюр")
    for number in range(_MORE_THAN_THE_WINDOW):
        await rig.says(f"client-{number}", "Хочу стрижку")
    rig.crm.script(LeadClosed(), DOWN)
    await rig.work(_NO_LONGER_FRESH)
    await rig.says("Алсу", "В субботу")
    parked = _note_parked(monkeypatch)
    await rig.work(_NO_LONGER_FRESH)
    assert parked, "else this proves nothing"
    assert set(await rig.states()) == {DONE}
    words = rig.crm.effects
    assert words.index("evt_2") < words.index(f"evt_{rig.events}"), "in the order in which they were said"


def _note_parked(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Everything that is parked from now on."""
    parked: list[str] = []
    park = SqlDeliveryStore.park

    def park_and_tell(store: SqlDeliveryStore, delivery_id: str) -> None:
        parked.append(delivery_id)
        park(store, delivery_id)

    monkeypatch.setattr(SqlDeliveryStore, "park", park_and_tell)
    return parked
