"""What `observability` writes: one closed list of fields, whoever writes the line."""

from __future__ import annotations

import asyncio
import io
import json
from collections.abc import Iterator

import pytest
import structlog

from leadgate.observability import configure_logs, get_logger, silence_logs
from leadgate.observability.frequent import FrequentLine


class Terminal(io.StringIO):
    """Counts how often something was written."""

    writes = 0

    def write(self, text: str) -> int:
        self.writes += 1
        return super().write(text)


@pytest.fixture
def sink() -> Iterator[Terminal]:
    """Where lines go during a test."""
    kept = structlog.get_config()
    yield Terminal()
    configure_logs()
    structlog.configure(**kept)


async def test_a_frequent_line_looks_like_every_other_and_lines_of_a_moment_are_one_write(sink: Terminal) -> None:
    """Whoever reads the log must not care how a line was written."""
    configure_logs(stream=sink, as_json=True)
    get_logger("webhook").info("webhook.accepted", event_id="evt_0", outcome="accepted")
    writes = sink.writes
    line = FrequentLine("webhook.accepted", source="webhook")
    line.write(event_id="evt_1", outcome="accepted")
    line.write(event_id="evt_2", outcome="duplicate")
    await asyncio.sleep(0)
    assert sink.writes == writes + 1
    usual, first, second = (json.loads(text) for text in sink.getvalue().splitlines())
    assert list(first) == list(usual)
    assert {**usual, "event_id": "evt_1", "timestamp": first["timestamp"]} == first
    assert second["outcome"] == "duplicate"


async def test_a_frequent_line_prints_no_field_that_is_not_on_the_list(sink: Terminal) -> None:
    """A careless call must not leak, however quick its way is."""
    configure_logs(stream=sink, as_json=True)
    FrequentLine("webhook.accepted", source="webhook").write(event_id="evt_1", phone="+79000000101")
    await asyncio.sleep(0)
    assert "79000000101" not in sink.getvalue()
    assert json.loads(sink.getvalue())["unknown_fields"] == ["phone"]


async def test_a_terminal_gets_columns_also_of_frequent_lines(sink: Terminal) -> None:
    """A person reads them."""
    configure_logs(stream=sink, as_json=False)
    FrequentLine("webhook.accepted", source="webhook").write(event_id="evt_1")
    await asyncio.sleep(0)
    assert "webhook.accepted" in sink.getvalue()
    assert not sink.getvalue().startswith("{")


async def test_silence_holds_for_frequent_lines_too(capsys: pytest.CaptureFixture[str], sink: Terminal) -> None:
    """A command says itself what it did."""
    silence_logs()
    FrequentLine("webhook.accepted", source="webhook").write(event_id="evt_1")
    await asyncio.sleep(0)
    assert capsys.readouterr().err == ""
