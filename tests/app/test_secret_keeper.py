"""The calendar of secrets with a real bot: replaced in time by itself, red and then an alarm where a person is needed."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest

from leadgate import registry
from leadgate.alerts.causes import SECRET_OVERDUE
from leadgate.app.secret_desk import SecretDesk
from leadgate.app.secret_keeper import GO_ON_AFTER, GRACE, RETRY_AFTER, SecretKeeper
from leadgate.connections.book import ConnectionBook
from leadgate.connections.rotation import Rotation
from leadgate.connections.vendor_side import VendorSide
from leadgate.errors import ConfigurationError, LeadgateError
from leadgate.model.alerts import Note
from leadgate.model.connections import Connection, ConnectionState
from leadgate.model.journal import Tag
from leadgate.model.renewals import ALARM_AFTER, SOON, Renewal, SecretLight, SecretView
from leadgate.model.secret import Secret
from leadgate.ports.integration import Surroundings
from leadgate.ports.stores import StoredSecret, Transaction
from leadgate.testing.journal import MemoryJournal
from leadgate.testing.telegram_server import TelegramServer, refusal
from leadgate.testing.vendor_server import Fault
from leadgate.vault.envelope import SECRETS
from tests.delivery.rig import Rig, open_rig

TOKEN, OLD, BOT = "7000000001:DEMO-token", "old-webhook-secret", "conn_tg"
DUE = timedelta(days=60)


class House:
    """A bot of Telegram whose two secrets were set at the beginning of time."""

    def __init__(self, rig: Rig, server: TelegramServer) -> None:
        self.rig = rig
        self.server = server
        self.journal = MemoryJournal(rig.clock)
        self.book = ConnectionBook(rig.storage, rig.vault, rig.clock, registry.get)
        self.desk, self.keeper = self.parts("https://leads.example")

    def parts(self, public_url: str | None) -> tuple[SecretDesk, SecretKeeper]:
        """Desk and keeper of a process."""
        rig = self.rig
        side = VendorSide(Surroundings(clock=rig.clock, ids=rig.ids), public_url=public_url)
        rotation = Rotation(rig.storage, rig.vault, self.book, side, clock=rig.clock, ids=rig.ids)
        desk = SecretDesk(rig.storage, self.book, rotation, self.journal, clock=rig.clock)
        keeper = SecretKeeper(rig.storage, self.book, desk, rotation, side, clock=rig.clock, holder="node-1")
        return desk, keeper

    async def connect(self) -> None:
        """One bot and nothing else."""
        now, vault = self.rig.clock.now(), self.rig.vault

        def unit(tx: Transaction) -> None:
            for one in tx.connections.all():
                tx.connections.set_state(one.connection_id, ConnectionState.REMOVED, at=now)
            settings = {"api_base": self.server.base}
            tx.connections.add(
                Connection(tx.workspace_id, BOT, "telegram", "Бот", settings, ConnectionState.ACTIVE, now)
            )
            for name, value in (("bot_token", TOKEN), ("webhook_secret", OLD)):
                sealed = vault.seal(tx, SECRETS, f"secrets.value:{BOT}:{name}:1", value.encode())
                stored = StoredSecret(
                    connection_id=BOT, name=name, version=1, sealed_value=sealed, created_at=now, live_until=None
                )
                tx.connections.add_secret(stored)

        await self.rig.storage.write(unit)
        await self.book.refresh(force=True)

    async def at(self, age: timedelta) -> dict[str, SecretView]:
        """Let time pass, let the keeper look, and list."""
        self.rig.clock.move(age)
        await self.book.refresh()
        await self.keeper.look()
        return {view.name.key: view for view in await self.desk.all()}

    def accepted(self, key: str) -> list[str]:
        """What the gateway takes now."""
        opened = self.book.find(BOT)
        assert opened is not None
        return [secret.reveal() for secret in opened.secrets[key]]

    async def notes(self) -> list[str]:
        """Secrets that an alarm is raised about."""
        names = [f"{BOT}.{key}" for key in ("bot_token", "webhook_secret")]

        def find(tx: Transaction) -> list[Note | None]:
            return [tx.alerts.find_note(SECRET_OVERDUE, name) for name in names]

        found = await self.rig.storage.read(find)
        return [note.detail for note in found if note is not None]


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    """Connected a moment ago."""
    rig = await open_rig(tmp_path)
    async with TelegramServer() as server:
        made = House(rig, server)
        await made.connect()
        yield made
    rig.storage.close()


async def test_what_needs_no_person_is_replaced_a_week_before_it_is_due(house: House) -> None:
    """The vendor is told, the old one goes after a day, and its value is destroyed."""
    views = await house.at(DUE - SOON - timedelta(minutes=1))
    assert (views["webhook_secret"].light, house.server.calls) == (SecretLight.FRESH, [])
    views = await house.at(timedelta(minutes=1))
    new = str(house.server.registration["secret_token"])
    assert house.accepted("webhook_secret") == [new, OLD]
    renewed = views["webhook_secret"]
    assert (renewed.age, renewed.owner, renewed.light) == (timedelta(0), "system", SecretLight.FRESH)
    assert [row.entry.tag for row in await house.journal.newest(limit=5)] == [Tag.SECRET_ROTATED]
    await house.at(timedelta(days=1))
    assert house.accepted("webhook_secret") == [new]
    stored = await house.rig.storage.read(lambda tx: tx.secrets.of(BOT, "webhook_secret"))
    assert [one.version for one in stored] == [2], "the row with the old value is gone"


async def test_what_a_person_must_fetch_is_yellow_then_red_then_an_alarm_until_it_is_set(house: House) -> None:
    """And setting it ends the alarm by itself."""
    lights = []
    for step in (DUE - SOON, SOON, ALARM_AFTER - timedelta(minutes=1)):
        lights.append((await house.at(step))["bot_token"].light)
        assert await house.notes() == []
    assert lights == [SecretLight.SOON, SecretLight.OVERDUE, SecretLight.OVERDUE]
    views = await house.at(timedelta(minutes=1))
    assert await house.notes() == ["bot_token"]
    assert next(iter(views)) == "bot_token", "what is due first stands first"
    house.server.token = "7000000001:FRESH-token"
    await house.desk.set(f"{BOT}.bot_token", {"value": Secret(house.server.token)}, by="staff_1")
    assert (await house.at(timedelta(minutes=1)))["bot_token"].light is SecretLight.FRESH
    assert await house.notes() == []


async def test_a_vendor_that_is_away_is_asked_again_and_the_same_value_is_used(house: House) -> None:
    """Both are accepted meanwhile; the page says that it is not over."""
    house.server.faults.append(Fault.DROP_AFTER)
    views = await house.at(DUE - SOON)
    assert views["webhook_secret"].is_unfinished
    old, begun = house.accepted("webhook_secret")
    assert (old, house.server.registration["secret_token"]) == (OLD, begun), "it was carried out, and nobody knows"
    house.server.faults.append(Fault.SERVER_ERROR)
    assert (await house.at(GRACE))["webhook_secret"].is_unfinished
    assert (await house.at(timedelta(minutes=1)))["webhook_secret"].is_unfinished, "not asked every half a minute"
    views = await house.at(GO_ON_AFTER)
    assert house.server.registration["secret_token"] == begun
    assert house.accepted("webhook_secret") == [begun, OLD]
    assert not views["webhook_secret"].is_unfinished


async def test_a_vendor_that_refuses_everything_is_asked_again_and_finished_when_it_is_cured(house: House) -> None:
    """A dead token: neither the new secret nor the old one can be told, so both stay good until a person brings a token."""
    house.server.kill_token()
    await house.at(DUE - SOON)
    old, begun = house.accepted("webhook_secret")
    await house.at(GRACE)
    assert house.accepted("webhook_secret") == [old, begun]
    await house.desk.set(f"{BOT}.bot_token", {"value": Secret(house.server.token)}, by="staff_1")
    await house.at(GO_ON_AFTER)
    assert house.accepted("webhook_secret") == [begun, old]
    assert house.server.registration["secret_token"] == begun


async def test_a_vendor_that_says_no_to_the_secret_is_asked_again_an_hour_later(house: House) -> None:
    """Once an hour is enough, and it does not stop the rest of the calendar."""
    house.server.faults.append(refusal(400, "Bad Request: secret token"))
    assert (await house.at(DUE - SOON))["webhook_secret"].light is SecretLight.SOON
    assert (house.accepted("webhook_secret"), house.server.registration["secret_token"]) == ([OLD], OLD)
    await house.at(timedelta(minutes=1))
    assert house.accepted("webhook_secret") == [OLD]
    await house.at(RETRY_AFTER)
    assert len(house.accepted("webhook_secret")) == 2
    assert house.server.registration["secret_token"] == house.accepted("webhook_secret")[0]


async def test_without_a_public_address_nothing_is_replaced_that_a_vendor_must_hear_of(house: House) -> None:
    """It will be told the one of then; until then there is nobody to tell."""
    house.desk, house.keeper = house.parts(None)
    views = await house.at(DUE)
    assert views["webhook_secret"].light is SecretLight.OVERDUE
    assert house.accepted("webhook_secret") == [OLD]


async def test_the_term_is_a_decision_of_the_salon(house: House) -> None:
    """All of them, or one; out of range it is refused."""
    for days in (29, 91):
        with pytest.raises(ConfigurationError):
            await house.desk.set_due(days, by="staff_1")
    await house.desk.set_due(30, by="staff_1")
    rule = await house.desk.set_due(90, name=f"{BOT}.bot_token", by="staff_1")
    assert (rule.days, dict(rule.by_name)) == (30, {f"{BOT}.bot_token": 90})
    views = {view.name.key: view for view in await house.desk.all()}
    start = house.rig.clock.now()
    assert views["bot_token"].next_due == start + timedelta(days=90)
    assert views["webhook_secret"].next_due == start + timedelta(days=30)
    newest = (await house.journal.newest(limit=1))[0].entry
    assert (newest.tag, newest.on, newest.details) == (Tag.SECRET_DUE_CHANGED, f"{BOT}.bot_token", {"days": 90})


@pytest.mark.parametrize(
    ("values", "code"),
    [
        ({}, "secret.value_missing"),
        ({"webhook_secret": "x"}, "secret.value_wrong"),
        ({"a": "1", "b": "2"}, "secret.value_wrong"),
    ],
)
async def test_a_file_with_something_else_is_refused_and_not_journaled(
    house: House, values: dict[str, str], code: str
) -> None:
    """The value might belong elsewhere."""
    with pytest.raises(LeadgateError) as caught:
        await house.desk.set(f"{BOT}.bot_token", {k: Secret(v) for k, v in values.items()}, by="staff_1")
    assert caught.value.code == code
    assert await house.journal.newest(limit=5) == []


async def test_what_only_the_vendor_makes_is_not_touched_by_rotating(house: House) -> None:
    """Nothing is done, so nothing is journaled; the overlap is checked all the same."""
    renewed = await house.desk.rotate(f"{BOT}.bot_token", by="staff_1")
    assert (renewed.is_done, renewed.made, renewed.renewal) == (False, None, Renewal.BY_HAND)
    assert renewed.needs_steps
    assert await house.journal.newest(limit=5) == []
    with pytest.raises(ConfigurationError):
        await house.desk.rotate(f"{BOT}.webhook_secret", overlap=timedelta(days=31), by="staff_1")
