import asyncio
from datetime import timedelta
from pathlib import Path

import pytest

from leadgate.errors import AccessDeniedError, ConfigurationError, NotFoundError
from leadgate.model.secret import Secret
from leadgate.ports.stores import Transaction
from leadgate.staff.passwords import Passwords
from leadgate.staff.people import invite, new_owner
from leadgate.staff.tickets import SESSION_IDLE, SESSION_LIFE, SETUP_LIFE
from tests.delivery.rig import all_bytes
from tests.staff.office import PASSWORD, TOKEN, Office


class TestSetUp:
    async def test_the_address_works_once(self, office: Office) -> None:
        """Whoever finds it in a history later must find it dead."""
        assert await office.people.find_setup(TOKEN) is not None
        staff = await office.people.set_up(TOKEN, name=" Гузель  Ю. ", password=PASSWORD)
        assert staff.name == "Гузель Ю."
        assert await office.people.find_setup(TOKEN) is None
        with pytest.raises(NotFoundError):
            await office.people.set_up(TOKEN, name="Чужой", password=PASSWORD)

    async def test_two_that_race_use_it_once(self, office: Office) -> None:
        """The second one must not overwrite the owner's password."""
        tries = (office.people.set_up(TOKEN, name=f"Гузель {n}", password=PASSWORD) for n in range(4))
        results = await asyncio.gather(*tries, return_exceptions=True)
        assert sum(isinstance(result, NotFoundError) for result in results) == 3
        (winner,) = [result for result in results if not isinstance(result, BaseException)]
        assert await office.sign_in(name=winner.name)

    async def test_it_expires(self, office: Office) -> None:
        """An address nobody used must not stay open for ever; a fresh one takes its place."""
        office.clock.move(SETUP_LIFE)
        with pytest.raises(NotFoundError):
            await office.people.set_up(TOKEN, name="Гузель", password=PASSWORD)
        fresh = await office.people.invite_owner_again()
        assert fresh is not None
        await office.people.set_up(fresh, name="Гузель", password=PASSWORD)
        assert await office.people.invite_owner_again() is None

    async def test_a_fresh_address_ends_the_older_one(self, office: Office) -> None:
        """Only one door is open."""
        fresh = await office.people.invite_owner_again()
        assert await office.people.find_setup(TOKEN) is None
        assert await office.people.find_setup(fresh or "") is not None

    async def test_guesses_at_the_address_cost_no_hashing(
        self, office: Office, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """A password hash takes 64 MiB; strangers must not make us compute them."""

        def refuse(*_: object) -> None:
            pytest.fail("hashed for a stranger")

        monkeypatch.setattr(Passwords, "hash", refuse)
        with pytest.raises(NotFoundError):
            await office.people.set_up("guess", name="Гузель", password=PASSWORD)

    @pytest.mark.parametrize(
        ("password", "code"),
        [
            ("короткий", "staff.password_short"),
            ("x" * 201, "staff.password_long"),
            ("QWERTY12345", "staff.password_common"),
            ("abababababab", "staff.password_common"),
            ("Гузель Юсупова", "staff.password_common"),
        ],
    )
    async def test_a_weak_password_is_refused_and_the_address_stays(
        self, office: Office, password: str, code: str
    ) -> None:
        """A mistake must not cost the owner the one-time address."""
        with pytest.raises(ConfigurationError) as caught:
            await office.people.set_up(TOKEN, name="гузель  юсупова", password=Secret(password))
        assert caught.value.code == code
        assert password not in str(caught.value)
        assert await office.people.find_setup(TOKEN) is not None

    async def test_a_name_belongs_to_one_person(self, office: Office) -> None:
        """Letter case and spaces do not make another name; the address of the second stays good."""
        await office.people.set_up(TOKEN, name="Гузель", password=PASSWORD)

        def unit(tx: Transaction) -> None:
            invite(tx, new_owner("ws", office.ids, at=office.clock.now()), "second", at=office.clock.now())

        await office.storage.write(unit)
        with pytest.raises(ConfigurationError) as caught:
            await office.people.set_up("second", name=" ГУЗЕЛЬ ", password=PASSWORD)
        assert caught.value.code == "staff.name_taken"
        assert await office.people.find_setup("second") is not None


class TestSignIn:
    @pytest.fixture(autouse=True)
    async def owner(self, office: Office) -> None:
        """The owner has set a password."""
        await office.people.set_up(TOKEN, name="Гузель", password=PASSWORD)

    async def test_the_right_password_opens_a_session(self, office: Office) -> None:
        """Spaces and letter case of the name do not count; those of the password do."""
        session = await office.people.find_session(await office.sign_in(name=" гузель "))
        assert session is not None
        assert session.staff.name == "Гузель"
        with pytest.raises(AccessDeniedError):
            await office.sign_in(Secret("ЛИМОНАД И КОРИЦА"))

    async def test_an_unknown_name_and_a_wrong_password_look_alike(self, office: Office) -> None:
        """The answer must not tell who works here; an unknown name is hashed too."""
        texts = []
        for name in ("Гузель", "Никто"):
            with pytest.raises(AccessDeniedError) as caught:
                await office.sign_in(Secret("wrong password"), name=name)
            texts.append((str(caught.value), caught.value.code))
        assert texts[0] == texts[1]

    async def test_five_wrong_ones_slow_down_and_time_opens_again(self, office: Office) -> None:
        """Guessing gets slow; the owner is never locked out for good."""
        for _ in range(5):
            with pytest.raises(AccessDeniedError, match="do not fit"):
                await office.sign_in(Secret("wrong password"))
        with pytest.raises(AccessDeniedError) as caught:
            await office.sign_in()
        assert (caught.value.code, caught.value.hint) == ("access.slow_down", "Try again in 16 seconds.")
        office.clock.move(timedelta(seconds=16))
        assert await office.sign_in()
        with pytest.raises(AccessDeniedError, match="do not fit"):
            await office.sign_in(Secret("wrong password"))

    async def test_the_lock_grows_to_five_minutes_and_no_further(self, office: Office) -> None:
        """A hundred wrong tries: still only minutes."""
        for _ in range(12):
            with pytest.raises(AccessDeniedError, match="do not fit"):
                await office.sign_in(Secret("wrong password"))
            office.clock.move(timedelta(minutes=5))
        with pytest.raises(AccessDeniedError, match="do not fit"):
            await office.sign_in(Secret("wrong password"))
        office.clock.move(timedelta(minutes=4, seconds=59))
        with pytest.raises(AccessDeniedError, match="row"):
            await office.sign_in()
        office.clock.move(timedelta(seconds=1))
        assert await office.sign_in()

    async def test_many_tries_at_once_do_not_slip_past_the_lock(self, office: Office) -> None:
        """A guesser sends a hundred requests in the same moment."""
        tries = (office.sign_in(Secret(f"guess number {n}")) for n in range(40))
        results = await asyncio.gather(*tries, return_exceptions=True)
        checked = [r for r in results if isinstance(r, AccessDeniedError) and r.code != "access.slow_down"]
        assert len(checked) == 5

    async def test_a_session_ends_after_twelve_idle_hours(self, office: Office) -> None:
        """A forgotten browser; one in use stays signed in."""
        token = await office.sign_in()
        for _ in range(3):
            office.clock.move(SESSION_IDLE - timedelta(minutes=1))
            assert await office.people.find_session(token) is not None
        office.clock.move(SESSION_IDLE + timedelta(seconds=1))
        assert await office.people.find_session(token) is None

    async def test_a_session_ends_after_a_week_in_any_case(self, office: Office) -> None:
        """However busy it was."""
        token = await office.sign_in()
        for _ in range(27):
            office.clock.move(timedelta(hours=6))
            assert await office.people.find_session(token) is not None
        office.clock.move(SESSION_LIFE - timedelta(hours=27 * 6))
        assert await office.people.find_session(token) is None

    async def test_signing_out_ends_it_at_once(self, office: Office) -> None:
        """And nobody else's."""
        token, other = await office.sign_in(), await office.sign_in()
        await office.people.sign_out(token)
        assert await office.people.find_session(token) is None
        assert await office.people.find_session(other) is not None

    async def test_no_token_lies_on_the_disk(self, office: Office, tmp_path: Path) -> None:
        """A stolen copy of the database signs nobody in."""
        token = await office.sign_in()
        content = all_bytes(tmp_path)
        assert len(content) > 100_000
        for secret in (token, TOKEN, PASSWORD.reveal()):
            assert secret.encode() not in content
