"""A house for the tests of the pages: frozen sample data in memory, hostile names among it, behind a real server.

Four people sign in, one per role, all with `PASSWORD`. What the pages ask the house to do is kept in `acts`.
"""

import asyncio
import socket
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta, tzinfo
from zoneinfo import ZoneInfo

import uvicorn
from litestar import Litestar

from leadgate.alerts.raising import review
from leadgate.alerts.wording import Voice, tell
from leadgate.errors import (
    ConfigurationError,
    ConflictError,
    JournalUnavailableError,
    NotFoundError,
)
from leadgate.model.alerts import AddressTrial, Alert, AlertOverview, AlertTarget, AlertWords, Cause, Trouble
from leadgate.model.connections import CheckReport, Connection, ConnectionState, Finding, FindingState
from leadgate.model.consents import (
    ConsentCount,
    ConsentOverview,
    ConsentPurpose,
    ConsentRecord,
    ConsentRule,
    ConsentText,
    Decision,
    How,
    Proof,
)
from leadgate.model.deliveries import Attempt, AttemptKind, AttemptOutcome, DeliveryKind, DeliveryState
from leadgate.model.erasures import DestroyedKey, Erasure, ErasureReason, OrderState
from leadgate.model.events import EventKind, EventState, NormalisedEvent
from leadgate.model.journal import (
    JournalEntry,
    JournalFault,
    JournalFaultKind,
    JournalRow,
    JournalState,
    JournalVerdict,
    JournalView,
    Result,
    Tag,
)
from leadgate.model.leads import CrmEntity, LeadRef, LeadRequest, Person
from leadgate.model.person_file import FORMAT, FiledCrm, FiledProfile, PersonFile
from leadgate.model.reach import ChannelReach, LostPerson, ReachReport
from leadgate.model.requests import (
    CalendarYear,
    NewRequest,
    RequestDetail,
    RequestKind,
    RequestOutcome,
    RequestState,
    RequestStep,
    RequestView,
    RequestWay,
    RequestWords,
    StepView,
    Term,
)
from leadgate.model.reveals import RevealReason
from leadgate.model.secret import Secret
from leadgate.model.subjects import (
    Blocked,
    BlockReason,
    ChannelOfPerson,
    Corrected,
    Correction,
    CorrectionState,
    NewValues,
    SubjectCard,
    Unblocked,
)
from leadgate.model.views import (
    AcceptedLead,
    ConnectionView,
    DeadCause,
    DeliveryCounts,
    DeliveryDetail,
    DeliveryRow,
    Difference,
    EndState,
    EventDetail,
    EventEnd,
    EventRow,
    Figures,
    HeldBack,
    LeadData,
    LeadRow,
    Ledger,
    Light,
    Page,
    Reconciliation,
    RefusalRow,
)
from leadgate.ports.integration import Field, Manifest
from leadgate.ports.notifier import Message
from leadgate.privacy.decisions import Place, decide, decide_health, read_place
from leadgate.privacy.policies import effective
from leadgate.privacy.rules import PRODUCT_RULES, Change, HealthMode, PrivacyRules, Standing
from leadgate.settings import Network
from leadgate.web.base import build_pages
from tests.web.flows_house import MemoryIncidents, MemoryMaps
from tests.web.page_keys import MemoryKeys
from tests.web.page_retention import MemoryRetention
from tests.web.secrets_house import MemorySecrets
from tests.web.staff_house import (
    FRESH_SECRET,
    HOSTILE,
    NOW,
    PASSWORD,
    SETUP_TOKEN,
    FrozenClock,
    MemoryOwnAccess,
    MemoryPeople,
    MemoryReveals,
    MemoryRoster,
    MemoryTokens,
)

__all__ = ["FRESH_SECRET", "HOSTILE", "NOW", "PASSWORD", "SETUP_TOKEN"]

PHONE, NAME, WORDS = "+79000000412", f"Светлана {HOSTILE}", f"Запишите на маникюр {HOSTILE}"

MANIFESTS = (
    Manifest(
        kind="bitrix24",
        title="Bitrix24",
        title_ru="Битрикс24",
        mark="Б24",
        fields=(
            Field(
                name="webhook_url",
                label_ru="Адрес входящего вебхука",
                label_en="Inbound webhook address",
                secret=True,
                required=True,
                problem=lambda value: None if value.startswith("https://") else "It must begin with https://.",
                help_ru="Разработчикам → Входящий вебхук, право «CRM».",
                help_en="Developer resources → Inbound webhook.",
            ),
            Field(name="timeout_s", label_ru="Секунд ждать ответа", label_en="Seconds to wait", default="30"),
        ),
    ),
    Manifest(
        kind="bot",
        title="Bot builder",
        title_ru="Конструктор ботов",
        mark="BOT",
        fields=(
            Field(
                name="signing_secret",
                label_ru="Секрет подписи",
                label_en="Signing secret",
                secret=True,
                make=lambda _: "x",
            ),
        ),
        webhook_secret="signing_secret",
        public_url_needed=True,
    ),
    Manifest(kind="site", title="Site", title_ru="Сайт", mark="WEB", fields=(), client_pulls=True),
    Manifest(kind="telegram", title="Telegram", title_ru="Telegram", mark="TG", fields=(), public_url_needed=True),
)


def view(number: int, kind: str, name: str, light: Light, **more: object) -> ConnectionView:
    """A connection of the sample salon."""
    state = ConnectionState.PAUSED if light is Light.PAUSED else ConnectionState.ACTIVE
    connection = Connection("ws_1", f"conn_{number}", kind, name, {"timeout_s": "30"}, state, NOW - timedelta(days=40))
    base = ConnectionView(
        connection=connection,
        title=name,
        mark=name[:2],
        light=light,
        problem=None,
        since=None,
        waiting=0,
        last_event_at=NOW - timedelta(minutes=4),
        report=None,
        checked_at=None,
    )
    return replace(base, **more)  # type: ignore[arg-type]  # the fields of the view, by name


