"""Inviting, roles, dismissal: and that access ends at once."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from leadgate.errors import AccessDeniedError, ConflictError, NotFoundError
from leadgate.model.journal import Tag
from leadgate.model.secret import Secret
from leadgate.model.staff import Role, Visit
from tests.staff.office import NAME, PASSWORD, Office


async def test_who_is_invited_signs_in_by_their_own_password(house: Office) -> None:
    """Until then nobody can sign in by the name, and nobody else can be invited by it."""
    staff, token = await house.roster.add(" Лейла  Н. ", Role.MANAGER, by="staff_owner")
    with pytest.raises(ConflictError):
        await house.roster.add("лейла н.", Role.AUDITOR, by="staff_owner")
    with pytest.raises(AccessDeniedError):
        await house.enter("Лейла Н.")
    invited = next(view for view in await house.roster.all() if view.staff == staff)
    assert (invited.has_password, invited.invited_until) == (False, house.clock.now() + timedelta(hours=72))
    await house.people.set_up(token.reveal(), name="Лейла Н.", password=PASSWORD)
    assert await house.sign_in(name="Лейла Н.")


@pytest.mark.parametrize("act", ["role", "dismiss", "reset", "sign_out"])
async def test_every_session_ends_at_once(house: Office, act: str) -> None:
    """Another role and a dismissal: the very next request of the browser is refused, and the owner's is not."""
    await house.hire("Лейла")
    tokens = [await house.sign_in(name="Лейла") for _ in range(2)]
    own = await house.sign_in()
    if act == "role":
        await house.roster.change_role("Лейла", Role.AUDITOR, by="staff_owner")
    elif act == "dismiss":
        await house.roster.dismiss("Лейла", by="staff_owner")
    elif act == "reset":
        await house.roster.reset("Лейла", by="staff_owner")
    else:
        await house.roster.end_sessions("Лейла", by="staff_owner")
    assert [await house.people.find_session(token) for token in tokens] == [None, None]
    assert await house.people.find_session(own) is not None


async def test_a_session_that_began_during_a_dismissal_opens_nothing(house: Office) -> None:
    """The password was checked a moment before; the session is worth nothing since its person is gone."""
    leila = await house.hire("Лейла")
    await house.roster.dismiss("Лейла", by="staff_owner")
    late = await house.people.open_session(leila)
    assert await house.people.find_session(late.token or "") is None


async def test_whoever_is_dismissed_has_no_way_back(house: Office) -> None:
    """Neither password, nor an address not used yet, nor papers; the name is free for somebody else."""
    leila, token = await house.roster.add("Лейла", Role.MANAGER, by="staff_owner")
    await house.people.set_up(token.reveal(), name="Лейла", password=PASSWORD)
    _, papers = await house.connect_app(leila)
    ticket = (await house.enter("Лейла")).ticket or ""
    _, again = await house.roster.reset("Лейла", by="staff_owner")
    await house.roster.dismiss(leila.staff_id, by="staff_owner")
    assert await house.people.find_setup(again.reveal()) is None
    with pytest.raises(NotFoundError):
        await house.people.sign_in_second(ticket, code=papers[0])
    with pytest.raises(AccessDeniedError):
        await house.enter("Лейла")
    other, _ = await house.roster.add("Лейла", Role.AUDITOR, by="staff_owner")
    assert other.staff_id != leila.staff_id


async def test_the_last_owner_stays(house: Office) -> None:
    """An owner who was only invited does not count: nobody could sign in as one."""
    await house.roster.add("Второй", Role.OWNER, by="staff_owner")
    for attempt in (
        house.roster.dismiss(NAME, by="staff_owner"),
        house.roster.change_role(NAME, Role.MANAGER, by="staff_owner"),
    ):
        with pytest.raises(ConflictError) as caught:
            await attempt
        assert caught.value.code == "staff.last_owner"
    await house.hire("Третья", Role.OWNER)
    await house.roster.change_role(NAME, Role.MANAGER, by="staff_owner")
    assert (await house.roster.find(NAME)).role is Role.MANAGER


