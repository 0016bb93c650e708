"""A freeze of an incident: nothing begins after its commit, what was under way is written down, and all goes on in order."""

from __future__ import annotations

import pytest

from leadgate.model.deliveries import DeliveryState
from leadgate.model.incidents import EVERYTHING, Freeze
from leadgate.testing.connections import NOW
from leadgate.testing.storage_suite import BOT, CRM
from tests.delivery.rig import Rig

DONE, WAITING = DeliveryState.DONE, DeliveryState.WAITING


async def freeze(rig: Rig, connection_id: str) -> None:
    """Another process stops what goes there."""
    row = Freeze(connection_id=connection_id, incident_id="inc_1", frozen_at=NOW, frozen_by="staff_1")
    await rig.storage.write(lambda tx: tx.incidents.freeze(row))


async def unfreeze(rig: Rig, connection_id: str) -> None:
    """And lets it go on."""
    await rig.storage.write(lambda tx: tx.incidents.unfreeze(connection_id))


@pytest.mark.parametrize("frozen", [EVERYTHING, BOT])
async def test_a_lane_in_the_middle_of_its_work_stops_after_the_call_in_hand(rig: Rig, frozen: str) -> None:
    """The lane is held and has more to send: the next message must not begin, the first one's outcome must not be lost."""
    for number in range(3):
        await rig.reply("Алсу", f"слово {number}")

    async def stop() -> None:
        if len(rig.bot.batches) == 1:
            await freeze(rig, frozen)

    rig.bot.while_sending = stop
    await rig.work()
    assert await rig.states() == [DONE, WAITING, WAITING]
    await rig.work()
    assert len(rig.bot.batches) == 1, "another worker, or the same one later, begins nothing either"
    await unfreeze(rig, frozen)
    await rig.work()
    assert await rig.states() == [DONE, DONE, DONE]
    assert rig.bot.sent == ["msg_1", "msg_2", "msg_3"]


async def test_another_connection_is_not_stopped(rig: Rig) -> None:
    """The leaked one alone."""
    await freeze(rig, BOT)
    await rig.says("Алсу", "Хочу стрижку")
    await rig.reply("Алсу", "Здравствуйте")
    await rig.work()
    assert (len(rig.crm.batches), len(rig.bot.batches)) == (1, 0)
    await freeze(rig, CRM)
    await rig.says("Алсу", "Лучше завтра")
    await rig.work()
    assert len(rig.crm.batches) == 1