def delivery_row(number: int, state: DeliveryState, minutes_ago: int, **more: object) -> DeliveryRow:
    """A delivery of the sample salon."""
    base = DeliveryRow(
        delivery_id=f"dlv_{number}",
        kind=DeliveryKind.CREATE_LEAD,
        state=state,
        connection_id="conn_1",
        connection_kind="bitrix24",
        connection_name="Битрикс24",
        connection_paused=False,
        event_id=f"evt_{number}",
        lead_id=f"lead_{number}",
        attempts=1,
        created_at=NOW - timedelta(minutes=minutes_ago),
        due_at=None,
        done_at=None,
        error_code=None,
        external_id=None,
    )
    return replace(base, **more)  # type: ignore[arg-type]  # the fields of the row, by name


def _attempt(number: int, outcome: AttemptOutcome, seconds: int, code: str | None = None) -> Attempt:
    at = NOW - timedelta(minutes=2) + timedelta(seconds=seconds)
    return Attempt(
        number=number, kind=AttemptKind.SEND, outcome=outcome, started_at=at, finished_at=at, error_code=code
    )


def sample_connections() -> list[ConnectionView]:
    """Six connections, one of each light and a hostile name."""
    found = CheckReport(
        (
            Finding(
                "bitrix24.webhook_of_administrator",
                FindingState.WARN,
                "The webhook is an administrator's.",
                "Make another.",
            ),
            Finding("bitrix24.works", FindingState.OK, "Bitrix24 answers."),
        )
    )
    return [
        view(
            1,
            "bitrix24",
            "Битрикс24",
            Light.WARN,
            problem="bitrix24.unreachable",
            since=NOW - timedelta(minutes=6),
            waiting=2,
            last_event_at=None,
            report=found,
            checked_at=NOW - timedelta(hours=9),
        ),
        view(
            2,
            "telegram",
            "Telegram",
            Light.BAD,
            problem="telegram.token_revoked",
            since=NOW - timedelta(hours=2, minutes=12),
            waiting=3,
        ),
        view(3, "bot", "Конструктор ботов", Light.OK),
        view(4, "bot", "Чат на сайте", Light.OK, last_event_at=NOW - timedelta(minutes=9)),
        view(5, "bot", f"Авито {HOSTILE}", Light.PAUSED),
        view(6, "telegram", "Запасной бот", Light.UNKNOWN, last_event_at=None),
    ]


def sample_deliveries() -> list[DeliveryDetail]:
    """A delivery in every state."""
    due = NOW + timedelta(minutes=1, seconds=52)
    told = [
        (delivery_row(1, DeliveryState.WAITING, 1, attempts=0, due_at=due), []),
        (
            delivery_row(2, DeliveryState.UNKNOWN, 2, due_at=due),
            [_attempt(1, AttemptOutcome.UNKNOWN, 3, "bitrix24.timeout")],
        ),
        (delivery_row(3, DeliveryState.DONE, 5, external_id="lead:48211"), [_attempt(1, AttemptOutcome.DELIVERED, 1)]),
        (
            delivery_row(4, DeliveryState.DEAD, 61, error_code="bitrix24.CRM_FIELD_ERROR_REQUIRED", attempts=2),
            [
                _attempt(1, AttemptOutcome.RETRY_LATER, 1, "bitrix24.QUERY_LIMIT_EXCEEDED"),
                _attempt(2, AttemptOutcome.REFUSED, 9, "bitrix24.CRM_FIELD_ERROR_REQUIRED"),
            ],
        ),
        (
            delivery_row(5, DeliveryState.DEAD, 62, error_code="vendor.never_heard_of"),
            [_attempt(1, AttemptOutcome.REFUSED, 1, "vendor.never_heard_of")],
        ),
        (
            delivery_row(6, DeliveryState.UNCERTAIN, 70, kind=DeliveryKind.MESSAGE),
            [_attempt(1, AttemptOutcome.UNKNOWN, 1)],
        ),
        (delivery_row(7, DeliveryState.DISCARDED, 3000), []),
        (delivery_row(8, DeliveryState.WAITING, 80, connection_paused=True, connection_name=f"Авито {HOSTILE}"), []),
    ]
    return [
        DeliveryDetail(
            row=row,
            origin_id=f"conn_3:evt_{number}",
            received_at=row.created_at,
            attempts=attempts,
            discard_reason=f"дубль {HOSTILE}" if row.state is DeliveryState.DISCARDED else None,
            discarded_by_name=HOSTILE if row.state is DeliveryState.DISCARDED else None,
        )
        for number, (row, attempts) in enumerate(told, 1)
    ]


def sample_events() -> list[EventDetail]:
    """An event in every state; the first is a whole lead."""
    person = Person(
        name=NAME, phone=PHONE, email="svetlana@example.invalid", username="sveta_k", channel_user_id="900412"
    )
    lead = LeadRequest(channel="telegram", contact=person, message=WORDS, service="Маникюр")
    facts = [
        NormalisedEvent(kind=EventKind.FORM, event_key="k1", lead=lead),
        NormalisedEvent(
            kind=EventKind.TEXT, event_key="k2", text=WORDS, sender_name=NAME, sender_id="900412", phone=PHONE
        ),
    ]
    ends = {
        EventState.LEAD: EventEnd(state=EndState.WAITING, why="look_up", until=NOW + timedelta(minutes=2)),
        EventState.RECEIVED: EventEnd(state=EndState.WAITING, why="not_worked_on"),
        EventState.ANSWERED: EventEnd(state=EndState.ANSWERED),
        EventState.IGNORED: EventEnd(state=EndState.IGNORED, why="given_up", note=f"дубль {HOSTILE}"),
        EventState.FAILED: EventEnd(state=EndState.REFUSED, why="event.never_heard_of"),
    }
    reasons = {EventState.IGNORED: "group_chat", EventState.FAILED: "event.never_heard_of"}
    deliveries = [detail.row for detail in sample_deliveries()]
    return [
        EventDetail(
            row=EventRow(
                event_id=f"evt_{number}",
                connection_id="conn_3",
                connection_kind="bot",
                connection_name="Конструктор ботов",
                state=state,
                reason=reasons.get(state),
                received_at=NOW - timedelta(hours=number * number),
                lead_id="lead_1" if state is EventState.LEAD else None,
                crm_ref=LeadRef(CrmEntity.LEAD, 48211) if state is EventState.LEAD else None,
                ending=ends[state],
            ),
            facts=facts if number == 1 else facts[1:],
            deliveries=deliveries[:2] if number == 1 else [],
        )
        for number, state in enumerate(
            (EventState.LEAD, EventState.RECEIVED, EventState.ANSWERED, EventState.IGNORED, EventState.FAILED), 1
        )
    ]


