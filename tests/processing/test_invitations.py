"""A client brings a second channel along."""

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest

from leadgate.crm.invitations import VALID_FOR
from leadgate.model.events import EventKind
from leadgate.model.leads import Person
from leadgate.testing.storage_suite import BOT
from tests.processing.messengers import ALSU, ALSU_IN_MAX, ANSWERED, LEAD, MAX, VK, Salon, open_salon

WELCOME = "Рады видеть вас и здесь! Мы вас узнали, заново представляться не нужно. Чем помочь?"


@pytest.fixture
async def salon(tmp_path: Path) -> AsyncIterator[Salon]:
    """«Лимон»."""
    async with open_salon(tmp_path) as opened:
        yield opened


async def meet(salon: Salon) -> str:
    """A client in Telegram, known by name and phone; the lead's id."""
    await salon.write("Хочу стрижку завтра")
    await salon.write("Алсу")
    row = await salon.write("8 900 000-01-01")
    return row.lead_id or ""


async def invite(salon: Salon) -> str:
    """A token for the client in Telegram."""
    subject_id = (await salon.chat()).subject_id
    links = await salon.rig.storage.write(
        lambda tx: salon.turns.links.make(tx, subject_id, at=salon.rig.clock.now(), connection_id=MAX)
    )
    return links[0].url.rpartition("=")[2]


async def roots(salon: Salon) -> set[str]:
    """Who stands for the clients of the two chats."""
    chats = [await salon.chat(), await salon.chat(MAX, chat=ALSU_IN_MAX)]
    return {
        await salon.rig.storage.read(lambda tx, chat=chat: salon.rig.identities.root(tx, chat.subject_id))  # type: ignore[misc]  # mypy sees no type in the default of a lambda
        for chat in chats
    }


class TestOpening:
    async def test_a_link_makes_two_channels_one_person(self, salon: Salon) -> None:
        """No phone is asked again, the open lead goes on, and the administrator sees that it is the same client."""
        lead_id = await meet(salon)
        token = await invite(salon)
        row = await salon.hear(EventKind.BUTTON, MAX, chat=ALSU_IN_MAX, payload=token)
        assert (row.state, row.lead_id) == (LEAD, lead_id)
        assert len(await roots(salon)) == 1
        assert [message.text for message in salon.said(MAX)] == [WELCOME]
        assert salon.entries()[-1] == "[этот же клиент теперь пишет и сюда]"
        row = await salon.write("Можно в субботу утром", MAX, chat=ALSU_IN_MAX)
        assert row.lead_id == lead_id
        assert salon.leads_made() == 1
        assert "+7 900 000-01-01" in salon.said(MAX)[-1].text

    async def test_what_is_written_along_is_passed_on(self, salon: Salon) -> None:
        """WhatsApp's links only fill in words: the token is no word of the client's, the rest is."""
        lead_id = await meet(salon)
        token = await invite(salon)
        row = await salon.write(f"{token} Можно в субботу утром", MAX, chat=ALSU_IN_MAX)
        assert row.lead_id == lead_id
        assert salon.entries()[-1] == "Можно в субботу утром"
        assert not any(token in body.text for body in await salon.words(MAX, chat=ALSU_IN_MAX))

    @pytest.mark.parametrize(
        "fields",
        [{"text": "/start {}", "payload": "{}"}, {"text": "{}"}, {"text": "/start", "payload": "{}"}],
        ids=["Telegram", "WhatsApp", "VK"],
    )
    async def test_every_way_a_vendor_gives_the_token_is_understood(self, salon: Salon, fields: dict[str, str]) -> None:
        """As the payload of a link, or as the words it filled in."""
        await meet(salon)
        token = await invite(salon)
        filled = {name: value.format(token) for name, value in fields.items()}
        await salon.hear(EventKind.TEXT, MAX, chat=ALSU_IN_MAX, **filled)
        assert len(await roots(salon)) == 1
        assert [message.text for message in salon.said(MAX)] == [WELCOME]

    async def test_without_an_open_lead_there_is_just_a_welcome(self, salon: Salon) -> None:
        """Looking in is no request."""
        await salon.write("/start")
        row = await salon.hear(EventKind.BUTTON, MAX, chat=ALSU_IN_MAX, payload=await invite(salon))
        assert row.state is ANSWERED
        assert salon.leads_made() == 0

    async def test_the_lead_of_either_channel_goes_on(self, salon: Salon) -> None:
        """Each began a lead of their own before: the words of both go to one that is open, none is made anew."""
        in_max = await salon.write("Хочу маникюр завтра", MAX, chat=ALSU_IN_MAX)
        await salon.write("/start")
        await salon.hear(EventKind.BUTTON, MAX, chat=ALSU_IN_MAX, payload=await invite(salon))
        row = await salon.write("Алсу")
        assert row.lead_id == in_max.lead_id
        assert salon.leads_made() == 1


