"""No drawings of crashes."""

from collections.abc import Iterator

import pytest
from structlog.testing import capture_logs


@pytest.fixture(autouse=True)
def quiet() -> Iterator[None]:
    """Crashes are part of these tests; drawing each of them on a terminal takes longer than the test."""
    with capture_logs():
        yield
