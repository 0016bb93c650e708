"""What every channel must do with what it receives: inherit, say how a request looks, and run.

A channel that signs its body inherits `SignedBodySuite` too, one that must keep unknown kinds
`OpenVocabularySuite`, one that may get several events in one body `BatchSuite`.
Sending has `sender_suite`.
"""
# ruff: noqa: S101, PLR2004 - a conformance suite speaks in asserts and in HTTP statuses

from __future__ import annotations

import json
import sys
from abc import ABC, abstractmethod
from collections.abc import Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import ClassVar

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from leadgate.errors import WebhookRejectedError
from leadgate.intake.normalised import parse_bodies, to_public
from leadgate.model.connections import OpenConnection
from leadgate.model.events import EventKind, NormalisedEvent
from leadgate.model.webhooks import RawWebhook, Receipt, VerifiedWebhook
from leadgate.ports.channel import WebhookReceiver
from leadgate.ports.integration import Integration
from leadgate.testing.connections import NOW, CountedIds, open_connection
from leadgate.testing.quality import quality_problems, read_quality

JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False)
    | st.text(st.characters(), max_size=20)
    | st.sampled_from(["", "\x00", "0" * 400]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)

HOSTILE_BODIES = {
    "empty": b"",
    "not_json": b"{",
    "not_utf8": b'{"a": "\xff\xfe"}',
    "null": b"null",
    "number": b"7",
    "list": b"[]",
    "empty_object": b"{}",
    "deep": b"[" * 100_000 + b"]" * 100_000,
    "deep_object": b'{"message":' * 50_000 + b"1" + b"}" * 50_000,
    "endless_number": b'{"update_id": ' + b"9" * 5000 + b"}",
    "huge_number": b'{"update_id": ' + b"9" * 400 + b', "id": 1e999}',
    "not_a_number": b'{"update_id": NaN}',
    "byte_order_mark": b"\xef\xbb\xbf{}",
}

POISON = {"half_surrogate": '"\\ud83d"', "other_half": '"\\ude00 x"', "nul": '"a\\u0000b"'}


