"""The door for a visitor's message."""

import json

import pytest

from leadgate.errors import WebhookRejectedError
from leadgate.integrations.site.manifest import INTEGRATION, MANIFEST
from leadgate.integrations.site.tokens import TOKEN_LIFE
from leadgate.integrations.site.verify import SiteReceiver
from leadgate.model.webhooks import RawWebhook, Receipt
from tests.integrations.site.rig import BODY, NOW, OTHER, connection, posted, token
from tests.web.site_rig import CountingIds


def refusal(request: RawWebhook) -> tuple[int, str]:
    """Status and code of the refusal."""
    with pytest.raises(WebhookRejectedError) as caught:
        SiteReceiver().verify(request, connection(), now=NOW)
    return caught.value.status, caught.value.code


def test_a_visitor_we_let_in_may_write() -> None:
    """Natural key: visitor and the browser's own id, so that a repeat is recognised; order: per visitor."""
    opened = connection()
    webhook = SiteReceiver().verify(posted(token(opened)), opened, now=NOW)
    visitor, _, message_id = webhook.natural_key.partition(":")
    assert webhook.conversation_key == visitor
    assert message_id == BODY["id"]
    assert webhook.body == posted(None).body


def test_the_same_message_again_has_the_same_key_and_another_visitors_has_not() -> None:
    """A renewed token does not make a repeat a new message; the id of another visitor's message is no clash."""
    opened, receiver = connection(), SiteReceiver()
    first = receiver.verify(posted(token(opened)), opened, now=NOW).natural_key
    assert first == receiver.verify(posted(token(opened)), opened, now=NOW).natural_key
    stranger = token(connection("other-secret"))
    assert refusal(posted(stranger)) == (401, "site.token_invalid")


@pytest.mark.parametrize("origin", [None, "null", "https://evil.example", "https://salon.example.evil.example"])
def test_a_page_outside_the_list_is_refused(origin: str | None) -> None:
    """Nothing is stored for a page that the salon did not name."""
    assert refusal(posted(token(connection()), origin=origin)) == (401, "site.origin_refused")


def test_a_token_of_another_listed_page_is_refused() -> None:
    """Bound to its page."""
    assert refusal(posted(token(connection()), origin=OTHER)) == (401, "site.origin_refused")


def test_a_missing_or_expired_token_is_refused() -> None:
    """The origin alone proves nothing: any program can send that header."""
    assert refusal(posted(None)) == (401, "site.token_invalid")
    old = token(connection(), now=NOW - TOKEN_LIFE)
    assert refusal(posted(old)) == (401, "site.token_expired")
    basic = RawWebhook("POST", {**posted(None).headers, "authorization": "Basic abc"}, posted(None).body)
    assert refusal(basic) == (401, "site.token_invalid")


def test_nobody_writes_in_another_visitors_name() -> None:
    """The body says who writes, because it is what is kept; it must say what the token proves."""
    request = posted(token(connection()), body={**BODY, "visitor": "random-somebody-else"})
    assert refusal(request) == (401, "site.visitor_mismatch")


@pytest.mark.parametrize("body", [b"", b"{", b"\xff\xfe", b"[1]", b"null", b"[" * 100_000])
def test_a_body_that_is_no_object_is_refused_as_400(body: bytes) -> None:
    """The widget is ours: whatever else comes is not a client's words, so nothing is lost."""
    assert refusal(posted(token(connection()), body=body)) == (400, "site.not_json")


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"visitor": None}, "visitor"),
        ({"visitor": "no blanks please"}, "visitor"),
        ({"id": "short"}, "id"),
        ({"id": "x" * 65}, "id"),
        ({"id": "0123 456789"}, "id"),
        ({"id": 12345678}, "id"),
        ({"text": ""}, "text"),
        ({"text": "  \n"}, "text"),
        ({"text": "я" * 4001}, "text"),
        ({"text": None}, "text"),
    ],
)
def test_a_wrong_field_is_refused_by_name_without_its_value(change: dict[str, object], field: str) -> None:
    """Bounds hold at the door; what a client wrote is not repeated in an error."""
    request = posted(token(connection()), body={**BODY, **change})
    with pytest.raises(WebhookRejectedError) as caught:
        SiteReceiver().verify(request, connection(), now=NOW)
    assert (caught.value.status, caught.value.code) == (422, "site.message_invalid")
    assert str(caught.value) == f"Wrong fields: {field}."


def test_the_longest_text_is_taken() -> None:
    """4000 characters, not bytes."""
    opened = connection()
    body = {**BODY, "text": "я" * 4000}
    webhook = SiteReceiver().verify(posted(token(opened), body=body), opened, now=NOW)
    assert webhook.natural_key.endswith(f":{BODY['id']}")


def test_the_answer_names_the_event_and_says_when_it_is_a_repeat() -> None:
    """The widget forgets a message only when it is on disk."""
    answer = SiteReceiver().accepted(Receipt("evt_1", duplicate=False))
    assert (answer.status, json.loads(answer.body)) == (202, {"event": "evt_1", "status": "accepted"})
    repeat = SiteReceiver().accepted(Receipt("evt_1", duplicate=True))
    assert json.loads(repeat.body) == {"event": "evt_1", "status": "duplicate"}
    assert SiteReceiver().handshake(posted(None), connection()) is None


def test_the_manifest_asks_for_origins_and_makes_the_secret() -> None:
    """People type the list; the key is ours and is never asked or shown."""
    origins, secret = MANIFEST.fields
    assert origins.required
    assert origins.problem is not None
    assert origins.problem("https://salon.example/") is not None
    assert secret.secret
    assert not secret.required
    assert secret.make is not None
    assert len(secret.make(CountingIds())) >= 32
    assert MANIFEST.webhook_secret is None
    assert MANIFEST.client_pulls
    assert INTEGRATION.open_channel is None