@dataclass
class MemoryDesk:
    views: list[ConnectionView] = field(default_factory=sample_connections)
    details: list[DeliveryDetail] = field(default_factory=sample_deliveries)
    event_details: list[EventDetail] = field(default_factory=sample_events)
    ledger: Figures = field(
        default_factory=lambda: Figures(came=41, in_crm=38, waiting=2, dead=1, answered=12, ignored=5)
    )
    check: Reconciliation | None = None
    turned_away: list[RefusalRow] = field(default_factory=list)
    acts: list[tuple[str, ...]] = field(default_factory=list)
    looks: list[tuple[str, ...]] = field(default_factory=list)
    asked_periods: list[tuple[datetime, datetime]] = field(default_factory=list)

    async def figures(self, *, since: datetime, until: datetime) -> Figures:
        self.asked_periods.append((since, until))
        return self.ledger

    async def connections(self) -> Sequence[ConnectionView]:
        return self.views

    async def events(
        self,
        *,
        limit: int,
        cursor: str | None = None,
        state: EventState | None = None,
        connection_id: str | None = None,
        since: datetime | None = None,
        until: datetime | None = None,
        query: str | None = None,
    ) -> Page[EventRow]:
        rows = [detail.row for detail in self.event_details]
        if until is not None and since is not None:
            self.asked_periods.append((since, until))
        kept = [row for row in rows if (state is None or row.state is state) and row.event_id.startswith(query or "")]
        return Page(kept[:2] if not (cursor or state or query) else kept, None if cursor or state or query else "next")

    async def event(self, event_id: str) -> EventDetail:
        for detail in self.event_details:
            if detail.row.event_id == event_id:
                return detail
        raise NotFoundError("There is no such event.")

    async def refusals(self, *, since: datetime) -> Sequence[RefusalRow]:
        return self.turned_away

    async def deliveries(
        self,
        *,
        limit: int,
        cursor: str | None = None,
        states: Sequence[DeliveryState] = (),
        connection_id: str | None = None,
        since: datetime | None = None,
        until: datetime | None = None,
        query: str | None = None,
    ) -> Page[DeliveryRow]:
        rows = [detail.row for detail in self.details]
        if until is not None and since is not None:
            self.asked_periods.append((since, until))
        kept = [row for row in rows if not states or row.state in states]
        return Page([row for row in kept if row.delivery_id.startswith(query or "")], None)

    async def delivery_counts(
        self, *, since: datetime | None = None, until: datetime | None = None, connection_id: str | None = None
    ) -> DeliveryCounts:
        states = [detail.row.state for detail in self.details]
        return DeliveryCounts(
            waiting=states.count(DeliveryState.WAITING),
            unknown=states.count(DeliveryState.UNKNOWN) + states.count(DeliveryState.UNCERTAIN),
            dead=states.count(DeliveryState.DEAD),
            done=None if since is None else states.count(DeliveryState.DONE) + states.count(DeliveryState.DISCARDED),
        )

    async def delivery(self, delivery_id: str) -> DeliveryDetail:
        for detail in self.details:
            if detail.row.delivery_id == delivery_id:
                return detail
        raise NotFoundError("There is no such delivery.")

    async def leads(self, *, limit: int, cursor: str | None = None) -> Page[LeadRow]:
        return Page([], None)

    async def retry(self, delivery_id: str, *, by: str) -> None:
        detail = await self.delivery(delivery_id)
        if detail.row.state not in {DeliveryState.DEAD, DeliveryState.UNCERTAIN}:
            raise ConflictError("Nothing to retry.")
        self.acts.append(("retry", delivery_id, by))
        self._move(detail, DeliveryState.WAITING)

    async def retry_all_dead(self, *, by: str, cause: str | None = None) -> int:
        dead = [detail for detail in self.details if detail.row.state is DeliveryState.DEAD]
        dead = [detail for detail in dead if cause is None or (detail.row.error_code or "") == cause]
        for detail in dead:
            self._move(detail, DeliveryState.WAITING)
        self.acts.append(("retry_all", by) if cause is None else ("retry_all", by, cause))
        return len(dead)

    async def dead_causes(self) -> Sequence[DeadCause]:
        dead = [detail.row for detail in self.details if detail.row.state is DeliveryState.DEAD]
        return [DeadCause(code=row.error_code or "", count=1, since=row.created_at) for row in dead]

    async def reveal_event(self, event_id: str, *, by: str, reason: RevealReason, words: str = "") -> EventDetail:
        self.looks.append((event_id, by, reason.value, words))
        return await self.event(event_id)

    async def lead_data(
        self, delivery_id: str, *, by: str, reason: RevealReason = RevealReason.PROGRAM, words: str = ""
    ) -> LeadData:
        self.looks.append((delivery_id, by, reason.value, words))
        detail = await self.delivery(delivery_id)
        if detail.row.state is not DeliveryState.DEAD:
            raise ConflictError("Nothing to correct.")
        return LeadData(name=NAME, phone=PHONE, email="svetlana@example.invalid", comment=WORDS)

    async def fix(self, delivery_id: str, data: LeadData, *, by: str) -> None:
        await self.lead_data(delivery_id, by=by)
        self.acts.append(("fix", delivery_id, by, data.name or "", data.phone or "", data.comment or ""))
        self._move(await self.delivery(delivery_id), DeliveryState.WAITING)

    async def confirm(self, delivery_id: str, *, by: str) -> None:
        detail = await self.delivery(delivery_id)
        if detail.row.state is not DeliveryState.UNCERTAIN:
            raise ConflictError("Nothing to confirm.")
        self.acts.append(("confirm", delivery_id, by))
        self._move(detail, DeliveryState.DONE)

    async def discard(self, delivery_id: str, *, reason: str, by: str) -> None:
        detail = await self.delivery(delivery_id)
        if not reason:
            raise ConfigurationError("A reason is needed.")
        self.acts.append(("discard", delivery_id, reason, by))
        self._move(detail, DeliveryState.DISCARDED)

    async def balance(self, *, since: datetime, until: datetime) -> Ledger:
        self.asked_periods.append((since, until))
        return Ledger(received=61, in_crm=38, waiting=2, dead=1, answered=12, ignored=8, erased=3)

    async def reconciliations(self, *, limit: int) -> Sequence[Reconciliation]:
        return [] if self.check is None else [self.check, reconciliation()]

    async def last_reconciliation(self) -> Reconciliation | None:
        return self.check

    async def accept_missing(self, lead_ids: Sequence[str], *, reason: str, by: str) -> None:
        if not reason.strip():
            raise ConfigurationError("A reason is needed.")
        if "lead_gone" not in lead_ids:
            raise ConflictError("Not missing.")
        self.acts.append(("accept", *lead_ids, reason, by))

    async def withdraw_acceptance(self, lead_id: str, *, by: str) -> None:
        if lead_id != "lead_9":
            raise ConflictError("Not accepted.")
        self.acts.append(("withdraw", lead_id, by))

    async def accepted_leads(self, *, limit: int) -> Sequence[AcceptedLead]:
        return [
            AcceptedLead(
                lead_id="lead_9",
                event_id="evt_9",
                crm_id="lead:48219",
                at=NOW,
                by="staff_owner",
                by_name=f"Ирина {HOSTILE}",
                reason=f"проба {HOSTILE}",
            )
        ]

    async def reconcile(self, *, since: datetime | None) -> Reconciliation:
        self.check = reconciliation()
        return self.check

    def _move(self, detail: DeliveryDetail, state: DeliveryState) -> None:
        self.details[self.details.index(detail)] = replace(detail, row=replace(detail.row, state=state))


