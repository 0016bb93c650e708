"""Requests on both engines: terms, steps, whose key seals what, and what is left when a person is erased."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import Connection, text

from leadgate.crm.identity import Identities
from leadgate.errors import ConfigurationError, ConflictError, NotFoundError
from leadgate.model.leads import Person
from leadgate.model.requests import RequestKind, RequestOutcome, RequestState, RequestStep, RequestWay
from leadgate.rights.requests import Asked, RequestBook
from leadgate.rights.working_days import load_calendar
from leadgate.storage.engines import make_engine
from leadgate.storage.transaction import SqlTransaction
from leadgate.testing.connections import CountedIds, FixedClock
from leadgate.testing.databases import bring_up, sqlite_url
from leadgate.vault.ciphers import new_cipher_keyset
from leadgate.vault.envelope import INDEX, INTAKE, Vault, subject_scope
from leadgate.vault.key_file import FileKeyWrapper

MONDAY = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
WORDS = "Удалите мои данные, меня зовут Алсу Меткина"
ACCESS, ERASE = RequestKind.ACCESS, RequestKind.ERASE


@dataclass
class Rig:
    """One open transaction with a book of requests."""

    tx: SqlTransaction
    wrapper: FileKeyWrapper
    ids: CountedIds = field(default_factory=CountedIds)

    def __post_init__(self) -> None:
        self.furnish()
        for scope in (INTAKE, INDEX):
            self.vault.create_scope(self.tx, scope)
        self.vault.load(self.tx)

    def furnish(self) -> None:
        """A process that remembers no key."""
        self.vault = Vault(self.wrapper, FixedClock(MONDAY))
        self.book = RequestBook(self.vault, self.ids, load_calendar(), ZoneInfo("Europe/Moscow"))
        self.identities = Identities(self.vault, self.ids)

    def person(self, phone: str = "+79000000301") -> str:
        """Somebody who is known."""
        return self.identities.recognise(self.tx, Person(phone=phone), channel="telegram", at=MONDAY).subject_id

    def open(self, kind: RequestKind = ACCESS, *, at: datetime = MONDAY, **more: str) -> str:
        """A request on paper."""
        asked = Asked(kind=kind, way=RequestWay.PAPER, received_at=at, by="staff_1", words=WORDS, **more)  # type: ignore[arg-type]  # texts
        return self.book.open(self.tx, self.book.new_id(), asked, at=at).request_id

    def hear(self, subject_id: str, event_id: str, kind: RequestKind = ERASE, *, at: datetime = MONDAY) -> str:
        """The same in a chat."""
        asked = Asked(
            kind=kind,
            way=RequestWay.CHAT,
            received_at=at,
            by=f"client:{subject_id}",
            subject_id=subject_id,
            event_id=event_id,
            words=WORDS,
            is_journaled=False,
        )
        return self.book.hear(self.tx, asked, at=at).request_id

    def steps(self, request_id: str) -> list[tuple[RequestStep, str]]:
        """What happened, and who did it."""
        return [(step.step, step.by) for step in self.tx.requests.steps(request_id)]

    def erase(self, subject_id: str) -> None:
        """The person's key is destroyed, and the process that had it in memory has ended."""
        scope = subject_scope(subject_id)
        self.tx.connection.execute(text("DELETE FROM data_keys WHERE scope = :scope"), {"scope": scope})
        self.furnish()


@pytest.fixture(params=["sqlite", "postgresql"])
def connection(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Connection]:
    """An open transaction on each engine."""
    if request.param == "sqlite":
        url = sqlite_url(tmp_path)
    else:
        url = request.getfixturevalue("postgres_database")
        bring_up(url)
    engine = make_engine(url)
    with engine.connect() as opened:
        yield opened
    engine.dispose()


@pytest.fixture
def rig(connection: Connection) -> Rig:
    """With keys of its own."""
    return Rig(SqlTransaction(connection, "ws"), FileKeyWrapper(new_cipher_keyset()))


