"""Entries that waited behind a dead lead keep their place when a person sends it again."""

from leadgate.delivery.dead_letter import retry_all_dead
from leadgate.model.outcomes import Refused
from tests.delivery.rig import Rig


async def test_what_was_said_meanwhile_does_not_overtake_what_waited(rig: Rig) -> None:
    """The manager reads the timeline from top to bottom: "not today" must stand below the "today" it corrects."""
    rig.crm.script(Refused("crm.field_missing"))
    await rig.says("anna", "сегодня")
    await rig.work()
    await rig.says("anna", "не сегодня")
    await rig.storage.write(lambda tx: retry_all_dead(tx, at=rig.clock.now()))
    await rig.work()
    assert rig.crm.effects[1:] == ["evt_1", "evt_2"]
