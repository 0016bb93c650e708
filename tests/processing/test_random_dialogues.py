"""Whatever people write in whatever order: consent comes first, advertising never without it, and no request is lost.

Each dialogue runs through the real turn (talk, register, leads, outbox) on a real database, in a transaction that is rolled back.
`make consent-dialogues` runs 10,000 of them, the gate some hundreds.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy.engine import Connection, Engine

from leadgate.catalogue.texts import LOCALES, load_texts
from leadgate.crm.consent.gate import find_permit, may_advertise
from leadgate.crm.consent.rule import write_rule
from leadgate.crm.identity import Identities
from leadgate.crm.leads import Leads
from leadgate.delivery.payloads import Outbox
from leadgate.dialogue.consent import buttons_of
from leadgate.dialogue.script import Step
from leadgate.model.consents import ConsentPurpose, ConsentRule, Decision, Shown
from leadgate.model.deliveries import DeliveryKind
from leadgate.model.events import EventKind, NormalisedEvent
from leadgate.model.leads import ConsentGiven, LeadRequest, Person
from leadgate.model.messages import OutgoingMessage
from leadgate.ports.stores import StoredEvent, Workspace
from leadgate.processing.consent_proof import Prover
from leadgate.processing.source import Source
from leadgate.processing.turn import Turns
from leadgate.storage.engines import make_engine
from leadgate.storage.schema import events, workspaces
from leadgate.storage.transaction import SqlTransaction
from leadgate.testing.connections import NOW, CountedIds, FixedClock, open_connection
from leadgate.testing.databases import sqlite_url
from leadgate.testing.storage_suite import BOT, CRM, new_connection
from leadgate.vault.ciphers import new_cipher_keyset
from leadgate.vault.envelope import INDEX, INTAKE, SECRETS, Vault
from leadgate.vault.key_file import FileKeyWrapper
from tests.processing.messengers import ALSU, PlainReceiver, integration_of

DIALOGUES = int(os.environ.get("LEADGATE_DIALOGUES", "300"))
PROCESSING, ADVERTISING = ConsentPurpose.PROCESSING, ConsentPurpose.ADVERTISING
PHONE = "+79000000101"
TITLES = {
    title: (purpose, is_yes)
    for locale in LOCALES
    for purpose in ConsentPurpose
    for title, is_yes in zip(buttons_of(purpose, load_texts("consents", locale)), (True, False), strict=True)
}
YES_WORDS = ("да", "Согласна", "yes", "1", "даю согласие")
NO_WORDS = ("нет", "не согласен", "no")
WITHDRAWALS = (
    "стоп",
    "отзываю согласие",
    "Не пишите мне",
    "unsubscribe",
    "не присылайте рекламу",
    "удалите мои данные",
)
REQUESTS = (
    "Хочу стрижку в субботу",
    "Алсу",
    "меня зовут Алсу Гарипова",
    "8 900 000-01-01",
    "перезвоните на 8 900 000-01-01",
    "а сколько стоит?",
    "стоп, я ошиблась, на 15:00",
    "Здравствуйте",
    "Уже сказала",
)


def fact(kind: EventKind, text: str | None = None, **fields: object) -> NormalisedEvent:
    """One event of the client."""
    return replace(NormalisedEvent(kind=kind, event_key="", text=text, sender_id=ALSU, chat_id=ALSU), **fields)  # type: ignore[arg-type]  # fields of the event


TOLD = LeadRequest(
    channel="telegram",
    contact=Person(channel_user_id=ALSU, name="Алсу"),
    message="Маникюр",
    consent=ConsentGiven(given_at=NOW, policy_version="v1"),
)
SAID = st.sampled_from((*REQUESTS, *YES_WORDS, *NO_WORDS, *WITHDRAWALS, *TITLES, "/start")) | st.text(max_size=30)
FACTS = st.one_of(
    st.builds(lambda text: fact(EventKind.TEXT, text), SAID),
    st.builds(lambda text: fact(EventKind.TEXT, text), st.sampled_from(REQUESTS)),
    st.builds(lambda title: fact(EventKind.BUTTON, payload=title), st.sampled_from(sorted(TITLES))),
    st.builds(
        lambda title, language: fact(EventKind.TEXT, title, language=language), SAID, st.sampled_from(["en", "ru"])
    ),
    st.sampled_from(
        [
            fact(EventKind.MEDIA),
            fact(EventKind.LOCATION, "я тут"),
            fact(EventKind.UNSUPPORTED),
            fact(EventKind.CONTACT, phone=PHONE, phone_verified=True),
            fact(EventKind.CONTACT, phone=PHONE, phone_verified=False),
            fact(EventKind.STATUS, status="opted_out"),
            fact(EventKind.STATUS, status="opted_in"),
            fact(EventKind.FORM, lead=TOLD),
        ]
    ),
)
RULES = st.builds(
    ConsentRule,
    asks_processing=st.booleans(),
    advertises=st.booleans(),
    passes_on_to=st.sampled_from(["", "ООО «Сеть»"]),
)


@dataclass(slots=True)
class House:
    """One node on a real database, whose dialogues leave nothing behind."""

    connection: Connection
    vault: Vault
    ids: CountedIds = field(default_factory=CountedIds)

    @contextmanager
    def dialogue(self) -> Iterator[Dialogue]:
        """One client, from the first word to the last."""
        savepoint = self.connection.begin_nested()
        try:
            yield Dialogue(SqlTransaction(self.connection, "ws"), self)
        finally:
            savepoint.rollback()


class Dialogue:
    """What one client says, and what is true after each word."""

    def __init__(self, tx: SqlTransaction, house: House) -> None:
        self.tx, self.vault, self.ids = tx, house.vault, house.ids
        self.outbox = Outbox(house.vault, house.ids, may_advertise=may_advertise)
        self.identities = Identities(house.vault, house.ids)
        workspace = Workspace(workspace_id="ws", name="Лимон", locale="ru", time_zone="Europe/Moscow", created_at=NOW)
        leads = Leads(self.identities, self.outbox, house.ids)
        self.turns = Turns(
            workspace,
            house.vault,
            identities=self.identities,
            leads=leads,
            outbox=self.outbox,
            ids=house.ids,
            find_source=lambda _: None,
            doors=list,
        )
        self.leads = leads
        self.opened = open_connection("telegram", connection_id=BOT)
        self.number = 0

    def hear(self, one: NormalisedEvent) -> str:
        """The real turn on one event; its id."""
        self.number += 1
        event_id = self.ids.new("evt")
        at = NOW + timedelta(seconds=self.number)
        one = replace(one, event_key=event_id, occurred_at=at, message_id=event_id)
        place = f"events.body:{event_id}"
        sealed = self.vault.seal(self.tx, INTAKE, place, msgspec.json.encode(one))
        row = {
            "workspace_id": "ws",
            "event_id": event_id,
            "connection_id": BOT,
            "natural_key": event_id.encode(),
            "part": 1,
            "state": "received",
            "received_at": at,
            "key_scope": INTAKE,
            "sealed_body": sealed,
        }
        self.tx.connection.execute(events.insert(), row)
        stored = self.tx.events.find(event_id)
        assert isinstance(stored, StoredEvent)
        integration = replace(integration_of("telegram"), receiver=PlainReceiver())
        source = Source(opened=self.opened, integration=integration, crm_connection_id=CRM)
        self.turns.work(self.tx, stored, source, at=at)
        return event_id

    @property
    def subject_id(self) -> str | None:
        """Who it is, once they are known."""
        index = self.vault.index("ws", "sender:telegram", ALSU)
        found = self.tx.subjects.find_by("sender:telegram", index)
        return None if found is None else self.identities.root(self.tx, found)

    def profile(self) -> Person:
        """What is kept of them."""
        return Person() if self.subject_id is None else self.identities.profile(self.tx, self.subject_id)

    def decision(self, purpose: ConsentPurpose) -> Decision | None:
        """Where they stand."""
        return None if self.subject_id is None else self.turns.register.standing(self.tx, self.subject_id).get(purpose)

    def said(self, event_id: str) -> list[OutgoingMessage]:
        """What the bot answered."""
        payloads = [self.outbox.open(self.tx, delivery) for delivery in self.tx.deliveries.of_event(event_id)]
        return [payload for payload in payloads if isinstance(payload, OutgoingMessage)]

    def shown(self) -> tuple[Shown, ...]:
        """The texts that stood in the chat."""
        chat = self.turns.chats.find(self.tx, BOT, ALSU)
        return () if chat is None else chat.state.shown

    def step(self) -> Step:
        """Where the script stands."""
        chat = self.turns.chats.find(self.tx, BOT, ALSU)
        return Step.START if chat is None else chat.state.step


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    """A database of its own."""
    made = make_engine(sqlite_url(tmp_path_factory.mktemp("dialogues")))
    yield made
    made.dispose()


@pytest.fixture(scope="module")
def house(engine: Engine) -> Iterator[House]:
    """Keys, a bot and a CRM."""
    vault = Vault(FileKeyWrapper(new_cipher_keyset()), FixedClock())
    with engine.connect() as connection:
        tx = SqlTransaction(connection, "ws")
        salon = {"workspace_id": "ws", "name": "Лимон", "locale": "ru", "time_zone": "Europe/Moscow", "created_at": NOW}
        connection.execute(workspaces.insert().values(salon))
        for scope in (INTAKE, SECRETS, INDEX):
            vault.create_scope(tx, scope)
        tx.connections.add(new_connection(BOT))
        tx.connections.add(new_connection(CRM))
        connection.commit()
        vault.load(SqlTransaction(connection, "ws"))
        yield House(connection, vault)


def is_request(one: NormalisedEvent) -> bool:
    """Words that the salon must hear of, by our own list; the script's opinion is not asked."""
    return one.kind is EventKind.TEXT and one.text in REQUESTS


