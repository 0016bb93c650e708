"""Replacing secrets: what is accepted at each moment, what the vendor is told, and what a death in the middle leaves behind."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import TypeVar, cast

import pytest

from leadgate.connections.book import ConnectionBook
from leadgate.connections.own_network import RULE as OWN_NETWORK
from leadgate.connections.rotation import Rotation
from leadgate.connections.vendor_side import VendorSide
from leadgate.errors import ConfigurationError, ConflictError, LeadgateError, NotFoundError, ServiceUnavailableError
from leadgate.model.connections import CheckReport, Connection, ConnectionState, Finding, FindingState, OpenConnection
from leadgate.model.renewals import MOST_LIVE, Renewal, SecretName
from leadgate.model.secret import Secret
from leadgate.ports.integration import Field, Integration, Manifest, Surroundings
from leadgate.ports.stores import Storage, StoredSecret, Transaction
from leadgate.vault.envelope import SECRETS
from tests.delivery.rig import Rig, all_bytes, open_rig

T = TypeVar("T")
DAY = timedelta(days=1)
FINE = CheckReport((Finding("vendor.ready", FindingState.OK, "Fine."),))
DEAD_TOKEN = CheckReport((Finding("vendor.token_dead", FindingState.FAIL, "The token is dead.", "Make a new one."),))
REFUSED = CheckReport((Finding("vendor.refused", FindingState.FAIL, "The secret is not taken."),))
SILENT = CheckReport((Finding("vendor.unreachable", FindingState.FAIL, "No answer."),))
BY_HAND = CheckReport((Finding("vendor.register_by_hand", FindingState.WARN, "Enter it yourself."),))
NOT_SET = CheckReport(
    (Finding("vendor.not_set", FindingState.FAIL, "No webhook is set.", "Register.", needs_registration=True),)
)
OLD_TOKEN, OLD_SECRET, OLD_KEY = "1:old-token", "old-webhook-secret", "old-signing-key"

FIELDS = (
    Field(
        name="token",
        label_ru="Токен",
        label_en="Token",
        secret=True,
        problem=lambda value: None if ":" in value else "must have a colon",
        account_of=lambda value: value.partition(":")[0],
    ),
    Field(
        name="webhook_secret",
        label_ru="Секрет",
        label_en="Secret",
        secret=True,
        make=lambda ids: ids.token(),
        renewal=Renewal.REGISTERED,
    ),
    Field(
        name="signing",
        label_ru="Ключ",
        label_en="Key",
        secret=True,
        make=lambda ids: ids.token(),
        renewal=Renewal.HANDED,
    ),
    Field(name="own", label_ru="Свой", label_en="Own", secret=True, make=lambda ids: ids.token(), renewal=Renewal.OURS),
)
HELD = {"token": OLD_TOKEN, "webhook_secret": OLD_SECRET, "signing": OLD_KEY, "own": "old-own"}


FINISHED = 3
"""The point after the second commit of what no vendor is told: candidate before and after, then in use before and after."""


class Killed(BaseException):
    """The process is gone: nothing that follows is done, no clean-up either."""


@dataclass(slots=True)
class Vendor:
    """What a vendor knows and says.

    Attributes:
        told: the webhook secrets it was told, newest last; what it signs with is the last one.
        at_register: called when it is being told, before it takes it.
    """

    report: CheckReport = FINE
    answer: CheckReport = FINE
    told: list[str] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)
    open_ports: int = 0
    own_hosts: list[frozenset[str]] = field(default_factory=list)
    at_register: Callable[[], Awaitable[None]] | None = None

    def open(self, opened: OpenConnection, _surroundings: Surroundings) -> Port:
        self.open_ports += 1
        self.own_hosts.append(opened.own_hosts)
        return Port(self, opened)


@dataclass(slots=True)
class Port:
    """A channel of the vendor, as far as rotating goes."""

    vendor: Vendor
    opened: OpenConnection

    async def check(self) -> CheckReport:
        self.vendor.asked.append(revealed(self.opened, "token"))
        return self.vendor.report

    async def register(self, _webhook_url: str) -> CheckReport:
        if self.vendor.at_register is not None:
            await self.vendor.at_register()
        if self.vendor.answer.state is not FindingState.FAIL:
            self.vendor.told.append(revealed(self.opened, "webhook_secret"))
        return self.vendor.answer

    async def close(self) -> None:
        self.vendor.open_ports -= 1


def revealed(opened: OpenConnection, key: str) -> str:
    """The first value of a key."""
    secret = opened.secret(key)
    return "" if secret is None else secret.reveal()


class Room:
    """One connection with four secrets, and two processes: this one and the gateway that follows."""

    def __init__(self, rig: Rig) -> None:
        self.rig = rig
        self.vendor = Vendor()
        self.public_url: str | None = "https://leads.example"
        self.gateway = self.book()

    def book(self) -> ConnectionBook:
        return ConnectionBook(self.rig.storage, self.rig.vault, self.rig.clock, self.integration)

    def integration(self, kind: str) -> Integration:
        manifest = Manifest(kind=kind, title="Vendor", title_ru="Вендор", mark="V", fields=FIELDS)
        opener = cast("None", self.vendor.open)
        return Integration(manifest=manifest, open_channel=None if kind == "silent" else opener)

    async def rotation(self) -> Rotation:
        """A fresh process."""
        book = self.book()
        await book.refresh()
        surroundings = Surroundings(clock=self.rig.clock, ids=self.rig.ids)
        side = VendorSide(surroundings, public_url=self.public_url)
        return Rotation(self.rig.storage, self.rig.vault, book, side, clock=self.rig.clock, ids=self.rig.ids)

    async def add(self, connection_id: str) -> None:
        now = self.rig.clock.now()

        def unit(tx: Transaction) -> None:
            tx.connections.add(
                Connection(tx.workspace_id, connection_id, "messenger", connection_id, {}, ConnectionState.ACTIVE, now)
            )
            for name, value in HELD.items():
                place = f"secrets.value:{connection_id}:{name}:1"
                sealed = self.rig.vault.seal(tx, SECRETS, place, value.encode())
                tx.connections.add_secret(
                    StoredSecret(
                        connection_id=connection_id,
                        name=name,
                        version=1,
                        sealed_value=sealed,
                        created_at=now,
                        live_until=None,
                    )
                )

        await self.rig.storage.write(unit)

    async def accepted(self, key: str) -> list[str]:
        """What the running gateway accepts now, the one it uses first."""
        await self.gateway.refresh()
        opened = self.gateway.find("conn_v")
        assert opened is not None
        return [secret.reveal() for secret in opened.secrets.get(key, ())]

    async def rotate(self, key: str, *, overlap: timedelta = DAY, may_hand: bool = True) -> str:
        rotation = await self.rotation()
        found = rotation.find(SecretName("conn_v", key))
        renewed = await rotation.rotate(found, overlap=overlap, by="test", may_hand=may_hand)
        assert renewed.is_done
        return "" if renewed.made is None else renewed.made.reveal()

    async def replace(self, **values: str) -> None:
        rotation = await self.rotation()
        found = rotation.find(SecretName("conn_v", ""), keys=list(values))
        await rotation.replace(found, {k: Secret(v) for k, v in values.items()}, overlap=DAY, by="test")

    async def go_on(self) -> bool:
        return await (await self.rotation()).go_on("conn_v")


@pytest.fixture
async def room(tmp_path: Path) -> AsyncIterator[Room]:
    """A connection whose vendor is well."""
    rig = await open_rig(tmp_path)
    made = Room(rig)
    for connection_id in ("conn_bot", "conn_crm"):
        await rig.storage.write(
            lambda tx, c=connection_id: tx.connections.set_state(c, ConnectionState.REMOVED, at=rig.clock.now())  # type: ignore[misc]  # a default binds c now
        )
    await made.add("conn_v")
    await made.gateway.refresh(force=True)
    yield made
    assert made.vendor.open_ports == 0, "every port that was opened for a question is closed"
    rig.storage.close()


class TestOurs:
    async def test_both_are_good_while_the_overlap_lasts_and_then_only_the_new_one(self, room: Room) -> None:
        """Whoever signs with the old key has the whole overlap to change it."""
        made = await room.rotate("signing", overlap=timedelta(hours=1))
        assert made != OLD_KEY
        assert await room.accepted("signing") == [made, OLD_KEY]
        room.rig.clock.move(timedelta(minutes=59))
        assert await room.accepted("signing") == [made, OLD_KEY]
        room.rig.clock.move(timedelta(minutes=1))
        assert await room.accepted("signing") == [made], "without anybody writing anything"

    async def test_no_overlap_ends_the_old_one_at_once(self, room: Room) -> None:
        """After a leak nobody wants a day of grace."""
        made = await room.rotate("signing", overlap=timedelta(0))
        assert await room.accepted("signing") == [made]

    async def test_many_rotations_in_a_row_leave_a_bounded_number_to_try(self, room: Room) -> None:
        """Each request tries every live version, so a thousand of them would be a weapon."""
        made = [await room.rotate("signing") for _ in range(MOST_LIVE + 3)]
        accepted = await room.accepted("signing")
        assert accepted == made[::-1][:MOST_LIVE]

    async def test_a_secret_of_ours_alone_is_not_shown(self, room: Room) -> None:
        """Nobody needs it."""
        assert await room.rotate("own") == ""
        assert len(await room.accepted("own")) == 2

    async def test_values_never_lie_in_the_open(self, room: Room, tmp_path: Path) -> None:
        """Neither the old nor the new one."""
        made = await room.rotate("signing")
        found = all_bytes(tmp_path)
        assert not [value for value in (made, OLD_KEY) if value.encode() in found]


class TestRegistered:
    async def test_the_gateway_accepts_the_new_one_before_the_vendor_hears_of_it(self, room: Room) -> None:
        """The vendor may sign the next webhook with it before our call has returned."""
        seen: list[list[str]] = []

        async def look() -> None:
            seen.append(await room.accepted("webhook_secret"))

        room.vendor.at_register = look
        made = await room.rotate("webhook_secret")
        assert seen == [[OLD_SECRET, made]], "accepted, and not used by us before the vendor knows it"
        assert room.vendor.told == [made]
        assert await room.accepted("webhook_secret") == [made, OLD_SECRET]

    async def test_a_vendor_that_says_no_leaves_everything_as_it_was(self, room: Room) -> None:
        """And is told the old one again, in case it took the new one after all."""
        answers = [REFUSED, FINE]

        async def answer() -> None:
            room.vendor.answer = answers.pop(0)

        room.vendor.at_register = answer
        with pytest.raises(ConflictError):
            await room.rotate("webhook_secret")
        assert room.vendor.told == [OLD_SECRET]
        assert await room.accepted("webhook_secret") == [OLD_SECRET]

    async def test_a_vendor_in_the_own_network_stays_allowed_at_every_step(self, room: Room) -> None:
        """Else its secrets could never be replaced: no call would leave the house."""
        rule = b'{"hosts":{"crm.salon.lan":{"reason":"r","allowed_by":"staff_1","allowed_at":"2026-11-01T00:00:00Z"}}}'
        await room.rig.storage.write(lambda tx: tx.rules.set(OWN_NETWORK, rule, by="staff_1", at=room.rig.clock.now()))
        await room.replace(token="1:new")
        answers = [REFUSED, FINE]

        async def answer() -> None:
            room.vendor.answer = answers.pop(0)

        room.vendor.at_register = answer
        with pytest.raises(ConflictError):
            await room.rotate("webhook_secret")
        assert room.vendor.own_hosts == [frozenset({"crm.salon.lan"})] * 3, "asked, told, told the old one again"

    async def test_no_clear_answer_keeps_both_until_it_is_certain(self, room: Room) -> None:
        """The call may have been carried out, so neither may be refused; it is finished later with the same value."""
        answers = [SILENT, FINE]

        async def answer() -> None:
            room.vendor.answer = answers.pop(0) if answers else room.vendor.answer

        room.vendor.at_register = answer
        with pytest.raises(ServiceUnavailableError):
            await room.rotate("webhook_secret")
        old, new = await room.accepted("webhook_secret")
        assert (old, room.vendor.told) == (OLD_SECRET, []), "told nothing more: the lost call may come late"
        answers = [SILENT]
        with pytest.raises(ServiceUnavailableError):
            await room.go_on()
        assert await room.accepted("webhook_secret") == [OLD_SECRET, new]
        room.vendor.answer = FINE
        assert await room.go_on()
        assert room.vendor.told == [new]
        assert await room.accepted("webhook_secret") == [new, OLD_SECRET]
        assert not await room.go_on()

    async def test_a_second_rotation_takes_up_what_the_first_left(self, room: Room) -> None:
        """Otherwise the vendor might hold a value that nobody knows."""
        room.vendor.answer = SILENT
        with pytest.raises(ServiceUnavailableError):
            await room.rotate("webhook_secret")
        _, begun = await room.accepted("webhook_secret")
        room.vendor.answer = FINE
        assert await room.rotate("webhook_secret") == begun

    async def test_without_a_public_address_nobody_is_told(self, room: Room) -> None:
        """The vendor does not post to us yet; it hears the newest one when it is told our address."""
        room.public_url = None
        made = await room.rotate("webhook_secret")
        assert (room.vendor.told, await room.accepted("webhook_secret")) == ([], [made, OLD_SECRET])

    async def test_what_a_person_must_enter_is_never_rotated_unasked(self, room: Room) -> None:
        """By the calendar there is nobody to show it to; asked for, it is shown with the vendor's own words."""
        room.vendor.answer = BY_HAND
        with pytest.raises(ConflictError) as caught:
            await room.rotate("webhook_secret", may_hand=False)
        assert caught.value.code == "secret.by_hand"
        assert await room.accepted("webhook_secret") == [OLD_SECRET]
        made = await room.rotate("webhook_secret")
        assert await room.accepted("webhook_secret") == [made, OLD_SECRET]


