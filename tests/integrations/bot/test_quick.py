import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from leadgate.errors import InvalidLeadError
from leadgate.intake.untrusted import decode_json
from leadgate.integrations.bot.quick import find_sender
from leadgate.integrations.bot.schema import read_lead

FIXTURES = Path(__file__).parent / "fixtures"

ODD = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.text(max_size=12),
    st.sampled_from(["", " ", "\n", "a\x00b", "я" * 256, "я" * 257, "\ud800"]),
    st.lists(st.none(), max_size=1),
    st.dictionaries(st.text(max_size=3), st.none(), max_size=1),
)
PHONES = st.sampled_from(["8 900 000-01-01", "+79000000101", "79000000101", "+49 30 901820", "123", "восемь", " "])
MOMENTS = st.sampled_from(["2026-11-25T15:00:00+03:00", "2026-11-25T15:00:00", "1990-01-01T00:00:00Z", "завтра", " "])
CONTACTS = st.fixed_dictionaries(
    {},
    optional={
        "name": ODD,
        "phone": st.one_of(PHONES, ODD),
        "email": st.one_of(st.sampled_from(["alsu@example.com", "Alsu@Example.com ", "a\x00@example.com", "нет"]), ODD),
        "username": st.one_of(st.sampled_from(["@alsu_demo", "alsu demo", "a\x00b"]), ODD),
        "channel_user_id": st.one_of(st.sampled_from(["5900000101", " 59 "]), ODD),
    },
)
LEADS = st.fixed_dictionaries(
    {},
    optional={
        "channel": st.one_of(st.sampled_from(["telegram", " vk ", "a\nb", "я" * 65]), ODD),
        "contact": st.one_of(CONTACTS, CONTACTS, CONTACTS, ODD),
        "message": st.one_of(st.just("Здравствуйте!"), st.just("я" * 16_385), ODD),
        "service": ODD,
        "preferred_time": st.one_of(MOMENTS, ODD),
        "consent": st.one_of(st.fixed_dictionaries({}, optional={"given_at": MOMENTS, "policy_version": ODD}), ODD),
        "utm": st.one_of(st.fixed_dictionaries({}, optional={"source": ODD, "term": ODD}), ODD),
        "foreign": ODD,
    },
)


@settings(max_examples=1500, deadline=None)
@given(LEADS)
def test_what_is_sound_at_a_glance_is_sound_at_length_and_of_the_same_person(lead: dict[str, object]) -> None:
    """Two readings of one schema: were the quick one laxer, a lead would be acknowledged that can never be worked on."""
    body = json.dumps(lead).encode()
    found = find_sender(body)
    if found is None:
        return
    read = read_lead(decode_json(body))
    person = read.contact
    wanted = (read.channel, person.phone, person.email, person.username, person.channel_user_id)
    channel, quick = found
    assert (channel, quick.phone, quick.email, quick.username, quick.channel_user_id) == wanted


@pytest.mark.parametrize("path", sorted(FIXTURES.glob("lead__*.json")), ids=lambda path: path.stem)
def test_sound_leads_are_known_at_a_glance(path: Path) -> None:
    """A glance that never finds anything would cost time and save none."""
    try:
        read_lead(decode_json(path.read_bytes()))
    except InvalidLeadError:
        assert find_sender(path.read_bytes()) is None
    else:
        assert find_sender(path.read_bytes()) is not None


@pytest.mark.parametrize(
    "body",
    [
        b'{"channel":"x","contact":{"phone":"+79000000101"},"foreign":"\xff"}',
        b'{"channel":"x","contact":{"phone":"+79000000101"}} x',
        b"[" * 100_000,
        b"",
        b"null",
    ],
    ids=["not UTF-8", "more behind it", "deep", "empty", "null"],
)
def test_what_is_no_lead_is_never_sound(body: bytes) -> None:
    """Left to the reader that names mistakes."""
    assert find_sender(body) is None
