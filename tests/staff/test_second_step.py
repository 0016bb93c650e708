"""Codes of an app, codes on paper, and who can be kept out by guessing."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from pathlib import Path

import pytest

from leadgate.errors import AccessDeniedError, NotFoundError
from leadgate.model.journal import Tag
from leadgate.model.secret import Secret
from leadgate.model.staff import PROOF_LIFE, Visit
from leadgate.staff.tickets import CHALLENGE_LIFE
from tests.delivery.rig import all_bytes
from tests.staff.office import NAME, PASSWORD, Office

WRONG = Secret("wrong password")


async def owner_of(house: Office) -> str:
    """The owner's id."""
    return (await house.roster.find(NAME)).staff_id


async def refusal(house: Office, **visit: str) -> str:
    """How a wrong password is answered."""
    with pytest.raises(AccessDeniedError) as caught:
        await house.enter(password=WRONG, visit=Visit(**visit))
    return caught.value.code


class TestCodes:
    async def test_the_password_alone_signs_in_no_more(self, house: Office) -> None:
        """Neither does the ticket without the code; the right code does, once."""
        owner = await house.roster.find(NAME)
        secret, papers = await house.connect_app(owner)
        assert len(papers) == 10
        house.clock.move(timedelta(minutes=1))
        begun = await house.enter()
        assert (begun.token, begun.ticket is None) == (None, False)
        with pytest.raises(AccessDeniedError):
            await house.people.sign_in_second(begun.ticket or "", code="000000")
        done = await house.people.sign_in_second(begun.ticket or "", code=house.code(secret))
        assert await house.people.find_session(done.token or "") is not None
        with pytest.raises(NotFoundError):
            await house.people.sign_in_second(begun.ticket or "", code=house.code(secret))

    async def test_a_code_works_once(self, house: Office) -> None:
        """Whoever looked over the shoulder comes too late, even within the half minute, and even at the same moment."""
        secret, _ = await house.connect_app(await house.roster.find(NAME))
        house.clock.move(timedelta(minutes=1))
        code = house.code(secret)
        tickets = [(await house.enter()).ticket or "" for _ in range(4)]
        tries = [house.people.sign_in_second(ticket, code=code) for ticket in tickets]
        ends = await asyncio.gather(*tries, return_exceptions=True)
        assert sum(isinstance(end, AccessDeniedError) for end in ends) == 3

    async def test_an_older_code_is_worth_nothing_after_a_later_one(self, house: Office) -> None:
        """The step before is within the drift, but not after its successor was taken."""
        secret, _ = await house.connect_app(await house.roster.find(NAME))
        house.clock.move(timedelta(minutes=1))
        older = house.code(secret)
        house.clock.move(timedelta(seconds=30))
        await house.people.sign_in_second((await house.enter()).ticket or "", code=house.code(secret))
        with pytest.raises(AccessDeniedError):
            await house.people.sign_in_second((await house.enter()).ticket or "", code=older)

    @pytest.mark.parametrize(("seconds", "fits"), [(-30, True), (30, True), (-60, False), (60, False)])
    async def test_a_clock_may_be_off_by_half_a_minute(self, house: Office, seconds: int, *, fits: bool) -> None:
        """A phone's clock drifts; further off is somebody else's code."""
        secret, _ = await house.connect_app(await house.roster.find(NAME))
        house.clock.move(timedelta(minutes=5))
        house.clock.move(timedelta(seconds=seconds))
        code = house.code(secret)
        house.clock.move(timedelta(seconds=-seconds))
        ticket = (await house.enter()).ticket or ""
        if fits:
            assert (await house.people.sign_in_second(ticket, code=code)).token
        else:
            with pytest.raises(AccessDeniedError):
                await house.people.sign_in_second(ticket, code=code)

    async def test_a_code_on_paper_works_once_however_it_is_typed(self, house: Office) -> None:
        """In small letters, with spaces; the second time it is spent."""
        _, papers = await house.connect_app(await house.roster.find(NAME))
        typed = papers[3].lower().replace("-", " ")
        assert (await house.people.sign_in_second((await house.enter()).ticket or "", code=typed)).token
        with pytest.raises(AccessDeniedError):
            await house.people.sign_in_second((await house.enter()).ticket or "", code=papers[3])
        assert (await house.own.factors(await owner_of(house))).recovery_left == 9

    async def test_fresh_papers_void_the_old_ones(self, house: Office) -> None:
        """A sheet that was lost opens nothing."""
        owner = await house.roster.find(NAME)
        _, old = await house.connect_app(owner)
        fresh = await house.own.new_recovery(owner)
        with pytest.raises(AccessDeniedError):
            await house.people.sign_in_second((await house.enter()).ticket or "", code=old[0])
        assert (await house.people.sign_in_second((await house.enter()).ticket or "", code=fresh[0])).token

    async def test_an_app_that_was_never_confirmed_locks_nobody_out(self, house: Office) -> None:
        """The page was closed before the first code."""
        await house.own.begin_codes(await house.roster.find(NAME))
        assert await house.sign_in()

    async def test_the_second_step_is_waited_for_five_minutes(self, house: Office) -> None:
        """Then the password is asked for again."""
        secret, _ = await house.connect_app(await house.roster.find(NAME))
        ticket = (await house.enter()).ticket or ""
        house.clock.move(CHALLENGE_LIFE)
        with pytest.raises(NotFoundError):
            await house.people.sign_in_second(ticket, code=house.code(secret))

    async def test_guessing_codes_gets_slow(self, house: Office) -> None:
        """A million codes are not many: five tries, then waiting."""
        secret, _ = await house.connect_app(await house.roster.find(NAME))
        house.clock.move(timedelta(minutes=1))
        ticket = (await house.enter()).ticket or ""
        for number in range(5):
            with pytest.raises(AccessDeniedError, match="not fit"):
                await house.people.sign_in_second(ticket, code=f"00000{number}")
        with pytest.raises(AccessDeniedError) as caught:
            await house.people.sign_in_second(ticket, code=house.code(secret))
        assert caught.value.code == "access.slow_down"

    async def test_a_removed_app_is_asked_for_no_more(self, house: Office) -> None:
        """And papers that stand in for nothing go with it."""
        owner = await house.roster.find(NAME)
        await house.connect_app(owner)
        await house.own.drop_codes(owner)
        assert await house.sign_in()
        assert (await house.own.factors(owner.staff_id)).recovery_left == 0

    async def test_neither_secret_nor_papers_lie_on_the_disk(self, house: Office, tmp_path: Path) -> None:
        """A stolen copy of the database signs nobody in."""
        secret, papers = await house.connect_app(await house.roster.find(NAME))
        content = all_bytes(tmp_path)
        for text in (secret.reveal(), *papers, *(paper.replace("-", "") for paper in papers)):
            assert text.encode() not in content