class ChannelSuite(ABC):
    """The rules of receiving.

    Attributes:
        integration: under test.
        secret_name: the secret that proves a request; `first` and `second` are good values, `strange` a third.
        other_secrets: what the connection holds besides; `other_settings` likewise.
        not_json_status: what an authentic body that is not JSON gets; None when it is taken and kept.
    """

    integration: ClassVar[Integration]
    secret_name: ClassVar[str]
    first: ClassVar[str]
    second: ClassVar[str]
    strange: ClassVar[str]
    other_secrets: ClassVar[Mapping[str, str]] = {}
    other_settings: ClassVar[Mapping[str, str]] = {}
    not_json_status: ClassVar[int | None] = None

    @abstractmethod
    def request(self, body: bytes, *, secret: str, event: str = "1", at: datetime = NOW) -> RawWebhook:
        """A request as the vendor makes it.

        Args:
            body: of the request.
            secret: proves it.
            event: names the event where the name travels in a header; the same for a redelivery.
            at: time of this attempt, where the vendor signs it.
        """

    @abstractmethod
    def text_body(self, text_json: str, *, event: int = 1) -> bytes:
        """The body of an ordinary text, `text_json` being the JSON string of the words, quotes included."""

    @property
    def receiver(self) -> WebhookReceiver:
        """The receiver under test."""
        assert self.integration.receiver is not None
        return self.integration.receiver

    def connection(self, *live: str) -> OpenConnection:
        """A connection with these live values of the proving secret."""
        return open_connection(
            self.integration.manifest.kind,
            secrets={**self.other_secrets, **({self.secret_name: live} if live else {})},
            settings=self.other_settings,
        )

    def verify(self, request: RawWebhook, *live: str, now: datetime = NOW) -> VerifiedWebhook:
        """Verify a request at a connection with these live secrets."""
        return self.receiver.verify(request, self.connection(*live), now=now)

    def parse(self, body: bytes) -> list[NormalisedEvent]:
        """Parse a body that is taken as authentic."""
        webhook = VerifiedWebhook(natural_key="key", conversation_key=None, body=body)
        return self.receiver.parse(webhook, self.connection(self.first))

    def hello(self) -> RawWebhook:
        """A genuine request with an ordinary text."""
        return self.request(self.text_body('"Здравствуйте"'), secret=self.first)

    # -- proof

    def test_a_genuine_request_is_taken(self) -> None:
        """The raw bytes are kept as they came: they are what is stored."""
        request = self.hello()
        webhook = self.verify(request, self.first)
        assert webhook.body == request.body
        assert 0 < len(webhook.natural_key) <= 512

    def test_another_secret_is_refused(self) -> None:
        """Whoever does not hold the secret could write to the CRM."""
        request = self.request(self.text_body('"x"'), secret=self.strange)
        with pytest.raises(WebhookRejectedError) as refusal:
            self.verify(request, self.first)
        assert refusal.value.status == 401

    def test_without_a_secret_everything_is_refused(self) -> None:
        """A secret that was lost or never set must close the door, not open it."""
        for secret in (self.first, ""):
            with pytest.raises(WebhookRejectedError) as refusal:
                self.verify(_with_proof(self.hello(), secret, self.first))
            assert refusal.value.status == 401

    def test_a_request_without_proof_is_refused(self) -> None:
        """The absence of a header is no proof."""
        request = RawWebhook(method="POST", headers={}, body=self.hello().body)
        with pytest.raises(WebhookRejectedError) as refusal:
            self.verify(request, self.first)
        assert refusal.value.status == 401

    def test_an_empty_proof_is_refused(self) -> None:
        """Every header emptied: nothing compares equal to nothing."""
        request = self.hello()
        emptied = _all_replaced(request, "")
        with pytest.raises(WebhookRejectedError) as refusal:
            self.verify(emptied, self.first)
        assert refusal.value.status == 401

    def test_odd_characters_in_the_proof_are_refused(self) -> None:
        """Bytes beyond ASCII reach us as Latin letters; comparing them must not fall over."""
        request = self.hello()
        for odd in ("ÿþ", "секрет", "\ud800", "a\x00b", "v1,", ",", " "):
            with pytest.raises(WebhookRejectedError) as refusal:
                self.verify(_all_replaced(request, odd), self.first)
            assert refusal.value.status == 401

    def test_both_live_secrets_are_good_while_a_rotation_lasts(self) -> None:
        """The vendor learns the new secret later than we do."""
        for secret in (self.first, self.second):
            request = self.request(self.text_body('"x"'), secret=secret)
            assert self.verify(request, self.second, self.first).body == request.body

    def test_the_old_secret_is_refused_after_the_rotation(self) -> None:
        """Otherwise a leaked secret would live for ever."""
        request = self.request(self.text_body('"x"'), secret=self.first)
        with pytest.raises(WebhookRejectedError):
            self.verify(request, self.second)

    # -- names

    def test_a_redelivery_has_the_same_key(self) -> None:
        """The store drops what it has seen, by this key alone."""
        body = self.text_body('"x"')
        first = self.verify(self.request(body, secret=self.first), self.first)
        later = NOW + timedelta(hours=1)
        again = self.verify(self.request(body, secret=self.first, at=later), self.first, now=later)
        assert (first.natural_key, first.conversation_key) == (again.natural_key, again.conversation_key)
        events = [event for webhook in (first, again) for event in self.receiver.parse(webhook, self.connection())]
        assert len({event.event_key for event in events}) == len(events) / 2

    def test_different_events_have_different_keys(self) -> None:
        """Two texts with the same words are two events; losing one would lose what a client said."""
        keys = set()
        event_keys = set()
        for event in (1, 2):
            request = self.request(self.text_body('"x"', event=event), secret=self.first, event=str(event))
            webhook = self.verify(request, self.first)
            keys.add(webhook.natural_key)
            event_keys |= {fact.event_key for fact in self.receiver.parse(webhook, self.connection(self.first))}
        assert len(keys) == len(event_keys) == 2

    def test_one_persons_events_share_a_conversation(self) -> None:
        """They are worked on in order, so that an answer fits the question."""
        keys = {
            self.verify(
                self.request(self.text_body('"x"', event=event), secret=self.first, event=str(event)),
                self.first,
            ).conversation_key
            for event in (1, 2)
        }
        assert len(keys) == 1
        assert None not in keys

    def test_the_answer_is_a_success_also_for_a_duplicate(self) -> None:
        """Anything else would make the vendor repeat for hours."""
        for duplicate in (False, True):
            answer = self.receiver.accepted(Receipt(event_id="evt_1", duplicate=duplicate))
            assert 200 <= answer.status < 300

    # -- odd bodies

    @pytest.mark.parametrize("text_json", POISON.values(), ids=POISON.keys())
    def test_text_that_cannot_be_stored_is_cleaned(self, text_json: str) -> None:
        """Half a character or U+0000 would fail in the database, and the vendor would repeat it for days."""
        body = self.text_body(text_json)
        webhook = self.verify(self.request(body, secret=self.first), self.first)
        (event,) = self.receiver.parse(webhook, self.connection(self.first))
        assert "\ufffd" in (event.text or "")
        assert_storable(event)

    def test_words_are_kept_exactly(self) -> None:
        """Spaces, line ends, emoji and other scripts are the client's own words."""
        words = "  Ёлка — «да»\n\tокей 👩‍👩‍👧 ﷺ "
        (event,) = self.parse(self.text_body(json.dumps(words)))
        assert event.text == words

    @pytest.mark.parametrize("body", HOSTILE_BODIES.values(), ids=HOSTILE_BODIES.keys())
    def test_hostile_bodies_are_refused_or_kept(self, body: bytes) -> None:
        """No body makes us fall over: it is refused as the sender's fault, or kept and read as something."""
        try:
            webhook = self.verify(self.request(body, secret=self.first), self.first)
        except WebhookRejectedError as refusal:
            assert 400 <= refusal.status < 500  # noqa: PT017 - either way is right, and the refusal is looked at
        else:
            assert len(webhook.natural_key) <= 512
        for event in self.parse(body):
            assert_storable(event)

    def test_what_is_not_json_gets_the_answer_of_the_contract(self) -> None:
        """Bot builders are told (400); a messenger would repeat for a day, so its body is kept."""
        request = self.request(b"not json", secret=self.first)
        if self.not_json_status is None:
            assert self.verify(request, self.first).body == b"not json"
            assert [event.kind for event in self.parse(b"not json")] == [EventKind.UNSUPPORTED]
            return
        with pytest.raises(WebhookRejectedError) as refusal:
            self.verify(request, self.first)
        assert refusal.value.status == self.not_json_status

    # The same method runs for every vendor on purpose, hence the health check that is off.
    @settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.differing_executors])
    @given(value=JSON)
    def test_parsing_never_raises_on_any_json(self, value: object) -> None:
        """A raise here would block a conversation for ever."""
        events = self.parse(json.dumps(value).encode())
        assert events
        for event in events:
            assert_storable(event)

    @settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.differing_executors])
    @given(value=JSON, place=st.integers(min_value=0, max_value=200))
    def test_parsing_never_raises_when_one_field_is_odd(self, value: object, place: int) -> None:
        """True shapes with one wrong value go deeper into the parser than noise does."""
        body: object = json.loads(self.text_body('"x"'))
        paths = _paths(body)
        events = self.parse(json.dumps(_replaced(body, paths[place % len(paths)], value)).encode())
        assert events
        for event in events:
            assert_storable(event)

    def test_printed_events_have_the_fields_of_the_contract(self) -> None:
        """`parse` and `events show` are read by programs."""
        (line,) = parse_bodies(self.receiver, [self.text_body('"x"')], self.connection(self.first))
        assert list(line)[:3] == ["kind", "account", "sender_id"]
        assert len(line) == 13
        json.dumps(line)

    # -- manifest

    def test_the_manifest_can_be_shown_and_filled_in(self) -> None:
        """Form, masking and docs come from it: two languages, made or required secrets, good defaults."""
        manifest = self.integration.manifest
        names = [field.name for field in manifest.fields]
        assert len(names) == len(set(names))
        assert manifest.title
        assert manifest.title_ru
        assert 2 <= len(manifest.mark) <= 3
        for field in manifest.fields:
            assert field.label_ru
            assert field.label_en
            if field.default and field.problem is not None:
                assert field.problem(field.default) is None

    def test_the_proving_secret_is_marked_and_made(self) -> None:
        """A secret that is not marked would be printed; two that are made must differ."""
        field = next(field for field in self.integration.manifest.fields if field.name == self.secret_name)
        assert field.secret
        if field.make is None:
            assert field.required
            return
        ids = CountedIds()
        one, other = field.make(ids), field.make(ids)
        assert one != other
        assert field.problem is None or field.problem(one) is None

    def test_problems_never_repeat_the_value(self) -> None:
        """They are printed and logged."""
        for field in self.integration.manifest.fields:
            if field.problem is not None:
                assert "MARKED-VALUE" not in (field.problem(" MARKED-VALUE ") or "")

    def test_the_quality_of_the_integration_is_told(self) -> None:
        """Each rule is done, or there is a reason."""
        module = sys.modules[type(self.receiver).__module__]
        assert module.__file__ is not None
        states = read_quality(Path(module.__file__).with_name("quality.yaml"))
        assert quality_problems(states) == []