class TestRefusing:
    async def test_a_link_works_once(self, salon: Salon) -> None:
        """Passed on to a friend, it must not make the friend our client."""
        await meet(salon)
        token = await invite(salon)
        await salon.hear(EventKind.BUTTON, MAX, chat=ALSU_IN_MAX, payload=token)
        row = await salon.hear(EventKind.BUTTON, VK, chat="friend", payload=token)
        assert row.state is ANSWERED
        assert salon.said(VK)[0].text.startswith("Здравствуйте!")
        assert (await salon.chat(VK, chat="friend")).subject_id not in await roots(salon)

    async def test_a_link_works_for_a_day(self, salon: Salon) -> None:
        """A link that is found later joins no stranger."""
        await meet(salon)
        token = await invite(salon)
        salon.rig.clock.move(VALID_FOR)
        await salon.hear(EventKind.BUTTON, MAX, chat=ALSU_IN_MAX, payload=token)
        assert len(await roots(salon)) == 2

    async def test_a_link_works_until_the_last_second(self, salon: Salon) -> None:
        """A day is a day."""
        await meet(salon)
        token = await invite(salon)
        salon.rig.clock.move(VALID_FOR - timedelta(seconds=1))
        await salon.hear(EventKind.BUTTON, MAX, chat=ALSU_IN_MAX, payload=token)
        assert len(await roots(salon)) == 1

    async def test_an_unknown_token_is_a_greeting(self, salon: Salon) -> None:
        """It is nobody's words either: no lead says `j_…`."""
        row = await salon.write("j_" + "x" * 22, MAX, chat=ALSU_IN_MAX)
        assert row.state is ANSWERED
        assert salon.said(MAX)[0].text.startswith("Здравствуйте!")

    async def test_two_phones_are_two_people(self, salon: Salon) -> None:
        """A friend whom we know already opens the link: neither gets the other's history or number."""
        await meet(salon)
        await salon.write("Здравствуйте", MAX, chat=ALSU_IN_MAX, phone="+79000000202", phone_verified=True)
        await salon.hear(EventKind.BUTTON, MAX, chat=ALSU_IN_MAX, payload=await invite(salon))
        assert len(await roots(salon)) == 2

    async def test_ones_own_link_is_a_greeting(self, salon: Salon) -> None:
        """Opened in the channel that it was made in."""
        lead_id = await meet(salon)
        row = await salon.hear(EventKind.BUTTON, payload=await invite(salon))
        assert row.state is ANSWERED
        assert lead_id
        assert WELCOME not in [message.text for message in salon.said()]


class TestOffering:
    async def test_who_asks_for_another_messenger_gets_links(self, salon: Salon) -> None:
        """One message, a link for each other channel; the administrator reads the words, too."""
        row = await salon.write("А можно в MAX?")
        (message,) = salon.said()
        assert row.state is LEAD
        assert message.text.count("https://") == 1
        assert "MAX: https://max.example/start?with=j_" in message.text
        row = await salon.write("Есть другой мессенджер?")
        assert ["max.example" in salon.said()[-1].text, "vk.example" in salon.said()[-1].text] == [True, True]
        assert "telegram.example" not in salon.said()[-1].text

    async def test_the_links_work(self, salon: Salon) -> None:
        """Each is good for itself."""
        await salon.write("Есть другой мессенджер?")
        in_max, in_vk = (line.rpartition("=")[2] for line in salon.said()[-1].text.splitlines() if "https://" in line)
        await salon.hear(EventKind.BUTTON, MAX, chat=ALSU_IN_MAX, payload=in_max)
        await salon.hear(EventKind.BUTTON, VK, chat="alsu", payload=in_vk)
        assert len(await roots(salon)) == 1
        assert [message.text for message in (*salon.said(MAX), *salon.said(VK))] == [WELCOME] * 2

    async def test_a_messenger_that_the_salon_has_not_is_answered_with_those_it_has(self, salon: Salon) -> None:
        """«В вотсапе нет, но вот где мы есть»."""
        await salon.write("Можно в вотсапе?")
        assert salon.said()[0].text.count("https://") == 2

    async def test_without_another_channel_the_script_goes_on(self, salon: Salon) -> None:
        """An empty list of links helps nobody; a person will answer."""
        salon.paused |= {MAX, VK}
        await salon.write("Можно в MAX?")
        assert "https://" not in salon.said()[0].text
        assert salon.said()[0].text.startswith("Здравствуйте!")


class TestGraph:
    async def test_joins_have_no_rings_and_one_root(self, salon: Salon) -> None:
        """In whatever order: three subjects are one person, and a second join changes nothing."""
        identities, now = salon.rig.identities, salon.rig.clock.now()

        def people() -> list[Person]:
            return [Person(channel_user_id=str(n), phone="+79000000101" if n == 2 else None) for n in range(3)]

        known = [
            await salon.rig.storage.write(
                lambda tx, person=person: identities.recognise(tx, person, channel="x", at=now)  # type: ignore[misc]  # mypy sees no type in the default of a lambda
            )
            for person in people()
        ]
        a, b, c = (one.subject_id for one in known)

        async def join(one: str, into: str) -> Person | None:
            joined = await salon.rig.storage.write(lambda tx: identities.join(tx, one, into, reason="test", at=now))
            return None if joined is None else joined.news

        assert await join(a, b) == Person()
        assert await join(b, a) is None
        assert await join(b, c) == Person(), "the one that stays knows its phone"
        assert await join(a, c) is None
        assert await join(c, a) is None
        for subject_id in (a, b, c):
            everyone = await salon.rig.storage.read(lambda tx, s=subject_id: identities.everyone(tx, s))  # type: ignore[misc]  # mypy sees no type in the default of a lambda
            assert everyone == [c, b, a]

    async def test_the_one_that_stays_learns_what_only_the_other_knew(self, salon: Salon) -> None:
        """A phone that came with the second channel goes to the open lead; what the first said itself is not replaced."""
        await salon.write("Хочу стрижку завтра")
        await salon.write("Алсу")
        token = await invite(salon)
        await salon.hear(
            EventKind.BUTTON,
            MAX,
            chat=ALSU_IN_MAX,
            payload=token,
            phone="+79000000101",
            phone_verified=True,
            sender_name="a.ls_u",
        )
        update = salon.updates()[-1]
        assert (update.person.name, update.person.phone) == ("Алсу", "+79000000101")
        assert (await salon.chat(BOT, chat=ALSU)).subject_id in await roots(salon)
