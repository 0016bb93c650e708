from hypothesis import given
from hypothesis import strategies as st

from leadgate.crm.identity import _merge  # the rule itself, without a database
from leadgate.model.leads import Person

PART = st.none() | st.sampled_from(["а", "б"])
PEOPLE = st.builds(Person, name=PART, phone=PART, email=PART, username=PART, channel_user_id=PART)


def test_what_a_person_says_later_replaces_what_was_said_earlier() -> None:
    """The last word counts."""
    profile, news = _merge(Person(name="Алсу", phone="1"), Person(name="Алсу Гарипова"), is_hearsay=False)
    assert profile == Person(name="Алсу Гарипова", phone="1")
    assert news == Person(name="Алсу Гарипова")


def test_hearsay_never_replaces_what_was_said() -> None:
    """A messenger's display name ("🌸🌸") must not overwrite the name the client gave."""
    profile, news = _merge(Person(name="Алсу"), Person(name="🌸🌸", username="alsu"), is_hearsay=True)
    assert profile == Person(name="Алсу", username="alsu")
    assert news == Person(username="alsu")


@given(PEOPLE, PEOPLE, st.booleans())
def test_nothing_known_is_ever_forgotten(before: Person, learned: Person, is_hearsay: bool) -> None:
    """And learning the same again is no news, so a redelivery updates nothing."""
    profile, news = _merge(before, learned, is_hearsay=is_hearsay)
    for part in ("name", "phone", "email", "username", "channel_user_id"):
        known = getattr(before, part) or getattr(learned, part)
        assert (getattr(profile, part) is not None) == (known is not None)
        assert (getattr(news, part) is None) == (getattr(profile, part) == getattr(before, part))
    assert _merge(profile, learned, is_hearsay=is_hearsay) == (profile, Person())
