"""What the pages and the API need of the house behind them; `leadgate.app.App` offers it.

Everything here is about one workspace: the one the signed-in person (or the address) belongs to.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta, tzinfo
from typing import Protocol

from leadgate.app.data_map_words import ToldRecipient
from leadgate.model.alerts import AddressTrial, Alert, AlertOverview, AlertTarget, AlertWords
from leadgate.model.connections import CheckReport
from leadgate.model.consents import ConsentOverview, ConsentPurpose, ConsentRecord, ConsentRule, ConsentText, Proof
from leadgate.model.deliveries import DeliveryState
from leadgate.model.erasures import Erasure, ErasureReason
from leadgate.model.events import EventState
from leadgate.model.incidents import Incident, IncidentView, Notice
from leadgate.model.journal import JournalState, JournalView
from leadgate.model.person_file import PersonFile
from leadgate.model.reach import LostPerson, ReachReport
from leadgate.model.recipients import DataMap, Recipient
from leadgate.model.renewals import USUAL_OVERLAP, DueRule, Renewed, SecretView
from leadgate.model.requests import (
    CalendarYear,
    NewRequest,
    RequestDetail,
    RequestOutcome,
    RequestView,
    RequestWords,
)
from leadgate.model.retention import DataKind, RetentionLine
from leadgate.model.reveals import Reveal, RevealReason
from leadgate.model.secret import Secret
from leadgate.model.subjects import Blocked, BlockReason, Corrected, NewValues, SubjectCard, Unblocked
from leadgate.model.views import (
    AcceptedLead,
    ConnectionView,
    DeadCause,
    DeliveryCounts,
    DeliveryDetail,
    DeliveryRow,
    EventDetail,
    EventRow,
    Figures,
    HeldBack,
    LeadData,
    LeadRow,
    Ledger,
    Page,
    Reconciliation,
    RefusalRow,
)
from leadgate.ports.clock import Clock
from leadgate.ports.integration import Manifest
from leadgate.ports.notifier import Message
from leadgate.privacy.decisions import Place
from leadgate.privacy.rules import HealthMode, PrivacyRules
from leadgate.settings import Network
from leadgate.web.house_staff import OwnAccess, People, Roster, Tokens
from leadgate.web.keys_house import Keys


class Desk(Protocol):
    """What happened and what to do about it."""

    async def figures(self, *, since: datetime, until: datetime) -> Figures:
        """The three numbers that add up, for events received in [since, until)."""
        ...

    async def balance(self, *, since: datetime, until: datetime) -> Ledger:
        """Every event received in [since, until) in exactly one named state."""
        ...

    async def connections(self) -> Sequence[ConnectionView]:
        """Every connection that is not removed, CRM first, with its light."""
        ...

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
        """Events received in [since, until), newest first. `query` is an event or lead id (or its beginning)."""
        ...

    async def event(self, event_id: str) -> EventDetail:
        """One event with what it said. Raises NotFoundError."""
        ...

    async def reveal_event(self, event_id: str, *, by: str, reason: RevealReason, words: str = "") -> EventDetail:
        """The event for somebody who looks at what it said, which is journaled before.

        Raises:
            NotFoundError: no such event. ConfigurationError: the words are too long (`privacy.words_long`).
            JournalUnavailableError: nothing may be shown.
        """
        ...

    async def refusals(self, *, since: datetime) -> Sequence[RefusalRow]:
        """Requests refused at the door, most first."""
        ...

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
        """Deliveries decided on in [since, until), newest first; no states means all."""
        ...

    async def delivery_counts(
        self, *, since: datetime | None = None, until: datetime | None = None, connection_id: str | None = None
    ) -> DeliveryCounts:
        """Counts for the filter tabs; what is over is counted for a whole period alone (see `DeliveryCounts`)."""
        ...

    async def delivery(self, delivery_id: str) -> DeliveryDetail:
        """One delivery with every attempt. Raises NotFoundError."""
        ...

    async def leads(self, *, limit: int, cursor: str | None = None) -> Page[LeadRow]:
        """Leads, newest first."""
        ...

    async def retry(self, delivery_id: str, *, by: str) -> None:
        """Send a dead (or uncertain) delivery again. Raises NotFoundError, ConflictError."""
        ...

    async def retry_all_dead(self, *, by: str, cause: str | None = None) -> int:
        """Send every dead delivery again, or those of this error code ("" for none); returns how many."""
        ...

    async def dead_causes(self) -> Sequence[DeadCause]:
        """Dead letters by cause, most first."""
        ...

    async def lead_data(
        self, delivery_id: str, *, by: str, reason: RevealReason = RevealReason.PROGRAM, words: str = ""
    ) -> LeadData:
        """What a dead command says of a lead (personal data); who looks and why is journaled before.

        Raises:
            NotFoundError: no such delivery. ConflictError: it is not dead. UnknownKeyError: the person was erased.
            ConfigurationError: the words are too long (`privacy.words_long`).
        """
        ...

    async def fix(self, delivery_id: str, data: LeadData, *, by: str) -> None:
        """Correct a dead command and send it again. Raises NotFoundError, ConflictError, UnknownKeyError."""
        ...

    async def confirm(self, delivery_id: str, *, by: str) -> None:
        """An uncertain message did arrive: done. Raises NotFoundError, ConflictError."""
        ...

    async def discard(self, delivery_id: str, *, reason: str, by: str) -> None:
        """Give a dead or waiting delivery up. Raises NotFoundError, ConflictError, ConfigurationError (no reason)."""
        ...

    async def accept_missing(self, lead_ids: Sequence[str], *, reason: str, by: str) -> None:
        """Leads that the newest reconciliation finds missing were deleted on purpose.

        Raises:
            ConfigurationError: no reason. NotFoundError: no such lead. ConflictError: one is not missing, or accepted already.
        """
        ...

    async def withdraw_acceptance(self, lead_id: str, *, by: str) -> None:
        """It was not meant. Raises ConflictError (it is not accepted)."""
        ...

    async def accepted_leads(self, *, limit: int) -> Sequence[AcceptedLead]:
        """Leads whose deletion in the CRM was accepted, newest first."""
        ...

    async def last_reconciliation(self) -> Reconciliation | None:
        """The newest result of comparing with the CRM."""
        ...

    async def reconciliations(self, *, limit: int) -> Sequence[Reconciliation]:
        """Kept results, newest first."""
        ...

    async def reconcile(self, *, since: datetime | None) -> Reconciliation:
        """Compare our ledger with the CRM now and keep the result. Raises ServiceUnavailableError."""
        ...


class JournalDesk(Protocol):
    """The audit journal."""

    async def page(
        self, *, limit: int, cursor: str | None = None, area: str | None = None, on: str | None = None
    ) -> Page[JournalView]:
        """Entries newest first, of one area of tags and about one thing when they are given.

        Raises:
            ConfigurationError: the cursor is not one of ours.
            JournalUnavailableError: the journal cannot be read, or was changed.
        """
        ...

    async def state(self) -> JournalState:
        """Whether it was verified, and when the last checkpoint was made."""
        ...

    async def head(self) -> str:
        """The newest signed checkpoint. Raises NotFoundError (no entry yet), JournalUnavailableError."""
        ...


class Reachability(Protocol):
    """Who can be written to."""

    async def report(self) -> ReachReport:
        """The numbers, as of now."""
        ...

    async def lost_without(self, kind: str, *, limit: int, cursor: str | None = None) -> Page[LostPerson]:
        """Who could not be written to any more if this kind of channel closed. Raises ConfigurationError."""
        ...


class Subjects(Protocol):
    """People and their rights; every look and act is in the journal."""

    async def find(self, identifier: str, *, by: str) -> str:
        """The id that stands for the person. Raises NotFoundError, ConflictError (several people)."""
        ...

    async def card(self, subject_id: str, *, by: str, is_open: bool = False) -> SubjectCard:
        """The person, masked unless `is_open`. Raises NotFoundError."""
        ...

    async def export(self, subject_id: str, *, by: str) -> PersonFile:
        """Everything that is held of them. Raises NotFoundError."""
        ...

    async def correct(self, subject_id: str, values: NewValues, *, by: str) -> Corrected:
        """Put right what is wrong, here and in the CRM.

        Raises:
            NotFoundError: there is no such person. ConflictError: they were erased. ConfigurationError: nothing would change.
        """
        ...

    async def block(self, subject_id: str, reason: BlockReason, *, by: str) -> Blocked:
        """Nothing about them goes out from now on. Raises NotFoundError, ConflictError (erased)."""
        ...

    async def unblock(self, subject_id: str, *, by: str) -> Unblocked:
        """What waited goes on. Raises NotFoundError, ConflictError (not blocked)."""
        ...


class Connections(Protocol):
    """Connecting vendors."""

    def kinds(self) -> Sequence[Manifest]:
        """Every kind that can be connected."""
        ...

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
    ) -> Connected:
        """Add a connection; with `check` ask the vendor and register the webhook first.

        Args:
            foreign_reason: the owner's words why clients' data may go to a host abroad or of unknown country; journaled.
            host_country: ISO 3166 code of a host that we do not know.
            own_network_reason: the owner's words why a host of the own network may be called; journaled.

        Raises:
            ConfigurationError: a key is missing, unknown or wrong; the message names it. Or the host is foreign and nobody
                gave a reason (`recipient.undecided`), or the owner refused it (`recipient.refused`).
            ServiceUnavailableError: the vendor cannot be reached.
            ConflictError: the name is taken, or the vendor refuses the key (`connection.refused`).
        """
        ...

    async def check(self, connection_id: str) -> CheckReport:
        """Ask the vendor now and keep the result. Raises NotFoundError, ServiceUnavailableError."""
        ...

    async def pause(self, connection_id: str, *, by: str) -> None:
        """Keep all that arrives, work on nothing. Raises NotFoundError."""
        ...

    async def resume(self, connection_id: str, *, by: str) -> None:
        """Go on at once. Raises NotFoundError."""
        ...

    async def remove(self, connection_id: str, *, by: str) -> None:
        """Take the connection away; its history stays. Raises NotFoundError."""
        ...


class Connected(Protocol):
    """A fresh connection: its path, and the generated secret, shown this once."""

    @property
    def connection_id(self) -> str:
        """`conn_…`."""
        ...

    @property
    def webhook_path(self) -> str:
        """Begins with `/webhooks/`."""
        ...

    @property
    def webhook_secret(self) -> Secret | None:
        """The generated secret, or None when none was made."""
        ...

    @property
    def report(self) -> CheckReport | None:
        """What the live check found, or None when there was none."""
        ...


class Alerts(Protocol):
    """What is wrong now, and who is told."""

    async def overview(self) -> AlertOverview:
        """What is raised now and where it is sent."""
        ...

    def explain(self, alert: Alert) -> Message:
        """Headline and text of an alarm in the salon's language, as it was sent."""
        ...

    def tell(self, alert: Alert) -> AlertWords:
        """The same in parts, for a page; of a solved one from when to when it lasted."""
        ...

    async def add(self, address: Secret, *, name: str | None, by: str) -> AlertTarget:
        """Tell one more address of alarms; without a name it gets that of its service.

        Raises:
            ConfigurationError: no service has such an address (`alert.address_wrong`, `alert.chat_missing`), or the name is
                wrong (`alert.name_wrong`); the address is never repeated.
            ConflictError: the name is taken (`alert.name_taken`).
        """
        ...

    async def remove(self, target_id: str, *, by: str) -> None:
        """Tell an address no more. Raises NotFoundError."""
        ...

    async def test(self, target_id: str | None = None) -> Sequence[AddressTrial]:
        """Send a trial message to one address or to every one, and remember how it ended. Raises NotFoundError."""
        ...


