"""The desk of consents: the way of the register into the journal, and what the owner changes."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from leadgate.app.consents import ConsentDesk
from leadgate.errors import ConfigurationError, ConflictError, JournalUnavailableError, NotFoundError
from leadgate.model.consents import ConsentPurpose, ConsentRule
from leadgate.model.journal import JournalEntry, Result, Tag
from leadgate.ports.stores import Transaction
from leadgate.storage.journal_file import JournalFile
from leadgate.storage.schema import consents as old_table
from leadgate.storage.transaction import SqlTransaction
from leadgate.testing.connections import NOW
from tests.processing.messengers import Salon, open_salon

OWN_WORDS = "Присылайте скидки изредка. Надоест: напишу «стоп», и больше ничего не придёт."


@dataclass(slots=True)
class Office:
    """A salon that asks, its journal, and the desk."""

    salon: Salon
    journal: JournalFile
    desk: ConsentDesk
    folder: Path
    refused: list[JournalEntry] = field(default_factory=list)

    async def entries(self) -> list[JournalEntry]:
        """The journal, oldest first."""
        return [row.entry for row in reversed(await self.journal.newest(limit=99))]


@pytest.fixture
async def office(tmp_path: Path) -> AsyncIterator[Office]:
    """«Лимон»."""
    async with open_salon(tmp_path, ConsentRule()) as salon:
        journal = JournalFile(tmp_path, salon.rig.clock)
        desk = ConsentDesk(
            salon.rig.storage,
            salon.rig.vault,
            salon.turns.register,
            salon.turns.texts,
            journal=journal,
            clock=salon.rig.clock,
            holder="node-1",
        )
        yield Office(salon, journal, desk, tmp_path)


async def talk(salon: Salon) -> str:
    """Agrees, then thinks better of it; who it is."""
    await salon.write("/start")
    await salon.write("Даю согласие")
    return await salon.subject((await salon.write("стоп")).event_id)


async def test_what_clients_decide_reaches_the_journal_after_the_commit(office: Office) -> None:
    """With the hash of the line, so that the one proves the other; a second look adds nothing."""
    subject_id = await talk(office.salon)
    assert await office.entries() == []
    assert (await office.desk.overview()).waiting == 3
    assert await office.desk.write_journal() == 2, "given and withdrawn; a refusal stands in the register alone"
    assert await office.desk.write_journal() == 0
    made = await office.entries()
    assert [(one.tag, one.on, one.by) for one in made] == [
        (Tag.CONSENT_GIVEN, subject_id, f"client:{subject_id}"),
        (Tag.CONSENT_WITHDRAWN, subject_id, f"client:{subject_id}"),
    ]
    proof = await office.desk.verify()
    assert (proof.records, proof.journaled, proof.bad_number) == (3, 2, None)
    assert made[-1].details["hash"] != proof.head, "the refusal of advertising is behind it"


async def test_a_journal_that_is_away_is_caught_up_with(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    """The client's word counts at once; the trace follows as soon as it can, in order and once."""
    await talk(office.salon)

    async def refuse(entry: JournalEntry) -> int:
        office.refused.append(entry)
        raise JournalUnavailableError("away")

    with monkeypatch.context() as broken:
        broken.setattr(office.journal, "record", refuse)
        with pytest.raises(JournalUnavailableError):
            await office.desk.write_journal()
    assert (await office.desk.overview()).waiting == 3
    assert len(office.refused) == 1
    assert await office.desk.write_journal() == 2