def reconciliation(*differences: str) -> Reconciliation:
    """A result of comparing with the CRM, this night."""
    at = NOW.replace(hour=0, minute=0)
    return Reconciliation(
        started_at=at,
        finished_at=at,
        since=None,
        received=41,
        in_crm=38,
        waiting=2,
        answered=12,
        ignored=5,
        dead=1,
        leads_checked=38,
        differences=[
            Difference(
                code=code,
                event_id="evt_1",
                lead_id="lead_gone" if code == "missing_in_crm" else None,
                origin_id=None,
                crm_ids=("lead:48211",),
                explained=f"что делать {HOSTILE}",
            )
            for code in differences
        ],
    )


@dataclass(frozen=True)
class MadeConnection:
    connection_id: str
    webhook_path: str
    webhook_secret: Secret | None
    report: CheckReport | None


@dataclass
class MemoryConnections:
    desk: MemoryDesk
    refuse: Exception | None = None
    received: list[dict[str, object]] = field(default_factory=list)

    def kinds(self) -> Sequence[Manifest]:
        return MANIFESTS

    async def connect(
        self,
        kind: str,
        *,
        name: str,
        settings: Mapping[str, str],
        secrets: Mapping[str, Secret],
        check: bool,
        by: str,
        foreign_reason: str | None = None,
        host_country: str | None = None,
        own_network_reason: str | None = None,
    ) -> MadeConnection:
        self.received.append(
            {
                "kind": kind,
                "name": name,
                "settings": settings,
                "secrets": secrets,
                "check": check,
                "foreign_reason": foreign_reason,
                "host_country": host_country,
                "own_network_reason": own_network_reason,
            }
        )
        if self.refuse is not None:
            raise self.refuse
        secret = Secret(FRESH_SECRET) if kind == "bot" else None
        return MadeConnection("conn_3", f"/webhooks/{kind}/conn_3", secret, CheckReport(()) if check else None)

    async def check(self, connection_id: str) -> CheckReport:
        self.desk.acts.append(("check", connection_id))
        return CheckReport(())

    async def pause(self, connection_id: str, *, by: str) -> None:
        self.desk.acts.append(("pause", connection_id, by))

    async def resume(self, connection_id: str, *, by: str) -> None:
        self.desk.acts.append(("resume", connection_id, by))

    async def remove(self, connection_id: str, *, by: str) -> None:
        self.desk.acts.append(("remove", connection_id, by))
        self.desk.views = [view for view in self.desk.views if view.connection.connection_id != connection_id]


def sample_trouble() -> Trouble:
    """A channel with a hostile name is silent."""
    since = NOW - timedelta(hours=2)
    return Trouble(cause=Cause.SILENCE, subject="conn_1", who=HOSTILE, count=7, since=since, needs_person=True)


def alert_target(number: int, name: str, **more: object) -> AlertTarget:
    """Where alarms are sent."""
    base = AlertTarget(
        target_id=f"addr_{number}",
        name=name,
        service="Telegram",
        created_at=NOW,
        sealed_address=b"",
        last_sent_at=NOW - timedelta(hours=1),
    )
    return replace(base, **more)  # type: ignore[arg-type]  # the fields of the address, by name