class Policies(Protocol):
    """What goes to whom."""

    async def now(self) -> PrivacyRules:
        """What holds now."""
        ...

    async def names(self) -> Mapping[str, str]:
        """Names of those who decide, by staff id."""
        ...

    async def held_back(self, *, since: datetime | None = None) -> Sequence[HeldBack]:
        """What was masked on its way out, by hour, oldest first; of the last thirty days unless it is said."""
        ...

    async def set_policies(
        self, *, opened: Sequence[Place], closed: Sequence[Place], reason: str, by: str
    ) -> PrivacyRules:
        """Open and close places.

        Raises:
            ConfigurationError: see `privacy.decisions.decide`.
            ConflictError: somebody else decided meanwhile (`policy.changed_meanwhile`).
            JournalUnavailableError: the journal could not be written; nothing was changed.
        """
        ...

    async def set_health(self, *, mode: HealthMode, document: str | None, reason: str, by: str) -> PrivacyRules:
        """Treat health another way. Raises as `set_policies`; see `privacy.decisions.decide_health`."""
        ...


class Retention(Protocol):
    """How long what is kept."""

    async def lines(self) -> Sequence[RetentionLine]:
        """Every kind with its term, what goes next and what went."""
        ...

    async def choose(self, kind: DataKind, days: int | None, *, by: str) -> None:
        """Keep this kind so long; None: the default. Raises ConfigurationError, JournalUnavailableError."""
        ...


