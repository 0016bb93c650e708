"""A rig for each test."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.delivery.rig import Rig, open_rig


@pytest.fixture
async def rig(tmp_path: Path) -> AsyncIterator[Rig]:
    """The core on a fresh database."""
    opened = await open_rig(tmp_path)
    yield opened
    opened.storage.close()