@dataclass
class MemoryAlerts:
    """One alarm of a connection with a hostile name, one address that fails and one that does not; `deaf` take no trial."""

    troubles: list[Trouble] = field(default_factory=lambda: [sample_trouble()])
    targets: list[AlertTarget] = field(
        default_factory=lambda: [
            alert_target(1, HOSTILE, failures=2, last_error="alert.chat_unknown", failing_since=NOW),
            alert_target(2, "Ирина"),
        ]
    )
    deaf: set[str] = field(default_factory=set)
    refuse: Exception | None = None
    looked_at: datetime | None = NOW
    added: list[tuple[str, str | None, str]] = field(default_factory=list)
    removed: list[str] = field(default_factory=list)

    async def overview(self) -> AlertOverview:
        raised = review([], self.troubles, now=NOW, calm=timedelta())
        ended = review([], [replace(sample_trouble(), who="Авито")], now=NOW, calm=timedelta())
        ended = review(ended, [], now=NOW, calm=timedelta())
        return AlertOverview(alerts=raised, targets=self.targets, unsent=2, looked_at=self.looked_at, solved=ended)

    def explain(self, alert: Alert) -> Message:
        return Message(f"{alert.who}: ничего не приходит", "С 12:52. Обычно за это время приходит 7.")

    def tell(self, alert: Alert) -> AlertWords:
        voice = Voice(locale="ru", time_zone=ZoneInfo("Europe/Moscow"), workspace="Лимон", public_url=None)
        return tell(alert, voice, now=NOW)

    async def add(self, address: Secret, *, name: str | None, by: str) -> AlertTarget:
        if self.refuse is not None:
            raise self.refuse
        self.added.append((address.reveal(), name, by))
        self.targets.append(alert_target(9, name or "Telegram"))
        return self.targets[-1]

    async def remove(self, target_id: str, *, by: str) -> None:
        if target_id not in {target.target_id for target in self.targets}:
            raise NotFoundError("There is no such address.")
        self.targets = [target for target in self.targets if target.target_id != target_id]
        self.removed.append(target_id)

    async def test(self, target_id: str | None = None) -> Sequence[AddressTrial]:
        chosen = [target for target in self.targets if target_id in {None, target.target_id}]
        if not chosen:
            raise NotFoundError("There is no such address.")
        return [
            AddressTrial(one.target_id, one.name, "alert.refused" if one.target_id in self.deaf else None)
            for one in chosen
        ]


class MemoryReach:
    """Two channels: one that many would be lost without, one that nobody would."""

    async def report(self) -> ReachReport:
        return ReachReport(
            people=1840,
            reachable=902,
            several=21,
            channels=(
                ChannelReach(kind="telegram", reachable=881, only_there=860, only_there_with_phone=411),
                ChannelReach(kind="bot", reachable=42, only_there=0, only_there_with_phone=0),
            ),
        )

    async def lost_without(self, kind: str, *, limit: int, cursor: str | None = None) -> Page[LostPerson]:
        if cursor == "broken":
            raise ConfigurationError("This cursor is not one of ours.", code="page.cursor_wrong")
        if kind != "telegram":
            return Page([], None)
        first = LostPerson(subject_id="subj_1", crm_ref=LeadRef(CrmEntity.LEAD, 48211), has_phone=True)
        second = LostPerson(subject_id="subj_2", crm_ref=None, has_phone=False)
        return Page([second], None) if cursor else Page([first], "more")


class MemoryPolicies:
    """A salon that decided twice, and whose clients wrote of health and of a card."""

    def __init__(self) -> None:
        at = NOW - timedelta(days=2)
        self.acts: list[tuple[str, ...]] = []
        opened = Change(2, at, "staff_owner", f"Менеджеру так удобнее {HOSTILE}", ("lead.email",), ())
        closed = Change(1, at - timedelta(days=9), "command", "", (), ("crm_comment:BIRTHDATE", "deal.utm_term"))
        first = decide(PRODUCT_RULES, opened=(), closed=[read_place(word) for word in closed.closed], reason="")
        self.rules = replace(
            PRODUCT_RULES,
            wish=first.wish,
            policies=effective(first.wish, has_paper=False),
            fields=first.fields,
            policies_standing=Standing(version=2, changed_at=at, changed_by="staff_owner", changes=(closed, opened)),
        )

    async def now(self) -> PrivacyRules:
        return self.rules

    async def names(self) -> Mapping[str, str]:
        return {"staff_owner": f"Ирина {HOSTILE}"}

    async def held_back(self, *, since: datetime | None = None) -> Sequence[HeldBack]:
        hour = NOW.replace(minute=0)
        return [
            HeldBack(hour - timedelta(days=1), "crm", "CARD", 1),
            HeldBack(hour, "crm", "HEALTH", 3),
            HeldBack(hour, "messenger", "SERVICE", 12),
        ]

    async def set_policies(
        self, *, opened: Sequence[Place], closed: Sequence[Place], reason: str, by: str
    ) -> PrivacyRules:
        decision = decide(self.rules, opened=opened, closed=closed, reason=reason)
        self.acts.append(("policies", ",".join(decision.opened), ",".join(decision.closed), reason, by))
        return self.rules

    async def set_health(self, *, mode: HealthMode, document: str | None, reason: str, by: str) -> PrivacyRules:
        health = decide_health(self.rules.health, mode=mode, document=document, reason=reason)
        self.acts.append(("health", mode, document or "", reason, by))
        change = Change(1, NOW, by, reason, (mode.value, *(["document"] if document else [])), ())
        standing = Standing(version=1, changed_at=NOW, changed_by=by, changes=(change,))
        self.rules = replace(self.rules, health=health, health_standing=standing)
        return self.rules


def erasure(number: int, order: OrderState, *, answer: str | None = None, error_code: str | None = None) -> Erasure:
    """An erasure of the sample salon."""
    return Erasure(
        erasure_id=f"era_{number}",
        number=number,
        subject_ids=[f"subj_{number}", f"subj_{number}0"],
        reason=ErasureReason.REQUEST,
        by="staff_owner",
        at=NOW - timedelta(days=5 - number),
        keys=[DestroyedKey(scope=f"subject:subj_{number}", fingerprint="5f0a1b2c3d4e5f60")],
        rows={"profiles": 2, "messages": 14, "unread_events": 0, "consents_kept": 1},
        delivery_ids=[f"dlv_9{number}"],
        order=order,
        answer=answer,
        error_code=error_code,
    )


class MemoryErasing:
    """Three erasures, and one person who may be erased."""

    def __init__(self) -> None:
        self.acts: list[tuple[str, str, str]] = []
        self.is_busy = False
        self.rows = [
            erasure(3, OrderState.OPEN),
            erasure(2, OrderState.REFUSED, error_code="bitrix24.ACCESS_DENIED"),
            erasure(1, OrderState.DONE, answer="lead:101=blank contact:30001=kept"),
        ]

    async def preview(self, subject_id: str) -> tuple[Sequence[str], Mapping[str, int]]:
        if subject_id != "subj_7":
            raise NotFoundError(f"There is nobody with the id {subject_id}.")
        counts = {"messages": 14, "conversations": 2, "event_bodies": 9, "leads": 1, "waiting": 2}
        return ["subj_7", "subj_8"], counts

    async def erase(self, subject_id: str, *, reason: ErasureReason, by: str) -> Erasure:
        if self.is_busy:
            raise ConflictError("A message is on its way.", code="erasure.busy")
        self.acts.append((subject_id, reason.value, by))
        return self.rows[0]

    async def newest(self, *, limit: int, before: int | None = None) -> Sequence[Erasure]:
        return [one for one in self.rows if before is None or one.number < before][:limit]


