"""Erasing reaches every table that holds something of a person, on both engines, and a new table cannot be forgotten."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, Table, func, select

from leadgate.model.deliveries import DeliveryState
from leadgate.model.erasures import DestroyedKey, Erasure, ErasureReason, OrderState
from leadgate.rights.erasure import erase_rows
from leadgate.storage.engines import make_engine
from leadgate.storage.schema import metadata
from leadgate.storage.transaction import SqlTransaction
from leadgate.testing.connections import NOW
from leadgate.testing.databases import bring_up, sqlite_url
from leadgate.testing.storage_suite import CRM, new_connection
from leadgate.vault.envelope import subject_scope
from tests.storage.test_statements import meet_a_person, work_on_an_event, work_on_deliveries

ERASED = {
    "data_keys",
    "subjects",
    "identifiers",
    "conversations",
    "messages",
    "message_fates",
    "consents",
    "subject_requests",
    "request_steps",
    "invitations",
    "events",
    "deliveries",
    "leads",
}
"""Tables that an erasure changes."""

KEPT = {
    "consent_register": "proofs: ids, purposes, times and hashes; words are sealed under the person's key",
    "incidents": "the owner's own words, under a key of the incident",
    "subject_joins": "ids and a code: a second erasure finds the whole person by any of them",
    "workspaces": "the key of the salon, not of a client",
    "secrets": "keys of the vendors",
    "alert_targets": "addresses of the staff",
    "erasures": "ids of who was erased",
    "staff_totp": "secrets of the staff's own apps",
    "reveals": "ids and a reason's word; the words beside it are sealed under the person's key and go with it",
}
"""Tables that have such columns and hold nothing of a client that may not stay."""


def is_about_people(table: Table) -> bool:
    """It names a subject, or holds ciphertext or blind indexes."""
    return any(
        name in {"subject_id", "subject_ids", "scope"} or name.startswith("sealed_") or name.endswith("_index")
        for name in table.columns.keys()  # noqa: SIM118 -- not a dictionary: its elements are columns
    )


def test_every_table_about_people_is_thought_about() -> None:
    """Whoever adds a table says here what becomes of it when its person is erased, and adds it to `wipe` or says why not."""
    about = {name for name, table in metadata.tables.items() if is_about_people(table)}
    assert about == ERASED | KEPT.keys()


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
        SqlTransaction(opened, "ws").connections.add(new_connection(CRM))
        yield opened
    engine.dispose()


def rows_of(connection: Connection) -> dict[str, list[Any]]:
    """Every table, whole."""
    return {name: [tuple(row) for row in connection.execute(select(table))] for name, table in metadata.tables.items()}


def test_one_person_goes_and_the_other_stays(connection: Connection) -> None:
    """Rows of somebody else are the same to the last byte, and so are those of another salon."""
    tx, elsewhere = SqlTransaction(connection, "ws"), SqlTransaction(connection, "other")
    for name in ("subj_a", "subj_b"):
        meet_a_person(tx, name)
        work_on_an_event(tx, name)
        work_on_deliveries(tx, name)
    elsewhere.subjects.add("subj_a", at=NOW)
    elsewhere.subjects.set_profile("subj_a", b"theirs")
    before = rows_of(connection)
    erased = erase_rows(tx, ["subj_a"], at=NOW)
    assert set(erased.subject_ids) == {"subj_a", "subj_a-twin"}
    after = rows_of(connection)
    for name in metadata.tables:
        of_b = [row for row in before[name] if "subj_b" in str(row)]
        assert [row for row in after[name] if "subj_b" in str(row)] == of_b, name
    for gone in ("identifiers", "conversations", "messages", "invitations", "message_fates"):
        assert [row for row in after[gone] if "subj_a" in str(row)] == [], gone
    assert elsewhere.subjects.find_profile("subj_a") == b"theirs"
    assert tx.subjects.erased_among(["subj_a", "subj_b"]) == {"subj_a"}
    event = tx.events.find("evt_subj_a")
    assert event is not None
    assert event.sealed_body is None


def test_the_keys_are_named_and_gone(connection: Connection) -> None:
    """The act names what was destroyed; a second time there is nothing to destroy, and nothing changes."""
    tx = SqlTransaction(connection, "ws")
    for name in ("subj_a", "subj_b"):
        meet_a_person(tx, subject_scope(name))  # makes a key of this scope, among others
        tx.subjects.add(name, at=NOW)
    erased = erase_rows(tx, ["subj_a"], at=NOW)
    (key,) = erased.keys
    assert (key.scope, len(key.fingerprint)) == (subject_scope("subj_a"), 16)
    assert (tx.keys.find(subject_scope("subj_a")), tx.keys.hold(subject_scope("subj_a"))) == (None, False)
    assert tx.keys.hold(subject_scope("subj_b"))
    before = rows_of(connection)
    again = erase_rows(tx, ["subj_a"], at=NOW)
    assert (again.keys, set(again.counts.values())) == ([], {0})
    assert rows_of(connection) == before


def test_nobody_known_is_nobody_erased(connection: Connection) -> None:
    """A line of the list may name somebody whom this database never knew."""
    tx = SqlTransaction(connection, "ws")
    before = rows_of(connection)
    erase_rows(tx, ["subj_nobody"], at=NOW)
    assert erase_rows(tx, [], at=NOW).subject_ids == ()
    assert rows_of(connection) == before


def test_what_waits_for_anybody_else_stays(connection: Connection) -> None:
    """Cancelled is what would be sent to or about the erased person, nothing more."""
    tx = SqlTransaction(connection, "ws")
    for name in ("subj_a", "subj_b"):
        work_on_deliveries(tx, name)
    erase_rows(tx, ["subj_nobody"], at=NOW)
    states = select(func.count()).where(metadata.tables["deliveries"].c.state == DeliveryState.WAITING.value)
    assert connection.execute(states).scalar_one() == 2


def test_erasures_are_kept_by_number(connection: Connection) -> None:
    """Acts are counted from 1; what became of the order is written beside them."""
    tx = SqlTransaction(connection, "ws")
    for number in (1, 2, 3):
        kept = tx.erasures.add(
            Erasure(
                erasure_id=f"era_{number}",
                number=0,
                subject_ids=[f"subj_{number}", "subj_9"],
                reason=ErasureReason.CONSENT_WITHDRAWN,
                by="staff_1",
                at=NOW,
                keys=[DestroyedKey(scope="subject:x", fingerprint="ab")],
                rows={"messages": 3},
                delivery_ids=["dlv_1"],
                order=OrderState.OPEN,
            )
        )
        assert kept.number == number
    assert [one.number for one in tx.erasures.newest(limit=2)] == [3, 2]
    assert [one.number for one in tx.erasures.newest(limit=2, before=2)] == [1]
    assert [one.number for one in tx.erasures.after(1)] == [2, 3]
    found = tx.erasures.of_subject("subj_2")
    assert found is not None
    assert found == tx.erasures.find("era_2")
    assert (found.keys, found.rows, found.order) == (
        [DestroyedKey(scope="subject:x", fingerprint="ab")],
        {"messages": 3},
        OrderState.OPEN,
    )
    assert tx.erasures.of_subject("subj_") is None
    tx.erasures.set_order("era_2", OrderState.DONE, answer="lead:1=blank", error_code=None, at=NOW)
    assert [one.erasure_id for one in tx.erasures.unanswered()] == ["era_1", "era_3"]
    assert SqlTransaction(connection, "other").erasures.newest(limit=9) == []