class TestBrought:
    async def test_a_new_token_is_proven_before_the_old_one_goes(self, room: Room) -> None:
        """A dead one changes nothing."""
        room.vendor.report = DEAD_TOKEN
        with pytest.raises(ConflictError) as caught:
            await room.replace(token="1:dead")
        assert caught.value.code == "secret.refused"
        assert (room.vendor.asked, await room.accepted("token")) == (["1:dead"], [OLD_TOKEN])
        room.vendor.report = FINE
        await room.replace(token="1:new")
        assert await room.accepted("token") == ["1:new", OLD_TOKEN]

    async def test_the_vendor_is_told_our_address_again_where_the_new_token_lost_it(self, room: Room) -> None:
        """BotFather's new token has no webhook."""
        room.vendor.report = NOT_SET
        await room.replace(token="1:new")
        assert room.vendor.told == [OLD_SECRET], "the webhook secret stays"
        assert (await room.accepted("token"))[0] == "1:new"

    @pytest.mark.parametrize(
        ("value", "code"),
        [
            ("no colon", "connection.key_wrong"),
            ("", "connection.key_wrong"),
            ("2:new", "secret.other_account"),
            (OLD_TOKEN, "secret.same"),
        ],
    )
    async def test_what_cannot_be_right_is_refused_before_anybody_is_asked(
        self, room: Room, value: str, code: str
    ) -> None:
        """A typing mistake, another bot's token, or the same once more; the value is never repeated."""
        with pytest.raises(LeadgateError) as caught:
            await room.replace(token=value)
        assert (caught.value.code, room.vendor.asked) == (code, [])
        assert not value or value not in str(caught.value)

    async def test_a_token_of_an_account_with_another_name_is_refused(self, room: Room) -> None:
        """Clients would write to one account and hear from another."""
        await room.rig.storage.write(
            lambda tx: tx.connections.set_settings("conn_v", {"bot_name": "salon_bot"}, at=room.rig.clock.now())
        )
        room.vendor.report = CheckReport(FINE.findings, {"bot_name": "other_bot"})
        with pytest.raises(ConfigurationError):
            await room.replace(token="1:new")
        room.vendor.report = CheckReport(FINE.findings, {"bot_name": "salon_bot"})
        await room.replace(token="1:new")

    async def test_the_old_value_comes_back_until_it_is_confirmed(self, room: Room) -> None:
        """Confirming destroys it: there is nothing left to come back."""
        await room.replace(token="1:new")
        rotation = await room.rotation()
        found = rotation.find(SecretName("conn_v", "token"))
        await rotation.undo(found, overlap=DAY, by="test")
        assert (await room.accepted("token"))[0] == OLD_TOKEN
        assert await rotation.confirm(found) == 2, "the undone one and the row of the one that came back"
        assert await room.accepted("token") == [OLD_TOKEN]
        with pytest.raises(ConflictError) as caught:
            await rotation.undo(found, overlap=DAY, by="test")
        assert caught.value.code == "secret.nothing_to_undo"

    async def test_names_are_found_and_others_are_not(self, room: Room) -> None:
        """With the choices in the hint."""
        rotation = await room.rotation()
        for name in ("conn_x.token", "conn_v.none", "conn_v"):
            with pytest.raises(NotFoundError):
                rotation.find(SecretName.read(name))
        assert list(rotation.find(SecretName.read("conn_v.token")).fields) == ["token"]


