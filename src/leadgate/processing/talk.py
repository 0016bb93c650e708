"""Words of a client: who says them, what they lead to, what is answered. One event inside a transaction."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Protocol

from leadgate.catalogue.texts import Texts, known_locale, load_texts
from leadgate.crm.fates import Fates
from leadgate.crm.identity import Identities, Known
from leadgate.crm.invitations import Invitations, without_token
from leadgate.crm.leads import Contact, House, Leads
from leadgate.crm.links import StartLinks
from leadgate.delivery.payloads import Outbox
from leadgate.dialogue.elsewhere import find_wish
from leadgate.dialogue.script import DialogueState, Reply, Step, take_turn
from leadgate.dialogue.script import Turn as ScriptTurn
from leadgate.dialogue.withdrawal import find_withdrawal
from leadgate.model.consents import ConsentPurpose, Decision
from leadgate.model.events import EventKind, EventState, NormalisedEvent
from leadgate.model.leads import Person
from leadgate.model.messages import OutgoingMessage
from leadgate.model.requests import RequestKind
from leadgate.ports.stores import Transaction, Workspace
from leadgate.privacy.health import mentions_health
from leadgate.privacy.rules import HealthMode
from leadgate.processing.asking import Answered, Asking, message_id_of
from leadgate.processing.chats import Chat, Chats
from leadgate.processing.ending import Ending
from leadgate.processing.source import Source

KINDS = frozenset(
    {EventKind.TEXT, EventKind.BUTTON, EventKind.CONTACT, EventKind.MEDIA, EventKind.LOCATION, EventKind.UNSUPPORTED}
)
"""Kinds that the bot answers when it knows where."""

_NAMED = frozenset({EventKind.TEXT, EventKind.CONTACT, EventKind.MEDIA, EventKind.LOCATION})
"""Kinds whose `message_id` is the client's own message and not ours (a button hangs on ours)."""

_START = "/start"


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """Where and when something was said.

    Attributes:
        chat_id: the vendor's id of the chat.
        contact: its `event_id` is the event.
        locale: the client's language.
        heard_at: when it was said, however late it came: a vendor's window for free answers counts from then.
    """

    source: Source
    chat_id: str
    contact: Contact
    house: House
    locale: str
    heard_at: datetime
    at: datetime

    @property
    def kind(self) -> str:
        """Of the channel."""
        return self.source.integration.manifest.kind

    @property
    def event_id(self) -> str:
        """Of what is worked on."""
        return self.contact.event_id

    @property
    def texts(self) -> Texts:
        """The bot's, in the client's language."""
        return load_texts("bot", self.locale)


class HearRequest(Protocol):
    """What a person asks about their own data, in words of theirs: `rights.chat_requests`."""

    def __call__(
        self,
        tx: Transaction,
        words: str,
        *,
        subject_id: str,
        event_id: str,
        heard_at: datetime,
        locale: str,
        at: datetime,
        kind: RequestKind | None = None,
    ) -> str | None:
        """Write the request down and say what is answered; None when the words are none.

        Args:
            kind: what it is, where that is known; else the words tell.
        """
        ...


