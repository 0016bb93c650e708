"""The loop of the alarms over a real database: who is told what, what happens when a send or the database fails."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from leadgate.alerts.addresses import AlertAddresses
from leadgate.alerts.listening import Listening
from leadgate.alerts.watch import AlertWatch, Sense
from leadgate.alerts.wording import Voice, kept_outside
from leadgate.audit.checkpoints import SigningKey, read_checkpoint, write_checkpoint
from leadgate.errors import ConfigurationError, NotFoundError, ServiceUnavailableError, StorageUnavailableError
from leadgate.model.alerts import AlertTarget, Cause, DiskSpace, Note, Signs, Trouble
from leadgate.model.connections import ConnectionState
from leadgate.model.secret import Secret
from leadgate.observability import metrics
from leadgate.ports.notifier import Message
from leadgate.ports.stores import Transaction
from leadgate.settings import AlertThresholds
from leadgate.storage.sql_storage import SqlStorage
from leadgate.testing.connections import NOW, CountedIds, FixedClock
from leadgate.testing.databases import open_storage, sqlite_url
from leadgate.testing.storage_suite import BOT, new_connection, new_event
from leadgate.vault.envelope import INDEX, INTAKE, SECRETS, Vault
from leadgate.vault.key_file import create_key_file

VOICE = Voice(locale="ru", time_zone=ZoneInfo("Europe/Moscow"), workspace="Лимон", public_url=None)
LIMITS = AlertThresholds(calm=timedelta(seconds=30))
TIGHT = DiskSpace(free=1 << 20, total=1 << 40)
ROOMY = DiskSpace(free=1 << 39, total=1 << 40)


@dataclass(slots=True)
class Ears:
    """A notifier that remembers; addresses in `deaf` do not take anything."""

    heard: list[tuple[str, str]] = field(default_factory=list)
    deaf: set[str] = field(default_factory=set)

    def service_of(self, address: Secret) -> str:
        if not address.reveal().startswith("ear://"):
            raise ConfigurationError("No service.", code="alert.address_wrong")
        return "Ear"

    async def send(self, address: Secret, message: Message) -> str | None:
        if address.reveal() in self.deaf:
            return "alert.refused"
        self.heard.append((address.reveal(), message.title))
        return None


class House:
    """A workspace with alarms, a clock in the hand and a disk to fill."""

    def __init__(self, storage: SqlStorage, folder: Path) -> None:
        self.storage, self.clock, self.ears, self.space = storage, FixedClock(), Ears(), ROOMY
        self.vault = Vault(create_key_file(folder), self.clock)
        ids = CountedIds()
        self.addresses = AlertAddresses(storage, self.vault, self.ears, voice=VOICE, clock=self.clock, ids=ids)
        self.watch = self.node("one")

    def node(self, holder: str, storage: SqlStorage | None = None, senses: tuple[Sense, ...] = ()) -> AlertWatch:
        """A process that watches."""
        used = storage or self.storage
        return AlertWatch(
            used,
            self.vault,
            self.ears,
            voice=VOICE,
            limits=LIMITS,
            name_kind=str.title,
            read_disk=lambda: self.space,
            senses=senses or (Listening(used, zone=VOICE.time_zone, name_kind=str.title),),
            clock=self.clock,
            holder=holder,
        )

    async def look(self, times: int = 1, *, every: timedelta = timedelta(seconds=15)) -> list[tuple[str, str]]:
        """Look so often; what was heard meanwhile."""
        before = len(self.ears.heard)
        for _ in range(times):
            self.clock.move(every)
            await self.watch.watch()
        return self.ears.heard[before:]


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    """One with the address ear://1."""
    storage = open_storage(sqlite_url(tmp_path))
    made = House(storage, tmp_path)
    for scope in (SECRETS, INTAKE, INDEX):
        await storage.write(partial(made.vault.create_scope, scope=scope))
    await made.addresses.add(Secret("ear://1"), name="Первый", by="test")
    yield made
    storage.close()


async def test_an_alarm_and_its_end_are_told_once_to_each(house: House) -> None:
    """Though we look every quarter of a minute."""
    await house.addresses.add(Secret("ear://2"), name=None, by="test")
    house.space = TIGHT
    assert await house.look(10) == [(ear, "Место на диске кончается") for ear in ("ear://1", "ear://2")]
    house.space = ROOMY
    assert await house.look(10) == [(ear, "Места на диске снова достаточно") for ear in ("ear://1", "ear://2")]
    overview = await house.addresses.overview()
    assert (list(overview.alerts), overview.unsent) == ([], 0)
    assert overview.looked_at == house.clock.now()