class Erasing(Protocol):
    """Erasing people."""

    async def preview(self, subject_id: str) -> tuple[Sequence[str], Mapping[str, int]]:
        """Who would be erased, and how many rows of what. Raises NotFoundError."""
        ...

    async def erase(self, subject_id: str, *, reason: ErasureReason, by: str) -> Erasure:
        """Erase the whole person. Raises NotFoundError, ConflictError (a message to them is on its way)."""
        ...

    async def newest(self, *, limit: int, before: int | None = None) -> Sequence[Erasure]:
        """Newest first, with a number less than `before`."""
        ...


class ErasurePapers(Protocol):
    """The papers of an erasure."""

    async def act(self, erasure_id: str) -> bytes:
        """The act as PDF. Raises NotFoundError."""
        ...

    async def extract(self, erasure_id: str) -> bytes:
        """What the journal says of it, as PDF. Raises NotFoundError."""
        ...


class Requests(Protocol):
    """What people ask about their own data."""

    async def page(self, *, is_open: bool | None = None, limit: int, cursor: str | None = None) -> Page[RequestView]:
        """Open ones by urgency, then closed ones, the last first; `is_open` asks for one half alone."""
        ...

    async def detail(self, request_id: str) -> RequestDetail:
        """One request with its history. Raises NotFoundError."""
        ...

    async def open(self, new: NewRequest, *, by: str) -> str:
        """Write a request down by hand; its id.

        Raises:
            ConfigurationError: the day it came lies ahead (`request.day_wrong`). NotFoundError: nobody is known by `who`.
        """
        ...

    async def assign(self, request_id: str, who: str, *, by: str) -> None:
        """Say whose it is. Raises NotFoundError, ConflictError, ConfigurationError."""
        ...

    async def extend(self, request_id: str, *, reason: str, by: str) -> date:
        """Move its last day on, once, with a reason; the new day. Raises NotFoundError, ConflictError, ConfigurationError."""
        ...

    async def close(self, request_id: str, outcome: RequestOutcome, *, note: str = "", by: str) -> None:
        """End it; a refusal has a reason. Raises NotFoundError, ConflictError, ConfigurationError."""
        ...

    async def read(self, request_id: str, *, by: str) -> RequestWords:
        """What is written in it (personal data); who looked is journaled. Raises NotFoundError."""
        ...

    async def answer(self, request_id: str, *, by: str) -> bytes:
        """The letter to the person as PDF; who printed it is journaled. Raises NotFoundError."""
        ...

    def calendar(self) -> Sequence[CalendarYear]:
        """What the terms are counted by: this year and the next one."""
        ...

    def today(self) -> date:
        """The salon's day."""
        ...