class Oracle:
    """What the client has done so far, told from the words alone."""

    def __init__(self) -> None:
        self.may_want_news = False

    def note(self, one: NormalisedEvent) -> None:
        """The last thing that could have been a yes or a no to advertising."""
        words = (one.text or one.payload or "").strip()
        if words in WITHDRAWALS or one.status == "opted_out" or TITLES.get(words) == (ADVERTISING, False):
            self.may_want_news = False
        elif one.kind in (EventKind.TEXT, EventKind.BUTTON) and (
            words in YES_WORDS or TITLES.get(words) == (ADVERTISING, True)
        ):
            self.may_want_news = True


@settings(
    max_examples=DIALOGUES,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(rule=RULES, said=st.lists(FACTS, max_size=12), later=st.none() | st.tuples(st.integers(0, 11), RULES))
def test_consent_holds_in_every_dialogue(
    house: House, rule: ConsentRule, said: list[NormalisedEvent], later: tuple[int, ConsentRule] | None
) -> None:
    """Five promises, looked at after each event, against the register and the words themselves."""
    with house.dialogue() as dialogue:
        tx, oracle = dialogue.tx, Oracle()
        write_rule(tx, rule, by="test", at=NOW)
        for number, one in enumerate(said):
            if later is not None and later[0] == number:
                rule = later[1]
                write_rule(tx, rule, by="test", at=NOW)
            before, agreed_before = dialogue.profile(), dialogue.decision(PROCESSING)
            event_id = dialogue.hear(one)
            oracle.note(one)
            look_at_the_person(dialogue, one, rule, before, agreed_before)
            look_at_the_answers(dialogue, event_id, rule)
            look_at_advertising(dialogue, rule, oracle)
            if is_request(one):
                assert dialogue.subject_id is not None
                assert dialogue.leads.find_current(tx, dialogue.subject_id) is not None, "the lead is lost"
                kinds = {delivery.kind for delivery in tx.deliveries.of_event(event_id)}
                assert DeliveryKind.TIMELINE_ENTRY in kinds, "the words are lost"
        look_at_the_register(dialogue)


def look_at_the_person(
    dialogue: Dialogue, one: NormalisedEvent, rule: ConsentRule, before: Person, agreed: Decision | None
) -> None:
    """A name or phone is new only when they agreed, or gave it unasked, or a bot builder sent it."""
    after = dialogue.profile()
    may_ask = agreed.stands if agreed is not None else not rule.asks_processing
    if after.name != before.name and not may_ask:
        assert one.kind is EventKind.FORM, "a name was taken from an answer without a consent"
    if after.phone != before.phone and not may_ask:
        volunteered = "900 000-01-01" in (one.text or "") or one.kind is EventKind.CONTACT
        assert volunteered or any(letter.isdigit() for letter in one.text or ""), "a phone nobody wrote"
    now = dialogue.decision(PROCESSING)
    may_ask_now = now.stands if now is not None else not rule.asks_processing
    if dialogue.step() in (Step.NAME, Step.PHONE) and one.kind in (EventKind.TEXT, EventKind.BUTTON):
        is_read = bool((one.text or one.payload or "").strip())
        assert may_ask_now or not is_read, "the script waits for a name or a phone without a consent"


def look_at_the_answers(dialogue: Dialogue, event_id: str, rule: ConsentRule) -> None:
    """One purpose, one message, its own two buttons; the phone is asked for only with a consent."""
    now = dialogue.decision(PROCESSING)
    texts = {text.text: text for text in dialogue.tx.consents.texts()}
    for message in dialogue.said(event_id):
        assert message.text
        assert not message.is_advertising
        if message.ask_contact is not None:
            assert now.stands if now is not None else not rule.asks_processing
        purposes = {TITLES[button][0] for button in message.buttons if button in TITLES}
        if message.text in texts:
            assert purposes == {texts[message.text].purpose}
            assert [TITLES[button][1] for button in message.buttons] == [True, False]
        elif purposes:
            (purpose,) = purposes
            shown = {one.purpose for one in dialogue.shown()}
            assert purpose in shown, "a button of consent before its text"


def look_at_advertising(dialogue: Dialogue, rule: ConsentRule, oracle: Oracle) -> None:
    """No permit without a consent that stands, by the register and by what the client did."""
    subject_id = dialogue.subject_id
    if subject_id is None or find_permit(dialogue.tx, subject_id) is None:
        return
    assert rule.advertises
    assert dialogue.decision(ADVERTISING) is Decision.GIVEN
    assert oracle.may_want_news, "a permit that the client never gave, or took back"


def look_at_the_register(dialogue: Dialogue) -> None:
    """It proves itself: chain, texts, the very messages, and nothing withdrawn that was never agreed to."""
    prover = Prover(dialogue.vault, dialogue.turns.register, {})
    while prover.read(dialogue.tx, dialogue.tx.consents.after(prover.number, limit=100)):
        pass
    proof = prover.proof()
    assert (proof.bad_number, proof.fault) == (None, None)
    assert proof.matched + proof.told + proof.wordless == proof.records
    last: dict[ConsentPurpose, Decision] = {}
    for line in dialogue.tx.consents.after(0, limit=100):
        stood = line.purpose in last and last[line.purpose].stands
        assert stood is (line.decision is Decision.WITHDRAWN) or line.decision is Decision.TOLD
        last[line.purpose] = line.decision