class SignedBodySuite(ChannelSuite):
    """More rules for a vendor that signs the raw bytes and the time."""

    def test_a_changed_byte_is_refused(self) -> None:
        """The signature is over the bytes, so one changed space is another message."""
        request = self.hello()
        changed = RawWebhook(method="POST", headers=request.headers, body=request.body + b" ")
        with pytest.raises(WebhookRejectedError) as refusal:
            self.verify(changed, self.first)
        assert refusal.value.status == 401

    @pytest.mark.parametrize("age_s", [-300, 0, 300])
    def test_a_time_within_the_window_is_taken(self, age_s: int) -> None:
        """Clocks differ, and the edge belongs to the window."""
        request = self.request(self.text_body('"x"'), secret=self.first, at=NOW - timedelta(seconds=age_s))
        assert self.verify(request, self.first).body == request.body

    @pytest.mark.parametrize("age_s", [-301, 301])
    def test_a_time_outside_the_window_is_refused(self, age_s: int) -> None:
        """An overheard request must not be good for ever."""
        request = self.request(self.text_body('"x"'), secret=self.first, at=NOW - timedelta(seconds=age_s))
        with pytest.raises(WebhookRejectedError) as refusal:
            self.verify(request, self.first)
        assert refusal.value.status == 401


class OpenVocabularySuite(ChannelSuite):
    """More rules for a vendor that may send kinds of events that we do not know yet."""

    @abstractmethod
    def unknown_body(self) -> bytes:
        """An authentic body of a kind that does not exist."""

    def test_an_unknown_kind_is_kept(self) -> None:
        """The vendor is content, the raw bytes are stored, and later versions may read them."""
        request = self.request(self.unknown_body(), secret=self.first)
        webhook = self.verify(request, self.first)
        assert [event.kind for event in self.receiver.parse(webhook, self.connection(self.first))] == [
            EventKind.UNSUPPORTED
        ]


