"""What is kept, seen from the domains: units of work over stores. Ciphertext goes in and out; sealing is the vault's.

A unit of work is a plain function of a `Transaction`. It runs whole or not at all, may run again when it lost a race, and
so must not do anything but read and write stores.
"""

from leadgate.ports.stores.acceptances import AcceptanceStore
from leadgate.ports.stores.alerts import AlertKey, AlertStore
from leadgate.ports.stores.api import AnswerStore, KeptAnswer, TokenStore
from leadgate.ports.stores.connections import ConnectionStore
from leadgate.ports.stores.consents import ConsentStore, OldTold, StoredConsent
from leadgate.ports.stores.deliveries import DeliveryStore, LaneStore
from leadgate.ports.stores.erasures import ErasureStore
from leadgate.ports.stores.events import EventStore
from leadgate.ports.stores.factors import FactorStore, StoredChallenge, StoredCodes, StoredPasskey
from leadgate.ports.stores.incidents import IncidentStore
from leadgate.ports.stores.leads import LeadStore
from leadgate.ports.stores.people import ConversationStore, FateStore, InvitationStore, KeyStore, SubjectStore
from leadgate.ports.stores.records import (
    INBOX_PARTS,
    Lease,
    NewEvent,
    StoredConversation,
    StoredDelivery,
    StoredEvent,
    StoredFate,
    StoredLead,
    StoredMessage,
    StoredSecret,
    Workspace,
    WrappedKey,
)
from leadgate.ports.stores.requests import RequestStore, StoredRequest, StoredStep
from leadgate.ports.stores.retention import RetentionStore
from leadgate.ports.stores.reveals import RevealStore, StoredReveal
from leadgate.ports.stores.rules import RuleStore, StoredRule
from leadgate.ports.stores.staff import SalonStore, StaffStore, StoredSession
from leadgate.ports.stores.transaction import Storage, Transaction

__all__ = [
    "INBOX_PARTS",
    "AcceptanceStore",
    "AlertKey",
    "AlertStore",
    "AnswerStore",
    "ConnectionStore",
    "ConsentStore",
    "ConversationStore",
    "DeliveryStore",
    "ErasureStore",
    "EventStore",
    "FactorStore",
    "FateStore",
    "IncidentStore",
    "InvitationStore",
    "KeptAnswer",
    "KeyStore",
    "LaneStore",
    "LeadStore",
    "Lease",
    "NewEvent",
    "OldTold",
    "RequestStore",
    "RetentionStore",
    "RevealStore",
    "RuleStore",
    "SalonStore",
    "StaffStore",
    "Storage",
    "StoredChallenge",
    "StoredCodes",
    "StoredConsent",
    "StoredConversation",
    "StoredDelivery",
    "StoredEvent",
    "StoredFate",
    "StoredLead",
    "StoredMessage",
    "StoredPasskey",
    "StoredRequest",
    "StoredReveal",
    "StoredRule",
    "StoredSecret",
    "StoredSession",
    "StoredStep",
    "SubjectStore",
    "TokenStore",
    "Transaction",
    "Workspace",
    "WrappedKey",
]