class Talk:
    """Works on events of these `KINDS`."""

    def __init__(
        self,
        workspace: Workspace,
        chats: Chats,
        *,
        identities: Identities,
        leads: Leads,
        outbox: Outbox,
        fates: Fates,
        invitations: Invitations,
        links: StartLinks,
        asking: Asking,
        hear_request: HearRequest | None = None,
    ) -> None:
        """Join these; without `hear_request` nobody listens for requests about personal data."""
        self._hear_request = hear_request
        self._workspace = workspace
        self._chats = chats
        self._identities = identities
        self._leads = leads
        self._outbox = outbox
        self._fates = fates
        self._invitations = invitations
        self._links = links
        self._asking = asking

    def take(
        self,
        tx: Transaction,
        fact: NormalisedEvent,
        source: Source,
        *,
        chat_id: str,
        contact: Contact,
        house: House,
        at: datetime,
    ) -> Ending:
        """Answer, and give the event its end."""
        scene = Scene(
            source=source,
            chat_id=chat_id,
            contact=contact,
            house=house,
            locale=self._locale(fact),
            heard_at=min(fact.occurred_at or at, at),
            at=at,
        )
        if not self.note_heard(tx, fact, source, scene.event_id, at=at):
            # The client deleted it before we came to read it.
            tx.events.forget_body(scene.event_id)
            return Ending(state=EventState.IGNORED, reason="event.deleted")
        known = self._recognise(tx, fact, scene)
        joined = self._invitations.accept(tx, fact, known.subject_id, at=at)
        known = known if joined is None else joined.after(known)
        fact = without_token(fact)
        chat = self._open_chat(tx, known, scene)
        turn = self._take_turn(tx, chat, fact, known, scene, is_joined=joined is not None)
        # Before the texts of consent are filled in: what they say is kept by the number of the message.
        turn = self._stay_off_health(turn, fact.text or "", scene)
        turn = self._asking.fill_in(tx, turn, event_id=scene.event_id, locale=scene.locale, at=at)
        chat.keep(tx, turn.state, at=at)
        words = turn.entry or fact.text or fact.payload or ""
        chat.add_message(tx, scene.event_id, outgoing=False, text=words, at=at)
        lead_id = self._record(tx, fact, known, turn, scene)
        self._asking.keep(tx, turn, _answered(fact, known, scene))
        if lead_id is None and joined is not None:
            lead_id = self._tell_joined(tx, known, scene)
        self._answer(tx, chat, turn.replies, callback_id=fact.callback_id, scene=scene)
        state = EventState.ANSWERED if lead_id is None else EventState.LEAD
        return Ending(state=state, subject_id=known.subject_id, lead_id=lead_id)

    def note_heard(
        self, tx: Transaction, fact: NormalisedEvent, source: Source, event_id: str, *, at: datetime
    ) -> bool:
        """Know the client's message by the vendor's id; False when they took it back before we came to read it."""
        if fact.message_id is None or fact.kind not in _NAMED:
            return True
        name = source.name_of_message(fact.chat_id, fact.message_id)
        return self._fates.note_heard(tx, source.connection_id, name, event_id, at=at)

    def _recognise(self, tx: Transaction, fact: NormalisedEvent, scene: Scene) -> Known:
        # Some vendors prove the phone with every message; a shared contact is learned by the script.
        is_proven = fact.phone_verified and fact.kind is not EventKind.CONTACT
        person = Person(
            name=fact.sender_name,
            phone=fact.phone if is_proven else None,
            username=fact.username,
            channel_user_id=fact.sender_id or fact.chat_id,
        )
        return self._identities.recognise(tx, person, channel=scene.kind, at=scene.at, is_hearsay=True)

    def _open_chat(self, tx: Transaction, known: Known, scene: Scene) -> Chat:
        chat = self._chats.find(tx, scene.source.connection_id, scene.chat_id)
        if chat is None:
            # A widget shows the greeting before the first word is written.
            is_greeted = scene.source.integration.manifest.client_pulls
            state = DialogueState(phone=known.profile.phone, is_greeted=is_greeted)
            return self._chats.begin(
                tx, scene.source.connection_id, scene.chat_id, known.subject_id, state, at=scene.heard_at
            )
        chat.note_heard(tx, scene.chat_id, at=scene.heard_at)
        return chat

    def _take_turn(
        self, tx: Transaction, chat: Chat, fact: NormalisedEvent, known: Known, scene: Scene, *, is_joined: bool
    ) -> ScriptTurn:
        words = (fact.text or "").strip()
        # A withdrawal comes before everything else, whatever else the words may mean.
        is_withdrawal = find_withdrawal(words or fact.payload or "") is not None
        if is_joined and not is_withdrawal:
            return _welcome(chat.state, known, words, scene.texts)
        if fact.kind is EventKind.TEXT and not is_withdrawal:
            reply = self._answer_request(tx, fact, known, words, scene) or self._offer_links(tx, known, words, scene)
            if reply is not None:
                return ScriptTurn(state=replace(chat.state, has_request=True), replies=(reply,), entry=words)
        consents = self._asking.consents(tx, known.subject_id, scene.locale)
        turn = take_turn(chat.state, fact, scene.texts, salon=self._workspace.name, consents=consents)
        return self._note_demand(tx, turn, fact=fact, known=known, words=words, scene=scene) if is_withdrawal else turn

    def _note_demand(
        self, tx: Transaction, turn: ScriptTurn, *, fact: NormalisedEvent, known: Known, words: str, scene: Scene
    ) -> ScriptTurn:
        """A withdrawal sets a term for the salon; whoever asks to be erased hears until when."""
        told = self._answer_request(tx, fact, known, words, scene)
        if told is not None:
            done = Reply(text=load_texts("consents", scene.locale).get("erasure_begun"))
            return replace(turn, replies=(done, told))
        taken_back = {one.purpose for one in turn.decided if one.decision is Decision.WITHDRAWN}
        if ConsentPurpose.PROCESSING in taken_back:
            self._answer_request(tx, fact, known, words, scene, kind=RequestKind.WITHDRAW)
        return turn

    def _stay_off_health(self, turn: ScriptTurn, words: str, scene: Scene) -> ScriptTurn:
        """Where health is no subject of chats, the bot says so once in a conversation, before what it says anyway."""
        is_subject = self._outbox.rules.now.health.mode is not HealthMode.NONE
        if is_subject or turn.state.is_off_health or not mentions_health(words, otherwise=False):
            return turn
        word = Reply(text=scene.texts.get("health_in_person"))
        return replace(turn, state=replace(turn.state, is_off_health=True), replies=(word, *turn.replies))

    def _answer_request(
        self,
        tx: Transaction,
        fact: NormalisedEvent,
        known: Known,
        words: str,
        scene: Scene,
        *,
        kind: RequestKind | None = None,
    ) -> Reply | None:
        """Whoever asks about their own data is told until when they are answered; the words go to the administrator, too."""
        if self._hear_request is None:
            return None
        told = self._hear_request(
            tx,
            words,
            subject_id=known.subject_id,
            event_id=scene.event_id,
            heard_at=scene.heard_at,
            locale=self._locale(fact),
            at=scene.at,
            kind=kind,
        )
        return None if told is None else Reply(text=told)

    def _offer_links(self, tx: Transaction, known: Known, words: str, scene: Scene) -> Reply | None:
        """Whoever asks for another messenger gets a link into each; None when they do not ask, or there is no other."""
        wish = find_wish(words)
        if wish is None:
            return None
        links = self._links.make(tx, known.subject_id, at=scene.at, but_kind=scene.kind, kinds=wish)
        if not links:
            return None
        lines = (f"{scene.texts.get(f'channel_{link.kind}')}: {link.url}" for link in links)
        return Reply(text=scene.texts.get("elsewhere", links="\n".join(lines)))

    def _record(
        self, tx: Transaction, fact: NormalisedEvent, known: Known, turn: ScriptTurn, scene: Scene
    ) -> str | None:
        if turn.entry is None or not (turn.makes_lead or self._leads.find_current(tx, known.subject_id)):
            return None
        learned = self._identities.learn(tx, known.subject_id, turn.learned, channel=scene.kind, at=scene.at)
        request = None if fact.lead is None else replace(fact.lead, message=turn.entry)
        return self._leads.record_words(
            tx, learned.after(known), turn.entry, scene.contact, scene.house, at=scene.at, request=request
        )

    def _tell_joined(self, tx: Transaction, known: Known, scene: Scene) -> str | None:
        """The open lead hears that its client writes here, too."""
        if self._leads.find_current(tx, known.subject_id) is None:
            return None
        words = scene.house.texts.get("entry_joined")
        return self._leads.record_words(tx, known, words, scene.contact, scene.house, at=scene.at)

    def _answer(
        self, tx: Transaction, chat: Chat, replies: tuple[Reply, ...], *, callback_id: str | None, scene: Scene
    ) -> None:
        for number, reply in enumerate(replies):
            asked = OutgoingMessage(
                message_id=message_id_of(scene.event_id, number),
                chat_id=scene.chat_id,
                text=reply.text,
                buttons=reply.buttons,
                ask_contact=scene.texts.get("share_phone") if reply.asks_contact else None,
                callback_id=callback_id if number == 0 else None,
                heard_at=scene.heard_at,
            )
            message = self._outbox.guarded(tx, asked, at=scene.at)
            chat.add_message(
                tx, message.message_id, outgoing=True, text=message.text, buttons=message.buttons, at=scene.at
            )
            if scene.source.integration.manifest.client_pulls:
                continue
            self._outbox.enqueue(
                tx,
                message,
                lane=chat.lane,
                connection_id=scene.source.connection_id,
                subject_id=chat.subject_id,
                event_id=scene.event_id,
                at=scene.at,
            )

    def _locale(self, fact: NormalisedEvent) -> str:
        # Russian first: English only for those whose messenger speaks it, or for a salon that does.
        is_english = fact.language is not None and fact.language.lower().startswith("en")
        return known_locale("en" if is_english else self._workspace.locale)


def _answered(fact: NormalisedEvent, known: Known, scene: Scene) -> Answered:
    return Answered(
        subject_id=known.subject_id,
        event_id=scene.event_id,
        channel=scene.kind,
        words=fact.text or fact.payload,
        said_at=scene.heard_at,
        at=scene.at,
    )


def _welcome(state: DialogueState, known: Known, words: str, texts: Texts) -> ScriptTurn:
    """They came by an invitation: we know each other already, and what they write along is passed on."""
    profile = known.profile
    new = replace(state, step=Step.WISH, asked=1, name=profile.name, phone=profile.phone, is_greeted=True)
    entry = None if words in ("", _START) else words
    return ScriptTurn(state=new, replies=(Reply(text=texts.get("joined")),), entry=entry)
