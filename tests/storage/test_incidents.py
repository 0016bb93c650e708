"""Incidents on both engines: what is frozen is not claimed, and who may be affected is counted once."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import Connection, insert

from leadgate.model.incidents import EVERYTHING, Affected, Freeze, Incident, Notice, Sent
from leadgate.ports.stores.incidents import Scope, StoredIncident
from leadgate.storage.engines import make_engine
from leadgate.storage.schema import events
from leadgate.storage.transaction import SqlTransaction
from leadgate.testing.connections import NOW
from leadgate.testing.databases import bring_up, sqlite_url
from leadgate.testing.storage_suite import BOT, CRM, LATER, new_connection, new_delivery

HOUR = timedelta(hours=1)


@pytest.fixture(params=["sqlite", "postgresql"])
def connection(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Connection]:
    """An open transaction on each engine."""
    if request.param == "sqlite":
        database_url = sqlite_url(tmp_path)
    else:
        database_url = request.getfixturevalue("postgres_database")
        bring_up(database_url)
    engine = make_engine(database_url)
    with engine.connect() as opened:
        yield opened
    engine.dispose()


@pytest.fixture
def tx(connection: Connection) -> SqlTransaction:
    """A workspace with a CRM and a bot."""
    made = SqlTransaction(connection, "ws")
    made.connections.add(new_connection(CRM))
    made.connections.add(new_connection(BOT))
    return made


def freeze(connection_id: str) -> Freeze:
    """Of the one incident."""
    return Freeze(connection_id=connection_id, incident_id="inc_1", frozen_at=NOW, frozen_by="staff_1")


def claimed(tx: SqlTransaction, *, holder: str = "node") -> list[str]:
    """What a node gets now; given back at once."""
    leases = tx.lanes.claim(holder=holder, now=NOW, until=LATER, limit=9)
    for lease in leases:
        tx.lanes.release(lease, due_at=NOW, failures=0, problem=None, problem_since=None)
    return sorted(lease.lane for lease in leases)


def test_a_frozen_lane_is_claimed_by_nobody_until_it_is_over(tx: SqlTransaction) -> None:
    """Two freezes at once end one by one, and another salon's freeze stops nothing here."""
    tx.lanes.wake("crm", connection_id=CRM, due_at=NOW)
    tx.lanes.wake("chat", connection_id=BOT, due_at=NOW)
    SqlTransaction(tx.connection, "other").incidents.freeze(freeze(EVERYTHING))
    assert claimed(tx) == ["chat", "crm"]
    assert tx.incidents.freeze(freeze(CRM))
    assert not tx.incidents.freeze(freeze(CRM))
    assert claimed(tx) == ["chat"]
    assert (tx.lanes.is_frozen(CRM), tx.lanes.is_frozen(BOT), tx.lanes.is_frozen(None)) == (True, False, False)
    tx.incidents.freeze(freeze(EVERYTHING))
    assert claimed(tx) == []
    assert (tx.lanes.is_frozen(BOT), tx.lanes.is_frozen(None)) == (True, True)
    assert [one.connection_id for one in tx.incidents.freezes()] == [EVERYTHING, CRM]
    assert tx.incidents.unfreeze(EVERYTHING)
    assert not tx.incidents.unfreeze(EVERYTHING)
    assert claimed(tx) == ["chat"]
    assert tx.incidents.unfreeze(CRM)
    assert claimed(tx) == ["chat", "crm"]


def test_what_is_on_its_way_is_a_lane_that_somebody_holds(tx: SqlTransaction) -> None:
    """Lanes of the house itself, such as that of the alarms, send nothing of a client."""
    tx.lanes.wake("crm", connection_id=CRM, due_at=NOW)
    tx.lanes.claim_one("alerts", holder="node", now=NOW, until=LATER)
    assert tx.incidents.on_their_way([EVERYTHING], now=NOW) == 0
    tx.lanes.claim(holder="node", now=NOW, until=LATER, limit=9)
    assert tx.incidents.on_their_way([EVERYTHING], now=NOW) == 1
    assert tx.incidents.on_their_way([CRM], now=NOW) == 1
    assert tx.incidents.on_their_way([BOT], now=NOW) == 0
    assert tx.incidents.on_their_way([CRM], now=LATER + HOUR) == 0, "a holder that is gone holds up nobody"


