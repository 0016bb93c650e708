"""Hosts of the own network: none by default, one by one with a reason that is journaled, and never what no API can be."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import pytest

from leadgate.connections.own_network import RULE, SYSTEM, read_own_hosts
from leadgate.errors import ConfigurationError, JournalUnavailableError, NotFoundError
from leadgate.model.journal import Result, Tag
from tests.connections.test_recipients import House
from tests.delivery.rig import open_rig

HOME = "192.168.1.10"
BEFORE = 2
"""Connections of the rig itself."""


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    """On a database of its own."""
    rig = await open_rig(tmp_path)
    made = House(rig)
    await made.book.refresh(force=True)
    yield made
    rig.storage.close()


def tags(house: House) -> list[tuple[Tag, Result, object]]:
    """What the journal holds, with the host."""
    return [(row.entry.tag, row.entry.result, row.entry.details["host"]) for row in house.journal.rows]


@pytest.mark.parametrize("host", [HOME, "10.0.0.5:8443", "crm.lan", "portal", "[fd12:3456::1]"])
async def test_without_a_reason_nothing_is_asked_and_nothing_is_kept(house: House, host: str) -> None:
    """The vendor behind such an address may be a router; the refusal stands in the journal."""
    with pytest.raises(ConfigurationError) as refused:
        await house.connect(host=host)
    assert refused.value.code == "connection.own_network"
    assert "--own-network-reason" in refused.value.hint
    assert len(house.book.all()) == BEFORE
    assert [(tag, result) for tag, result, _ in tags(house)] == [(Tag.OWN_NETWORK_REFUSED, Result.REFUSED)]


@pytest.mark.parametrize("host", ["169.254.169.254", "[::ffff:10.0.0.1]", "0.0.0.0", "224.0.0.1"])  # noqa: S104 - no listening
async def test_no_reason_opens_what_no_api_can_be(house: House, host: str) -> None:
    """The clouds' metadata and addresses in disguise: nobody has an honest wish there."""
    with pytest.raises(ConfigurationError) as refused:
        await house.connect(host=host, own_network_reason="очень надо", foreign_reason="очень надо")
    assert refused.value.code == "connection.address_forbidden"
    assert len(house.book.all()) == BEFORE


async def test_with_a_reason_the_host_is_allowed_for_good(house: House) -> None:
    """Journaled first; the connection carries it to the wire, the next one needs no reason."""
    first = await house.connect(host=HOME, own_network_reason=" наш  Битрикс24 ")
    assert tags(house) == [(Tag.OWN_NETWORK_ALLOWED, Result.DONE, HOME)]
    opened = house.book.find(first)
    assert opened is not None
    assert opened.own_hosts == {HOME}
    assert (await house.desk.own_network.hosts())[HOME].reason == "наш Битрикс24"
    await house.connect(host=HOME)
    assert len(tags(house)) == 1


async def test_a_permission_that_cannot_be_journaled_is_none(house: House) -> None:
    """Nothing is connected either."""
    house.journal.is_broken = True
    with pytest.raises(JournalUnavailableError):
        await house.connect(host=HOME, own_network_reason="наш")
    assert await house.desk.own_network.hosts() == {}
    assert len(house.book.all()) == BEFORE


async def test_taking_it_back_reaches_the_connections(house: House) -> None:
    """Within one look of the book, which a running gateway takes every two seconds."""
    connection_id = await house.connect(host=HOME, own_network_reason="наш")
    await house.desk.own_network.forbid(HOME, by="staff_1")
    assert await house.book.refresh()
    opened = house.book.find(connection_id)
    assert opened is not None
    assert opened.own_hosts == frozenset()
    assert tags(house)[-1] == (Tag.OWN_NETWORK_REFUSED, Result.DONE, HOME)
    with pytest.raises(NotFoundError):
        await house.desk.own_network.forbid(HOME, by="staff_1")
    await house.desk.own_network.allow(HOME, reason="снова наш", by="staff_1")
    assert await house.book.refresh()


@pytest.mark.parametrize(
    ("host", "reason", "code"),
    [
        ("", "наш", "connection.host_wrong"),
        ("https://[x", "наш", "connection.host_wrong"),
        ("93.184.216.34", "наш", "connection.host_wrong"),
        ("localhost", "наш", "connection.host_wrong"),
        ("169.254.169.254", "наш", "connection.address_forbidden"),
        (HOME, "  ", "connection.own_network_reason"),
        (HOME, "x" * 1001, "connection.own_network_reason"),
    ],
)
async def test_what_needs_no_permission_or_may_have_none_is_refused(
    house: House, host: str, reason: str, code: str
) -> None:
    """Nothing is journaled for a wrong question."""
    with pytest.raises(ConfigurationError) as refused:
        await house.desk.own_network.allow(host, reason=reason, by="staff_1")
    assert refused.value.code == code
    assert tags(house) == []


async def test_an_update_adopts_what_was_connected_before_and_nothing_later(house: House) -> None:
    """A salon whose Bitrix24 stands in the office works on after the update; names are resolved for it, once."""

    async def resolve(host: str, _port: int) -> Sequence[str]:
        if host == "gone.example":
            raise OSError("no such host")
        return [HOME] if host == "crm.salon.example" else ["93.184.216.34"]

    for host in ("crm.salon.example", "gone.example", "abroad.example"):
        await house.connect(host=host, foreign_reason="так надо")
    await house.connect(host=HOME, own_network_reason="наш")
    await house.rig.storage.write(lambda tx: tx.rules.set(RULE, b'{"hosts": {}}', by="test", at=house.rig.clock.now()))
    assert await house.rig.storage.read(read_own_hosts) == {}
    opened = [(house.integration(one.connection.kind), one) for one in house.book.all()]
    await house.desk.own_network.adopt(opened, resolve)
    assert await house.desk.own_network.hosts() == {}, "it was decided on before"


async def test_adopting_is_journaled_as_the_systems(house: House) -> None:
    """Nobody decided it, and that is what the entry says."""

    async def resolve(host: str, _port: int) -> Sequence[str]:
        if host == "gone.example":
            raise OSError("no such host")
        return [HOME] if host == "crm.salon.example" else ["93.184.216.34"]

    for host in ("crm.salon.example", "gone.example", "abroad.example"):
        await house.connect(host=host, foreign_reason="так надо")
    assert await house.rig.storage.read(read_own_hosts) is None
    opened = [(house.integration(one.connection.kind), one) for one in house.book.all()]
    await house.desk.own_network.adopt(opened, resolve)
    (row,) = [row for row in house.journal.rows if row.entry.tag is Tag.OWN_NETWORK_ALLOWED]
    assert (row.entry.by, row.entry.details) == (SYSTEM, {"host": "crm.salon.example"})
    assert set(await house.desk.own_network.hosts()) == {"crm.salon.example"}