class DataMaps(Protocol):
    """Who receives personal data."""

    async def draw(self) -> DataMap:
        """Every recipient as the configuration stands now."""
        ...

    def tell(self, drawn: DataMap, *, locale: str) -> Sequence[ToldRecipient]:
        """Its rows in words, in the same order."""
        ...

    async def decide(
        self, host: str, *, is_allowed: bool, country: str, reason: str, rkn_notice: str, by: str
    ) -> Sequence[Recipient]:
        """Allow or refuse a host; its rows afterwards. Raises NotFoundError, ConfigurationError."""
        ...

    async def paper(self) -> bytes:
        """The map as PDF."""
        ...


class Secrets(Protocol):
    """Tokens and webhook secrets; see `leadgate.app.secret_desk.SecretDesk` for what each raises."""

    async def all(self) -> Sequence[SecretView]:
        """Every secret without its value, what is due first at the top."""
        ...

    async def due_rule(self) -> DueRule:
        """After how many days secrets are due."""
        ...

    async def rotate(self, name: str, *, overlap: timedelta = USUAL_OVERLAP, by: str) -> Renewed:
        """Put a new value that we make in the place of the old one."""
        ...

    async def set(
        self, name: str, values: Mapping[str, Secret], *, overlap: timedelta = USUAL_OVERLAP, by: str
    ) -> Sequence[Renewed]:
        """Put values that a person brought in the place of the old ones, once the vendor has taken them."""
        ...

    async def undo(self, name: str, *, overlap: timedelta = USUAL_OVERLAP, by: str) -> Sequence[Renewed]:
        """Put the version before back, as long as it is kept."""
        ...

    async def confirm(self, name: str, *, by: str) -> int:
        """Destroy the version before; how many there were."""
        ...

    async def set_due(self, days: int, *, name: str | None = None, by: str) -> DueRule:
        """Decide after how many days secrets are due."""
        ...