class Deadly:
    """A storage and a vendor in one process that dies at the point of this number: before or after a commit or a call.

    Attributes:
        passed: how many points were passed; less than the number means that the act was over before.
    """

    def __init__(self, room: Room, number: int) -> None:
        self.room = room
        self.number = number
        self.passed = 0
        self.storage = room.rig.storage

    def come_by(self) -> None:
        """One point."""
        if self.passed == self.number:
            raise Killed
        self.passed += 1

    async def read(self, unit: Callable[[Transaction], T]) -> T:
        """Reading changes nothing, so dying there is dying at the point before."""
        return await self.storage.read(unit)

    async def write(self, unit: Callable[[Transaction], T]) -> T:
        """A commit."""
        self.come_by()
        result = await self.storage.write(unit)
        self.come_by()
        return result

    async def register(self, integration: Integration, opened: OpenConnection) -> CheckReport | None:
        """A call."""
        self.come_by()
        report = await self.side.register(integration, opened)
        self.come_by()
        return report

    async def ask(self, integration: Integration, opened: OpenConnection) -> CheckReport:
        """A call that changes nothing."""
        return await self.side.ask(integration, opened)

    @property
    def side(self) -> VendorSide:
        """The real way to the vendor."""
        surroundings = Surroundings(clock=self.room.rig.clock, ids=self.room.rig.ids)
        return VendorSide(surroundings, public_url=self.room.public_url)

    async def rotation(self) -> Rotation:
        """The process that is going to die."""
        book = self.room.book()
        await book.refresh()
        storage, side = cast("Storage", self), cast("VendorSide", self)
        return Rotation(storage, self.room.rig.vault, book, side, clock=self.room.rig.clock, ids=self.room.rig.ids)


