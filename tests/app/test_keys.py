"""The key encryption key is rotated without a stop: two generations live at once, and nothing that was sealed is lost."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from leadgate.app.key_keeper import ANNOUNCED_FOR, KEPT_FOR_BACKUPS
from leadgate.app.key_state import ADOPTION_TIME, read_key_state
from leadgate.app.rewrap import KEYS_AT_ONCE
from leadgate.errors import ConfigurationError, ConflictError, JournalUnavailableError, UnknownKeyError
from leadgate.model.keys import KEY_TERM
from leadgate.model.secret import Secret
from leadgate.settings import Settings, read_settings
from leadgate.testing.connections import FixedClock
from leadgate.vault.envelope import subject_scope
from leadgate.vault.file_custodian import FileCustodian
from leadgate.vault.key_file import open_with_recovery_key
from tests.app.key_rig import Node, NodeSuite, copy_of, make_directory, open_node
from tests.vault.test_recovery import OLD_COPY

MANY = 2 * KEYS_AT_ONCE + 7
STEP = ADOPTION_TIME + timedelta(seconds=1)


class RotationSuite(NodeSuite):
    """On each engine."""

    @pytest.fixture
    def made(self, tmp_path: Path, database_url: str | None) -> tuple[Settings, Secret]:
        """A fresh directory and its recovery key."""
        return make_directory(tmp_path / "data", database_url)

    @pytest.fixture
    def settings(self, made: tuple[Settings, Secret]) -> Settings:
        """Of the first node."""
        return made[0]

    @pytest.fixture
    async def second(self, node: Node, settings: Settings, clock: FixedClock, tmp_path: Path) -> AsyncIterator[Node]:
        """Another process: on SQLite in the same directory, else a node with a directory of its own."""
        data = settings.data
        if not node.storage.is_local:
            data = copy_of(settings.data, "second")
        other = read_settings(data=data, environment={"LEADGATE_DATABASE_URL": settings.database_url})
        assert tmp_path in data.parents
        opened = await open_node(other, clock, node.journal)
        yield opened
        opened.storage.close()

    async def settle(self, *nodes: Node) -> None:
        """Let the time pass that other nodes are given, and look."""
        nodes[0].clock.at += STEP
        for one in nodes:
            await one.keeper.look()

    async def test_a_rotation_moves_on_what_is_due_and_wraps_everything_anew(self, node: Node) -> None:
        """The status tells how far it is, and the journal who wanted it and when it was finished."""
        sealed = await node.add_people(1, MANY)
        before = await node.desk.status()
        assert (before.data_keys, before.waiting, before.is_overdue) == (MANY + 3, 0, False)
        node.clock.at += timedelta(days=30)
        rotated = await node.desk.rotate(by="staff_1")
        assert rotated.primary != before.primary
        assert rotated.waiting == MANY + 3
        assert rotated.next_due - before.next_due >= timedelta(days=30)
        assert rotated.next_due - node.clock.now() == KEY_TERM
        assert await node.opens(sealed), "old and new open beside each other"
        await self.settle(node)
        status = await node.desk.status()
        assert (status.waiting, status.data_keys, status.primary) == (0, MANY + 3, rotated.primary)
        assert await node.counts() == {rotated.primary: MANY + 3}
        assert await node.opens(sealed)
        assert node.tags() == ["key.rotated", "key.rewrapped"]
        assert [row.entry.by for row in node.journal.rows] == ["staff_1", "system"]
        await node.keeper.look()
        assert node.tags() == ["key.rotated", "key.rewrapped"], "said once"

    async def test_nothing_stops_while_another_process_rotates(self, node: Node, second: Node) -> None:
        """Both seal for new people all the time, and each opens what the other sealed."""
        sealed = await node.add_people(1, 5) | await second.add_people(11, 5)
        await second.desk.rotate(by="command")
        sealed |= await node.add_people(21, 5) | await second.add_people(31, 5)
        assert await node.opens(sealed)
        assert await second.opens(sealed)
        await self.settle(node, second)
        sealed |= await node.add_people(41, 5) | await second.add_people(51, 5)
        assert await node.opens(sealed)
        assert await second.opens(sealed)
        await self.settle(second, node)
        assert set(await node.counts()) == {node.custodian.key_id()} == {second.custodian.key_id()}

    async def test_rewrapping_goes_on_where_another_process_stopped(self, node: Node, second: Node) -> None:
        """Half done by one, finished by the next: what is to be done is seen in the rows."""
        sealed = await node.add_people(1, MANY)
        await node.desk.rotate(by="command")
        node.clock.at += STEP
        await node.desk.follow()
        batch = await node.storage.read(
            lambda tx: tx.keys.wrapped_by_others(node.custodian.key_id(), after="", limit=50)
        )
        assert len(batch) == 50
        await self.settle(second)
        assert set(await second.counts()) == {second.custodian.key_id()}
        assert await second.opens(sealed)

    async def test_a_person_erased_meanwhile_stays_erased(self, node: Node) -> None:
        """A data key that was read before and destroyed meanwhile is not written back."""
        await node.add_people(1, 3)
        scope = subject_scope("subj_00002")
        await node.desk.rotate(by="command")
        node.clock.at += STEP
        await node.desk.follow()
        old = await node.storage.read(lambda tx: tx.keys.find(scope))
        assert old is not None
        await node.storage.write(lambda tx: tx.erasures.destroy_keys([scope]))
        assert not await node.storage.write(lambda tx: tx.keys.rewrap(old, old))
        await node.keeper.look()
        assert await node.storage.read(lambda tx: tx.keys.find(scope)) is None
        assert (await node.desk.status()).data_keys == 3 + 2

    async def test_of_two_that_wrap_the_same_key_anew_the_first_counts(self, node: Node) -> None:
        """The second read it before; a slow node must not put an older generation back."""
        await node.add_people(1, 1)
        old = await node.storage.read(lambda tx: tx.keys.find(subject_scope("subj_00001")))
        assert old is not None
        first, late = replace(old, wrapped_key=b"first"), replace(old, wrapped_key=b"late")
        assert await node.storage.write(lambda tx: tx.keys.rewrap(old, first))
        assert not await node.storage.write(lambda tx: tx.keys.rewrap(old, late))
        assert await node.storage.read(lambda tx: tx.keys.find(old.scope)) == first

    async def test_the_paper_opens_every_generation(self, node: Node, made: tuple[Settings, Secret]) -> None:
        """Also after the first one is long destroyed; nobody had to type it."""
        sealed = await node.add_people(1, 2)
        for _ in range(3):
            await node.desk.rotate(by="command")
            await self.settle(node)
            node.clock.at += KEPT_FOR_BACKUPS
            await node.keeper.look()
        assert node.custodian.key_ids() == {node.custodian.key_id()}
        copy = await node.storage.read(lambda tx: tx.keys.find_recovery())
        assert copy is not None
        from_paper = open_with_recovery_key(copy, made[1].reveal())
        assert node.custodian.key_id() in from_paper.key_ids()
        assert await node.opens(sealed)

    async def test_a_former_generation_is_kept_for_backups_and_then_destroyed(self, node: Node) -> None:
        """Not a day earlier, and never while a data key needs it."""
        first = node.custodian.key_id()
        await node.desk.rotate(by="command")
        await self.settle(node)
        node.clock.at += KEPT_FOR_BACKUPS - STEP - timedelta(minutes=1)
        await node.keeper.look()
        assert first in node.custodian.key_ids()
        node.clock.at += timedelta(minutes=2)
        await node.keeper.look()
        assert first not in node.custodian.key_ids()
        assert node.tags()[-1] == "key.dropped"

    async def test_a_due_rotation_comes_by_itself(self, node: Node) -> None:
        """Ninety days are the most; nobody has to remember."""
        before = (await node.desk.status()).primary
        node.clock.at += KEY_TERM - timedelta(minutes=1)
        await node.keeper.look()
        assert (await node.desk.status()).primary == before
        node.clock.at += timedelta(minutes=1)
        await node.keeper.look()
        status = await node.desk.status()
        assert status.primary != before
        assert not status.is_overdue
        assert [row.entry.by for row in node.journal.rows][:1] == ["system"]

    async def test_an_old_house_needs_the_paper_once(self, node: Node, made: tuple[Settings, Secret]) -> None:
        """Its copy for the paper has no public half; a wrong paper changes nothing, and no generation is left over."""
        paper = made[1]
        ours = await node.storage.read(lambda tx: tx.keys.find_recovery())
        await node.storage.write(lambda tx: tx.keys.keep_recovery(OLD_COPY))
        with pytest.raises(ConfigurationError) as caught:
            await node.desk.rotate(by="command")
        assert caught.value.code == "keys.recovery_needed"
        with pytest.raises(UnknownKeyError):
            await node.desk.rotate(by="command", recovery_key=paper)
        assert node.tags() == []
        assert len(node.custodian.key_ids()) == 1
        await node.storage.write(lambda tx: tx.keys.keep_recovery(ours))
        await node.desk.rotate(by="command")

    async def test_without_the_journal_nothing_is_rotated(self, node: Node) -> None:
        """An act that leaves no trace is refused."""
        before = node.custodian.key_ids()
        node.journal.is_broken = True
        with pytest.raises(JournalUnavailableError):
            await node.desk.rotate(by="command")
        assert node.custodian.key_ids() == before
        assert await node.storage.read(read_key_state) is None

    async def test_two_rotations_at_once_are_one(self, node: Node, second: Node) -> None:
        """The second is told to wait."""
        now = node.clock.now()
        claimed = await second.storage.write(
            lambda tx: tx.lanes.claim_one("keys.rotate", holder="second", now=now, until=now + timedelta(minutes=1))
        )
        assert claimed is not None
        with pytest.raises(ConflictError):
            await node.desk.rotate(by="command")
        assert node.tags() == []

    async def test_a_rotation_during_the_one_before_leaves_nothing_behind(self, node: Node) -> None:
        """Three at once, one finish."""
        sealed = await node.add_people(1, 4)
        for _ in range(3):
            await node.desk.rotate(by="command")
        await self.settle(node)
        await node.keeper.look()
        assert set(await node.counts()) == {node.custodian.key_id()}
        assert await node.opens(sealed)
        assert node.tags() == ["key.rotated"] * 3 + ["key.rewrapped"]


class TestOnSqlite(RotationSuite):
    """One directory, several processes."""

    async def test_a_passphrase_is_set_and_journaled(self, node: Node, tmp_path: Path) -> None:
        """The status tells of it."""
        (tmp_path / "passphrase").write_text("пять слов и один лимон", encoding="utf-8")
        status = await node.desk.protect(Secret("пять слов и один лимон"), by="command")
        assert status.is_locked
        assert FileCustodian(node.data, tmp_path / "passphrase").is_locked
        assert not (await node.desk.protect(None, by="command")).is_locked
        assert node.tags() == ["key.file_sealed", "key.file_opened"]


class TestOnPostgres(RotationSuite):
    """Several nodes, each with a key file of its own."""

    @pytest.fixture
    def database_url(self, postgres_database: str) -> str:
        """An empty database."""
        return postgres_database

    async def test_nobody_wraps_with_a_key_that_another_node_may_not_have(self, node: Node, second: Node) -> None:
        """For ten seconds the former generation goes on wrapping everywhere."""
        before = node.custodian.key_id()
        await node.desk.rotate(by="command")
        await node.add_people(1, 1)
        assert set(await node.counts()) == {before}
        await node.keeper.look()
        assert set(await node.counts()) == {before}
        await second.desk.follow()
        assert len(second.custodian.key_ids()) == 2, "it has taken the new one over already"
        await self.settle(node, second)
        assert node.custodian.key_id() == second.custodian.key_id() != before

    async def test_a_node_that_slept_for_a_month_says_what_it_needs(
        self, node: Node, second: Node, settings: Settings, clock: FixedClock
    ) -> None:
        """The new key does not stay in the database for ever, so its file has to be copied."""
        await node.desk.rotate(by="command")
        await self.settle(node)
        clock.at += ANNOUNCED_FOR
        await node.keeper.look()
        state = await node.storage.read(read_key_state)
        assert state is not None
        assert state.announced == {}
        with pytest.raises(UnknownKeyError) as caught:
            await second.desk.follow()
        assert caught.value.code == "keys.old_file"
        (second.data / "key-encryption-key").write_bytes((settings.data / "key-encryption-key").read_bytes())
        await second.desk.follow()
        assert second.custodian.key_id() == node.custodian.key_id()