class BatchSuite(ChannelSuite):
    """More rules for a vendor that may put several events into one webhook."""

    @abstractmethod
    def batch_body(self, *texts: tuple[int, str, str]) -> bytes:
        """One body with several texts, each given as number of the event, sender's id and words."""

    def test_a_batch_is_taken_apart(self) -> None:
        """Each event is kept by itself, under its own key, in the order of its own person."""
        body = self.batch_body((1, "101", "раз"), (2, "102", "два"), (3, "101", "три"))
        webhook = self.verify(self.request(body, secret=self.first), self.first)
        assert webhook.body == body
        facts = [self.receiver.parse(part, self.connection(self.first)) for part in webhook.split]
        assert [[fact.text for fact in events] for events in facts] == [["раз"], ["два"], ["три"]]
        assert len({part.natural_key for part in webhook.split}) == 3
        first, second, third = (part.conversation_key for part in webhook.split)
        assert first == third != second

    def test_a_part_holds_nothing_of_another_person(self) -> None:
        """Erasing one person must not leave their words in somebody else's row."""
        body = self.batch_body((1, "101", "тайна первого"), (2, "102", "тайна второго"))
        webhook = self.verify(self.request(body, secret=self.first), self.first)
        first, second = (json.dumps(json.loads(part.body), ensure_ascii=False) for part in webhook.split)
        assert "второго" not in first
        assert "первого" not in second

    def test_an_event_has_one_key_alone_and_in_a_batch(self) -> None:
        """Vendors repeat in other groups; a message of yesterday must be known again."""
        alone = self.verify(self.request(self.batch_body((2, "102", "два")), secret=self.first), self.first)
        batch = self.batch_body((1, "101", "раз"), (2, "102", "два"))
        together = self.verify(self.request(batch, secret=self.first), self.first)
        assert alone.split == ()
        assert alone.natural_key == together.split[1].natural_key

    def test_the_whole_body_reads_as_its_parts(self) -> None:
        """`parse` of the raw body gives what the live way gives, in the same order."""
        body = self.batch_body((1, "101", "раз"), (2, "102", "два"))
        webhook = self.verify(self.request(body, secret=self.first), self.first)
        parts = [fact for part in webhook.split for fact in self.receiver.parse(part, self.connection(self.first))]
        assert self.parse(body) == parts


