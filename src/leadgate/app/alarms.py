"""The alarms of a house: joins `leadgate.alerts` with storage, vault, the disk and the way to the people in charge."""

from __future__ import annotations

import shutil
from functools import partial
from pathlib import Path
from typing import Protocol
from zoneinfo import ZoneInfo

from leadgate import registry
from leadgate.alerts.addresses import AlertAddresses
from leadgate.alerts.canary import CANARY, CanaryReceiver, CanaryWalk, CrmAnswer, canary_connection
from leadgate.alerts.listening import Listening
from leadgate.alerts.watch import AlertWatch
from leadgate.alerts.wording import Voice
from leadgate.app.custodian_alarm import CustodianSense
from leadgate.app.erasing import Erasing
from leadgate.app.erasure_alarm import ErasureSense
from leadgate.app.targets import OpenTargets
from leadgate.connections.book import ConnectionBook, is_active
from leadgate.incidents.sense import IncidentSense
from leadgate.intake.receive import Intake
from leadgate.model.alerts import DiskSpace
from leadgate.model.connections import FindingState
from leadgate.model.webhooks import RawWebhook
from leadgate.ports.clock import Clock, IdSource
from leadgate.ports.notifier import Notifier
from leadgate.ports.stores import Workspace
from leadgate.processing.source import Source
from leadgate.rights.request_alarms import RequestAlarms
from leadgate.rights.working_days import load_calendar
from leadgate.settings import Settings
from leadgate.storage.sql_storage import SqlStorage
from leadgate.vault.custodians import Custodians
from leadgate.vault.envelope import Vault


class House(Protocol):
    """What the alarms need of `App`."""

    settings: Settings
    workspace: Workspace
    storage: SqlStorage
    vault: Vault
    custodian: Custodians
    clock: Clock
    ids: IdSource
    book: ConnectionBook
    targets: OpenTargets
    erasing: Erasing
    intake: Intake


def make_addresses(house: House, notifier: Notifier) -> AlertAddresses:
    """Where alarms are sent."""
    return AlertAddresses(house.storage, house.vault, notifier, voice=_voice(house), clock=house.clock, ids=house.ids)


def make_watch(house: House, notifier: Notifier, holder: str) -> AlertWatch:
    """The loop of the alarms, with an ear for silence, a canary and an eye on requests."""
    name_kind = partial(_title, locale=house.workspace.locale)
    limits = house.settings.alerts
    canary = CanaryWalk(
        house.storage,
        partial(send_canary, house),
        partial(_ask_crm, house),
        workspace_id=house.workspace.workspace_id,
        down_after=limits.down_after,
    )
    zone = ZoneInfo(house.workspace.time_zone)
    requests = RequestAlarms(house.storage, load_calendar(), zone=zone, locale=house.workspace.locale)
    return AlertWatch(
        house.storage,
        house.vault,
        notifier,
        voice=_voice(house),
        limits=limits,
        name_kind=name_kind,
        read_disk=lambda: read_disk(house.settings.data),
        senses=(
            Listening(house.storage, zone=zone, name_kind=name_kind),
            canary,
            ErasureSense(house.erasing, zone),
            requests,
            CustodianSense(house.custodian),
            IncidentSense(house.storage, locale=house.workspace.locale),
        ),
        clock=house.clock,
        holder=holder,
    )


def make_canary_source(house: House) -> Source:
    """Where canaries come from."""
    opened = canary_connection(house.workspace.workspace_id, house.workspace.created_at)
    return Source(opened=opened, integration=CANARY, crm_connection_id=None)


def read_disk(folder: Path) -> DiskSpace | None:
    """Space where the data directory lies; None when it cannot be asked."""
    try:
        usage = shutil.disk_usage(folder)
    except OSError:
        return None
    return DiskSpace(free=usage.free, total=usage.total)


async def send_canary(house: House, request: RawWebhook) -> str:
    """Receive a canary through the intake, as the door does with a webhook; gives the id of the event."""
    opened = canary_connection(house.workspace.workspace_id, house.workspace.created_at)
    return (await house.intake.receive(CanaryReceiver(), request, opened)).event_id


async def _ask_crm(house: House) -> CrmAnswer | None:
    connection_id = house.book.crm_connection_id()
    opened = None if connection_id is None else house.book.find(connection_id)
    if opened is None or not is_active(opened.connection):
        return None
    integration = house.book.integration(opened.connection.kind)
    report = await house.targets.crm(integration, opened).check()
    failed = next((finding.code for finding in report.findings if finding.state is FindingState.FAIL), None)
    return CrmAnswer(
        opened.connection.connection_id, _title(opened.connection.kind, locale=house.workspace.locale), failed
    )


def _voice(house: House) -> Voice:
    return Voice(
        locale=house.workspace.locale,
        time_zone=ZoneInfo(house.workspace.time_zone),
        workspace=house.workspace.name,
        public_url=house.settings.public_url,
    )


def _title(kind: str, *, locale: str) -> str:
    manifest = registry.get(kind).manifest
    return manifest.title if locale == "en" else manifest.title_ru
