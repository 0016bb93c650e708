"""Is this event from VK, and which one? The body is not signed: a secret inside it is all the proof.

The address is confirmed once by a handshake that VK repeats when its settings change.
"""

from __future__ import annotations

from collections.abc import Mapping

from leadgate.errors import WebhookRejectedError
from leadgate.intake.signatures import body_key, verify_shared_secret
from leadgate.intake.untrusted import find_object, identifier_at, text_at
from leadgate.integrations.vk.settings import CONFIRMATION, WEBHOOK_SECRET, find_group_id
from leadgate.model.connections import OpenConnection
from leadgate.model.webhooks import RawWebhook, VerifiedWebhook, WebhookAnswer

CONFIRMATION_TYPE = "confirmation"

_PERSON_PATHS = (
    ("message", "peer_id"),
    ("peer_id",),
    ("user_id",),
    ("message", "from_id"),
    ("from_id",),
)


def confirm_address(request: RawWebhook, connection: OpenConnection) -> WebhookAnswer | None:
    """The answer to VK's handshake, or None when the request is an ordinary event.

    VK asks before it knows our secret as well, so a handshake without one is answered: the string proves nothing to others.

    Raises:
        WebhookRejectedError: 401, another community, a wrong secret, or no confirmation string here.
    """
    if b'"confirmation"' not in request.body:  # spares every other event a second reading
        return None
    body = find_object(request.body)
    if body is None or body.get("type") != CONFIRMATION_TYPE:
        return None
    _refuse_other_group(body, connection)
    if "secret" in body:
        _verify_secret(body, connection)
    confirmation = connection.secret(CONFIRMATION)
    if confirmation is None:
        raise WebhookRejectedError("This connection has no confirmation string.", code="webhook.secret_missing")
    return WebhookAnswer(200, confirmation.reveal().encode("ascii", "replace"))


def verify_event(request: RawWebhook, connection: OpenConnection) -> VerifiedWebhook:
    """Prove an event and name it: VK documents `event_id` as the mark of what was seen before.

    Raises:
        WebhookRejectedError: 401, the secret is missing here, missing there or different, or the community is another one. What is
            not JSON carries no secret, so it is refused too.
    """
    body = find_object(request.body) or {}
    _verify_secret(body, connection)
    _refuse_other_group(body, connection)
    return VerifiedWebhook(event_key(body) or body_key(request.body), _conversation_key(body), request.body)


def event_key(body: Mapping[str, object]) -> str | None:
    """The `event_id`, or None when there is none."""
    return text_at(body, "event_id")


def is_other_group(body: Mapping[str, object], connection: OpenConnection) -> bool:
    """True when the body names a community and the connection names another."""
    expected, given = find_group_id(connection), identifier_at(body, "group_id")
    return expected is not None and given is not None and given != expected


def _verify_secret(body: Mapping[str, object], connection: OpenConnection) -> None:
    given = body.get("secret")
    verify_shared_secret(given if isinstance(given, str) else None, connection.secrets.get(WEBHOOK_SECRET, ()))


def _refuse_other_group(body: Mapping[str, object], connection: OpenConnection) -> None:
    expected = find_group_id(connection)
    if expected is not None and identifier_at(body, "group_id") != expected:
        raise WebhookRejectedError("The event is of another community.", code="webhook.other_account")


def _conversation_key(body: Mapping[str, object]) -> str | None:
    """The dialogue, which in private is the person: texts, presses and permissions of one person are worked on in order."""
    content = body.get("object")
    for path in _PERSON_PATHS:
        found = identifier_at(content, *path)
        if found is not None:
            return found
    return None