def _with_proof(request: RawWebhook, given: str, genuine: str) -> RawWebhook:
    """The request with its proof replaced wherever it stands in a header or the address in the clear."""
    headers = {name: value.replace(genuine, given) for name, value in request.headers.items()}
    query = {name: value.replace(genuine, given) for name, value in request.query.items()}
    return RawWebhook(method=request.method, headers=headers, body=request.body, query=query)


def _all_replaced(request: RawWebhook, given: str) -> RawWebhook:
    """The request with this value in every header and every parameter of the address."""
    headers, query = dict.fromkeys(request.headers, given), dict.fromkeys(request.query, given)
    return RawWebhook(method=request.method, headers=headers, body=request.body, query=query)


def assert_storable(event: NormalisedEvent) -> None:
    """What is printed and stored must be UTF-8 without U+0000."""
    for value in to_public(event).values():
        if isinstance(value, str):
            value.encode("utf-8")
            assert "\x00" not in value
    for value in (event.sender_name, event.username, event.language, event.chat_id, event.callback_id):
        (value or "").encode("utf-8")


def _paths(value: object, at: tuple[str, ...] = ()) -> list[tuple[str, ...]]:
    inner = (
        [path for key, item in value.items() for path in _paths(item, (*at, key))] if isinstance(value, dict) else []
    )
    return [at, *inner]


def _replaced(value: object, path: tuple[str, ...], new: object) -> object:
    if not path or not isinstance(value, dict):
        return new
    return {**value, path[0]: _replaced(value[path[0]], path[1:], new)}
