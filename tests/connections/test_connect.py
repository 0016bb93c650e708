from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, cast

import pytest

from leadgate.connections.book import ConnectionBook
from leadgate.connections.connect import ConnectionDesk, Openers
from leadgate.errors import ConfigurationError, ConflictError, LeadgateError, NotFoundError
from leadgate.model.connections import CheckReport, ConnectionState, Finding, FindingState, OpenConnection
from leadgate.model.deliveries import DeliveryState
from leadgate.model.events import EventState
from leadgate.model.secret import Secret
from leadgate.ports.channel import Channel
from leadgate.ports.crm import Crm
from leadgate.ports.integration import Field, Integration, Manifest, Surroundings
from leadgate.storage.sql_storage import SqlStorage
from leadgate.testing.journal import MemoryJournal
from leadgate.testing.storage_suite import new_event
from tests.delivery.rig import Rig, all_bytes, open_rig

FINE = CheckReport((Finding("vendor.ready", FindingState.OK, "Fine."),))
BAD = CheckReport((Finding("vendor.token_dead", FindingState.FAIL, "The token is dead.", "Make a new one."),))
NOT_SET = CheckReport(
    (Finding("vendor.not_set", FindingState.FAIL, "No webhook is set.", "Register.", needs_registration=True),)
)
TOKEN = "demo-token-that-must-not-show"


@dataclass(slots=True)
class Vendor:
    """Both ports of a vendor in one, as far as connecting goes."""

    report: CheckReport = FINE
    asked: list[OpenConnection] = field(default_factory=list)
    registered: list[str] = field(default_factory=list)
    on_register: Callable[[str], Awaitable[CheckReport]] | None = None
    unregistered: int = 0

    def open(self, opened: OpenConnection, _surroundings: Surroundings) -> "Vendor":
        self.asked.append(opened)
        return self

    async def check(self) -> CheckReport:
        return self.report

    async def register(self, webhook_url: str) -> CheckReport:
        self.registered.append(webhook_url)
        return FINE if self.on_register is None else await self.on_register(webhook_url)

    async def unregister(self) -> None:
        self.unregistered += 1


FIELDS = (
    Field(name="token", label_ru="Токен", label_en="Token", secret=True, required=True),
    Field(name="signing", label_ru="Ключ", label_en="Key", secret=True, make=lambda ids: ids.token()),
    Field(name="region", label_ru="Область", label_en="Region", default="ru"),
)


class Reception:
    """A desk with a messenger, a CRM, and a database."""

    def __init__(self, rig: Rig) -> None:
        self.rig = rig
        self.vendor = Vendor()
        self.changes = 0
        surroundings = Surroundings(clock=rig.clock, ids=rig.ids)

        def port(_integration: Integration, opened: OpenConnection) -> Vendor:
            return self.vendor.open(opened, surroundings)

        self.book = ConnectionBook(rig.storage, rig.vault, rig.clock, self.integration)
        self.desk = ConnectionDesk(
            rig.storage,
            rig.vault,
            self.book,
            Openers(
                channel=lambda i, o: cast("Channel", port(i, o)),
                crm=lambda i, o: cast("Crm", port(i, o)),
            ),
            workspace_id="ws",
            kinds=("messenger", "crm"),
            clock=rig.clock,
            ids=rig.ids,
            public_url="https://leads.example",
            journal=MemoryJournal(rig.clock),
            on_change=self._changed,
        )

    def integration(self, kind: str) -> Integration:
        """Either of the two kinds; what the rig brought along counts as a messenger."""
        is_crm = kind == "crm"
        manifest = Manifest(
            kind=kind, title=kind.title(), title_ru=kind, mark="X", fields=FIELDS, webhook_secret="signing"
        )
        opened = cast("object", self.vendor.open)
        return Integration(
            manifest=manifest,
            open_channel=None if is_crm else cast("None", opened),
            open_crm=cast("None", opened) if is_crm else None,
        )

    async def connect(self, kind: str, name: str, *, check: bool = True) -> str:
        """Connect and return the connection's id."""
        connected = await self.desk.connect(
            kind, name=name, settings={}, secrets={"token": Secret(TOKEN)}, check=check, by="test"
        )
        return connected.connection_id

    def _changed(self) -> None:
        self.changes += 1


@pytest.fixture
async def reception(tmp_path: Path) -> AsyncIterator[Reception]:
    """Nothing is connected but what the rig brings along."""
    rig = await open_rig(tmp_path)
    made = Reception(rig)
    for connection_id in ("conn_bot", "conn_crm"):
        await rig.storage.write(
            lambda tx, c=connection_id: tx.connections.set_state(c, ConnectionState.REMOVED, at=rig.clock.now())  # type: ignore[misc]  # a default binds c now
        )
    await made.book.refresh(force=True)
    yield made
    rig.storage.close()


