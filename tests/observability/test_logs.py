"""The log itself: what it is told of goes on when the log cannot be written."""

from __future__ import annotations

import io
from collections.abc import Iterator

import pytest
import structlog

from leadgate.observability import configure_logs, get_logger
from leadgate.observability.logs import write_lines


class FullDisk(io.StringIO):
    """A file whose disk takes nothing more."""

    def write(self, _text: str) -> int:
        """Fails as `write(2)` does."""
        raise OSError(28, "No space left on device")


@pytest.fixture(autouse=True)
def as_before() -> Iterator[None]:
    """The log of other tests."""
    kept = structlog.get_config()
    yield
    structlog.configure(**kept)


@pytest.mark.parametrize("as_json", [True, False])
def test_a_full_disk_under_the_log_stops_nothing(*, as_json: bool) -> None:
    """A lead that cannot be told of is taken all the same, and a process ends as it was told to."""
    configure_logs(stream=FullDisk(), as_json=as_json)
    get_logger("test").info("webhook.accepted", outcome="accepted")
    write_lines([{"event": "webhook.accepted", "source": "webhook"}])