def test_an_incident_is_kept_whole_and_one_alone_is_open(tx: SqlTransaction) -> None:
    """Counts and numbers come back as they were."""
    affected = Affected(
        counted_at=NOW,
        since=NOW - HOUR,
        until=None,
        connection_id=CRM,
        persons=3,
        identifiers={"phone": 2},
        messages=9,
        looked_at=8,
        health=1,
    )
    first = Incident(
        incident_id="inc_1",
        is_drill=True,
        found_at=NOW - HOUR,
        opened_at=NOW,
        opened_by="staff_1",
        sent={Notice.FIRST: Sent(at=NOW, number="77-1")},
        affected=affected,
    )
    stored = StoredIncident(incident=first, sealed_story=b"sealed")
    tx.incidents.add(stored)
    assert tx.incidents.find("inc_1") == tx.incidents.find_open() == tx.incidents.lock_open() == stored
    assert SqlTransaction(tx.connection, "other").incidents.find_open() is None
    closed = Incident(
        incident_id="inc_1",
        is_drill=True,
        found_at=NOW - HOUR,
        opened_at=NOW,
        opened_by="staff_1",
        closed_at=NOW,
        closed_by="command",
    )
    tx.incidents.replace(StoredIncident(incident=closed, sealed_story=b"other"))
    assert tx.incidents.find_open() is None
    assert tx.incidents.all(limit=9) == [closed]


def test_people_are_counted_once_whatever_they_are_known_by(tx: SqlTransaction) -> None:
    """Joined people are one, over two steps too; erased ones and those of another salon are none."""
    for name in ("a", "b", "c", "d", "gone"):
        person(tx, name, f"7900{name}")
    tx.subjects.add_identifier("a", "sender:telegram", b"sender-a", at=NOW)
    tx.subjects.add_identifier("a", "username:telegram", b"name-a", at=NOW)
    tx.subjects.add_identifier("b", "email", b"mail-b", at=NOW)
    person(SqlTransaction(tx.connection, "other"), "x", "7900x")
    tx.subjects.join("a", "b", reason="invitation", at=NOW)
    tx.subjects.join("b", "c", reason="invitation", at=NOW)
    tx.connection.exec_driver_sql("UPDATE subjects SET erased_at = 1 WHERE subject_id = 'gone'")
    counted = tx.incidents.count(Scope())
    assert counted.persons == 2
    assert counted.identifiers == {"channel_id": 1, "email": 1, "phone": 4, "username": 1}
    assert counted.messages == 5 - 1


def test_a_scope_counts_who_wrote_and_who_was_written_to(tx: SqlTransaction) -> None:
    """By time and by connection; whoever is in it counts with everything that is kept of the person."""
    for name in ("early", "late", "sent", "far"):
        person(tx, name, name)
    person(tx, "twin", "twin")
    tx.subjects.join("twin", "late", reason="invitation", at=NOW)
    wrote(tx, "early", BOT, NOW - 9 * HOUR)
    wrote(tx, "late", BOT, NOW)
    tx.deliveries.add(replace(new_delivery("to_sent"), connection_id=CRM, subject_id="sent"))
    assert people(tx, Scope(connection_id=BOT)) == 2
    assert people(tx, Scope(connection_id=BOT, since=NOW - HOUR)) == 1
    assert people(tx, Scope(connection_id=BOT, until=NOW)) == 1
    assert people(tx, Scope(connection_id=CRM)) == 1
    assert people(tx, Scope(since=NOW - HOUR)) == 2
    assert tx.incidents.count(Scope(connection_id=BOT, since=NOW - HOUR)).identifiers == {"phone": 2}
    assert tx.incidents.count(Scope(until=NOW - 99 * HOUR)).persons == 0
    found = list(tx.incidents.messages(Scope(connection_id=BOT, since=NOW - HOUR), limit=9))
    assert [(message, subject) for message, subject, _ in found] == [("msg_twin", "twin"), ("msg_late", "late")]
    assert len(list(tx.incidents.messages(Scope(), limit=2))) == 2


def people(tx: SqlTransaction, scope: Scope) -> int:
    """How many."""
    return tx.incidents.count(scope).persons


def person(tx: SqlTransaction, name: str, phone: str) -> None:
    """Somebody with a phone who wrote one message."""
    tx.subjects.add(name, at=NOW)
    tx.subjects.add_identifier(name, "phone", phone.encode(), at=NOW)
    tx.conversations.add_message(
        f"chat_{name}", message_id=f"msg_{name}", subject_id=name, outgoing=False, sealed_body=b"", at=NOW
    )


def wrote(tx: SqlTransaction, name: str, connection_id: str, at: datetime) -> None:
    """An event of this person."""
    row = {
        "workspace_id": "ws",
        "event_id": f"evt_{name}",
        "connection_id": connection_id,
        "natural_key": name.encode(),
        "part": 1,
        "state": "answered",
        "received_at": at,
        "key_scope": name,
        "subject_id": name,
    }
    tx.connection.execute(insert(events), row)
