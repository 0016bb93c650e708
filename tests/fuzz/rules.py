"""What no body may do to a receiver, however it looks."""

import time
from collections.abc import Sequence
from random import Random

from leadgate.errors import WebhookRejectedError
from leadgate.intake.untrusted import NAME_LIMIT, TEXT_LIMIT
from leadgate.model.events import NormalisedEvent
from leadgate.model.webhooks import RawWebhook, VerifiedWebhook
from leadgate.testing.channel_suite import assert_storable
from leadgate.testing.connections import NOW
from tests.fuzz.mutations import ODD
from tests.fuzz.seeds import Target

KEY_LIMIT = 512
_NAMES_LIMIT = 2 * NAME_LIMIT + 1
"""A first and a last name with a space between."""

PATIENCE_S = 2.0
"""Longest time of the processor for one body; the door reads bodies in the event loop, so a slow one holds everybody up."""


def hold(target: Target, body: bytes, random: Random) -> None:
    """Let a body in by the live way, by `parse` alone, and with a forged proof.

    Raises:
        Exception: whatever the receiver lets escape, or the rule that is broken.
    """
    started_s = time.thread_time()
    request = target.request(body)
    _hold_forged(target, request, random)
    _hold_handshake(target, request, random)
    webhook = _verified(target, request)
    if webhook is not None:
        _hold_webhook(target, webhook)
    _parsed(target, VerifiedWebhook("key", None, body))
    assert time.thread_time() - started_s < PATIENCE_S, "the body takes too long"


def _hold_webhook(target: Target, webhook: VerifiedWebhook) -> None:
    events = _parsed(target, webhook)
    _assert_key(webhook.natural_key)
    if webhook.conversation_key is not None:
        _assert_key(webhook.conversation_key)
    parts = [_one_event(target, part) for part in webhook.split]
    assert len(webhook.split) != 1, "a single event is no batch"
    assert not parts or parts == events, "the whole reads other than its parts"


def _one_event(target: Target, part: VerifiedWebhook) -> NormalisedEvent:
    """The event of a part; it is known by the same key here and in the store."""
    _hold_webhook(target, part)
    (event,) = _parsed(target, part)
    assert event.event_key == part.natural_key, "a part has two names"
    assert not part.split, "a part has parts"
    return event


def _parsed(target: Target, webhook: VerifiedWebhook) -> Sequence[NormalisedEvent]:
    events = target.receiver.parse(webhook, target.connection)
    assert events, "nothing is not an event"
    for event in events:
        assert_storable(event)
        _assert_key(event.event_key)
        _assert_bounded(event)
    return events


def _verified(target: Target, request: RawWebhook) -> VerifiedWebhook | None:
    try:
        return target.receiver.verify(request, target.connection, now=NOW)
    except WebhookRejectedError as refusal:
        _assert_refusal(refusal)
        return None


def _hold_forged(target: Target, request: RawWebhook, random: Random) -> None:
    """Headers and parameters of the address with odd values: never an accident, and never let in by one of ours."""
    strange = [value for value in ODD if isinstance(value, str)]
    forged = RawWebhook(
        request.method,
        {name: random.choice(strange) for name in request.headers},
        request.body,
        {name: random.choice(strange) for name in request.query},
    )
    _verified(target, forged)


def _hold_handshake(target: Target, request: RawWebhook, random: Random) -> None:
    names = ("hub.mode", "hub.challenge", "hub.verify_token", "key", "type")
    query = {name: str(random.choice(("subscribe", "<script>", "confirmation", *ODD[:6]))) for name in names}
    for method in ("GET", "POST"):
        asked = RawWebhook(method, request.headers, request.body, query)
        try:
            answer = target.receiver.handshake(asked, target.connection)
        except WebhookRejectedError as refusal:
            _assert_refusal(refusal)
        else:
            assert answer is None or b"<" not in answer.body or "html" not in answer.content_type


def _assert_refusal(refusal: WebhookRejectedError) -> None:
    assert 400 <= refusal.status < 500, f"a sender's fault is no {refusal.status}"


def _assert_bounded(event: NormalisedEvent) -> None:
    """Names and ids fit into a column and a line of a page, words into a message."""
    names = (event.account, event.sender_id, event.chat_id, event.message_id, event.sender_name, event.username)
    assert all(len(name) <= _NAMES_LIMIT for name in names if name is not None), "a name without end"
    assert len(event.text or "") <= TEXT_LIMIT, "a text without end"


def _assert_key(key: str) -> None:
    assert 0 < len(key) <= KEY_LIMIT, "a key without end"
    key.encode("utf-8")
