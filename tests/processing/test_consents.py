"""What a bot builder tells of a client's consent is part of who they are, and stands in the CRM beside the request."""

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest

from leadgate.model.events import EventKind
from leadgate.model.leads import ConsentGiven, LeadRequest, Person
from leadgate.ports.stores import Transaction
from leadgate.testing.connections import NOW
from tests.processing.messengers import ALSU_IN_MAX, MAX, Salon, open_salon

GIVEN = ConsentGiven(given_at=NOW - timedelta(days=1), policy_version="2026-11-01")


@pytest.fixture
async def salon(tmp_path: Path) -> AsyncIterator[Salon]:
    """«Лимон»."""
    async with open_salon(tmp_path) as opened:
        yield opened


async def request(salon: Salon, *, message: str | None = "Маникюр", consent: ConsentGiven | None = GIVEN) -> str:
    """A bot builder posts a whole request; whose it is."""
    person = Person(name="Алсу", phone="+79000000302")
    lead = LeadRequest(channel="telegram", contact=person, message=message, consent=consent)
    row = await salon.hear(EventKind.FORM, chat="form", lead=lead)
    return await salon.subject(row.event_id)


async def consents(salon: Salon, subject_id: str) -> list[ConsentGiven]:
    """What is known of a person's consents."""
    return list(await salon.rig.storage.read(lambda tx: salon.rig.identities.consents(tx, subject_id)))


async def test_a_consent_is_kept_with_the_person_and_told_to_the_manager(salon: Salon) -> None:
    """In the salon's own time, with the version of the text."""
    assert await consents(salon, await request(salon)) == [GIVEN]
    assert salon.entries() == ["Маникюр\nСогласие на обработку данных: 21.11.2026 15:00, текст 2026-11-01"]


async def test_a_request_that_says_nothing_but_the_consent_is_still_a_request(salon: Salon) -> None:
    """The manager reads first that somebody turned to the salon."""
    await request(salon, message=None)
    assert salon.entries()[0].startswith("Новая заявка\nСогласие")


async def test_without_a_word_of_consent_there_is_none(salon: Salon) -> None:
    """It is never taken for granted."""
    assert await consents(salon, await request(salon, consent=None)) == []
    assert "Согласие" not in salon.entries()[0]


async def test_a_second_channel_of_the_person_has_the_same_consents(salon: Salon) -> None:
    """They hang on the person and not on the messenger."""
    by_form = await request(salon)
    in_max = await salon.subject((await salon.write("/start", MAX, chat=ALSU_IN_MAX)).event_id)
    assert await consents(salon, in_max) == []

    def join(tx: Transaction) -> None:
        salon.rig.identities.join(tx, in_max, by_form, reason="test", at=NOW)

    await salon.rig.storage.write(join)
    assert await consents(salon, in_max) == await consents(salon, by_form) == [GIVEN]
