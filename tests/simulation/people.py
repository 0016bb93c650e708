"""Who says what: clients, the bot, and the person who cures dead letters. Through the real `Leads` and `Outbox`.

Sealing is left out: a vault that keeps what it is given stands in for the cipher, which would be most of the time of a seed.
"""

from zoneinfo import ZoneInfo

from leadgate.catalogue.texts import load_texts
from leadgate.crm.identity import Identities, Known
from leadgate.crm.leads import Contact, House, Leads
from leadgate.crm.settlement import LeadSettlement
from leadgate.delivery.dead_letter import discard_delivery, retry_delivery
from leadgate.delivery.payloads import Outbox, Payload, chat_lane
from leadgate.model.deliveries import DeliveryKind, DeliveryState
from leadgate.model.leads import AddTimelineEntry, Person
from leadgate.model.messages import OutgoingMessage
from leadgate.ports.stores import StoredDelivery, Transaction
from leadgate.testing.connections import CountedIds
from leadgate.testing.scripted_target import key_of
from leadgate.testing.storage_suite import BOT, CRM
from leadgate.vault.envelope import Vault
from tests.simulation.portal import Portal
from tests.simulation.scenario import Said
from tests.simulation.world import World

HOUSE = House(texts=load_texts("bot", "ru"), time_zone=ZoneInfo("Europe/Moscow"))


class PlainVault(Vault):
    """Keeps bytes as they are."""

    def __init__(self) -> None:  # without keys and clock, on purpose
        pass

    def seal(self, tx: Transaction, scope: str, place: str, plain: bytes) -> bytes:
        return plain

    def open(self, tx: Transaction, scope: str, place: str, sealed: bytes) -> bytes:
        return sealed


class DrawnIds(CountedIds):
    """Ids that count up, randomness from the seed."""

    def __init__(self, world: World) -> None:
        super().__init__()
        self._world = world

    def fraction(self) -> float:
        return self._world.rng.random()


class WatchedOutbox(Outbox):
    """Remembers which delivery carries what."""

    def __init__(self, world: World, ids: DrawnIds) -> None:
        super().__init__(PlainVault(), ids)
        self._world = world

    def seal(self, tx: Transaction, delivery_id: str, subject_id: str, payload: Payload) -> bytes:
        key = key_of(payload)
        self._world.key_of[delivery_id] = key
        self._world.delivery_of[key] = delivery_id
        if isinstance(payload, AddTimelineEntry):
            self._world.note_home(key, payload.lead_id)
        return super().seal(tx, delivery_id, subject_id, payload)


class StrangersOnly(Identities):
    """People whose profiles nobody keeps: the core asks for one only when a lead is made anew."""

    def __init__(self) -> None:  # without vault and ids, on purpose
        pass

    def profile(self, tx: Transaction, subject_id: str) -> Person:
        return Person(name=subject_id)

    @staticmethod
    def root(tx: Transaction, subject_id: str) -> str:
        return subject_id

    @classmethod
    def everyone(cls, tx: Transaction, subject_id: str) -> list[str]:
        return [subject_id]


class People:
    """Everybody outside of the machine room."""

    def __init__(self, world: World, portal: Portal) -> None:
        self._world = world
        self._portal = portal
        ids = DrawnIds(world)
        self.ids = ids
        self.outbox = WatchedOutbox(world, ids)
        self.leads = Leads(StrangersOnly(), self.outbox, ids)
        self.settlement = LeadSettlement(self.leads, self._describe, lambda: HOUSE)
        self._events = 0

    def say(self, said: Said) -> None:
        """A client writes to the salon, or the bot to the client; kept at once, as the inbox worker does."""
        self._events += 1
        number, subject_id, at = self._events, f"subj_{said.person}", self._world.now()

        def reply(tx: Transaction) -> None:
            chat = str(said.person).encode()
            self.outbox.enqueue(
                tx,
                OutgoingMessage(message_id=f"msg_{number}", chat_id=str(said.person), text="Здравствуйте!"),
                lane=chat_lane(BOT, chat),
                connection_id=BOT,
                subject_id=subject_id,
                event_id=None,
                at=at,
            )

        def write(tx: Transaction) -> None:
            news = Person(phone="+79000000000") if said.has_news else Person()
            known = Known(subject_id=subject_id, profile=Person(name=subject_id), news=news)
            self.leads.record_words(tx, known, "Хочу записаться", self._contact(f"evt_{number}"), HOUSE, at=at)

        self._world.note("people", f"{subject_id} {'hears msg' if said.is_reply else 'says evt'}_{number}")
        self._world.commit(reply if said.is_reply else write)

    def cure_dead_letters(self) -> int:
        """A person mends what the portal refused, and sends every dead letter again (or gives it up); how many."""
        self._portal.poison = dict.fromkeys(self._portal.poison, False)
        return self._world.commit(self._cure)

    def _cure(self, tx: Transaction) -> int:
        world, at = self._world, self._world.now()
        dead = tx.deliveries.dead(limit=100)
        for delivery in dead:
            key = world.key_of[delivery.delivery_id]
            if world.scenario.gives_up_dead:
                self._give_up(tx, delivery)
            else:
                world.reopened.add(key)
                retry_delivery(tx, delivery.delivery_id, at=at)
        return len(dead)

    def _give_up(self, tx: Transaction, delivery: StoredDelivery) -> None:
        given_up = [delivery]
        if delivery.kind is DeliveryKind.CREATE_LEAD:
            given_up += [d for d in tx.deliveries.of_lead(delivery.lead_id or "") if d.state in _LET_GO]
        self._world.given_up.update(d.delivery_id for d in given_up)
        discard_delivery(tx, delivery.delivery_id, reason="nobody answers", by="staff_1", at=self._world.now())

    def _describe(self, tx: Transaction, delivery: StoredDelivery, entry: AddTimelineEntry) -> Contact:
        return self._contact(entry.entry_id)

    def _contact(self, event_id: str) -> Contact:
        return Contact(
            event_id=event_id,
            connection_id=BOT,
            channel="telegram",
            channel_title="Telegram",
            crm_connection_id=CRM,
            occurred_at=self._world.now(),
        )


_LET_GO = (DeliveryState.WAITING, DeliveryState.UNKNOWN)