class MemoryPapers:
    """Two papers that are none."""

    async def act(self, erasure_id: str) -> bytes:
        if erasure_id == "era_9":
            raise NotFoundError("There is no erasure era_9.")
        return b"%PDF-act"

    async def extract(self, erasure_id: str) -> bytes:
        return b"%PDF-extract of " + erasure_id.encode()


class MemoryRequests:
    """Four requests: one in good time, one late of nobody known, one extended, one closed; with hostile words and notes."""

    def __init__(self) -> None:
        self.acts: list[tuple[str, ...]] = []
        self.opened: list[NewRequest] = []
        self.refuse: Exception | None = None
        self.years = (
            CalendarYear(year=2026, decree_number="1466", decree_date=date(2025, 9, 24)),
            CalendarYear(year=2027, decree_number=None, decree_date=None),
        )
        base = RequestView(
            request_id="req_1",
            kind=RequestKind.ERASE,
            way=RequestWay.CHAT,
            state=RequestState.OPEN,
            subject_id="subj_1",
            event_id="evt_1",
            received_at=NOW - timedelta(days=1),
            due_on=date(2026, 12, 7),
            outcome=None,
            closed_at=None,
            days_left=9,
            is_late=False,
            is_estimate=False,
        )
        late = replace(
            base,
            request_id="req_2",
            kind=RequestKind.ACCESS,
            way=RequestWay.PAPER,
            subject_id=None,
            event_id=None,
            due_on=date(2026, 11, 20),
            days_left=-2,
            is_late=True,
        )
        extended = replace(
            base, request_id="req_3", kind=RequestKind.STOP, state=RequestState.EXTENDED, days_left=4, is_estimate=True
        )
        closed = replace(
            base,
            request_id="req_4",
            kind=RequestKind.CORRECT,
            state=RequestState.CLOSED,
            outcome=RequestOutcome.REFUSED,
            closed_at=NOW,
            days_left=0,
        )
        self.views = [late, extended, base, closed]

    async def page(self, *, is_open: bool | None = None, limit: int, cursor: str | None = None) -> Page[RequestView]:
        found = [view for view in self.views if is_open in (None, view.is_open)]
        return Page(found, None if cursor else "next")

    async def detail(self, request_id: str) -> RequestDetail:
        for view in self.views:
            if view.request_id == request_id:
                return self._detail(view)
        raise NotFoundError("There is no such request.")

    def _detail(self, view: RequestView) -> RequestDetail:
        steps = [
            StepView(number=1, step=RequestStep.OPENED, at=NOW, by="client:subj_1", by_name=None, has_note=False),
            StepView(number=2, step=RequestStep.REPEATED, at=NOW, by="client:subj_1", by_name=None, has_note=False),
            StepView(number=3, step=RequestStep.ASSIGNED, at=NOW, by="command", by_name=None, has_note=False),
            StepView(number=4, step=RequestStep.EXTENDED, at=NOW, by="staff_owner", by_name=HOSTILE, has_note=True),
        ]
        term = Term(days=10, extension=5, is_settled=view.kind is RequestKind.ACCESS)
        extended_on = date(2026, 12, 14) if view.state is RequestState.OPEN and not view.is_late else None
        return RequestDetail(view=view, steps=steps, has_words=True, term=term, extended_on=extended_on)

    async def open(self, new: NewRequest, *, by: str) -> str:
        if self.refuse is not None:
            raise self.refuse
        self.opened.append(new)
        return "req_1"

    async def assign(self, request_id: str, who: str, *, by: str) -> None:
        await self.detail(request_id)
        if who != PHONE:
            raise NotFoundError("Nobody is known by that.")
        self.acts.append(("assign", request_id, by))

    async def extend(self, request_id: str, *, reason: str, by: str) -> date:
        await self.detail(request_id)
        if not reason.strip():
            raise ConfigurationError("Say why.")
        if self.refuse is not None:
            raise self.refuse
        self.acts.append(("extend", request_id, reason, by))
        return date(2026, 12, 14)

    async def close(self, request_id: str, outcome: RequestOutcome, *, note: str = "", by: str) -> None:
        await self.detail(request_id)
        if outcome is RequestOutcome.REFUSED and not note:
            raise ConfigurationError("Say why.")
        self.acts.append(("close", request_id, outcome.value, note, by))

    async def read(self, request_id: str, *, by: str) -> RequestWords:
        await self.detail(request_id)
        self.acts.append(("read", request_id, by))
        return RequestWords(words=f"{WORDS} {PHONE}", notes=[(4, f"заметка {HOSTILE}")])

    async def answer(self, request_id: str, *, by: str) -> bytes:
        await self.detail(request_id)
        self.acts.append(("answer", request_id, by))
        return b"%PDF-1.7 invented"

    def calendar(self) -> Sequence[CalendarYear]:
        return self.years

    def today(self) -> date:
        return date(2026, 11, 24)


