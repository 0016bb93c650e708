"""The stores of one workspace inside one transaction, and what runs units of work on them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Protocol, TypeVar

from leadgate.model.webhooks import Receipt
from leadgate.ports.stores.acceptances import AcceptanceStore
from leadgate.ports.stores.alerts import AlertStore
from leadgate.ports.stores.api import AnswerStore, TokenStore
from leadgate.ports.stores.connections import ConnectionStore
from leadgate.ports.stores.consents import ConsentStore
from leadgate.ports.stores.deliveries import DeliveryStore, LaneStore
from leadgate.ports.stores.erasures import ErasureStore
from leadgate.ports.stores.events import EventStore
from leadgate.ports.stores.factors import FactorStore
from leadgate.ports.stores.incidents import IncidentStore
from leadgate.ports.stores.leads import LeadStore
from leadgate.ports.stores.people import ConversationStore, FateStore, InvitationStore, KeyStore, SubjectStore
from leadgate.ports.stores.persons import PersonStore
from leadgate.ports.stores.records import NewEvent
from leadgate.ports.stores.requests import RequestStore
from leadgate.ports.stores.retention import RetentionStore
from leadgate.ports.stores.reveals import RevealStore
from leadgate.ports.stores.rules import RuleStore
from leadgate.ports.stores.secrets import SecretStore
from leadgate.ports.stores.staff import SalonStore, StaffStore

T = TypeVar("T")


class Transaction(Protocol):
    """The stores of one workspace inside one transaction."""

    @property
    def workspace_id(self) -> str:
        """Whose rows these are."""
        ...

    @property
    def keys(self) -> KeyStore:
        """Wrapped data keys."""
        ...

    @property
    def events(self) -> EventStore:
        """Received events."""
        ...

    @property
    def subjects(self) -> SubjectStore:
        """People."""
        ...

    @property
    def conversations(self) -> ConversationStore:
        """Conversations."""
        ...

    @property
    def fates(self) -> FateStore:
        """What became of messages."""
        ...

    @property
    def invitations(self) -> InvitationStore:
        """Links to a second channel."""
        ...

    @property
    def leads(self) -> LeadStore:
        """Leads."""
        ...

    @property
    def deliveries(self) -> DeliveryStore:
        """Deliveries."""
        ...

    @property
    def lanes(self) -> LaneStore:
        """Lanes."""
        ...

    @property
    def connections(self) -> ConnectionStore:
        """Connections."""
        ...

    @property
    def secrets(self) -> SecretStore:
        """Versions of secrets."""
        ...

    @property
    def staff(self) -> StaffStore:
        """Staff."""
        ...

    @property
    def salon(self) -> SalonStore:
        """The salon's book."""
        ...

    @property
    def alerts(self) -> AlertStore:
        """Alarms."""
        ...

    @property
    def acceptances(self) -> AcceptanceStore:
        """Leads that somebody deleted in the CRM on purpose."""
        ...

    @property
    def tokens(self) -> TokenStore:
        """Tokens of programs."""
        ...

    @property
    def answers(self) -> AnswerStore:
        """Answers kept for requests with an idempotency key."""
        ...

    @property
    def requests(self) -> RequestStore:
        """Requests of people about their own data."""
        ...

    @property
    def rules(self) -> RuleStore:
        """What the owner decided."""
        ...

    @property
    def retention(self) -> RetentionStore:
        """What is old enough to go."""
        ...

    @property
    def erasures(self) -> ErasureStore:
        """Erasing people, and what was erased."""
        ...

    @property
    def persons(self) -> PersonStore:
        """Everything of one person."""
        ...

    @property
    def incidents(self) -> IncidentStore:
        """Incidents with personal data, and freezes."""
        ...

    @property
    def factors(self) -> FactorStore:
        """What people prove with besides the password."""
        ...

    @property
    def reveals(self) -> RevealStore:
        """Who looked at a client's data."""
        ...

    @property
    def consents(self) -> ConsentStore:
        """The register of consents."""
        ...

    def add_refusals(self, counts: Mapping[tuple[str, str], int], *, at: datetime) -> None:
        """Count requests refused at the door, by connection id ("" when unknown) and code; `held.…`: what was held back."""
        ...

    def note_event(self, connection_id: str, *, at: datetime) -> None:
        """The connection sent us something at this time."""
        ...

    def add_reconciliation(self, *, started_at: datetime, result: str) -> None:
        """Keep the result of a reconciliation as JSON; of those before only the last 400 stay."""
        ...

    def find_sweep(self, connection_id: str) -> datetime | None:
        """Until when this CRM was swept, or None when it never was."""
        ...

    def note_sweep(self, connection_id: str, *, until: datetime) -> None:
        """This CRM was swept until this time."""
        ...


class Storage(Protocol):
    """Runs units of work."""

    async def write(self, unit: Callable[[Transaction], T]) -> T:
        """Run a unit and commit; returns after the commit is on disk.

        Raises:
            StorageUnavailableError: could not commit (disk full, locked, away); nothing was kept.
        """
        ...

    async def read(self, unit: Callable[[Transaction], T]) -> T:
        """Run a unit that only reads, on a snapshot.

        Raises:
            StorageUnavailableError: the database is away.
        """
        ...

    def receive(self, event: NewEvent) -> asyncio.Future[Receipt]:
        """The hot path: keep an event unless its natural key is known; done after the commit is on disk.

        Raises:
            OverloadedError: at once, too many are waiting for the disk, or the database is closed.
            StorageUnavailableError: by the future: could not commit; nothing was kept.
        """
        ...
