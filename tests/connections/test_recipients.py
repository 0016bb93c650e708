"""Foreign recipients are off by default: nothing is asked of a vendor and nothing is kept before the owner has decided."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, cast

import pytest

from leadgate.connections.book import ConnectionBook
from leadgate.connections.connect import ConnectionDesk, Openers
from leadgate.errors import ConfigurationError, JournalUnavailableError
from leadgate.model.connections import FindingState
from leadgate.model.journal import Result, Tag
from leadgate.ports.crm import Crm
from leadgate.ports.integration import Field, Flow, Integration, Manifest
from leadgate.privacy.recipients import read_decisions
from leadgate.testing.journal import MemoryJournal
from tests.connections.test_connect import Vendor
from tests.delivery.rig import Rig, open_rig

CRM_AT = "crm.example"


class House:
    """A desk whose CRM may stand anywhere."""

    def __init__(self, rig: Rig) -> None:
        self.rig = rig
        self.vendor = Vendor()
        self.journal = MemoryJournal(rig.clock)
        self.book = ConnectionBook(rig.storage, rig.vault, rig.clock, self.integration)
        self.desk = ConnectionDesk(
            rig.storage,
            rig.vault,
            self.book,
            Openers(channel=self._open, crm=lambda i, o: cast("Crm", self._open(i, o))),
            workspace_id="ws",
            kinds=("crm", "messenger"),
            clock=rig.clock,
            ids=rig.ids,
            public_url=None,
            journal=self.journal,
            on_change=lambda: None,
        )

    def _open(self, _integration: Integration, opened: object) -> Any:  # noqa: ANN401 - either port
        return self.vendor.open(cast("Any", opened), cast("Any", None))

    def integration(self, kind: str) -> Integration:
        """A CRM or a messenger with a server of its own."""
        fields = (Field(name="api_base", label_ru="Адрес", label_en="Address"),)
        flow = Flow(hosts=("vendor.invalid",), host_keys=("api_base",))
        manifest = Manifest(kind=kind, title=kind.title(), title_ru=kind, mark="X", fields=fields, flow=flow)
        opened = cast("None", self.vendor.open)
        if kind == "crm":
            return Integration(manifest=manifest, open_crm=opened)
        return Integration(manifest=manifest, open_channel=opened)

    async def connect(self, kind: str = "crm", host: str = CRM_AT, **more: Any) -> str:  # noqa: ANN401 - what connect takes
        """Connect to a host, checking it live."""
        settings = {"api_base": f"https://{host}/"} if host else {}
        made = await self.desk.connect(
            kind, name=f"{kind} {len(self.book.all())}", settings=settings, secrets={}, check=True, by="staff_1", **more
        )
        return made.connection_id


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    """On a database of its own."""
    rig = await open_rig(tmp_path)
    house = House(rig)
    await house.book.refresh(force=True)
    yield house
    rig.storage.close()


async def test_without_a_reason_nothing_is_asked_and_nothing_is_kept(house: House) -> None:
    """The refusal says what to do, and stands in the journal."""
    before = len(house.book.all())
    with pytest.raises(ConfigurationError) as refused:
        await house.connect(foreign_reason="   ")
    assert refused.value.code == "recipient.undecided"
    assert CRM_AT in str(refused.value)
    assert "--foreign-reason" in refused.value.hint
    assert (house.vendor.asked, len(house.book.all())) == ([], before)
    (row,) = house.journal.rows
    assert (row.entry.tag, row.entry.result, row.entry.details) == (
        Tag.RECIPIENT_REFUSED,
        Result.REFUSED,
        {"host": CRM_AT},
    )


async def test_a_reason_is_a_decision_that_holds_for_the_host(house: House) -> None:
    """Journaled before it holds, without the owner's words; the next connection to it needs none."""
    connection_id = await house.connect(foreign_reason="портал группы", host_country="de")
    (row,) = house.journal.rows
    assert (row.entry.tag, row.entry.by) == (Tag.RECIPIENT_ALLOWED, "staff_1")
    assert row.entry.details == {"host": CRM_AT, "country": "DE", "rkn_notice": 0}
    decision = (await house.rig.storage.read(read_decisions))[CRM_AT]
    assert (decision.reason, decision.country, decision.decided_by) == ("портал группы", "DE", "staff_1")
    await house.connect()
    assert (await house.desk.check(connection_id)).state is FindingState.OK


async def test_what_cannot_be_journaled_is_not_allowed(house: House) -> None:
    """No trace, no transfer."""
    house.journal.is_broken = True
    with pytest.raises(JournalUnavailableError):
        await house.connect(foreign_reason="портал группы")
    assert await house.rig.storage.read(read_decisions) == {}
    assert house.vendor.asked == []


async def test_a_refused_host_stays_refused_whatever_the_reason(house: House) -> None:
    """The owner decides, not whoever connects."""
    connection_id = await house.connect(foreign_reason="пока так")
    decide = {"country": "", "reason": "переезжаем", "rkn_notice": "", "by": "staff_1"}
    await house.desk.gate.decide(CRM_AT, is_allowed=False, **decide)
    with pytest.raises(ConfigurationError) as refused:
        await house.connect(foreign_reason="очень надо")
    assert refused.value.code == "recipient.refused"
    report = await house.desk.check(connection_id)
    assert (report.state, report.findings[0].code) == (FindingState.WARN, "recipient.refused")


@pytest.mark.parametrize(
    ("kind", "host"),
    [("crm", "127.0.0.1"), ("crm", "salon.bitrix24.ru"), ("messenger", ""), ("messenger", "api.vendor.invalid")],
)
async def test_home_and_a_messengers_own_servers_need_no_reason(house: House, kind: str, host: str) -> None:
    """Refusing the messenger that clients chose would make the product unusable."""
    await house.connect(kind, host)
    assert house.journal.rows == []


async def test_a_server_between_us_and_a_messenger_was_not_chosen_by_the_client(house: House) -> None:
    """It reads everything, so it is a recipient like any other."""
    with pytest.raises(ConfigurationError) as refused:
        await house.connect("messenger", "relay.example")
    assert refused.value.code == "recipient.undecided"


async def test_a_connection_cannot_be_moved_abroad_by_changing_its_settings(house: House) -> None:
    """The gate stands before every host, not only before the first one."""
    connection_id = await house.connect("crm", "127.0.0.1")
    with pytest.raises(ConfigurationError) as refused:
        await house.desk.amend(connection_id, settings={"api_base": f"https://{CRM_AT}/"}, secrets={}, by="staff_1")
    assert refused.value.code == "recipient.undecided"


async def test_an_older_connection_goes_on_and_is_told_of(house: House) -> None:
    """An update must not stop a salon on a Saturday: it works, and each check says that a decision is missing."""
    connection_id = await house.connect(foreign_reason="пока так")
    await house.rig.storage.write(
        lambda tx: tx.rules.set("recipients", b'{"hosts":{}}', by="x", at=house.rig.clock.now())
    )
    for report in (await house.desk.check(connection_id), await house.desk.look_after(connection_id)):
        assert report is not None
        (finding,) = (one for one in report.findings if one.code == "recipient.undecided")
        assert (finding.state, finding.is_jam, CRM_AT in finding.text) == (FindingState.WARN, False, False)
