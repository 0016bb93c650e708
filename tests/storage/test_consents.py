"""The register and its texts on disk: numbers without a gap, whoever races; another salon's lines are not ours."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from pathlib import Path

import pytest

from leadgate.crm.consent.chain import hash_line
from leadgate.crm.consent.register import Circumstance, Register
from leadgate.crm.consent.texts import TextBook
from leadgate.errors import ConfigurationError
from leadgate.model.consents import ConsentCount, ConsentPurpose, Decision, How, Shown
from leadgate.model.leads import ConsentGiven
from leadgate.ports.stores import Transaction, Workspace
from leadgate.storage.schema import consents as old_table
from leadgate.storage.schema import workspaces
from leadgate.storage.sql_storage import SqlStorage
from leadgate.storage.transaction import SqlTransaction
from leadgate.testing.connections import NOW, CountedIds, FixedClock
from leadgate.testing.databases import bring_up, open_storage, sqlite_url
from leadgate.vault.ciphers import new_cipher_keyset
from leadgate.vault.envelope import Vault, subject_scope
from leadgate.vault.key_file import FileKeyWrapper

PROCESSING, ADVERTISING = ConsentPurpose.PROCESSING, ConsentPurpose.ADVERTISING
SHOWN = Shown(purpose=PROCESSING, text_id="ctext_1", text_hash="ab" * 32, message_id="evt_1-2")
OWN_WORDS = "Соглашаюсь, чтобы салон записал меня. Передумаю: напишу «отзываю согласие»."


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """An empty database of either kind."""
    if request.param == "sqlite":
        return sqlite_url(tmp_path)
    url = str(request.getfixturevalue("postgres_database"))
    bring_up(url)
    return url


@pytest.fixture
def vault() -> Vault:
    """A vault with a key of its own."""
    return Vault(FileKeyWrapper(new_cipher_keyset()), FixedClock())


async def meet(storage: SqlStorage, vault: Vault, *people: str) -> None:
    """These are known."""

    def unit(tx: Transaction) -> None:
        assert isinstance(tx, SqlTransaction)
        salon = {"workspace_id": "ws", "name": "Лимон", "locale": "ru", "time_zone": "Europe/Moscow", "created_at": NOW}
        tx.connection.execute(workspaces.insert().values(salon))
        for person in people:
            tx.subjects.add(person, at=NOW)
            vault.create_scope(tx, subject_scope(person))

    await storage.write(unit)


def case(event_id: str, *, minutes: int = 0) -> Circumstance:
    """An answer in Telegram."""
    at = NOW + timedelta(minutes=minutes)
    return Circumstance(
        event_id=event_id, channel="telegram", how=How.BUTTON, words="Даю согласие", decided_at=at, at=at
    )


async def test_lines_follow_one_another_and_say_where_a_person_stands(database_url: str, vault: Vault) -> None:
    """Given, refused, withdrawn; what would not make sense adds nothing."""
    ours, theirs = open_storage(database_url, "ws"), open_storage(database_url, "other")
    register = Register(vault)
    await meet(ours, vault, "subj_1", "subj_2")

    def unit(tx: Transaction) -> None:
        assert register.decide(tx, "subj_1", ADVERTISING, Decision.WITHDRAWN, case("evt_0")) is None
        assert register.decide(tx, "subj_1", PROCESSING, Decision.GIVEN, case("evt_1"), shown=SHOWN)
        assert register.decide(tx, "subj_1", PROCESSING, Decision.GIVEN, case("evt_2"), shown=SHOWN) is None
        assert register.decide(tx, "subj_1", PROCESSING, Decision.REFUSED, case("evt_2"), shown=SHOWN) is None
        assert register.decide(tx, "subj_2", PROCESSING, Decision.REFUSED, case("evt_3"), shown=SHOWN)
        withdrawn = register.decide(tx, "subj_1", PROCESSING, Decision.WITHDRAWN, case("evt_4"))
        assert withdrawn is not None
        assert (withdrawn.text_id, withdrawn.message_id) == ("ctext_1", "evt_1-2"), "what was taken back"
        assert register.decide(tx, "subj_1", PROCESSING, Decision.GIVEN, case("evt_5"), shown=SHOWN)
        assert register.decide(tx, "subj_1", PROCESSING, Decision.GIVEN, case("evt_1"), shown=SHOWN) is None, "replayed"

    await ours.write(unit)

    def read(tx: Transaction) -> None:
        lines = tx.consents.after(0, limit=9)
        assert [line.number for line in lines] == [1, 2, 3, 4]
        before = b""
        for line in lines:
            assert hash_line(line, before) == line.record_hash
            before = line.record_hash
        assert [line.number for line in tx.consents.newest(limit=2, before=4)] == [3, 2]
        assert register.standing(tx, "subj_1") == {PROCESSING: Decision.GIVEN}
        assert set(tx.consents.counts()) == {
            ConsentCount(purpose=PROCESSING, decision=Decision.GIVEN, people=1),
            ConsentCount(purpose=PROCESSING, decision=Decision.REFUSED, people=1),
        }
        opened = register.open(tx, lines[0])
        assert (opened.channel, opened.how, opened.words) == ("telegram", How.BUTTON, "Даю согласие")
        assert b"telegram" not in lines[0].sealed_details

    await ours.read(read)
    assert await theirs.read(lambda tx: tx.consents.head()) is None
    for storage in (ours, theirs):
        storage.close()


async def test_two_nodes_that_write_at_once_leave_no_gap(database_url: str, vault: Vault) -> None:
    """Twenty people agree in the same moment."""
    nodes, register = [open_storage(database_url, "ws") for _ in range(2)], Register(vault)
    people = [f"subj_{number}" for number in range(20)]
    await meet(nodes[0], vault, *people)
    await asyncio.gather(
        *(
            nodes[at % 2].write(
                lambda tx, who=who: register.decide(
                    tx, who, PROCESSING, Decision.GIVEN, case(f"evt_{who}"), shown=SHOWN
                )  # type: ignore[misc]  # mypy sees no type in the default of a lambda
            )
            for at, who in enumerate(people)
        )
    )
    lines = await nodes[0].read(lambda tx: tx.consents.after(0, limit=99))
    assert [line.number for line in lines] == list(range(1, 21))
    before = b""
    for line in lines:
        assert hash_line(line, before) == line.record_hash
        before = line.record_hash
    for node in nodes:
        node.close()


async def test_what_a_bot_builder_tells_is_sealed_and_never_overtakes_a_withdrawal(
    database_url: str, vault: Vault
) -> None:
    """A version may be a person's name; and a late tale of an early consent brings nothing back."""
    storage, register = open_storage(database_url, "ws"), Register(vault)
    await meet(storage, vault, "subj_1")
    early = ConsentGiven(given_at=NOW - timedelta(days=2), policy_version="Алсу Гарипова, v1")
    late = ConsentGiven(given_at=NOW + timedelta(days=2), policy_version="v2")

    def unit(tx: Transaction) -> None:
        line = register.tell(tx, "subj_1", early, event_id="evt_1", channel="telegram", at=NOW)
        assert line is not None
        assert "Алсу".encode() not in line.sealed_details
        assert register.tell(tx, "subj_1", early, event_id="evt_1", channel="telegram", at=NOW) is None
        assert register.decide(tx, "subj_1", PROCESSING, Decision.WITHDRAWN, case("evt_2")) is not None
        assert register.tell(tx, "subj_1", early, event_id="evt_3", channel="telegram", at=NOW) is None
        assert not register.standing(tx, "subj_1")[PROCESSING].stands
        assert register.tell(tx, "subj_1", late, event_id="evt_4", channel="telegram", at=NOW) is not None
        assert register.told(tx, "subj_1") == [early, late]

    await storage.write(unit)
    storage.close()


