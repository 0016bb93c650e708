"""Several custodians as one: who is asked, who is left in peace while it is away, and what the bridge carries."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from leadgate.errors import CustodianUnavailableError, UnknownKeyError
from leadgate.ports.custodian import Wrapped
from leadgate.testing.connections import FixedClock
from leadgate.testing.custodian_suite import DATA_KEY, HERE, THERE, CustodianSuite
from leadgate.vault.ciphers import new_cipher_keyset
from leadgate.vault.custodians import Custodians, WithoutBridge
from leadgate.vault.file_custodian import FileCustodian
from leadgate.vault.key_file import create_key_file


class Distant(FileCustodian):
    """A key file far away, whose line can be cut."""

    kind = "file"
    is_away = False
    asked = 0

    def wrap(self, data_key: bytes, context: bytes) -> Wrapped:
        self._reach()
        return super().wrap(data_key, context)

    def unwrap(self, wrapped: Wrapped, context: bytes) -> bytes:
        self._reach()
        return super().unwrap(wrapped, context)

    def check(self) -> None:
        self._reach()

    def _reach(self) -> None:
        self.asked += 1
        if self.is_away:
            raise CustodianUnavailableError("away")


@pytest.fixture
def clock() -> FixedClock:
    """Stands until it is moved."""
    return FixedClock()


@pytest.fixture
def member(tmp_path: Path) -> Distant:
    """The only one."""
    create_key_file(tmp_path)
    return Distant(tmp_path)


@pytest.fixture
def custodians(member: Distant, clock: FixedClock) -> Custodians:
    """With a bridge."""
    made = Custodians([member], clock)
    made.build_bridge(new_cipher_keyset())
    return made


class TestTogether(CustodianSuite):
    """What holds for one holds for all of them."""

    @pytest.fixture
    def custodian(self, tmp_path: Path, clock: FixedClock) -> Custodians:
        """One member."""
        create_key_file(tmp_path)
        return Custodians([FileCustodian(tmp_path)], clock)

    @pytest.fixture
    def second(self, custodian: Custodians, tmp_path: Path, clock: FixedClock) -> Custodians:
        """Another process."""
        assert custodian.kinds() == {"file"}
        return Custodians([FileCustodian(tmp_path)], clock)

    @pytest.fixture
    def foreign(self, tmp_path: Path, clock: FixedClock) -> Custodians:
        """Another house."""
        (tmp_path / "other").mkdir()
        create_key_file(tmp_path / "other")
        return Custodians([FileCustodian(tmp_path / "other")], clock)


def test_who_is_away_is_not_asked_from_within_anybodys_work(custodians: Custodians, member: Distant) -> None:
    """Each question would hold up a unit of work on the database, and with it the senders."""
    wrapped = custodians.wrap(DATA_KEY, HERE)
    member.is_away = True
    for _ in range(50):
        assert custodians.wrap(DATA_KEY, HERE).key_id.startswith("bridge:")
        with pytest.raises(CustodianUnavailableError):
            custodians.unwrap(wrapped, HERE)
    assert member.asked == 2


def test_a_look_finds_it_back(custodians: Custodians, member: Distant, clock: FixedClock) -> None:
    """And the time since when it was away is the first, not the last."""
    began = clock.now()
    member.is_away = True
    over_bridge = custodians.wrap(DATA_KEY, HERE)
    clock.at = clock.at.replace(minute=59)
    absence = custodians.look()
    assert absence is not None
    assert absence.since == began
    member.is_away = False
    assert custodians.look() is None
    assert custodians.wrap(DATA_KEY, HERE).key_id == member.key_id()
    assert custodians.unwrap(over_bridge, HERE) == DATA_KEY, "until it is wrapped anew"


def test_what_came_over_the_bridge_opens_only_in_its_place(custodians: Custodians, member: Distant) -> None:
    """It is as good as what the custodian wraps."""
    member.is_away = True
    wrapped = custodians.wrap(DATA_KEY, HERE)
    assert DATA_KEY not in wrapped.content
    for wrong, context in (
        (wrapped, THERE),
        (replace(wrapped, content=wrapped.content[:-1]), HERE),
        (replace(wrapped, key_id="bridge:0000000000000000"), HERE),
    ):
        with pytest.raises(UnknownKeyError):
            custodians.unwrap(wrong, context)


def test_a_backup_never_hangs_on_the_bridge(custodians: Custodians, member: Distant) -> None:
    """It has to open where nobody holds the bridge."""
    member.is_away = True
    with pytest.raises(CustodianUnavailableError):
        WithoutBridge(custodians).wrap(DATA_KEY, HERE)


def test_without_a_bridge_the_absence_is_said(member: Distant, clock: FixedClock) -> None:
    """A process that was started a moment ago has none yet."""
    custodians = Custodians([member], clock)
    member.is_away = True
    with pytest.raises(CustodianUnavailableError):
        custodians.wrap(DATA_KEY, HERE)
