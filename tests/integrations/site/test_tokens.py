"""The visitor's token: who gets one, what it opens, when it ends."""

import base64
import json
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from leadgate.errors import WebhookRejectedError
from leadgate.integrations.site.tokens import (
    LONGEST_VISIT,
    RETURN_WINDOW,
    SECRET,
    TOKEN_LIFE,
    Visit,
    VisitorTokens,
    read_token,
)
from leadgate.model.connections import OpenConnection
from tests.integrations.site.rig import LISTED, NOW, ORIGIN, OTHER, connection
from tests.web.site_rig import CountingIds

A_SECOND = timedelta(seconds=1)


def visit(opened: OpenConnection, *, old: str | None = None, after: timedelta = timedelta(0)) -> Visit:
    """Opens a visit so long after the start."""
    return VisitorTokens(CountingIds()).open_visit(opened, origin=ORIGIN, token=old, now=NOW + after)


def refused(opened: OpenConnection, token: str, *, after: timedelta = A_SECOND, origin: str = ORIGIN) -> str:
    """Code of the refusal of this token."""
    with pytest.raises(WebhookRejectedError) as caught:
        read_token(opened, origin=origin, token=token, now=NOW + after)
    assert caught.value.status == 401
    assert token not in str(caught.value) or not token
    return caught.value.code


def test_a_token_names_its_visitor_until_half_an_hour_is_over() -> None:
    """Short-lived: a token that leaks from a browser is soon worthless."""
    opened = connection()
    fresh = visit(opened)
    last_second = NOW + TOKEN_LIFE - A_SECOND
    assert read_token(opened, origin=ORIGIN, token=fresh.token, now=last_second) == fresh.visitor_id
    assert refused(opened, fresh.token, after=TOKEN_LIFE) == "site.token_expired"
    assert fresh.expires_at == NOW + TOKEN_LIFE
    assert NOW < fresh.renew_at < fresh.expires_at


def test_a_token_from_the_future_is_refused() -> None:
    """Nobody may prepare tokens for later; a minute of difference between nodes is forgiven."""
    opened = connection()
    assert refused(opened, visit(opened, after=timedelta(minutes=5)).token) == "site.token_expired"
    near = visit(opened, after=timedelta(seconds=30))
    assert read_token(opened, origin=ORIGIN, token=near.token, now=NOW) == near.visitor_id


def test_a_token_of_another_connection_is_refused() -> None:
    """Two salons on one gateway, even with the same secret, never share visitors."""
    assert refused(connection(connection_id="conn_other"), visit(connection()).token) == "site.token_invalid"


def test_a_token_of_another_page_is_refused() -> None:
    """A token stolen by one site does not work from another, listed as it may be."""
    assert refused(connection(), visit(connection()).token, origin=OTHER) == "site.origin_refused"


def test_a_token_dies_when_its_origin_leaves_the_list() -> None:
    """Taking a page off the list takes effect at once, not after half an hour."""
    assert refused(connection(origins=OTHER), visit(connection()).token) == "site.origin_refused"


def test_both_live_secrets_are_good_and_a_retired_one_is_not() -> None:
    """A rotation loses no visitor while it overlaps; new tokens are signed with the new secret."""
    old_token = visit(connection("old")).token
    during = connection("new", "old")
    assert read_token(during, origin=ORIGIN, token=old_token, now=NOW)
    assert read_token(connection("new"), origin=ORIGIN, token=visit(during).token, now=NOW)
    assert refused(connection("new"), old_token) == "site.token_invalid"


@pytest.mark.parametrize("secrets", [(), ("",)])
def test_without_a_secret_nothing_is_signed_or_proven(secrets: tuple[str, ...]) -> None:
    """Fail closed: an empty key would let everybody sign."""
    good = connection()
    bare = OpenConnection(good.connection, {SECRET: connection(*secrets).secrets[SECRET] if secrets else ()})
    assert refused(bare, visit(good).token) == "site.secret_missing"
    with pytest.raises(WebhookRejectedError) as caught:
        visit(bare)
    assert caught.value.code == "site.secret_missing"


@given(st.integers(min_value=0), st.characters(min_codepoint=33, max_codepoint=126))
def test_a_changed_character_anywhere_is_refused(position: int, character: str) -> None:
    """Tampering: every single character counts, and a token has one spelling only."""
    good = visit(connection()).token
    at = position % len(good)
    if good[at] != character:
        assert refused(connection(), good[:at] + character + good[at + 1 :]) == "site.token_invalid"


@pytest.mark.parametrize("token", ["", "v1", "v1..", "v1.e30.", "ё.ё.ё", "v1." + "a" * 5000, "v2.a.b", "." * 9])
def test_what_is_no_token_is_refused_and_breaks_nothing(token: str) -> None:
    """Strangers send anything."""
    assert refused(connection(), token) == "site.token_invalid"


def test_a_token_with_claims_of_ones_own_is_refused() -> None:
    """Who knows the format but not the secret gets nowhere."""
    version, payload, signature = visit(connection()).token.split(".")
    claims = json.loads(base64.urlsafe_b64decode(payload + "=="))
    claims[1] = "somebody-else"
    forged = base64.urlsafe_b64encode(json.dumps(claims).encode()).rstrip(b"=").decode()
    assert refused(connection(), f"{version}.{forged}.{signature}") == "site.token_invalid"


def test_a_returning_visitor_keeps_the_id_within_a_day_of_the_last_visit() -> None:
    """The conversation goes on over a closed tab; after a day a shared computer tells nothing any more."""
    opened = connection()
    first = visit(opened)
    again = visit(opened, old=first.token, after=RETURN_WINDOW - A_SECOND)
    assert again.renewed
    assert again.visitor_id == first.visitor_id
    late = visit(opened, old=first.token, after=RETURN_WINDOW)
    assert not late.renewed
    assert first.visitor_expires_at == NOW + RETURN_WINDOW


def test_no_visitor_lives_longer_than_a_week() -> None:
    """A stolen token cannot be renewed for ever."""
    opened, step = connection(), RETURN_WINDOW - timedelta(hours=1)
    last, after = visit(opened), timedelta(0)
    while after + step < LONGEST_VISIT:
        after += step
        last = visit(opened, old=last.token, after=after)
        assert last.renewed
    assert last.visitor_expires_at <= NOW + LONGEST_VISIT
    assert not visit(opened, old=last.token, after=LONGEST_VISIT).renewed


def test_a_foreign_or_forged_token_makes_a_new_visitor_not_an_error() -> None:
    """An odd value in the browser's storage must not lock a client out."""
    opened = connection()
    elsewhere = visit(connection(connection_id="conn_other")).token
    from_other_page = VisitorTokens(CountingIds()).open_visit(opened, origin=OTHER, token=None, now=NOW).token
    for old in ("nonsense", elsewhere, from_other_page):
        assert not visit(opened, old=old).renewed


@pytest.mark.parametrize("origin", ["https://evil.example", "null", "", ORIGIN + "/", LISTED])
def test_a_page_outside_the_list_gets_no_token(origin: str) -> None:
    """The list is the door."""
    with pytest.raises(WebhookRejectedError) as caught:
        VisitorTokens(CountingIds()).open_visit(connection(), origin=origin, token=None, now=NOW)
    assert (caught.value.code, caught.value.status) == ("site.origin_refused", 403)