async def test_two_owners_who_dismiss_each_other_leave_one(house: Office) -> None:
    """At the same moment: one of them must lose the race."""
    await house.hire("Вторая", Role.OWNER)
    ends = await asyncio.gather(
        house.roster.dismiss(NAME, by="staff_2"),
        house.roster.dismiss("Вторая", by="staff_1"),
        return_exceptions=True,
    )
    assert sum(isinstance(end, ConflictError) for end in ends) == 1
    assert [view.staff.role for view in await house.roster.all()] == [Role.OWNER]


async def test_one_browser_is_signed_out_and_the_other_stays(house: Office) -> None:
    """By its own id, which is no key; and only by whoever's it is when that is asked for."""
    await house.hire("Лейла")
    await house.enter("Лейла", visit=Visit(agent="firefox/linux"))
    kept = await house.sign_in(name="Лейла")
    leila = next(view for view in await house.roster.all() if view.staff.name == "Лейла")
    ended = next(one for one in leila.sessions if one.agent == "firefox/linux")
    with pytest.raises(NotFoundError):
        await house.roster.end_session(ended.session_id, by="staff_x", of="staff_x")
    await house.roster.end_session(ended.session_id, by="staff_owner")
    after = next(view for view in await house.roster.all() if view.staff.name == "Лейла")
    assert [one.session_id for one in after.sessions] == [one.session_id for one in leila.sessions if one != ended]
    assert await house.people.find_session(kept) is not None


async def test_an_idle_session_is_not_shown_as_open(house: Office) -> None:
    """The list says what is, not what was."""
    await house.sign_in()
    house.clock.move(timedelta(hours=13))
    assert [len(view.sessions) for view in await house.roster.all()] == [0]


async def test_a_reset_takes_every_other_way_in(house: Office) -> None:
    """The password may be what was stolen."""
    leila = await house.hire("Лейла")
    device = (await house.enter("Лейла")).device
    await house.connect_app(leila)
    _, token = await house.roster.reset("Лейла", by="command")
    with pytest.raises(AccessDeniedError):
        await house.enter("Лейла", visit=Visit(device=device))
    assert not (await house.own.factors(leila.staff_id)).is_on
    await house.people.set_up(token.reveal(), name="Лейла", password=Secret("совсем другие слова"))
    assert await house.sign_in(Secret("совсем другие слова"), "Лейла")


async def test_every_change_is_in_the_journal_and_done_only_with_it(house: Office) -> None:
    """By whom, to whom, from what role to which; when it cannot be journaled, nothing changes."""
    leila = await house.hire("Лейла")
    await house.roster.change_role("Лейла", Role.AUDITOR, by="staff_1")
    await house.roster.reset("Лейла", by="command")
    await house.roster.dismiss("Лейла", by="staff_1")
    asked = (Tag.STAFF_INVITED, Tag.STAFF_ROLE_CHANGED, Tag.STAFF_RESET, Tag.STAFF_DISMISSED)
    assert house.told(*asked) == [
        f'staff_owner staff.invited {leila.staff_id} {{"role": "manager"}}',
        f'staff_1 staff.role_changed {leila.staff_id} {{"role": "auditor", "was": "manager"}}',
        f"command staff.reset {leila.staff_id} {{}}",
        f"staff_1 staff.dismissed {leila.staff_id} {{}}",
    ]
    house.journal.is_broken = True
    with pytest.raises(Exception, match="journal"):
        await house.roster.add("Новая", Role.OWNER, by="staff_1")
    assert [view.staff.name for view in await house.roster.all()] == [NAME]


async def test_making_and_ending_a_token_is_in_the_journal(house: Office) -> None:
    """With role and scopes, never its text; ending one works even when it cannot be journaled."""
    made, secret = await house.tokens.create(
        role=Role.AUDITOR, days=3, name="Отчёт", scopes=["events:read"], by="staff_1"
    )
    assert house.told(Tag.TOKEN_CREATED) == [
        f'staff_1 token.created {made.token_id} {{"days": 3, "role": "auditor", "scopes": "events:read"}}'
    ]
    house.journal.is_broken = True
    await house.tokens.revoke(made.token_id, by="staff_1")
    with pytest.raises(AccessDeniedError):
        await house.tokens.recognise(secret.reveal())