async def other_node(reception: Reception) -> ConnectionBook:
    """What another process knows after it followed the changes."""
    book = ConnectionBook(reception.rig.storage, reception.rig.vault, reception.rig.clock, reception.integration)
    await book.refresh()
    return book


class TestConnect:
    async def test_a_connection_is_kept_with_its_secrets_sealed(self, reception: Reception, tmp_path: Path) -> None:
        """Other processes open it; a thief of the file does not."""
        connected = await reception.desk.connect(
            "messenger", name=" Бот  салона ", settings={}, secrets={"token": Secret(TOKEN)}, check=True, by="test"
        )
        assert connected.webhook_secret is not None, "made for us, shown this once"
        opened = (await other_node(reception)).find(connected.connection_id)
        assert opened is not None
        assert (opened.connection.name, opened.settings) == ("Бот салона", {"region": "ru"})
        assert opened.secret("token") == Secret(TOKEN)
        assert opened.secret("signing") == connected.webhook_secret
        assert TOKEN.encode() not in all_bytes(tmp_path)
        assert TOKEN not in repr(opened)
        assert reception.changes == 1

    async def test_a_vendor_that_says_no_leaves_nothing(self, reception: Reception) -> None:
        """The cure is the vendor's, and nothing half-made lies about."""
        reception.vendor.report = BAD
        with pytest.raises(ConflictError) as caught:
            await reception.connect("messenger", "Бот")
        assert caught.value.hint == "Make a new one."
        assert (await other_node(reception)).all() == []
        assert await reception.connect("messenger", "Бот", check=False), "unless it is not to be asked"

    async def test_what_the_vendor_tells_of_itself_becomes_a_setting(self, reception: Reception) -> None:
        """Links to a bot are made of its name, and nobody has to look it up; what the form has no field for is left out."""
        reception.vendor.report = replace(FINE, learned={"region": "kz", "token": "stolen", "other": "x"})
        connection_id = await reception.connect("messenger", "Бот")
        opened = (await other_node(reception)).find(connection_id)
        assert opened is not None
        assert opened.settings == {"region": "kz"}
        assert opened.secret("token") == Secret(TOKEN)
        for learn, region in ((reception.desk.check, "uz"), (reception.desk.look_after, "by")):
            reception.vendor.report = replace(FINE, learned={"region": region})
            await learn(connection_id)
            opened = (await other_node(reception)).find(connection_id)
            assert opened is not None
            assert opened.settings == {"region": region}

    async def test_a_vendor_may_ask_back_while_it_is_told_our_address(self, reception: Reception) -> None:
        """VK and Meta call the address before they take it: it must be known by then, to other processes too."""
        reception.vendor.report = NOT_SET
        known: list[bool] = []

        async def ask_back(webhook_url: str) -> CheckReport:
            node = await other_node(reception)
            known.append(node.find(webhook_url.rpartition("/")[2]) is not None)
            return FINE

        reception.vendor.on_register = ask_back
        connection_id = await reception.connect("messenger", "Бот")
        assert known == [True]
        assert (await other_node(reception)).find(connection_id) is not None

    async def test_a_vendor_that_does_not_take_our_address_leaves_nothing(self, reception: Reception) -> None:
        """The person tries again under the same name; half a connection would be in the way."""
        reception.vendor.report = NOT_SET

        async def refuse(_webhook_url: str) -> CheckReport:
            return BAD

        reception.vendor.on_register = refuse
        with pytest.raises(ConflictError):
            await reception.connect("messenger", "Бот")
        assert (await other_node(reception)).all() == []
        reception.vendor.on_register = None
        await reception.connect("messenger", "Бот")

    async def test_a_taken_name_is_refused_before_the_vendor_is_told_anything(self, reception: Reception) -> None:
        """Otherwise the messenger would post to an address that does not exist."""
        await reception.connect("messenger", "Бот")
        asked = len(reception.vendor.asked)
        with pytest.raises(ConflictError):
            await reception.connect("messenger", "Бот")
        assert len(reception.vendor.asked) == asked

    async def test_a_wrong_name_is_refused(self, reception: Reception) -> None:
        """Nothing to call it by, or too long to show."""
        for name in ("  ", "я" * 81):
            with pytest.raises(ConfigurationError):
                await reception.connect("messenger", name)