class Incidents(Protocol):
    """Incident mode; see `leadgate.app.incidents.IncidentDesk` for what each raises."""

    async def show(self, incident_id: str | None = None) -> IncidentView:
        """One incident; the open one when none is named. Raises NotFoundError."""
        ...

    async def all(self, *, limit: int) -> Sequence[Incident]:
        """Newest first."""
        ...

    async def open(
        self,
        *,
        found_at: datetime | None,
        what: str,
        is_drill: bool,
        freeze: bool,
        connection_id: str | None,
        by: str,
    ) -> IncidentView:
        """Open an incident and stop what goes out. Raises ConflictError, ConfigurationError, NotFoundError."""
        ...

    async def freeze(self, *, connection_id: str | None = None, by: str) -> IncidentView:
        """Stop what goes out. Raises NotFoundError."""
        ...

    async def unfreeze(self, *, connection_id: str | None = None, by: str) -> IncidentView:
        """Send again. Raises NotFoundError, ConflictError."""
        ...

    async def note(self, words: Mapping[str, str], *, found_at: datetime | None = None, by: str) -> IncidentView:
        """Keep what is known. Raises NotFoundError, ConfigurationError."""
        ...

    async def count(
        self, *, since: datetime | None, until: datetime | None, connection_id: str | None, by: str
    ) -> IncidentView:
        """Count who may be affected. Raises NotFoundError."""
        ...

    async def mark_sent(self, notice: Notice, *, number: str, sent_at: datetime | None, by: str) -> IncidentView:
        """A notice was sent. Raises NotFoundError, ConfigurationError."""
        ...

    async def close(self, *, reason: str, by: str) -> IncidentView:
        """It is over. Raises NotFoundError, ConflictError, ConfigurationError."""
        ...

    async def notice_text(self, notice: Notice, incident_id: str | None = None) -> str:
        """The draft as text. Raises NotFoundError."""
        ...

    async def notice_paper(self, notice: Notice, incident_id: str | None = None) -> bytes:
        """The draft as PDF. Raises NotFoundError."""
        ...

    async def export(self, incident_id: str | None = None, *, by: str) -> bytes:
        """Journal and facts as a zip. Raises NotFoundError."""
        ...