async def test_a_crash_between_journal_and_mark_makes_no_second_entry(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The entry stands, the mark does not: the next start sees that it does."""
    await talk(office.salon)
    write = office.salon.rig.storage.write
    calls = 0

    async def die(unit: object) -> object:
        nonlocal calls
        if "_write_lines" in getattr(unit, "__qualname__", ""):
            calls += 1
            raise SystemExit
        return await write(unit)  # type: ignore[arg-type]  # any unit

    with monkeypatch.context() as broken:
        broken.setattr(office.salon.rig.storage, "write", die)
        with pytest.raises(SystemExit):
            await office.desk.write_journal()
    assert calls == 1
    assert len(await office.entries()) == 1
    await office.desk.write_journal()
    assert [one.tag for one in await office.entries()] == [Tag.CONSENT_GIVEN, Tag.CONSENT_WITHDRAWN]


async def test_a_register_that_lost_its_end_is_found_out_by_the_journal(office: Office) -> None:
    """A copy from before the withdrawal is put back."""
    await talk(office.salon)
    await office.desk.write_journal()

    def cut(tx: Transaction) -> None:
        assert isinstance(tx, SqlTransaction)
        tx.connection.exec_driver_sql("DELETE FROM consent_register WHERE number > 1")

    await office.salon.rig.storage.write(cut)
    proof = await office.desk.verify()
    assert (proof.bad_number, proof.fault) == (2, "missing")


async def test_what_was_told_before_the_upgrade_is_taken_over(office: Office) -> None:
    """By the first look after the start; nothing stays in clear."""
    subject_id = await talk(office.salon)

    def leave(tx: Transaction) -> None:
        assert isinstance(tx, SqlTransaction)
        row = {"event_id": "evt_old", "subject_id": subject_id, "policy_version": "v1"}
        times = {"given_at": office.salon.rig.clock.now(), "recorded_at": NOW}
        tx.connection.execute(old_table.insert().values(workspace_id="ws", **row, **times))

    await office.salon.rig.storage.write(leave)
    await office.desk.write_journal()
    assert await office.salon.rig.storage.read(lambda tx: tx.consents.old_told(limit=9)) == []


async def test_a_new_text_is_journaled_before_it_stands(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    """No trace, no change; the same words twice are one version."""
    written = await office.desk.write_text(ConsentPurpose.ADVERTISING, "ru", OWN_WORDS, by="staff_1")
    (entry,) = await office.entries()
    assert (entry.tag, entry.by, entry.on) == (Tag.CONSENT_TEXT_CHANGED, "staff_1", "advertising.ru")
    assert OWN_WORDS not in str(entry)
    with pytest.raises(ConflictError):
        await office.desk.write_text(ConsentPurpose.ADVERTISING, "ru", OWN_WORDS, by="staff_1")
    with pytest.raises(ConfigurationError):
        await office.desk.write_text(ConsentPurpose.ADVERTISING, "ru", "коротко", by="staff_1")
    assert len(await office.entries()) == 1, "what was refused before it began leaves no trace"

    async def refuse(_entry: JournalEntry) -> int:
        raise JournalUnavailableError("away")

    monkeypatch.setattr(office.journal, "record", refuse)
    with pytest.raises(JournalUnavailableError):
        await office.desk.write_text(ConsentPurpose.ADVERTISING, "ru", OWN_WORDS + " Правда.", by="staff_1")
    texts = (await office.desk.overview()).texts
    assert written in texts


async def test_the_rule_is_journaled_and_counts_from_the_next_message(office: Office) -> None:
    """Only what is named changes; a change that fails afterwards leaves a second entry."""
    rule = await office.desk.change_rule(asks_processing=False, advertises=None, passes_on_to=None, by="command")
    assert rule == ConsentRule(asks_processing=False)
    (entry,) = await office.entries()
    assert (entry.tag, entry.on, entry.by, entry.result) == (Tag.POLICY_CHANGED, "consent", "command", Result.DONE)
    await office.salon.write("/start")
    (greeting,) = office.salon.said()
    assert "Как к вам обращаться" in greeting.text
    with pytest.raises(ConfigurationError):
        await office.desk.change_rule(asks_processing=None, advertises=None, passes_on_to="я" * 200, by="command")


async def test_the_register_is_read_page_by_page(office: Office) -> None:
    """By number, of one person by any of their ids; an unknown number is said so."""
    subject_id = await talk(office.salon)
    first = await office.desk.records(limit=2)
    second = await office.desk.records(limit=2, cursor=first.next_cursor)
    assert [one.number for page in (first, second) for one in page.items] == [3, 2, 1]
    assert len((await office.desk.records(limit=9, subject_id=subject_id)).items) == 3
    assert (await office.desk.records(limit=9, subject_id="subj_other")).items == []
    record, text = await office.desk.record(1)
    assert text is not None
    assert record.text_id == text.text_id
    with pytest.raises(NotFoundError):
        await office.desk.record(99)
    with pytest.raises(ConfigurationError):
        await office.desk.records(limit=9, cursor="x")
