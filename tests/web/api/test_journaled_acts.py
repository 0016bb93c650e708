"""What people do to a delivery leaves an entry in the audit journal, or is not done."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from leadgate.app import App, open_app
from leadgate.errors import ConfigurationError, ConflictError, JournalUnavailableError, NotFoundError
from leadgate.model.deliveries import DeliveryState
from leadgate.model.journal import JournalEntry, Result, Tag
from leadgate.model.views import LeadData
from leadgate.settings import read_settings
from tests.web.api.conftest import NAME, PHONE, WORDS, Api

REASON = "Алсу передумала, +79000000501"
"""A reason with what people should not write there, and do."""


async def entries(app: App, on: str) -> Sequence[JournalEntry]:
    """Oldest first."""
    return [row.entry for row in reversed(await app.journal.newest(limit=20, on=on))]


async def test_giving_up_by_command_api_and_page_is_in_the_journal(api: Api) -> None:
    """A lead that somebody threw away must be found with who did it; why stays with the delivery, never in the journal."""
    first, second, third = [(await api.dead_letter(number))[1] for number in (501, 502, 503)]
    assert (await api.ask("POST", f"/deliveries/{first}/discard", json={"reason": REASON})).status_code == 200
    await api.salon.gateway.ask("deliveries", "discard", second, "--reason", REASON)
    async with open_app(read_settings(data=api.salon.gateway.data)) as app:
        await app.desk.discard(third, reason=REASON, by="staff_1")
        found = [await entries(app, delivery) for delivery in (first, second, third)]
        assert [[(one.tag, one.result) for one in each] for each in found] == [
            [(Tag.DELIVERY_DISCARDED, Result.DONE)]
        ] * 3
        assert [each[0].by.partition("_")[0] for each in found] == ["tok", "command", "staff"]
        kept = await app.desk.delivery(first)
        assert kept.discard_reason == REASON
        assert found[0][0].details == {"kind": "lead.create", "state": "dead", "lead": kept.row.lead_id}
        told = repr(await app.journal.newest(limit=100))
        assert [word for word in (NAME, PHONE, WORDS, "Алсу") if word in told] == []


async def test_looking_correcting_and_calling_arrived_are_in_the_journal(api: Api) -> None:
    """Whoever opened a lead's data is known afterwards."""
    first, second = (await api.dead_letter(501))[1], (await api.dead_letter(502))[1]
    await api.uncertain(second)
    async with open_app(read_settings(data=api.salon.gateway.data)) as app:
        data = await app.desk.lead_data(first, by="staff_1")
        await app.desk.fix(first, data, by="staff_2")
        await app.desk.confirm(second, by="staff_3")
        assert [(one.tag, one.by) for one in (*await entries(app, first), *await entries(app, second))] == [
            (Tag.DELIVERY_REVEALED, "staff_1"),
            (Tag.DELIVERY_FIXED, "staff_2"),
            (Tag.DELIVERY_CONFIRMED, "staff_3"),
        ]


async def test_without_a_journal_nothing_is_given_up_shown_or_changed(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What leaves no trace is not done."""
    delivery = (await api.dead_letter(501))[1]
    async with open_app(read_settings(data=api.salon.gateway.data)) as app:

        async def refuses(_entry: JournalEntry) -> int:
            raise JournalUnavailableError("no disk")

        monkeypatch.setattr(app.journal, "record", refuses)
        with pytest.raises(JournalUnavailableError):
            await app.desk.discard(delivery, reason="проба", by="staff_1")
        with pytest.raises(JournalUnavailableError):
            await app.desk.lead_data(delivery, by="staff_1")
        with pytest.raises(JournalUnavailableError):
            await app.desk.fix(delivery, LeadData(name="Я", phone=None, email=None, comment=None), by="staff_1")
        assert (await app.desk.delivery(delivery)).row.state is DeliveryState.DEAD


async def test_a_wrong_question_leaves_no_entry_and_a_late_one_leaves_two(api: Api) -> None:
    """What people type is no id: it never comes into the journal."""
    delivery = (await api.dead_letter(501))[1]
    async with open_app(read_settings(data=api.salon.gateway.data)) as app:
        with pytest.raises(NotFoundError):
            await app.desk.discard(PHONE, reason="проба", by="staff_1")
        with pytest.raises(ConfigurationError):
            await app.desk.discard(delivery, reason="  ", by="staff_1")
        assert [*await entries(app, PHONE), *await entries(app, delivery)] == []
        await app.desk.discard(delivery, reason="проба", by="staff_1")
        with pytest.raises(ConflictError):
            await app.desk.discard(delivery, reason="проба", by="staff_2")
        assert [(one.by, one.result, one.details.get("code")) for one in await entries(app, delivery)] == [
            ("staff_1", Result.DONE, None),
            ("staff_2", Result.DONE, None),
            ("staff_2", Result.FAILED, "delivery.wrong_state"),
        ]
