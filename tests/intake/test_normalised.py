from datetime import UTC, datetime, timedelta, timezone

from leadgate.intake.normalised import to_public
from leadgate.model.events import PUBLIC_FIELDS, EventKind, NormalisedEvent


def test_the_fields_are_those_of_the_contract_in_its_order() -> None:
    """Programs read them, some by position."""
    at = datetime(2026, 7, 1, 13, 0, tzinfo=timezone(timedelta(hours=3)))
    event = NormalisedEvent(kind=EventKind.CONTACT, event_key="1", phone_verified=False, occurred_at=at, chat_id="5")
    public = to_public(event)
    assert tuple(public) == PUBLIC_FIELDS
    assert public["kind"] == "contact"
    assert type(public["kind"]) is str
    assert public["phone_verified"] is False
    assert public["occurred_at"] == "2026-07-01T10:00:00+00:00"
    assert public["text"] is None
    assert to_public(NormalisedEvent(kind=EventKind.TEXT, event_key="1", occurred_at=at.astimezone(UTC))) != public
