"""Who can be written to, who would be lost, and links for staff."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import sqlalchemy

from leadgate.app.reachability import Reachability
from leadgate.connections.book import ConnectionBook
from leadgate.crm.invitations import VALID_FOR
from leadgate.errors import ConfigurationError, ConflictError, NotFoundError
from leadgate.model.connections import ConnectionState
from leadgate.model.events import EventKind
from leadgate.model.leads import CrmEntity, LeadRef, Person
from leadgate.model.reach import ChannelReach, LostPerson
from leadgate.ports.integration import Integration
from leadgate.ports.stores import Transaction
from leadgate.storage.people import SqlSubjectStore
from leadgate.testing.storage_suite import BOT
from tests.processing.messengers import ALSU, ALSU_IN_MAX, KIND_OF, MAX, SITE, VK, Salon, integration_of, open_salon

PHONE = "+79000000101"


@dataclass(slots=True)
class Office:
    """A salon and the report on it."""

    salon: Salon
    book: ConnectionBook
    reachability: Reachability

    async def set_state(self, connection_id: str, state: ConnectionState) -> None:
        """Pause or remove a connection."""
        at = self.salon.rig.clock.now()
        await self.salon.rig.storage.write(lambda tx: tx.connections.set_state(connection_id, state, at=at))
        await self.book.refresh(force=True)

    async def join(self, one: str, into: str) -> None:
        """Two are one person."""
        at = self.salon.rig.clock.now()
        await self.salon.rig.storage.write(
            lambda tx: self.salon.rig.identities.join(tx, one, into, reason="test", at=at)
        )

    async def met(self, connection_id: str, chat: str, **fields: object) -> str:
        """Somebody wrote; their subject."""
        row = await self.salon.write("/start", connection_id, chat=chat, **fields)
        return await self.salon.subject(row.event_id)

    async def channel(self, kind: str) -> ChannelReach | None:
        """The line of a channel."""
        found = (await self.reachability.report()).channels
        return next((channel for channel in found if channel.kind == kind), None)


@pytest.fixture
async def office(tmp_path: Path) -> AsyncIterator[Office]:
    """Nobody has written yet."""
    async with open_salon(tmp_path) as salon:
        rig = salon.rig
        book = ConnectionBook(rig.storage, rig.vault, rig.clock, _integration)
        await book.refresh(force=True)
        links = salon.turns.links
        kinds = tuple(KIND_OF.values())
        yield Office(
            salon, book, Reachability(rig.storage, book, rig.vault, links, kinds=lambda: kinds, clock=rig.clock)
        )


def _integration(kind: str) -> Integration:
    if kind not in KIND_OF.values():
        raise ConfigurationError("There is no integration of this kind.", code="configuration.kind")
    return integration_of(kind)


class TestNumbers:
    async def test_nobody_is_a_report_too(self, office: Office) -> None:
        """On the first day."""
        report = await office.reachability.report()
        assert (report.people, report.reachable, report.several, list(report.channels)) == (0, 0, 0, [])

    async def test_joined_channels_are_one_person(self, office: Office) -> None:
        """Counting chats would promise twice as many."""
        in_telegram = await office.met(BOT, ALSU)
        in_max = await office.met(MAX, ALSU_IN_MAX)
        await office.met(BOT, "marat", phone=PHONE, phone_verified=True)
        await office.met(VK, "lejla")
        await office.join(in_max, in_telegram)
        report = await office.reachability.report()
        assert (report.people, report.reachable, report.several) == (3, 3, 1)
        assert list(report.channels) == [
            ChannelReach(kind="telegram", reachable=2, only_there=1, only_there_with_phone=1),
            ChannelReach(kind="vk", reachable=1, only_there=1, only_there_with_phone=0),
            ChannelReach(kind="max", reachable=1, only_there=0, only_there_with_phone=0),
        ]

    async def test_two_bots_of_one_messenger_are_one_channel(self, office: Office) -> None:
        """They close together."""
        in_bot = await office.met(BOT, ALSU)
        await office.join(await office.met(BOT, "second"), in_bot)
        channel = await office.channel("telegram")
        assert channel == ChannelReach(kind="telegram", reachable=1, only_there=1, only_there_with_phone=0)

    async def test_whoever_blocked_us_does_not_count(self, office: Office) -> None:
        """Known, but not reachable."""
        await office.met(BOT, ALSU)
        await office.salon.hear(EventKind.BLOCKED, status="blocked")
        report = await office.reachability.report()
        assert (report.people, report.reachable) == (1, 0)

    @pytest.mark.parametrize("state", [ConnectionState.PAUSED, ConnectionState.REMOVED])
    async def test_a_connection_that_sends_nothing_does_not_count(self, office: Office, state: ConnectionState) -> None:
        """A report that counts a switched-off bot comforts nobody."""
        in_telegram = await office.met(BOT, ALSU)
        await office.join(await office.met(MAX, ALSU_IN_MAX), in_telegram)
        await office.set_state(MAX, state)
        assert await office.channel("max") is None
        channel = await office.channel("telegram")
        assert channel is not None
        assert channel.only_there == 1

    async def test_the_chat_of_the_site_is_no_channel(self, office: Office) -> None:
        """Nobody is written to there."""
        await office.met(SITE, "visitor")
        report = await office.reachability.report()
        assert (report.people, report.reachable) == (1, 0)

    async def test_whoever_was_erased_is_nobody(self, office: Office) -> None:
        """On their own request."""
        await office.met(BOT, ALSU)
        erase = sqlalchemy.text("UPDATE subjects SET erased_at = 1")

        def become_erased(tx: Transaction) -> None:
            store = tx.subjects
            assert isinstance(store, SqlSubjectStore)
            store._run(erase)  # noqa: SLF001 - as the erasure of a person will leave it

        await office.salon.rig.storage.write(become_erased)
        report = await office.reachability.report()
        assert (report.people, report.reachable) == (0, 0)


class TestLost:
    async def test_those_who_would_be_lost_are_listed_page_by_page(self, office: Office) -> None:
        """All of them, each once, with what staff finds them by in the CRM."""
        row = await office.salon.write("Хочу стрижку завтра", MAX, chat="with-lead")
        with_lead = await office.salon.subject(row.event_id)
        others = [await office.met(MAX, f"client-{n}", phone=f"+7900000020{n}", phone_verified=True) for n in range(4)]
        joined = await office.met(MAX, "twice")
        await office.join(joined, await office.met(BOT, ALSU))
        seen: list[LostPerson] = []
        cursor = None
        for _ in range(3):
            page = await office.reachability.lost_without("max", limit=2, cursor=cursor)
            seen += page.items
            cursor = page.next_cursor
        assert cursor is None
        assert sorted(person.subject_id for person in seen) == sorted([with_lead, *others])
        by_id = {person.subject_id: person for person in seen}
        assert by_id[with_lead].crm_ref == LeadRef(CrmEntity.LEAD, 1)
        assert not by_id[with_lead].has_phone
        assert by_id[others[0]].crm_ref is None
        assert by_id[others[0]].has_phone

    async def test_the_lead_of_the_other_channel_is_the_persons(self, office: Office) -> None:
        """The lead began in a chat that is blocked now."""
        in_telegram = await office.salon.subject((await office.salon.write("Хочу стрижку завтра")).event_id)
        await office.join(await office.met(MAX, ALSU_IN_MAX), in_telegram)
        await office.salon.hear(EventKind.BLOCKED, status="blocked")
        (person,) = (await office.reachability.lost_without("max", limit=9)).items
        assert (person.subject_id, person.crm_ref) == (in_telegram, LeadRef(CrmEntity.LEAD, 1))

    async def test_an_unknown_kind_or_cursor_is_refused(self, office: Office) -> None:
        """A typing error must not read like "nobody would be lost"."""
        with pytest.raises(ConfigurationError):
            await office.reachability.lost_without("whatsap", limit=9)
        for cursor in ("кот", "czE", "====", "/"):
            with pytest.raises(ConfigurationError):
                await office.reachability.lost_without("max", limit=9, cursor=cursor)


class TestInviting:
    async def test_staff_find_a_person_by_what_they_know(self, office: Office) -> None:
        """A phone in any spelling, a user name, or what stands on a page of ours."""
        row = await office.salon.write("Хочу стрижку завтра", username="Alsu_K", phone=PHONE, phone_verified=True)
        subject_id = await office.salon.subject(row.event_id)
        known = ("8 900 000-01-01", "@alsu_k", subject_id, row.lead_id or "", row.event_id)
        token = ""
        for who in known:
            links = await office.reachability.invite(who, to=MAX, by="test")
            assert [link.connection_id for link in links] == [MAX], who
            assert links[0].expires_at == office.salon.rig.clock.now() + VALID_FOR
            token = links[0].url.rpartition("=")[2]
        joined = await office.salon.hear(EventKind.BUTTON, MAX, chat=ALSU_IN_MAX, payload=token)
        assert joined.lead_id == row.lead_id

    async def test_a_person_by_mail(self, office: Office) -> None:
        """From a form of the site."""
        at = office.salon.rig.clock.now()
        person = Person(email="Alsu@Example.org")
        await office.salon.rig.storage.write(
            lambda tx: office.salon.rig.identities.recognise(tx, person, channel="bot", at=at)
        )
        links = await office.reachability.invite("alsu@example.org", by="test")
        assert [link.kind for link in links] == ["telegram", "max", "vk"]

    async def test_a_stranger_is_not_named_in_the_error(self, office: Office) -> None:
        """The phone of somebody must not stand in a log of the terminal."""
        for who in (PHONE, "@nobody", "subj_nobody", "lead_x", "evt_x", "кто-то", "a@b.example"):
            with pytest.raises(NotFoundError) as caught:
                await office.reachability.invite(who, by="test")
            assert who not in str(caught.value)

    async def test_where_no_link_leads_is_said(self, office: Office) -> None:
        """The site has none; a connection that is not there is another mistake."""
        subject_id = await office.met(BOT, ALSU)
        with pytest.raises(ConflictError):
            await office.reachability.invite(subject_id, to=SITE, by="test")
        with pytest.raises(NotFoundError):
            await office.reachability.invite(subject_id, to="conn_nowhere", by="test")
