"""The key encryption key moves to a real OpenBao and back; its absence stops nobody, and nothing lies in clear on the disk."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import timedelta
from uuid import uuid4

import pytest

from leadgate.app.custodian_alarm import CustodianSense
from leadgate.app.key_state import ADOPTION_TIME
from leadgate.errors import ConfigurationError, ConflictError, CustodianUnavailableError
from leadgate.model.alerts import Cause, Signs
from leadgate.model.secret import Secret
from leadgate.settings import Settings
from leadgate.testing.openbao_server import OpenBao, openbao
from leadgate.vault.ciphers import new_cipher_keyset
from leadgate.vault.custodians import LOOK_EVERY_S
from leadgate.vault.key_file import open_with_recovery_key
from tests.app.key_rig import Node, NodeSuite, make_directory, open_node

STEP = ADOPTION_TIME + timedelta(seconds=1)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[OpenBao]:
    """One for all."""
    with openbao(tmp_path_factory.mktemp("openbao")) as running:
        yield running


class MoveSuite(NodeSuite):
    """On each engine."""

    @pytest.fixture
    def settings(self, tmp_path_factory: pytest.TempPathFactory, database_url: str | None) -> Settings:
        """A fresh house."""
        return make_directory(tmp_path_factory.mktemp("house") / "data", database_url)[0]

    @pytest.fixture
    def there(self, server: OpenBao) -> tuple[dict[str, str], dict[str, Secret]]:
        """Where to move: settings and secrets of a key of its own."""
        name = f"kek-{uuid4().hex}"
        token = server.make_key(name)
        return {"address": server.url, "key": name}, {"token": Secret(token)}

    async def settle(self, node: Node) -> None:
        """Let the time pass that other nodes are given, and look twice."""
        node.clock.at += STEP
        await node.keeper.look()
        await node.keeper.look()

    async def moved(self, node: Node, there: tuple[dict[str, str], dict[str, Secret]]) -> dict[str, bytes]:
        """The house at OpenBao, with people whose data keys it wraps."""
        sealed = await node.add_people(1, 5)
        await node.moves.move("transit", *there, by="command")
        await self.settle(node)
        return sealed | await node.add_people(11, 5)

    async def test_a_move_is_one_command_and_everything_follows(
        self, node: Node, settings: Settings, there: tuple[dict[str, str], dict[str, Secret]]
    ) -> None:
        """People before, during and after; a restart; and the end, after which the paper is of no use any more."""
        sealed = await node.add_people(1, 5)
        status, paper = await node.moves.move("transit", *there, by="staff_1")
        assert paper is None
        assert status.primary.startswith("transit:")
        assert status.moving_from is not None
        with pytest.raises(ConflictError):
            await node.moves.confirm(by="staff_1")
        sealed |= await node.add_people(11, 5)
        assert await node.opens(sealed)
        await self.settle(node)
        assert set(await node.counts()) == {status.primary}
        done = await node.moves.confirm(by="staff_1")
        assert (done.moving_from, done.waiting, done.custodian) == (None, 0, "transit")
        assert await node.storage.read(lambda tx: tx.keys.find_recovery()) is None
        again = await open_node(settings, node.clock, node.journal)
        assert await again.opens(sealed)
        assert again.custodian.kind == "transit"
        again.storage.close()
        assert node.tags() == ["key.moved", "key.rewrapped", "key.move_confirmed"]

    async def test_an_unconfirmed_move_is_undone(
        self, node: Node, there: tuple[dict[str, str], dict[str, Secret]]
    ) -> None:
        """Also when everything has followed already; the key file and the paper are what they were."""
        before = await node.desk.status()
        sealed = await self.moved(node, there)
        undone = await node.moves.undo(by="command")
        assert (undone.primary, undone.moving_from) == (before.primary, None)
        await self.settle(node)
        assert set(await node.counts()) == {before.primary}
        assert await node.opens(sealed)
        assert await node.storage.read(lambda tx: tx.keys.find_recovery()) is not None
        with pytest.raises(ConflictError):
            await node.moves.undo(by="command")

    async def test_a_house_comes_home_to_a_key_file_with_a_new_paper(
        self, node: Node, there: tuple[dict[str, str], dict[str, Secret]]
    ) -> None:
        """To a key that was never used, though the former file is still there."""
        first = node.custodian.key_id()
        sealed = await self.moved(node, there)
        await node.moves.confirm(by="command")
        status, paper = await node.moves.move("file", {}, {}, by="command")
        assert paper is not None
        assert status.primary != first
        await self.settle(node)
        await node.moves.confirm(by="command")
        assert await node.opens(sealed)
        copy = await node.storage.read(lambda tx: tx.keys.find_recovery())
        assert copy is not None
        assert status.primary in open_with_recovery_key(copy, paper.reveal()).key_ids()

    async def test_a_custodian_that_does_not_serve_is_not_moved_to(self, node: Node, server: OpenBao) -> None:
        """Nothing was changed and nothing journaled: it was a wrong question."""
        where = {"address": server.url, "key": "nobody-made-it"}
        with pytest.raises(CustodianUnavailableError):
            await node.moves.move("transit", where, {"token": Secret("wrong")}, by="command")
        with pytest.raises(ConfigurationError):
            await node.moves.move("cloud", {}, {}, by="command")
        with pytest.raises(ConfigurationError):
            await node.moves.move("file", {}, {}, by="command")
        assert node.tags() == []
        assert not (node.data / "key-custodians.json").exists()

    async def test_a_rotation_at_the_custodian_rewraps_as_at_home(
        self, node: Node, there: tuple[dict[str, str], dict[str, Secret]]
    ) -> None:
        """Its versions are our generations."""
        sealed = await self.moved(node, there)
        await node.moves.confirm(by="command")
        rotated = await node.desk.rotate(by="command")
        assert rotated.primary.endswith("/2")
        await self.settle(node)
        assert set(await node.counts()) == {rotated.primary}
        assert await node.opens(sealed)

    async def test_a_custodian_away_for_a_day_stops_nobody(
        self, node: Node, server: OpenBao, there: tuple[dict[str, str], dict[str, Secret]]
    ) -> None:
        """New people get their data keys, arrivals are sealed, an alarm is raised at the next look, and all heals by itself."""
        sealed = await self.moved(node, there)
        sense = CustodianSense(node.custodian)
        nothing = Signs(connections=[])
        assert await sense.look(nothing, now=node.clock.now()) == []
        server.seal()
        try:
            for hour in range(24):
                sealed |= await node.add_people(100 + 10 * hour, 2)
                assert node.vault.seal_arrival(node.workspace.workspace_id, f"events.body:{hour}", b"hello")
                node.clock.at += timedelta(hours=1)
                await node.keeper.look()
            troubles = await sense.look(nothing, now=node.clock.now())
            assert [trouble.cause for trouble in troubles] == [Cause.CUSTODIAN]
            status = await node.desk.status()
            assert status.away_since is not None
            assert (status.waiting, len(await node.counts())) == (48, 2)
            with pytest.raises(CustodianUnavailableError):
                await node.opens(sealed)
        finally:
            server.unseal()
        node.clock.at += timedelta(seconds=LOOK_EVERY_S)
        await node.desk.follow()
        await node.keeper.look()
        assert await sense.look(nothing, now=node.clock.now()) == []
        assert (await node.desk.status()).waiting == 0
        assert set(await node.counts()) == {node.custodian.key_id()}
        assert await node.opens(sealed)

    async def test_nothing_is_in_clear_on_the_disk_meanwhile(
        self,
        node: Node,
        server: OpenBao,
        there: tuple[dict[str, str], dict[str, Secret]],
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        """Neither the bridge nor what came over it: a marked data key is nowhere in the data directory."""
        await self.moved(node, there)
        keyset = new_cipher_keyset()
        monkeypatch.setattr("leadgate.vault.envelope.new_cipher_keyset", lambda: keyset)
        server.seal()
        try:
            await node.add_people(500, 1)
        finally:
            server.unseal()
        secret = keyset[-40:-8]
        rows = await node.storage.read(lambda tx: tx.keys.wrapped_by_others("", after="", limit=100))
        held = b"".join(row.wrapped_key for row in rows)
        files = b"".join(path.read_bytes() for path in node.data.rglob("*") if path.is_file())
        assert secret not in held + files
        assert any(row.wrapper_key_id.startswith("bridge:") for row in rows)

    async def test_the_token_lies_where_nobody_else_reads(
        self, node: Node, there: tuple[dict[str, str], dict[str, Secret]]
    ) -> None:
        """Beside the key file's place and as private; the journal and the database know nothing of it."""
        await self.moved(node, there)
        path = node.data / "key-custodians.json"
        assert path.stat().st_mode & 0o777 == 0o600
        token = there[1]["token"].reveal()
        assert json.loads(path.read_text())["transit"]["secrets"]["token"] == token
        others = [other for other in node.data.rglob("*") if other.is_file() and other != path]
        assert all(token.encode() not in other.read_bytes() for other in others)
        assert token not in repr(node.journal.rows)


class TestOnSqlite(MoveSuite):
    """One directory."""


class TestOnPostgres(MoveSuite):
    """A database that nodes share."""

    @pytest.fixture
    def database_url(self, postgres_database: str) -> str:
        """An empty database."""
        return postgres_database
