"""What the pages and the API need of the house behind them; `leadgate.app.App` offers it.

Everything here is about one workspace: the one the signed-in person (or the address) belongs to.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, tzinfo
from typing import Protocol

from leadgate.model.alerts import AddressTrial, Alert, AlertOverview, AlertTarget, AlertWords
from leadgate.model.connections import CheckReport
from leadgate.model.consents import ConsentOverview, ConsentPurpose, ConsentRecord, ConsentRule, ConsentText, Proof
from leadgate.model.deliveries import DeliveryState
from leadgate.model.events import EventState
from leadgate.model.reach import LostPerson, ReachReport
from leadgate.model.secret import Secret
from leadgate.model.staff import Session, Staff
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


class People(Protocol):
    """Who signs in."""

    async def find_setup(self, token: str) -> Staff | None:
        """Whom this one-time set-up address belongs to; None when unknown, used or expired."""
        ...

    async def set_up(self, token: str, *, name: str, password: Secret) -> Staff:
        """Set name and password by a one-time address, which is used up by it.

        Raises:
            NotFoundError: the address is unknown, used or expired.
            ConfigurationError: name empty or taken (`staff.name_taken`), password too short (`staff.password_short`, less
                than 10 characters), too common (`staff.password_common`).
        """
        ...

    async def sign_in(self, *, name: str, password: Secret) -> str:
        """Check name and password and open a session; returns its token for the cookie.

        Raises:
            AccessDeniedError: they do not fit (`access.denied`) or too many tries (`access.slow_down`, with
                `retry_after_s`).
        """
        ...

    async def open_session(self, staff: Staff) -> str:
        """Open a session for somebody who has just proven who they are; returns its token for the cookie."""
        ...

    async def find_session(self, token: str) -> Session | None:
        """The live session of this cookie, or None. Moves its idle end on."""
        ...

    async def sign_out(self, token: str) -> None:
        """End the session at once; unknown tokens are fine."""
        ...


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

    async def lead_data(self, delivery_id: str, *, by: str) -> LeadData:
        """What a dead command says of a lead (personal data). Raises NotFoundError, ConflictError, UnknownKeyError."""
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


class Reachability(Protocol):
    """Who can be written to."""

    async def report(self) -> ReachReport:
        """The numbers, as of now."""
        ...

    async def lost_without(self, kind: str, *, limit: int, cursor: str | None = None) -> Page[LostPerson]:
        """Who could not be written to any more if this kind of channel closed. Raises ConfigurationError."""
        ...


class Connections(Protocol):
    """Connecting vendors."""

    def kinds(self) -> Sequence[Manifest]:
        """Every kind that can be connected."""
        ...

    async def connect(
        self, kind: str, *, name: str, settings: Mapping[str, str], secrets: Mapping[str, Secret], check: bool, by: str
    ) -> Connected:
        """Add a connection; with `check` ask the vendor and register the webhook first.

        Raises:
            ConfigurationError: a key is missing, unknown or wrong; the message names it.
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


class House(Protocol):
    """Everything the web needs."""

    @property
    def people(self) -> People:
        """Who signs in."""
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
    def alerts(self) -> Alerts:
        """What is wrong now, and who is told."""
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