class TestLife:
    async def test_a_pause_is_followed_by_other_nodes(self, reception: Reception) -> None:
        """Within a look at the database, without a restart."""
        connection_id = await reception.connect("messenger", "Бот")
        node = await other_node(reception)
        assert not await node.refresh()
        await reception.desk.pause(connection_id, by="test")
        assert await node.refresh()
        paused = node.find(connection_id)
        assert paused is not None
        assert paused.connection.state is ConnectionState.PAUSED
        await reception.desk.resume(connection_id, by="test")
        await node.refresh()
        resumed = node.find(connection_id)
        assert resumed is not None
        assert resumed.connection.state is ConnectionState.ACTIVE

    async def test_amending_replaces_what_is_given_and_keeps_the_rest(self, reception: Reception) -> None:
        """A new token for the old bot; its webhook secret stays the one the vendor knows."""
        connection_id = await reception.connect("messenger", "Бот")
        before = reception.book.find(connection_id)
        assert before is not None
        await reception.desk.amend(
            connection_id, settings={"region": "kz"}, secrets={"token": Secret("fresh")}, by="test"
        )
        after = (await other_node(reception)).find(connection_id)
        assert after is not None
        assert (after.settings, after.secrets["token"]) == ({"region": "kz"}, (Secret("fresh"),))
        assert after.secrets["signing"] == before.secrets["signing"]
        changes = reception.changes
        await reception.desk.amend(connection_id, settings={}, secrets={"token": Secret("fresh")}, by="test")
        assert reception.changes == changes, "nothing new changes nothing"

    async def test_a_removed_channel_keeps_its_unread_events_for_a_human(self, reception: Reception) -> None:
        """And takes our address away at the vendor."""
        connection_id = await reception.connect("messenger", "Бот")
        storage: SqlStorage = reception.rig.storage
        await storage.receive(new_event("1", connection_id=connection_id))
        await reception.desk.remove(connection_id, by="test")
        event = await storage.read(lambda tx: tx.events.find("evt_1"))
        assert event is not None
        assert (event.state, event.reason) == (EventState.FAILED, "connection.removed")
        assert reception.vendor.unregistered == 1
        assert (await other_node(reception)).find(connection_id) is None
        assert await reception.connect("messenger", "Бот"), "its name is free again"

    async def test_what_is_not_there_is_not_found(self, reception: Reception) -> None:
        """With where to look."""
        for work in (
            reception.desk.pause("conn_x", by="test"),
            reception.desk.remove("conn_x", by="test"),
            reception.desk.check("conn_x"),
        ):
            with pytest.raises(NotFoundError) as caught:
                await work
            assert caught.value.hint


class TestLeadsWithoutACrm:
    async def test_leads_that_came_before_the_crm_are_adopted(self, reception: Reception) -> None:
        """The salon connected its bot in the morning and the CRM in the evening."""
        await reception.rig.says("Алсу", "Хочу стрижку", crm=None)
        crm = await reception.connect("crm", "Битрикс")
        reception.rig.targets.add(crm)
        await reception.rig.work()
        assert await reception.rig.states() == [DeliveryState.DONE] * 2
        assert reception.book.crm_connection_id() == crm

    async def test_open_commands_of_a_removed_crm_wait_for_the_next_one(self, reception: Reception) -> None:
        """Moving to another portal loses no lead."""
        first = await reception.connect("crm", "Старый")
        await reception.rig.says("Алсу", "Хочу стрижку", crm=first)
        await reception.desk.remove(first, by="test")
        await reception.rig.work()
        assert await reception.rig.states() == [DeliveryState.WAITING] * 2
        second = await reception.connect("crm", "Новый")
        reception.rig.targets.add(second)
        await reception.rig.work()
        assert await reception.rig.states() == [DeliveryState.DONE] * 2

    async def test_commands_of_a_node_that_did_not_know_yet_find_the_crm(self, reception: Reception) -> None:
        """It decided on a lead in the two seconds in which it had not heard of the change."""
        old = await reception.connect("crm", "Старый")
        await reception.desk.remove(old, by="test")
        await reception.rig.says("Лейла", "Хочу маникюр", crm=old)
        assert await reception.desk.adopt_strays() == 2, "off the removed one"
        new = await reception.connect("crm", "Новый")
        await reception.rig.says("Алсу", "Хочу стрижку", crm=None)
        reception.rig.targets.add(new)
        await reception.rig.work()
        assert (await reception.rig.states())[2:] == [DeliveryState.WAITING] * 2
        assert await reception.desk.adopt_strays() == 2
        await reception.rig.work()
        assert await reception.rig.states() == [DeliveryState.DONE] * 4
        assert await reception.desk.adopt_strays() == 0


async def test_no_error_shows_a_secret(reception: Reception) -> None:
    """Whatever is refused, the token is not in what people see."""
    cases: tuple[dict[str, Any], ...] = (
        {"settings": {"token": TOKEN}, "secrets": {}},
        {"settings": {}, "secrets": {"unknown": Secret(TOKEN)}},
        {"settings": {"unknown": TOKEN}, "secrets": {"token": Secret(TOKEN)}},
        {"settings": {}, "secrets": {"region": Secret(TOKEN)}},
        {"settings": {}, "secrets": {}},
    )
    for case in cases:
        with pytest.raises(LeadgateError) as caught:
            await reception.desk.connect("messenger", name="Бот", check=False, by="test", **case)
        assert TOKEN not in f"{caught.value} {caught.value.hint}"