async def test_what_was_told_before_is_taken_over_and_leaves_nothing_in_clear(database_url: str, vault: Vault) -> None:
    """Rows of an older version, one of them of a person who was erased since."""
    storage, register = open_storage(database_url, "ws"), Register(vault)
    await meet(storage, vault, "subj_1")

    def leave_old_rows(tx: Transaction) -> None:
        assert isinstance(tx, SqlTransaction)
        for number, who in enumerate(("subj_1", "subj_gone")):
            tx.connection.execute(
                old_table.insert().values(
                    workspace_id="ws",
                    event_id=f"evt_{number}",
                    subject_id=who,
                    policy_version="v1",
                    given_at=NOW,
                    recorded_at=NOW,
                )
            )

    await storage.write(leave_old_rows)
    assert await storage.write(register.take_over) == 2
    assert await storage.write(register.take_over) == 0
    assert await storage.read(lambda tx: tx.consents.old_told(limit=9)) == []
    told = await storage.read(lambda tx: register.told(tx, "subj_1"))
    assert told == [ConsentGiven(given_at=NOW, policy_version="v1")]
    storage.close()


async def test_a_text_is_a_version_for_ever(database_url: str) -> None:
    """The product's words until the salon writes its own; a new name of the salon is a new version."""
    storage = open_storage(database_url, "ws")
    lemon = Workspace(workspace_id="ws", name="Лимон", locale="ru", time_zone="Europe/Moscow", created_at=NOW)
    lime = Workspace(workspace_id="ws", name="Лайм", locale="ru", time_zone="Europe/Moscow", created_at=NOW)
    ids = CountedIds()

    def unit(tx: Transaction) -> None:
        book = TextBook(lemon, ids)
        first = book.current(tx, PROCESSING, "ru")
        assert (first.text_id, first.version) == ("", 1), "not shown yet"
        shown = book.show(tx, PROCESSING, "ru", at=NOW)
        assert shown.text_id
        assert "Лимон" in shown.text
        assert book.show(tx, PROCESSING, "ru", at=NOW) == shown
        renamed = TextBook(lime, ids).show(tx, PROCESSING, "ru", at=NOW)
        assert (renamed.version, "Лайм" in renamed.text) == (2, True)
        own = book.write(tx, PROCESSING, "ru", OWN_WORDS, by="staff_1", at=NOW)
        assert own is not None
        assert (own.version, own.made_by, book.show(tx, PROCESSING, "ru", at=NOW)) == (3, "staff_1", own)
        assert book.write(tx, PROCESSING, "ru", f" {OWN_WORDS}\n", by="staff_1", at=NOW) is None
        assert tx.consents.find_text(shown.text_id) == shown, "the first stands as it was"
        assert book.current(tx, PROCESSING, "en").text.startswith("Consent")
        for wrong in ("коротко", "Соглашаюсь на всё и навсегда, без права передумать когда-либо.", "я" * 901):
            with pytest.raises(ConfigurationError):
                book.write(tx, PROCESSING, "ru", wrong, by="staff_1", at=NOW)

    await storage.write(unit)
    storage.close()