class TestGuessing:
    async def test_strangers_cannot_keep_the_owner_out(self, house: Office) -> None:
        """A browser that is known is counted apart: however hard others guess, hers goes on as if nothing were."""
        known = (await house.enter()).device or ""
        for _ in range(5):
            assert await refusal(house) == "access.denied"
        assert await refusal(house) == "access.slow_down"
        assert (await house.enter(visit=Visit(device=known))).token

    async def test_a_known_browser_is_slowed_down_by_its_own_tries(self, house: Office) -> None:
        """It may be stolen."""
        known = (await house.enter()).device or ""
        for _ in range(5):
            assert await refusal(house, device=known) == "access.denied"
        assert await refusal(house, device=known) == "access.slow_down"
        assert await house.sign_in(), "and slows down nobody else"

    async def test_a_browser_of_one_is_a_stranger_to_another(self, house: Office) -> None:
        """A manager's browser does not open a lane of its own at the owner's name."""
        await house.hire("Лейла")
        hers = (await house.enter("Лейла")).device or ""
        for _ in range(5):
            assert await refusal(house, device=hers) == "access.denied"
        assert await refusal(house) == "access.slow_down"

    async def test_one_address_that_tries_many_names_gets_slow(self, house: Office) -> None:
        """One password for every name: no name is tried twice, but the address is."""
        for number in range(20):
            with pytest.raises(AccessDeniedError, match="do not fit"):
                await house.enter(f"имя {number}", WRONG, Visit(peer="203.0.113.7"))
        with pytest.raises(AccessDeniedError) as caught:
            await house.enter("ещё имя", WRONG, Visit(peer="203.0.113.7"))
        assert caught.value.code == "access.slow_down"
        assert (await house.enter(visit=Visit(peer="203.0.113.8"))).token
        house.clock.move(timedelta(hours=1, seconds=1))
        with pytest.raises(AccessDeniedError, match="do not fit"):
            await house.enter("ещё имя", WRONG, Visit(peer="203.0.113.7"))

    async def test_no_address_of_a_machine_is_kept(self, house: Office, tmp_path: Path) -> None:
        """It is counted under a hash."""
        await refusal(house, peer="203.0.113.7")
        assert b"203.0.113.7" not in all_bytes(tmp_path)
        assert "203.0.113.7" not in str(house.told())

    async def test_the_machine_always_lets_the_owner_in(self, house: Office) -> None:
        """Locked, the phone lost: one command on the server gives a way in, and voids every other."""
        await house.connect_app(await house.roster.find(NAME))
        session = await house.own.factors(await owner_of(house))
        assert session.is_on
        for _ in range(5):
            await refusal(house)
        _, token = await house.roster.reset(NAME, by="command")
        with pytest.raises(AccessDeniedError):
            await house.enter(visit=Visit(peer="203.0.113.9"))
        staff = await house.people.set_up(token.reveal(), name=NAME, password=Secret("совсем другие слова"))
        assert (await house.people.open_session(staff)).token
        house.clock.move(timedelta(minutes=5))
        assert await house.sign_in(Secret("совсем другие слова"))


