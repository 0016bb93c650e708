"""What a client writes reaches the CRM through one place, and when the filter there breaks, nothing of it does."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from leadgate.privacy import redact
from tests.processing.messengers import Salon, open_salon


@pytest.fixture
async def salon(tmp_path: Path) -> AsyncIterator[Salon]:
    """«Лимон»."""
    async with open_salon(tmp_path) as opened:
        yield opened


async def test_documents_and_health_stay_here(salon: Salon) -> None:
    """The manager learns whom to expect, and neither the passport nor the illness."""
    await salon.write("Запишите маму, Розу Ахметову, у неё диабет, паспорт 9208 134677, тел 8 900 000-03-02")
    sent = repr(salon.rig.crm.batches)
    assert "Розу Ахметову" in sent
    assert not any(word in sent for word in ("диабет", "134677"))


async def test_a_filter_that_breaks_lets_nothing_out_and_stops_nothing(
    salon: Salon, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The lead is made, the client is answered, the words stay here."""

    def breaks(_text: str) -> list[object]:
        raise RecursionError("a text nobody thought of")

    monkeypatch.setattr(redact, "find", breaks)
    with capture_logs() as lines:
        await salon.write("Запишите на завтра, паспорт 9208 134677")
    assert salon.leads_made() == 1
    assert salon.entries() == ["[слова клиента не переданы: фильтр персональных данных дал сбой; они есть в Leadgate]"]
    assert "134677" not in repr(salon.rig.crm.batches)
    assert len(salon.said()) == 1
    assert [line["event"] for line in lines if line["log_level"] == "error"] == ["privacy.filter_failed"] * 2
    assert "134677" not in repr(lines)
