"""A small campaign in the gate, and the proof that it can fail."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from random import Random, SystemRandom

import pytest

from tests.hostile import campaign
from tests.hostile.attacks import ATTACKS
from tests.hostile.salon import Salon

COUNT = 40


@pytest.mark.timeout(300)
async def test_a_house_under_attack_serves_the_honest_and_believes_nobody_else(tmp_path: Path) -> None:
    """No 5xx to anybody, nothing forged taken, every honest lead taken, memory bounded; `make hostile` does fifty times as much."""
    report = await campaign.run(tmp_path, count=COUNT, seed=SystemRandom().randrange(2**31))
    assert report.broken == [], report.told()
    assert all(sum(statuses.values()) > 0 for statuses in report.statuses.values()), report.told()
    assert len(report.honest_s) > 0


async def test_the_campaign_sees_what_it_is_there_to_see(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An attack whose request is taken, and one that is answered as nothing may be."""

    async def genuine(salon: Salon, _random: Random, _count: int) -> AsyncIterator[int]:
        yield (await salon.bot.post({"channel": "telegram", "contact": {"phone": "+79000000901"}})).status_code
        yield 500

    forged = next(attack for attack in ATTACKS if attack.name == "forged")
    monkeypatch.setattr(campaign, "ATTACKS", (replace(forged, run=genuine),))
    report = await campaign.run(tmp_path, count=1, seed=1)
    assert sorted(one.partition(":")[0] for one in report.broken) == ["bot", "forged", "forged"], report.broken