class Consents(Protocol):
    """What people agreed to."""

    async def overview(self) -> ConsentOverview:
        """Rule, counts and texts."""
        ...

    async def records(
        self, *, limit: int, cursor: str | None = None, subject_id: str | None = None
    ) -> Page[ConsentRecord]:
        """The register, newest first; of one person when they are named."""
        ...

    async def record(self, number: int) -> tuple[ConsentRecord, ConsentText | None]:
        """One line with the text that was shown. Raises NotFoundError."""
        ...

    async def write_text(self, purpose: ConsentPurpose, locale: str, text: str, *, by: str) -> ConsentText:
        """The salon's own words as a new version.

        Raises:
            ConfigurationError: they will not do (`consent.text_wrong`, `consent.text_without_way_out`).
            ConflictError: they stand already. JournalUnavailableError: not journaled, so not done.
        """
        ...

    async def change_rule(
        self, *, asks_processing: bool | None, advertises: bool | None, passes_on_to: str | None, by: str
    ) -> ConsentRule:
        """What is asked for. Raises ConfigurationError (`consent.recipient_wrong`), JournalUnavailableError."""
        ...

    async def verify(self) -> Proof:
        """Read the whole register and prove it. Raises JournalUnavailableError."""
        ...


class Reveals(Protocol):
    """Who looked at clients' data."""

    async def page(self, *, limit: int, cursor: str | None = None, on: str | None = None) -> Page[Reveal]:
        """Newest first; of one event or delivery when it is named."""
        ...


class House(Protocol):
    """Everything the web needs."""

    @property
    def policies(self) -> Policies:
        """What goes to whom."""
        ...

    @property
    def incidents(self) -> Incidents:
        """Incident mode."""
        ...

    @property
    def data_map(self) -> DataMaps:
        """Who receives personal data."""
        ...

    @property
    def secrets(self) -> Secrets:
        """Tokens and webhook secrets."""
        ...

    @property
    def people(self) -> People:
        """Who signs in."""
        ...

    @property
    def own_access(self) -> OwnAccess:
        """What somebody changes about their own way in."""
        ...

    @property
    def roster(self) -> Roster:
        """Who works here."""
        ...

    @property
    def tokens(self) -> Tokens:
        """Programs that use the API."""
        ...

    @property
    def reveals(self) -> Reveals:
        """Who looked at clients' data."""
        ...

    @property
    def trusted_proxies(self) -> tuple[Network, ...] | None:
        """Whose word about the sender's address is believed; None when nobody told who stands in front of us."""
        ...

    @property
    def desk(self) -> Desk:
        """What happened and what to do about it."""
        ...

    @property
    def connections(self) -> Connections:
        """Connecting vendors."""
        ...

    @property
    def reachability(self) -> Reachability:
        """Who can be written to."""
        ...

    @property
    def requests(self) -> Requests:
        """What people ask about their own data."""
        ...

    @property
    def subjects(self) -> Subjects:
        """People and their rights."""
        ...

    @property
    def journal_desk(self) -> JournalDesk:
        """The audit journal."""
        ...

    @property
    def alerts(self) -> Alerts:
        """What is wrong now, and who is told."""
        ...

    @property
    def retention(self) -> Retention:
        """How long what is kept."""
        ...

    @property
    def keys(self) -> Keys:
        """The key encryption key."""
        ...

    @property
    def erasing(self) -> Erasing:
        """Erasing people."""
        ...

    @property
    def erasure_papers(self) -> ErasurePapers:
        """The papers of an erasure."""
        ...

    @property
    def consents(self) -> Consents:
        """What people agreed to."""
        ...

    @property
    def clock(self) -> Clock:
        """The time."""
        ...

    @property
    def workspace_name(self) -> str:
        """The salon's name."""
        ...

    @property
    def locale(self) -> str:
        """`ru` or `en`: the salon's language."""
        ...

    @property
    def time_zone(self) -> tzinfo:
        """The salon's zone; every time on a page is shown in it."""
        ...

    @property
    def public_url(self) -> str | None:
        """Our address as the world sees it, without a slash at the end; None when not set."""
        ...