class MemorySubjects:
    """One person: `subj_1` is in use, `subj_2` blocked, `subj_3` erased; anything else is nobody.

    Attributes:
        acts: what was done to whom, by whom.
    """

    def __init__(self) -> None:
        self.acts: list[tuple[str, str, str]] = []

    async def find(self, identifier: str, *, by: str) -> str:
        self.acts.append(("find", identifier, by))
        if identifier == "двое":
            raise ConflictError("Several people are known by that.", code="subject.ambiguous")
        if identifier not in {PHONE, "Бот"}:
            raise NotFoundError("Nobody is known by that.", code="subject.unknown")
        return "subj_1"

    async def card(self, subject_id: str, *, by: str, is_open: bool = False) -> SubjectCard:
        if subject_id not in {"subj_1", "subj_2", "subj_3"}:
            raise NotFoundError("There is no such person.", code="subject.unknown")
        self.acts.append(("reveal" if is_open else "look", subject_id, by))
        return sample_card(subject_id, is_open=is_open)

    async def export(self, subject_id: str, *, by: str) -> PersonFile:
        self.acts.append(("export", subject_id, by))
        return sample_file(subject_id)

    async def correct(self, subject_id: str, values: NewValues, *, by: str) -> Corrected:
        self.acts.append(("correct", subject_id, by))
        if values.phone == PHONE:
            raise ConfigurationError("Nothing would change.", code="subject.nothing_to_correct")
        return Corrected(subject_id=subject_id, fields=["name"], orders=["dlv_1"])

    async def block(self, subject_id: str, reason: BlockReason, *, by: str) -> Blocked:
        self.acts.append((f"block {reason.value}", subject_id, by))
        return Blocked(subject_id=subject_id, since=NOW, waiting=2, in_hand=0)

    async def unblock(self, subject_id: str, *, by: str) -> Unblocked:
        self.acts.append(("unblock", subject_id, by))
        if subject_id != "subj_2":
            raise ConflictError("This person is not blocked.", code="subject.not_blocked")
        return Unblocked(subject_id=subject_id, resumed=2, too_late=0, reopened=1)


def sample_card(subject_id: str, *, is_open: bool) -> SubjectCard:
    """A person with two channels, a hostile name of a channel and corrections in every state."""
    is_erased = subject_id == "subj_3"
    return SubjectCard(
        subject_id=subject_id,
        subject_ids=[subject_id, "subj_9"],
        name=None if is_erased else HOSTILE if is_open else "С•••",
        phone=None if is_erased else PHONE if is_open else "+7 ••• •••-••-12",
        email=None,
        username=None,
        channel_user_id=None,
        identifiers=["phone", "sender:telegram"],
        channels=[
            ChannelOfPerson(kind="telegram", connection_id="conn_1", name=HOSTILE, heard_at=NOW, is_reachable=True),
            ChannelOfPerson(kind="site", connection_id="conn_2", name="Сайт", heard_at=None, is_reachable=False),
        ],
        counts={
            name: number
            for number, name in enumerate(
                ("waiting", "messages", "events", "leads", "deliveries", "consents", "invitations"), start=1
            )
        },
        since=NOW - timedelta(days=30),
        last_heard_at=NOW,
        blocked_at=NOW if subject_id == "subj_2" else None,
        block_reason=BlockReason.REQUEST if subject_id == "subj_2" else None,
        erased_at=NOW if is_erased else None,
        corrections=[
            Correction(
                delivery_id=f"dlv_{number}",
                crm_ref=None if state is CorrectionState.WAITING else f"lead:{number}",
                state=state,
                created_at=NOW,
                done_at=None,
                error_code=None,
            )
            for number, state in enumerate(CorrectionState, start=1)
        ],
    )


def sample_file(subject_id: str) -> PersonFile:
    """A file with a hostile name and nothing else."""
    profile = FiledProfile(
        subject=subject_id,
        since=NOW,
        opened=True,
        name=HOSTILE,
        phone=PHONE,
        email=None,
        username=None,
        channel_user_id=None,
        blocked_at=None,
        block_reason=None,
        erased_at=None,
    )
    parts = ("profiles", "identifiers", "joins", "consents", "invitations", "conversations", "events")
    return PersonFile(
        format=FORMAT,
        made_at=NOW,
        salon="Лимон",
        subject=subject_id,
        subjects=[subject_id],
        explained=dict.fromkeys((*parts, "leads", "deliveries", "crm", "retention", "more"), "Зачем"),
        profiles=[profile],
        identifiers=[],
        joins=[],
        consents=[],
        invitations=[],
        conversations=[],
        events=[],
        leads=[],
        deliveries=[],
        crm=FiledCrm(state="not_connected", asked_at=None, records=[], withheld=0),
        retention={"bodies": 14},
        more=[],
    )


class MemoryJournal:
    """The journal: every tag there is, each kind of result, and a name that is hostile."""

    def __init__(self) -> None:
        self.is_changed = False
        self.is_unreadable = False
        self.is_new = False

    async def page(
        self, *, limit: int, cursor: str | None = None, area: str | None = None, on: str | None = None
    ) -> Page[JournalView]:
        if self.is_unreadable:
            raise JournalUnavailableError("The audit journal was changed from outside.")
        before = int(cursor) if cursor else len(Tag) + 1
        shown = [] if self.is_new else [self._view(number, tag) for number, tag in enumerate(Tag, 1)]
        found = [one for one in shown[::-1] if one.row.number < before]
        found = [one for one in found if area is None or one.row.entry.tag.startswith(f"{area}.")]
        return Page(found[:limit], str(found[limit - 1].row.number) if len(found) > limit else None)

    async def state(self) -> JournalState:
        if self.is_new:
            return JournalState(verdict=None, verified_at=None, checkpoint_at=None)
        fault = JournalFault(7, JournalFaultKind.CHANGED) if self.is_changed else None
        verdict = JournalVerdict(entries=6 if fault else 1284, fault=fault)
        at = NOW - timedelta(hours=2)
        return JournalState(verdict=verdict, verified_at=at, checkpoint_at=NOW - timedelta(minutes=9))

    async def head(self) -> str:
        return "leadgate-journal/x\n1284\n…"

    def _view(self, number: int, tag: Tag) -> JournalView:
        by = ("staff_owner", "command", "system", "tok_01JD", "client:subj_1")[number % 5]
        entry = JournalEntry(
            tag=tag,
            by=by,
            on=f"subj_01JD8Q4Z6Y0V7N3K5M2R9T{number:04}" if number % 3 else None,
            result=list(Result)[number % 3],
            details={"conversations": number, "version": "v2"} if number % 2 else {},
        )
        row = JournalRow(number=number, at=NOW - timedelta(hours=30 - number), entry=entry)
        return JournalView(row=row, by_name=f"Ирина {HOSTILE}" if by == "staff_owner" else None)