class TestProof:
    async def test_a_proof_lasts_ten_minutes(self, house: Office) -> None:
        """The sign-in is one; later the password is asked for again."""
        token = await house.sign_in()
        session = await house.people.find_session(token)
        assert session is not None
        assert session.is_fresh(house.clock.now())
        house.clock.move(PROOF_LIFE)
        assert not session.is_fresh(house.clock.now())
        with pytest.raises(AccessDeniedError):
            await house.people.prove(token, password=WRONG)
        await house.people.prove(token, password=PASSWORD)
        again = await house.people.find_session(token)
        assert again is not None
        assert again.is_fresh(house.clock.now())

    async def test_whoever_has_a_second_factor_proves_by_it(self, house: Office) -> None:
        """A stolen password and a browser left open are not enough to hand out rights."""
        token = await house.sign_in()
        secret, papers = await house.connect_app(await house.roster.find(NAME))
        house.clock.move(PROOF_LIFE)
        with pytest.raises(AccessDeniedError):
            await house.people.prove(token, password=PASSWORD)
        await house.people.prove(token, code=house.code(secret))
        await house.people.prove(token, code=papers[0])

    async def test_guessing_at_a_proof_gets_slow(self, house: Office) -> None:
        """For this browser alone."""
        token = await house.sign_in()
        for _ in range(5):
            with pytest.raises(AccessDeniedError, match="not fit"):
                await house.people.prove(token, password=WRONG)
        with pytest.raises(AccessDeniedError) as caught:
            await house.people.prove(token, password=PASSWORD)
        assert caught.value.code == "access.slow_down"
        assert await house.sign_in()

    async def test_an_ended_session_proves_nothing(self, house: Office) -> None:
        """It cannot be raised from the dead by the right password."""
        token = await house.sign_in()
        await house.people.sign_out(token)
        with pytest.raises(NotFoundError):
            await house.people.prove(token, password=PASSWORD)


async def test_every_step_of_a_sign_in_is_in_the_journal(house: Office) -> None:
    """Who, how, and the browser's session; never what was typed."""
    owner = await owner_of(house)
    token = await house.sign_in()
    await refusal(house)
    with pytest.raises(AccessDeniedError):
        await house.enter("Никто такой", WRONG)
    await house.people.prove(token, password=PASSWORD)
    await house.people.sign_out(token)
    told = house.told()
    assert told[1].startswith(f'{owner} staff.signed_in {owner} {{"proof": "password", "session": "sess_')
    assert told[2:4] == [
        f'stranger staff.sign_in_refused {owner} {{"browser": "new", "proof": "password", "tries": 1}}',
        'stranger staff.sign_in_refused None {"browser": "new", "proof": "password", "tries": 1}',
    ]
    assert [line.split()[1] for line in told[4:]] == ["staff.proven", "staff.signed_out"]
    assert "Никто" not in str(told)


async def test_signing_in_works_while_the_journal_cannot_be_written(house: Office) -> None:
    """The pages tell what is wrong; showing again who one is, which opens dangerous acts, is refused."""
    house.journal.is_broken = True
    token = await house.sign_in()
    with pytest.raises(Exception, match="journal"):
        await house.people.prove(token, password=PASSWORD)
    assert house.told(Tag.STAFF_SIGNED_IN) == []