def test_a_request_is_kept_with_its_last_day_and_its_words_sealed(rig: Rig) -> None:
    """Under the person's own key; nothing readable lies in the row."""
    subject_id = rig.person()
    request_id = rig.open(ERASE, subject_id=subject_id)
    kept = rig.tx.requests.find(request_id)
    assert kept is not None
    assert (kept.due_on, kept.state, kept.subject_id) == (date(2026, 12, 7), RequestState.OPEN, subject_id)
    assert kept.key_scope == subject_scope(subject_id)
    assert kept.sealed_words is not None
    assert "Меткина".encode() not in kept.sealed_words
    assert rig.book.read(rig.tx, kept).words == WORDS
    assert rig.steps(request_id) == [(RequestStep.OPENED, "staff_1")]


def test_another_salon_sees_nothing_of_it(rig: Rig) -> None:
    """One database, several salons."""
    request_id = rig.open()
    theirs = SqlTransaction(rig.tx.connection, "other").requests
    assert theirs.find(request_id) is None
    assert list(theirs.open()) == list(theirs.unjournaled(limit=9)) == []
    assert list(theirs.steps(request_id)) == []


def test_who_asks_again_in_a_chat_is_answered_by_the_same_request(rig: Rig) -> None:
    """Three messages are one duty; its term goes on as it was. Another kind is another duty."""
    subject_id = rig.person()
    first = rig.hear(subject_id, "evt_1")
    assert rig.hear(subject_id, "evt_1") == first, "an event that is worked on again"
    assert rig.hear(subject_id, "evt_2", at=MONDAY + timedelta(days=2)) == first
    assert rig.steps(first) == [
        (RequestStep.OPENED, f"client:{subject_id}"),
        (RequestStep.REPEATED, f"client:{subject_id}"),
    ]
    assert rig.hear(subject_id, "evt_3", ACCESS) != first
    rig.book.close(rig.tx, first, RequestOutcome.DONE, "", by="staff_1", at=MONDAY)
    assert rig.hear(subject_id, "evt_4") != first, "what is asked after the end is asked anew"


def test_somebody_in_two_messengers_is_one_person(rig: Rig) -> None:
    """The request was made in Telegram; in MAX it is known."""
    one, other = rig.person("+79000000301"), rig.person("+79000000302")
    first = rig.hear(one, "evt_1")
    rig.identities.join(rig.tx, other, one, reason="test", at=MONDAY)
    assert rig.hear(other, "evt_2") == first


def test_the_words_move_under_the_person_when_it_is_known_whose_they_are(rig: Rig) -> None:
    """Erasing the person must reach them."""
    request_id = rig.open()
    before = rig.book.get(rig.tx, request_id)
    assert (before.subject_id, before.key_scope) == (None, f"request:{request_id}")
    rig.book.extend(rig.tx, request_id, "архив на бумаге", by="staff_1", at=MONDAY)
    subject_id = rig.person()
    after = rig.book.assign(rig.tx, request_id, subject_id, by="staff_1", at=MONDAY)
    assert (after.subject_id, after.key_scope) == (subject_id, subject_scope(subject_id))
    read = rig.book.read(rig.tx, rig.book.get(rig.tx, request_id))
    assert (read.words, list(read.notes)) == (WORDS, [(2, "архив на бумаге")])
    with pytest.raises(ConflictError):
        rig.book.assign(rig.tx, request_id, subject_id, by="staff_1", at=MONDAY)


def test_of_an_erased_person_the_request_stays_and_the_words_are_gone(rig: Rig) -> None:
    """That somebody asked, and when it was done, has to be shown; what they wrote has not. It can still be closed."""
    subject_id = rig.person()
    request_id = rig.hear(subject_id, "evt_1")
    rig.erase(subject_id)
    request = rig.book.get(rig.tx, request_id)
    assert rig.book.read(rig.tx, request).words is None
    closed = rig.book.close(rig.tx, request_id, RequestOutcome.DONE, "акт 7", by="staff_1", at=MONDAY)
    read = rig.book.read(rig.tx, closed)
    assert (read.words, list(read.notes)) == (None, [(2, "акт 7")])
    assert rig.tx.requests.forget_words([subject_id]) == 2
    assert [step.sealed_note for step in rig.tx.requests.steps(request_id)] == [None, None]
    assert rig.book.get(rig.tx, request_id).sealed_words is None