async def act_of(rotation: Rotation, act: str) -> None:
    """Replace by each way there is."""
    key, _, way = act.partition(" ")
    found = rotation.find(SecretName("conn_v", key))
    if way == "rotated":
        await rotation.rotate(found, overlap=DAY, by="test")
    else:
        await rotation.replace(found, {key: Secret(f"1:brought-{key}")}, overlap=DAY, by="test")


@pytest.mark.parametrize(
    "act", ["webhook_secret rotated", "webhook_secret set", "signing rotated", "own rotated", "token set"]
)
@pytest.mark.parametrize("is_taken", [True, False])
async def test_a_death_at_any_point_finishes_or_rolls_back(room: Room, act: str, *, is_taken: bool) -> None:
    """Before and after every commit and every call, whether the vendor takes it or says no.

    At each moment the gateway accepts what the vendor signs with, and what was handed out before. Afterwards nothing is half
    done: the one we use is the one that the vendor knows.
    """
    key = act.partition(" ")[0]
    number, is_over = 0, False
    while not is_over:
        before = await room.accepted(key)
        known = room.vendor.told[-1] if room.vendor.told else OLD_SECRET
        room.vendor.report = NOT_SET if key == "token" else FINE
        room.vendor.answer = FINE if is_taken else REFUSED
        deadly = Deadly(room, number)
        try:
            await act_of(await deadly.rotation(), act)
            is_over = True
        except Killed:
            pass
        except ConflictError as error:
            is_over = error.code in {"secret.refused", "secret.same"}
        room.vendor.answer = FINE
        known = room.vendor.told[-1] if room.vendor.told else known
        if key == "webhook_secret":
            assert known in await room.accepted(key), f"at point {number}"
        assert before[0] in await room.accepted(key), f"what was good stays good, at point {number}"
        await room.go_on()
        assert not await room.go_on(), "once is enough"
        accepted = await room.accepted(key)
        assert before[0] in accepted
        if key == "webhook_secret":
            assert accepted[0] == (room.vendor.told[-1] if room.vendor.told else OLD_SECRET), f"at point {number}"
        if key == "signing" and number < FINISHED:
            assert accepted == before, "nobody has seen the new one, so it is no use to anybody"
        number += 1
    assert number > 1, "points were met"