def consent_record(number: int, purpose: ConsentPurpose, decision: Decision) -> ConsentRecord:
    """A line of the register."""
    is_told = decision is Decision.TOLD
    return ConsentRecord(
        number=number,
        subject_id="subj_1",
        purpose=purpose,
        decision=decision,
        decided_at=NOW - timedelta(hours=9 - number),
        recorded_at=NOW - timedelta(hours=9 - number),
        text_id=None if is_told else "ctext_1",
        text_hash=None if is_told else "ab" * 32,
        message_id=None if is_told else "evt_1-2",
        event_id="evt_1",
        channel="telegram",
        how=How.ELSEWHERE if is_told else How.BUTTON,
        words=WORDS,
        told_version=NAME if is_told else None,
        record_hash="cd" * 32,
    )


class MemoryConsents:
    """A register with a line of each kind, and texts of which one is the salon's own."""

    def __init__(self) -> None:
        self.acts: list[tuple[str, ...]] = []
        self.rule = ConsentRule(advertises=True, passes_on_to=f"Сеть {HOSTILE}")
        self.proof = Proof(
            records=4,
            matched=2,
            gone=1,
            told=1,
            wordless=0,
            journaled=4,
            bad_number=None,
            fault=None,
            head="ef" * 32,
        )
        self.lines = [
            consent_record(4, ConsentPurpose.PROCESSING, Decision.WITHDRAWN),
            consent_record(3, ConsentPurpose.ADVERTISING, Decision.REFUSED),
            consent_record(2, ConsentPurpose.PROCESSING, Decision.TOLD),
            consent_record(1, ConsentPurpose.PROCESSING, Decision.GIVEN),
        ]

    def text(self, purpose: ConsentPurpose, locale: str, version: int = 1, *, made_by: str = "product") -> ConsentText:
        """A version."""
        return ConsentText(
            text_id="" if made_by == "product" else f"ctext_{version}",
            purpose=purpose,
            locale=locale,
            version=version,
            text=f"Соглашаюсь {HOSTILE}, отозвать: «отзываю согласие».",
            text_hash="ab" * 32,
            since=None if made_by == "product" else NOW,
            made_by=made_by,
        )

    async def overview(self) -> ConsentOverview:
        own = self.text(ConsentPurpose.PROCESSING, "ru", 2, made_by="staff_owner")
        others = [self.text(purpose, locale) for purpose in ConsentPurpose for locale in ("ru", "en")]
        return ConsentOverview(
            rule=self.rule,
            counts=[ConsentCount(purpose=ConsentPurpose.PROCESSING, decision=Decision.GIVEN, people=41)],
            texts=[own, *others[1:]],
            versions=[own, replace(self.text(ConsentPurpose.PROCESSING, "ru"), text_id="ctext_1", since=NOW)],
            records=4,
            waiting=2,
        )

    async def records(
        self, *, limit: int, cursor: str | None = None, subject_id: str | None = None
    ) -> Page[ConsentRecord]:
        return Page(self.lines, "1" if cursor is None else None)

    async def record(self, number: int) -> tuple[ConsentRecord, ConsentText | None]:
        found = next((line for line in self.lines if line.number == number), None)
        if found is None:
            raise NotFoundError("no such record")
        return found, None if found.text_id is None else self.text(found.purpose, "ru", made_by="staff_owner")

    async def write_text(self, purpose: ConsentPurpose, locale: str, text: str, *, by: str) -> ConsentText:
        if "стоп" not in text:
            raise ConfigurationError("no way out", code="consent.text_without_way_out")
        self.acts.append(("text", purpose.value, locale, by))
        return self.text(purpose, locale, 3, made_by=by)

    async def change_rule(
        self, *, asks_processing: bool | None, advertises: bool | None, passes_on_to: str | None, by: str
    ) -> ConsentRule:
        self.acts.append(("rule", str(asks_processing), str(advertises), passes_on_to or "", by))
        return self.rule

    async def verify(self) -> Proof:
        return self.proof


class MemoryHouse:
    """The house of salon «Лимон»."""

    def __init__(self) -> None:
        self.clock = FrozenClock()
        self.people = MemoryPeople(self.clock)
        self.own_access = MemoryOwnAccess(self.people)
        self.roster = MemoryRoster(self.people)
        self.tokens = MemoryTokens()
        self.reveals = MemoryReveals()
        self.trusted_proxies: tuple[Network, ...] | None = None
        self.desk = MemoryDesk()
        self.connections = MemoryConnections(self.desk)
        self.alerts = MemoryAlerts()
        self.journal_desk = MemoryJournal()
        self.reachability = MemoryReach()
        self.policies = MemoryPolicies()
        self.erasing = MemoryErasing()
        self.erasure_papers = MemoryPapers()
        self.requests = MemoryRequests()
        self.subjects = MemorySubjects()
        self.retention = MemoryRetention(NOW)
        self.keys = MemoryKeys(NOW)
        self.data_map = MemoryMaps()
        self.secrets = MemorySecrets()
        self.incidents = MemoryIncidents()
        self.consents = MemoryConsents()
        self.workspace_name = "Салон «Лимон»"
        self.locale = "ru"
        self.time_zone: tzinfo = ZoneInfo("Europe/Moscow")
        self.public_url: str | None = None


def refused_at_the_door() -> list[RefusalRow]:
    """Two kinds of refusals, one without a connection."""
    at = NOW - timedelta(minutes=30)
    return [
        RefusalRow(
            connection_id="conn_3",
            connection_name="Конструктор ботов",
            code="webhook.signature_mismatch",
            count=12,
            last_at=at,
        ),
        RefusalRow(connection_id=None, connection_name=None, code="webhook.never_heard_of", count=1, last_at=at),
    ]


@asynccontextmanager
async def served(app: Litestar) -> AsyncIterator[str]:
    """The application on a real server, port 0; gives its address."""
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    listener.listen(64)
    config = uvicorn.Config(app, log_level="warning", lifespan="off", timeout_graceful_shutdown=1)
    server = uvicorn.Server(config)
    task = asyncio.create_task(server.serve(sockets=[listener]))
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        server.should_exit = True
        await task


@asynccontextmanager
async def opened(house: MemoryHouse) -> AsyncIterator[str]:
    """The pages of a house on a real server."""
    house.desk.turned_away = house.desk.turned_away or refused_at_the_door()
    async with served(build_pages(house)) as origin:
        yield origin