def test_a_term_is_extended_once_in_time_and_with_a_reason(rig: Rig) -> None:
    """The law lets us ask for five more days, and only then."""
    request_id, late = rig.open(), MONDAY + timedelta(days=15)
    with pytest.raises(ConfigurationError):
        rig.book.extend(rig.tx, request_id, "  ", by="staff_1", at=MONDAY)
    with pytest.raises(ConflictError):
        rig.book.extend(rig.tx, request_id, "поздно", by="staff_1", at=late)
    extended = rig.book.extend(rig.tx, request_id, "архив на бумаге", by="staff_1", at=MONDAY)
    assert (extended.state, extended.due_on) == (RequestState.EXTENDED, date(2026, 12, 14))
    with pytest.raises(ConflictError):
        rig.book.extend(rig.tx, request_id, "ещё раз", by="staff_1", at=MONDAY)
    with pytest.raises(ConflictError):
        rig.book.extend(rig.tx, rig.open(ERASE), "нельзя", by="staff_1", at=MONDAY)
    with pytest.raises(NotFoundError):
        rig.book.extend(rig.tx, "req_none", "нет такого", by="staff_1", at=MONDAY)


def test_a_refusal_has_a_reason_and_the_end_is_the_end(rig: Rig) -> None:
    """The person is told why."""
    request_id = rig.open()
    with pytest.raises(ConfigurationError):
        rig.book.close(rig.tx, request_id, RequestOutcome.REFUSED, " ", by="staff_1", at=MONDAY)
    rig.book.close(rig.tx, request_id, RequestOutcome.REFUSED, "не ваши данные", by="staff_1", at=MONDAY)
    closed = rig.book.get(rig.tx, request_id)
    assert (closed.state, closed.outcome, closed.closed_at) == (RequestState.CLOSED, RequestOutcome.REFUSED, MONDAY)
    with pytest.raises(ConflictError):
        rig.book.close(rig.tx, request_id, RequestOutcome.DONE, "", by="staff_1", at=MONDAY)
    with pytest.raises(ConflictError):
        rig.book.extend(rig.tx, request_id, "поздно", by="staff_1", at=MONDAY)


def test_open_ones_come_by_urgency_and_closed_ones_by_their_end(rig: Rig) -> None:
    """What is due first is read first."""
    later = rig.open(ACCESS, at=MONDAY + timedelta(days=3))
    soon = rig.open(RequestKind.BLOCK, at=MONDAY + timedelta(days=1))
    ended = [rig.open() for _ in range(3)]
    for number, request_id in enumerate(ended):
        rig.book.close(rig.tx, request_id, RequestOutcome.DONE, "", by="x", at=MONDAY + timedelta(hours=number))
    assert [one.request_id for one in rig.tx.requests.open()] == [soon, later]
    assert [one.request_id for one in rig.tx.requests.closed(limit=2, skipped=0)] == [ended[2], ended[1]]
    assert [one.request_id for one in rig.tx.requests.closed(limit=9, skipped=2)] == [ended[0]]
    assert list(rig.tx.requests.of_subjects([])) == []


def test_a_debt_to_the_journal_stands_until_it_is_paid(rig: Rig) -> None:
    """What came by chat is journaled after its commit."""
    subject_id = rig.person()
    heard, _ = rig.hear(subject_id, "evt_1"), rig.open()
    assert [one.request_id for one in rig.tx.requests.unjournaled(limit=9)] == [heard]
    rig.tx.requests.note_journaled(heard)
    assert list(rig.tx.requests.unjournaled(limit=9)) == []
    assert [one.request_id for one in rig.tx.requests.of_subjects([subject_id])] == [heard]
