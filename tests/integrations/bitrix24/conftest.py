from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from tests.integrations.bitrix24.house import HandClock, House, open_house


@pytest.fixture
async def house() -> AsyncIterator[House]:
    """A portal without limits on a socket of this machine, and our side of it."""
    async with open_house() as opened:
        yield opened


@pytest.fixture
def clock() -> HandClock:
    """Time that moves only when somebody sleeps in it."""
    return HandClock()