async def test_a_message_that_was_not_taken_is_tried_again_until_it_is(house: House) -> None:
    """Each time later; meanwhile it is counted as unsent, and the others hear that an address fails."""
    await house.addresses.add(Secret("ear://2"), name="Второй", by="test")
    house.ears.deaf, house.space = {"ear://1"}, TIGHT
    assert await house.look(3) == [("ear://2", "Место на диске кончается")]
    overview = await house.addresses.overview()
    assert (overview.unsent, overview.targets[0].last_error) == (1, "alert.refused")
    assert metrics.alerts_unsent._value.get() == 1  # noqa: SLF001 - the library has no other way to read a gauge
    assert await house.look(30) == [("ear://2", "Тревоги не доходят до адреса «Первый»")]
    tries = (await house.addresses.overview()).targets[0].failures
    assert 4 <= tries <= 8
    house.ears.deaf = set()
    assert ("ear://1", "Место на диске кончается") in await house.look(60)
    assert (await house.addresses.overview()).unsent == 0


async def test_a_restart_neither_repeats_nor_forgets(house: House) -> None:
    """What was told stands on disk."""
    house.space = TIGHT
    await house.look()
    await house.watch.leave()
    house.watch = house.node("after the restart")
    assert await house.look(5) == []
    assert (await house.addresses.overview()).looked_at == house.clock.now()


async def test_an_address_that_comes_later_hears_what_is_raised(house: House) -> None:
    """The owner adds it because something is wrong."""
    house.space = TIGHT
    await house.look()
    late = await house.addresses.add(Secret("ear://late"), name="Поздний", by="test")
    assert await house.look(3) == [("ear://late", "Место на диске кончается")]
    await house.addresses.remove(late.target_id, by="test")
    house.space = ROOMY
    assert {ear for ear, _ in await house.look(5)} == {"ear://1"}
    with pytest.raises(NotFoundError):
        await house.addresses.remove(late.target_id, by="test")


async def test_two_processes_tell_once(house: House, tmp_path: Path) -> None:
    """A lease says who looks; the other one waits for it."""
    second_storage = open_storage(sqlite_url(tmp_path))
    second = house.node("two", second_storage)
    house.space = TIGHT
    now = house.clock.now()
    held = await house.storage.write(
        lambda tx: tx.lanes.claim_one("alerts", holder="three", now=now, until=now + timedelta(seconds=40))
    )
    assert held is not None
    assert await house.look(2) == []
    house.clock.move(timedelta(seconds=60))
    await second.watch()
    await house.watch.watch()
    assert house.ears.heard == [("ear://1", "Место на диске кончается")]
    second_storage.close()


async def test_a_process_that_slept_through_its_lease_writes_nothing(house: House) -> None:
    """Another one has looked meanwhile and knows better."""
    other = house.node("two")

    class Sleep:
        """A sense that takes two minutes, in which another process looks."""

        async def look(self, _signs: Signs, *, now: datetime) -> list[Trouble]:
            house.clock.move(timedelta(minutes=2))
            await other.watch()
            return [Trouble(cause=Cause.CANARY, since=now)]

    await house.node("sleeper", senses=(Sleep(),)).watch()
    overview = await house.addresses.overview()
    assert (list(overview.alerts), overview.looked_at) == ([], house.clock.now())
    assert house.ears.heard == []


