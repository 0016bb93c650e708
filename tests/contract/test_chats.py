"""What is kept of chats, of the fates of messages and of people who are one person, on both engines."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from uuid import uuid4

import pytest

from leadgate.crm.identity import Identities
from leadgate.model.deliveries import AttemptKind, DeliveryState
from leadgate.model.leads import Person
from leadgate.ports.stores import StoredConversation, StoredFate, Transaction
from leadgate.storage.sql_storage import SqlStorage
from leadgate.testing.connections import NOW, CountedIds, FixedClock
from leadgate.testing.databases import open_storage, sqlite_url
from leadgate.testing.storage_suite import BOT, new_delivery, new_event
from leadgate.vault.ciphers import new_cipher_keyset
from leadgate.vault.envelope import INDEX, INTAKE, SECRETS, Vault
from leadgate.vault.key_file import FileKeyWrapper

DAY, MINUTE = timedelta(days=1), timedelta(minutes=1)
CHAT = StoredConversation(
    conversation_id="conv_1", connection_id=BOT, subject_id="subj_1", chat_index=b"i" * 16, sealed_state=b"state"
)
FATE = StoredFate(message_id=None, delivery_id=None, status="read", error_code=None, changed_at=NOW)
LANE = f"chat:{BOT}:00"


class OnEachEngine:
    @pytest.fixture
    def database_url(self) -> str:
        """The address of an up-to-date database."""
        raise NotImplementedError

    @pytest.fixture
    def open_workspace(self, database_url: str) -> Iterator[Callable[[str], SqlStorage]]:
        """Opens storages, closed after the test."""
        opened: list[SqlStorage] = []
        suffix = uuid4().hex

        def open_one(name: str) -> SqlStorage:
            opened.append(open_storage(database_url, f"{name}_{suffix}"))
            return opened[-1]

        yield open_one
        for storage in opened:
            storage.close()

    @pytest.fixture
    def storage(self, open_workspace: Callable[[str], SqlStorage]) -> SqlStorage:
        """An empty workspace."""
        return open_workspace("ws")

    @pytest.fixture
    def second(self, open_workspace: Callable[[str], SqlStorage]) -> SqlStorage:
        """The same workspace, seen from another node."""
        return open_workspace("ws")

    @pytest.fixture
    def stranger(self, open_workspace: Callable[[str], SqlStorage]) -> SqlStorage:
        """Another workspace of the same database."""
        return open_workspace("other")

    async def chat(self, storage: SqlStorage) -> StoredConversation:
        """The one chat."""
        found = await storage.read(lambda tx: tx.conversations.find(BOT, CHAT.chat_index))
        assert found is not None
        return found

    async def test_a_chat_learns_its_address_once(self, storage: SqlStorage) -> None:
        """A chat from before addresses were kept gets one; one that is kept stays, sealed as it is."""
        await storage.write(lambda tx: tx.conversations.add(CHAT, at=NOW))
        await storage.write(lambda tx: tx.conversations.note_heard("conv_1", b"address", at=NOW))
        await storage.write(lambda tx: tx.conversations.note_heard("conv_1", None, at=NOW + MINUTE))
        await storage.write(lambda tx: tx.conversations.note_heard("conv_1", b"another", at=NOW))
        found = await self.chat(storage)
        assert (found.sealed_address, found.heard_at) == (b"address", NOW + MINUTE)

    async def test_a_chat_closes_at_the_first_word_and_opens_with_the_clients(
        self, storage: SqlStorage, stranger: SqlStorage
    ) -> None:
        """The first reason and its time stand; the client's own words end both."""
        await storage.write(lambda tx: tx.conversations.add(CHAT, at=NOW))
        await stranger.write(lambda tx: tx.conversations.set_unreachable("conv_1", "x", at=NOW))
        assert (await self.chat(storage)).unreachable_since is None
        await storage.write(lambda tx: tx.conversations.set_unreachable("conv_1", "left", at=NOW))
        await storage.write(lambda tx: tx.conversations.set_unreachable("conv_1", "again", at=NOW + DAY))
        assert (await self.chat(storage)).unreachable_since == NOW
        await storage.write(lambda tx: tx.conversations.note_heard("conv_1", None, at=NOW + DAY))
        found = await self.chat(storage)
        assert (found.unreachable_since, found.unreachable_code) == (None, None)
        await storage.write(lambda tx: tx.conversations.set_unreachable("conv_1", "left", at=NOW))
        await storage.write(lambda tx: tx.conversations.set_unreachable("conv_1", None, at=NOW))
        assert (await self.chat(storage)).unreachable_since is None

    async def test_the_chats_of_people_come_last_heard_first(self, storage: SqlStorage, stranger: SqlStorage) -> None:
        """Those that were never heard of come last; nobody else's come along."""
        chats = [
            replace(
                CHAT,
                conversation_id=f"conv_{n}",
                subject_id=f"subj_{n}",
                chat_index=bytes([n]) * 16,
                heard_at=None if n == 1 else NOW + n * MINUTE,
            )
            for n in range(1, 5)
        ]

        def fill(tx: Transaction) -> None:
            for chat in chats:
                tx.conversations.add(chat, at=NOW)

        await storage.write(fill)
        ask = ["subj_1", "subj_2", "subj_4"]
        found = await storage.read(lambda tx: tx.conversations.of_subjects(ask))
        assert [chat.conversation_id for chat in found] == ["conv_4", "conv_2", "conv_1"]
        assert list(await stranger.read(lambda tx: tx.conversations.of_subjects(ask))) == []

    async def test_a_message_can_be_emptied(self, storage: SqlStorage, stranger: SqlStorage) -> None:
        """Taken back by the client: number and place stay, the words do not."""

        def fill(tx: Transaction) -> None:
            tx.conversations.add(CHAT, at=NOW)
            tx.conversations.add_message(
                "conv_1", message_id="evt_1", subject_id="subj_1", outgoing=False, sealed_body=b"words", at=NOW
            )

        await storage.write(fill)
        await stranger.write(lambda tx: tx.conversations.replace_body("evt_1", b"not yours"))
        before = await storage.read(lambda tx: tx.conversations.find_message("evt_1"))
        assert before is not None
        assert before.sealed_body == b"words"
        await storage.write(lambda tx: tx.conversations.replace_body("evt_1", b"gone"))
        after = await storage.read(lambda tx: tx.conversations.find_message("evt_1"))
        assert after == replace(before, sealed_body=b"gone")
        assert await storage.read(lambda tx: tx.conversations.find_message("evt_2")) is None

    async def test_a_raw_body_can_be_destroyed(self, storage: SqlStorage, stranger: SqlStorage) -> None:
        """The event stays in the ledger."""
        await storage.receive(new_event("1"))
        await stranger.write(lambda tx: tx.events.forget_body("evt_1"))
        kept = await storage.read(lambda tx: tx.events.find("evt_1"))
        assert kept is not None
        assert kept.sealed_body is not None
        await storage.write(lambda tx: tx.events.forget_body("evt_1"))
        assert await storage.read(lambda tx: tx.events.find("evt_1")) == replace(kept, sealed_body=None)

    async def test_a_fate_is_found_by_the_vendors_id_by_ours_and_by_the_delivery(
        self, storage: SqlStorage, stranger: SqlStorage
    ) -> None:
        """Whichever came first made the row; the second word replaces the first."""
        whole = replace(FATE, message_id="msg_1", delivery_id="dlv_1", status="failed", error_code="131026")
        await storage.write(lambda tx: tx.fates.set(BOT, b"a", FATE))
        await storage.write(lambda tx: tx.fates.set(BOT, b"a", whole))
        await storage.write(lambda tx: tx.fates.set("conn_other", b"a", FATE))
        assert await storage.read(lambda tx: tx.fates.find(BOT, b"a")) == whole
        assert await storage.read(lambda tx: tx.fates.find(BOT, b"b")) is None
        assert await storage.read(lambda tx: tx.fates.of_delivery("dlv_1")) == whole
        assert await storage.read(lambda tx: tx.fates.of_delivery("dlv_2")) is None
        assert await storage.read(lambda tx: tx.fates.of_messages(["msg_1", "msg_2"])) == {"msg_1": whole}
        assert await storage.read(lambda tx: tx.fates.of_messages([])) == {}
        assert await stranger.read(lambda tx: tx.fates.find(BOT, b"a")) is None

    async def test_a_delivery_claims_what_was_said_of_its_message(
        self, storage: SqlStorage, stranger: SqlStorage
    ) -> None:
        """False when nothing was said."""
        await storage.write(lambda tx: tx.fates.set(BOT, b"a", replace(FATE, message_id="msg_1")))
        assert not await stranger.write(lambda tx: tx.fates.claim("msg_1", "dlv_1"))
        assert not await storage.write(lambda tx: tx.fates.claim("msg_2", "dlv_1"))
        assert await storage.write(lambda tx: tx.fates.claim("msg_1", "dlv_1"))
        found = await storage.read(lambda tx: tx.fates.of_delivery("dlv_1"))
        assert found == replace(FATE, message_id="msg_1", delivery_id="dlv_1")

    async def test_strangers_are_forgotten_and_nobody_else(self, storage: SqlStorage) -> None:
        """Statuses of messages that somebody else sent through the same bot would pile up for ever."""
        fates = {
            b"old": FATE,
            b"fresh": replace(FATE, changed_at=NOW + DAY),
            b"ours": replace(FATE, message_id="msg_1"),
        }

        def fill(tx: Transaction) -> None:
            for index, fate in fates.items():
                tx.fates.set(BOT, index, fate)

        await storage.write(fill)
        assert await storage.write(lambda tx: tx.fates.forget_strangers(before=NOW + MINUTE)) == 1
        left = [index for index in fates if await storage.read(lambda tx, i=index: tx.fates.find(BOT, i))]  # type: ignore[misc]  # mypy sees no type in the default of a lambda
        assert left == [b"fresh", b"ours"]

    async def test_an_invitation_is_used_once_and_in_time(self, storage: SqlStorage, stranger: SqlStorage) -> None:
        """Unknown, used or too old is all the same to whoever tries."""
        for index in (b"one", b"two"):
            await storage.write(
                lambda tx, i=index: tx.invitations.add(i, "subj_1", expires_at=NOW + DAY, at=NOW)  # type: ignore[misc]  # mypy sees no type in the default of a lambda
            )
        assert await stranger.write(lambda tx: tx.invitations.use(b"one", at=NOW)) is None
        assert await storage.write(lambda tx: tx.invitations.use(b"one", at=NOW + MINUTE)) == "subj_1"
        assert await storage.write(lambda tx: tx.invitations.use(b"one", at=NOW + MINUTE)) is None
        assert await storage.write(lambda tx: tx.invitations.use(b"two", at=NOW + DAY)) is None
        assert await storage.write(lambda tx: tx.invitations.use(b"six", at=NOW)) is None

    async def test_old_invitations_are_forgotten(self, storage: SqlStorage, stranger: SqlStorage) -> None:
        """Nobody can use them any more; those of another workspace and those that live stay."""
        for node, index, ends_at in ((storage, b"old", NOW), (storage, b"live", NOW + DAY), (stranger, b"old", NOW)):
            await node.write(
                lambda tx, i=index, e=ends_at: tx.invitations.add(i, "subj_1", expires_at=e, at=NOW - DAY)  # type: ignore[misc]  # mypy sees no type in the default of a lambda
            )
        assert await storage.write(lambda tx: tx.invitations.forget_old(before=NOW + MINUTE)) == 1
        assert await storage.write(lambda tx: tx.invitations.use(b"live", at=NOW)) == "subj_1"
        assert await stranger.write(lambda tx: tx.invitations.forget_old(before=NOW + MINUTE)) == 1

    async def test_of_two_nodes_one_uses_an_invitation(self, storage: SqlStorage, second: SqlStorage) -> None:
        """A link that is opened twice in the same moment joins one of the two."""
        await storage.write(lambda tx: tx.invitations.add(b"one", "subj_1", expires_at=NOW + DAY, at=NOW))
        used = await asyncio.gather(
            *(node.write(lambda tx: tx.invitations.use(b"one", at=NOW)) for node in (storage, second) * 4)
        )
        assert sorted(used, key=str) == [None] * 7 + ["subj_1"]

    async def test_a_join_is_kept_once(self, storage: SqlStorage, stranger: SqlStorage) -> None:
        """A second join of the same subject has no effect; the workspaces keep apart."""
        await storage.write(lambda tx: tx.subjects.join("a", "b", reason="test", at=NOW))
        await storage.write(lambda tx: tx.subjects.join("a", "c", reason="test", at=NOW))
        await storage.write(lambda tx: tx.subjects.join("d", "b", reason="test", at=NOW))
        assert await storage.read(lambda tx: tx.subjects.find_joined("a")) == "b"
        assert await storage.read(lambda tx: tx.subjects.find_joined("b")) is None
        assert sorted(await storage.read(lambda tx: tx.subjects.joined_into("b"))) == ["a", "d"]
        assert await stranger.read(lambda tx: tx.subjects.find_joined("a")) is None

    async def test_two_nodes_that_join_the_same_people_make_no_ring(
        self, storage: SqlStorage, second: SqlStorage
    ) -> None:
        """One into the other here, the other into the one there, at the same moment: one of the two stands for both."""
        vault = Vault(FileKeyWrapper(new_cipher_keyset()), FixedClock())
        identities = Identities(vault, CountedIds())
        for scope in (INTAKE, SECRETS, INDEX):
            await storage.write(lambda tx, s=scope: vault.create_scope(tx, s))  # type: ignore[misc]  # mypy sees no type in the default of a lambda
        await storage.read(vault.load)

        def meet(tx: Transaction, name: str) -> str:
            return identities.recognise(tx, Person(channel_user_id=name), channel="x", at=NOW).subject_id

        def join(tx: Transaction, one: str, into: str) -> None:
            identities.join(tx, one, into, reason="test", at=NOW)

        for number in range(5):
            one, other = [
                await storage.write(lambda tx, n=name: meet(tx, n))  # type: ignore[misc]  # mypy sees no type in the default of a lambda
                for name in (f"a{number}", f"b{number}")
            ]
            await asyncio.gather(
                storage.write(lambda tx, a=one, b=other: join(tx, a, b)),  # type: ignore[misc]  # as above
                second.write(lambda tx, a=one, b=other: join(tx, b, a)),  # type: ignore[misc]  # as above
            )
            joined = [
                await storage.read(lambda tx, s=subject: tx.subjects.find_joined(s))  # type: ignore[misc]  # as above
                for subject in (one, other)
            ]
            assert joined in ([None, one], [other, None])

    async def test_giving_up_a_lane_leaves_what_is_on_its_way(self, storage: SqlStorage) -> None:
        """What is being sent may arrive: its own outcome decides. Other lanes are not touched."""

        def fill(tx: Transaction) -> None:
            for name, lane in (("sending", LANE), ("waiting", LANE), ("other", LANE + "1")):
                tx.deliveries.add(replace(new_delivery(name), lane=lane, lead_id=None))
            sending = tx.deliveries.find("dlv_sending")
            assert sending is not None
            tx.deliveries.start_attempts([sending], kind=AttemptKind.SEND, at=NOW)

        await storage.write(fill)
        assert await storage.write(lambda tx: tx.deliveries.give_up_lane(LANE, error_code="left", at=NOW)) == 1
        rows = await storage.query(
            lambda q: q.deliveries(limit=9, cursor=None, states=(), connection_id=None, since=None, query=None)
        )
        assert {(row.delivery_id, row.state, row.error_code) for row in rows.items} == {
            ("dlv_sending", DeliveryState.SENDING, None),
            ("dlv_waiting", DeliveryState.DISCARDED, "left"),
            ("dlv_other", DeliveryState.WAITING, None),
        }


class TestSqlite(OnEachEngine):
    @pytest.fixture
    def database_url(self, tmp_path: Path) -> str:
        """A file."""
        return sqlite_url(tmp_path)


class TestPostgres(OnEachEngine):
    @pytest.fixture
    def database_url(self, postgres_shared: str) -> str:
        """The shared server."""
        return postgres_shared
