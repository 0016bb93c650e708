"""A house for the tests of the pages: frozen sample data in memory, hostile names among it, behind a real server.

Four people sign in, one per role, all with `PASSWORD`. What the pages ask the house to do is kept in `acts`.
"""

import asyncio
import socket
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta, tzinfo
from zoneinfo import ZoneInfo

import uvicorn
from litestar import Litestar

from leadgate.alerts.raising import review
from leadgate.alerts.wording import Voice, tell
from leadgate.errors import AccessDeniedError, ConfigurationError, ConflictError, NotFoundError
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
from leadgate.model.events import EventKind, EventState, NormalisedEvent
from leadgate.model.leads import CrmEntity, LeadRef, LeadRequest, Person
from leadgate.model.reach import ChannelReach, LostPerson, ReachReport
from leadgate.model.secret import Secret
from leadgate.model.staff import Role, Session, Staff
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
from leadgate.web.base import build_pages

NOW = datetime(2026, 11, 24, 11, 52, tzinfo=UTC)  # Tuesday, 14:52 in Moscow
PASSWORD = "четыре слова и лимон"
SETUP_TOKEN = "setup-token-invented"
HOSTILE = '<script>alert("x")</script><img src=x onerror=alert(1)>'
PHONE, NAME, WORDS = "+79000000412", f"Светлана {HOSTILE}", f"Запишите на маникюр {HOSTILE}"
FRESH_SECRET = "whsec_invented-shown-once"

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


class FrozenClock:
    def __init__(self) -> None:
        self.at = NOW

    def now(self) -> datetime:
        return self.at

    def monotonic_s(self) -> float:
        return 0.0


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
class MemoryPeople:
    clock: FrozenClock
    staff: dict[str, Staff] = field(default_factory=dict)
    sessions: dict[str, Session] = field(default_factory=dict)
    setup_open: bool = True
    slow_down: bool = False

    def __post_init__(self) -> None:
        for name, role in (
            ("Ирина", Role.OWNER),
            ("Игорь", Role.INTEGRATOR),
            ("Лейла", Role.MANAGER),
            ("Аудитор", Role.AUDITOR),
        ):
            self.staff[name] = Staff(
                workspace_id="ws_1", staff_id=f"staff_{role}", name=name, role=role, created_at=NOW
            )

    async def find_setup(self, token: str) -> Staff | None:
        return self.staff["Ирина"] if token == SETUP_TOKEN and self.setup_open else None

    async def set_up(self, token: str, *, name: str, password: Secret) -> Staff:
        staff = await self.find_setup(token)
        if staff is None:
            raise NotFoundError("Over.", code="staff.setup_over")
        if not name:
            raise ConfigurationError("No name.", code="staff.name_empty")
        if len(password.reveal()) < 10:
            raise ConfigurationError("Short.", code="staff.password_short")
        self.setup_open = False
        self.staff[name] = replace(staff, name=name)
        return self.staff[name]

    async def sign_in(self, *, name: str, password: Secret) -> str:
        if self.slow_down:
            raise AccessDeniedError("Too many.", code="access.slow_down", hint="Later.", retry_after_s=70)
        if name not in self.staff or password.reveal() != PASSWORD:
            raise AccessDeniedError("No.")
        return await self.open_session(self.staff[name])

    async def open_session(self, staff: Staff) -> str:
        token = f"session-{len(self.sessions) + 1}"
        self.sessions[token] = Session(staff=staff, csrf_token=f"csrf-of-{token}", expires_at=NOW + timedelta(days=1))
        return token

    async def find_session(self, token: str) -> Session | None:
        return self.sessions.get(token)

    async def sign_out(self, token: str) -> None:
        self.sessions.pop(token, None)


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

    async def lead_data(self, delivery_id: str, *, by: str) -> LeadData:
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
        self, kind: str, *, name: str, settings: Mapping[str, str], secrets: Mapping[str, Secret], check: bool, by: str
    ) -> MadeConnection:
        self.received.append({"kind": kind, "name": name, "settings": settings, "secrets": secrets, "check": check})
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
        self.desk = MemoryDesk()
        self.connections = MemoryConnections(self.desk)
        self.alerts = MemoryAlerts()
        self.reachability = MemoryReach()
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