async def test_a_database_that_is_away_is_told_from_memory(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing can be read then, least of all where to send alarms."""
    await house.look()
    with monkeypatch.context() as broken:

        async def away(*_: object) -> None:
            raise StorageUnavailableError("away")

        broken.setattr(house.storage, "write", away)
        for _ in range(12):
            with pytest.raises(StorageUnavailableError):
                await house.look()
    assert house.ears.heard == [("ear://1", "База данных не отвечает или повреждена")]
    assert await house.look(3) == [("ear://1", "База данных снова в порядке")]


async def test_of_two_processes_one_tells_of_the_database_and_of_its_end(
    house: House, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Both have looked before, and the other one is quicker when the database is back."""
    second_storage = open_storage(sqlite_url(tmp_path))
    second = house.node("two", second_storage)
    await house.look()
    await second.watch()
    with monkeypatch.context() as broken:

        async def away(*_: object) -> None:
            raise StorageUnavailableError("away")

        for storage in (house.storage, second_storage):
            broken.setattr(storage, "write", away)
        for _ in range(12):
            house.clock.move(timedelta(seconds=15))
            for node in (house.watch, second):
                with pytest.raises(StorageUnavailableError):
                    await node.watch()
    assert house.ears.heard == [("ear://1", "База данных не отвечает или повреждена")]
    house.clock.move(timedelta(seconds=15))
    for node in (second, house.watch, second, house.watch):
        await node.watch()
    assert house.ears.heard[1:] == [("ear://1", "База данных снова в порядке")]
    second_storage.close()


async def test_what_is_told_from_memory_is_tried_again_too(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """The network is often away together with the database; an address that heard nothing hears of no end."""
    await house.addresses.add(Secret("ear://2"), name=None, by="test")
    await house.look()
    house.ears.deaf = {"ear://1", "ear://2"}
    with monkeypatch.context() as broken:

        async def away(*_: object) -> None:
            raise StorageUnavailableError("away")

        broken.setattr(house.storage, "write", away)
        for number in range(40):
            if number == 15:
                house.ears.deaf = {"ear://2"}
            with pytest.raises(StorageUnavailableError):
                await house.look()
    assert house.ears.heard == [("ear://1", "База данных не отвечает или повреждена")]
    house.ears.deaf = {"ear://1", "ear://2"}
    assert await house.look(2) == []
    house.ears.deaf = set()
    assert await house.look(4) == [("ear://1", "База данных снова в порядке")]


async def test_what_a_person_paused_or_removed_is_not_said_to_be_well(house: House) -> None:
    """Nobody knows whether it is."""
    deaf = await house.addresses.add(Secret("ear://2"), name="Второй", by="test")
    await house.storage.write(lambda tx: tx.connections.add(new_connection(BOT, name="Telegram")))
    await house.storage.write(_break_lane)
    house.ears.deaf = {"ear://2"}
    heard = [title for _, title in await house.look(30)]
    assert heard == ["Telegram больше не принимает ключ", "Тревоги не доходят до адреса «Второй»"]
    now = house.clock.now()
    await house.storage.write(lambda tx: tx.connections.set_state(BOT, ConnectionState.PAUSED, at=now))
    await house.addresses.remove(deaf.target_id, by="test")
    assert sorted(title for _, title in await house.look(5)) == [
        "Telegram: поставлено на паузу, тревога снята",
        "Второй: убрано, тревога снята",
    ]


async def test_a_sense_that_fails_neither_ends_an_alarm_nor_hides_another(house: House) -> None:
    """Half blind is better than blind, and no news is no good news."""

    class Moody:
        """Sees a trouble once and fails from then on."""

        looks = 0

        async def look(self, _signs: Signs, *, now: datetime) -> list[Trouble]:
            self.looks += 1
            if self.looks > 1:
                raise ServiceUnavailableError("The CRM could not be asked.")
            return [Trouble(cause=Cause.CANARY, since=now)]

    house.watch = house.node("moody", senses=(Moody(),))
    assert await house.look() == [("ear://1", "Пробное событие не прошло весь путь")]
    house.space = TIGHT
    assert await house.look(20) == [("ear://1", "Место на диске кончается")]
    assert len((await house.addresses.overview()).alerts) == 2


def _break_lane(tx: Transaction) -> None:
    tx.lanes.wake("bot:1", connection_id=BOT, due_at=NOW)
    lease = tx.lanes.claim_one("bot:1", holder="h", now=NOW, until=NOW + timedelta(hours=1))
    assert lease is not None
    due_at = NOW + timedelta(hours=1)
    tx.lanes.release(lease, due_at=due_at, failures=1, problem="telegram.token_revoked", problem_since=NOW)


async def test_a_silent_channel_is_heard_and_a_message_ends_it(house: House) -> None:
    """Counts come from the events themselves, hour by hour, also those of before the upgrade."""
    await house.storage.write(lambda tx: tx.connections.add(new_connection(BOT, name="Telegram")))
    for day in (7, 14, 21, 28):  # Sundays, as NOW is one
        for number in range(7):
            at = NOW - timedelta(days=day) + timedelta(minutes=10 * number)
            event = new_event(f"{day}_{number}")
            await house.storage.receive(replace(event, received_at=at))
    last = NOW - timedelta(hours=18)
    await house.storage.write(lambda tx: tx.events.give_up_pending(BOT, reason="connection.removed", at=NOW))
    await house.storage.write(lambda tx: tx.note_event(BOT, at=last))
    house.clock.at = NOW
    assert await house.look(60, every=timedelta(seconds=1)) == []
    house.clock.at = NOW + timedelta(hours=2, minutes=5)
    assert await house.look(3) == [("ear://1", "Telegram: ничего не приходит")]
    (alert,) = (await house.addresses.overview()).alerts
    assert (alert.cause, alert.count) == (Cause.SILENCE, 7)
    await house.watch.leave()
    house.watch = house.node("after the restart")
    for hours in (12, 24, 40):  # on a Monday nobody writes anyway: that ends nothing
        house.clock.at = NOW + timedelta(hours=hours)
        assert [title for _, title in await house.look(10)] in ([], ["Всё ещё: Telegram: ничего не приходит"])
    now = house.clock.now()
    await house.storage.write(lambda tx: tx.note_event(BOT, at=now))
    assert await house.look(5) == [("ear://1", "Telegram: снова приходит")]


async def test_a_note_of_another_part_becomes_an_alarm(house: House) -> None:
    """The check of the database says what it found in this way."""
    note = Note(topic="database_check", subject="", at=NOW, detail="page 7")
    await house.storage.write(lambda tx: tx.alerts.note(note))
    assert await house.look() == [("ear://1", "База данных не отвечает или повреждена")]


async def test_an_address_lies_sealed_and_is_never_repeated(house: House, tmp_path: Path) -> None:
    """It holds tokens and passwords."""
    secret = "ear://markedaddresssecret"
    await house.addresses.add(Secret(secret), name=None, by="test")
    house.storage.close()
    kept = b"".join(file.read_bytes() for file in tmp_path.iterdir() if file.is_file())  # noqa: ASYNC240 - nothing else runs here
    assert secret.encode() not in kept
    with pytest.raises(ConfigurationError) as caught:
        await house.addresses.add(Secret("nonsense://markedaddresssecret"), name=None, by="test")
    assert "marked" not in f"{caught.value} {caught.value.hint}"


async def test_every_address_is_tried(house: House) -> None:
    """`alerts test` says which one fails."""
    second = await house.addresses.add(Secret("ear://2"), name=None, by="test")
    await house.addresses.add(Secret("ear://3"), name=None, by="test")
    house.ears.deaf = {"ear://2"}
    trials = [(one.name, one.error_code) for one in await house.addresses.test()]
    assert trials == [("Первый", None), ("Ear", "alert.refused"), ("Ear 2", None)]
    kept = [(target.last_error, target.failures) for target in (await house.addresses.overview()).targets]
    assert kept == [(None, 0), ("alert.refused", 0), (None, 0)]
    house.ears.deaf = set()
    assert [one.error_code for one in await house.addresses.test(second.target_id)] == [None]
    with pytest.raises(NotFoundError):
        await house.addresses.test("addr_none")


async def test_an_address_that_takes_a_trial_hears_at_once_what_it_missed(house: House) -> None:
    """The owner corrects the chat, presses the button, and does not wait for the next try."""
    house.ears.deaf, house.space = {"ear://1"}, TIGHT
    await house.look(30)
    house.ears.deaf = set()
    await house.addresses.test()
    assert await house.look() == [("ear://1", "Место на диске кончается")]


async def test_an_address_of_another_key_file_hides_no_other(house: House) -> None:
    """After a restore without the right keys the others are still told, and the trial says which one cannot be read."""
    broken = AlertTarget(
        target_id="addr_x", name="Чужой", service="Ear", created_at=NOW, sealed_address=b"nothing of ours"
    )
    await house.storage.write(lambda tx: tx.alerts.add_target(broken))
    house.space = TIGHT
    assert [title for _, title in await house.look(30)] == [
        "Место на диске кончается",
        "Тревоги не доходят до адреса «Чужой»",
    ]
    assert [one.error_code for one in await house.addresses.test()] == [None, "alert.address_unreadable"]


async def test_a_checkpoint_of_the_journal_goes_to_every_address_and_is_no_alarm(house: House) -> None:
    """It is kept where nobody on this server can change it; an address that fails does not keep it from the others."""
    key = SigningKey("leadgate-journal/0011223344556677", bytes(32))
    note = write_checkpoint(key.public, 3, bytes(32), key.sign(3, bytes(32)))
    await house.addresses.add(Secret("ear://2"), name=None, by="test")
    house.ears.deaf = {"ear://1"}
    assert await house.addresses.send_checkpoint(note) == 1
    assert house.ears.heard == [("ear://2", "Контрольная точка журнала")]
    targets = await house.storage.read(lambda tx: tx.alerts.targets())
    assert all(target.failures == 0 for target in targets)
    message = kept_outside(note, VOICE)
    assert read_checkpoint(message.body, key.public).size == 3
