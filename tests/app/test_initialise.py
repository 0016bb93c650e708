"""Making a data directory, and making it again after a call that was cut off."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from leadgate.app import initialise, is_unfinished
from leadgate.app.initialise import Initialised
from leadgate.errors import ConflictError, UnknownKeyError
from leadgate.model.secret import Secret
from leadgate.settings import Settings, read_settings
from leadgate.staff.tickets import hash_token
from leadgate.system import SystemClock, SystemIds
from leadgate.vault.key_file import KEY_FILE, open_key_file, open_with_recovery_key


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """For a data directory that is not there yet."""
    return read_settings(data=tmp_path / "data", environment={})


def make(settings: Settings, *, is_shown: bool = True) -> Initialised:
    """`init`; somebody sees what it made, or it is cut off before."""
    with initialise(
        settings, name="Лимон", locale="ru", time_zone="Europe/Moscow", clock=SystemClock(), ids=SystemIds()
    ) as made:
        if is_shown:
            made.confirm_shown()
    return made


def revealed(secret: Secret | None) -> str:
    """What a person reads."""
    assert secret is not None
    return secret.reveal()


def ask(settings: Settings, question: str) -> list[tuple[object, ...]]:
    """Rows, past the product."""
    connection = sqlite3.connect(settings.data / "leadgate.sqlite3")
    try:
        return connection.execute(question).fetchall()
    finally:
        connection.close()


def opens(settings: Settings, recovery_key: str) -> bool:
    """Whether this paper opens the key of the directory."""
    [(sealed,)] = ask(settings, "SELECT sealed_recovery FROM workspaces")
    assert isinstance(sealed, bytes)
    try:
        return open_with_recovery_key(sealed, recovery_key).key_id() == open_key_file(settings.data).key_id()
    except UnknownKeyError:
        return False


def test_a_second_call_changes_nothing(settings: Settings) -> None:
    """A script may call it before every start."""
    first = make(settings)
    before = ask(settings, "SELECT * FROM workspaces, setup_tokens")
    again = make(settings)
    assert (first.is_new, again.is_new, again.setup_token, again.recovery_key) == (True, False, None, None)
    assert ask(settings, "SELECT * FROM workspaces, setup_tokens") == before
    assert opens(settings, revealed(first.recovery_key))
    assert not is_unfinished(settings.data)


def test_a_key_that_nobody_may_have_seen_is_made_anew_and_the_last_one_shown_counts(settings: Settings) -> None:
    """Or the owner would have no recovery key and not know it."""
    unseen = make(settings, is_shown=False)
    assert is_unfinished(settings.data)
    key_id = open_key_file(settings.data).key_id()
    again = make(settings)
    assert (again.is_new, again.is_repaired, is_unfinished(settings.data)) == (True, True, False)
    assert open_key_file(settings.data).key_id() == key_id, "what was sealed meanwhile must open"
    assert opens(settings, revealed(again.recovery_key))
    assert not opens(settings, revealed(unseen.recovery_key))
    assert ask(settings, "SELECT token_hash FROM setup_tokens") == [(hash_token(revealed(again.setup_token)),)]
    assert not make(settings).is_new


def test_an_owner_who_has_a_password_gets_no_second_address(settings: Settings) -> None:
    """The key alone is shown again: an address would let somebody else in."""
    make(settings, is_shown=False)
    connection = sqlite3.connect(settings.data / "leadgate.sqlite3")
    with connection:
        connection.execute("UPDATE staff SET password_hash = 'set'")
    connection.close()
    again = make(settings)
    assert (again.setup_token, again.is_new) == (None, True)
    assert opens(settings, revealed(again.recovery_key))


def test_two_calls_at_once_do_not_void_each_others_key(settings: Settings) -> None:
    """The second would take the first for one that was cut off."""
    with initialise(
        settings, name="Лимон", locale="ru", time_zone="Europe/Moscow", clock=SystemClock(), ids=SystemIds()
    ) as first:
        with pytest.raises(ConflictError, match="Another leadgate init"):
            make(settings)
        first.confirm_shown()
    assert opens(settings, revealed(first.recovery_key))


def test_a_spare_copy_of_the_key_does_not_stay(settings: Settings) -> None:
    """The key file is written under another name first; a call that was cut off there leaves it behind."""
    settings.data.mkdir()
    spare = settings.data / f".{KEY_FILE}.0123456789abcdef"
    spare.write_text("a key", encoding="utf-8")
    make(settings)
    assert not spare.exists()


def test_the_first_tries_that_failed_leave_nothing_in_the_way(settings: Settings) -> None:
    """The note that the key was not shown may lie there from a call whose database failed."""
    settings.data.mkdir()
    (settings.data / "recovery-key-not-shown").touch(mode=0o600)
    made = make(settings)
    assert opens(settings, revealed(made.recovery_key))
