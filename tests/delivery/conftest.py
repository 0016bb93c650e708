"""A rig for each test."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from tests.delivery.rig import Rig, open_rig


@pytest.fixture
async def rig(tmp_path: Path) -> AsyncIterator[Rig]:
    """The core on a fresh database."""
    opened = await open_rig(tmp_path)
    yield opened
    opened.storage.close()


@pytest.fixture(autouse=True)
def quiet() -> Iterator[None]:
    """Crashes are part of these tests; drawing each of them on a terminal takes longer than the test."""
    with capture_logs():
        yield
