"""What every custodian of the key encryption key must do: inherit, give the fixtures, and run.

`custodian` is one that was set up a moment ago, `second` another process on the same keys, `foreign` one with keys of its own.
"""
# ruff: noqa: S101 - a conformance suite speaks in asserts

from __future__ import annotations

from dataclasses import replace

import pytest

from leadgate.errors import UnknownKeyError
from leadgate.ports.custodian import Custodian

DATA_KEY, HERE, THERE = b"a data key of thirty-two bytes !", b"leadgate\0ws\0intake", b"leadgate\0ws\0subject:1"


class CustodianSuite:
    """The rules; a custodian is allowed nothing less."""

    @pytest.fixture
    def custodian(self) -> Custodian:
        """Set up a moment ago."""
        raise NotImplementedError

    @pytest.fixture
    def second(self, custodian: Custodian) -> Custodian:
        """Another process on the same keys."""
        raise NotImplementedError

    @pytest.fixture
    def foreign(self) -> Custodian:
        """Somebody else's keys, of the same kind."""
        raise NotImplementedError

    def test_what_was_wrapped_opens_again(self, custodian: Custodian, second: Custodian) -> None:
        """In this process and in another one, after a restart for instance."""
        wrapped = custodian.wrap(DATA_KEY, HERE)
        assert custodian.unwrap(wrapped, HERE) == second.unwrap(wrapped, HERE) == DATA_KEY

    def test_nothing_of_the_key_is_seen_from_outside(self, custodian: Custodian) -> None:
        """Two wraps of one key do not even look alike."""
        wrapped, again = custodian.wrap(DATA_KEY, HERE), custodian.wrap(DATA_KEY, HERE)
        assert DATA_KEY not in wrapped.content
        assert wrapped.content != again.content

    def test_its_keys_are_named_after_it(self, custodian: Custodian) -> None:
        """So that each data key finds its custodian, also while there are two of them."""
        assert custodian.key_id().startswith(f"{custodian.kind}:")
        assert custodian.wrap(DATA_KEY, HERE).key_id == custodian.key_id()
        assert custodian.key_id() in custodian.key_ids()

    def test_a_data_key_opens_only_in_its_place(self, custodian: Custodian) -> None:
        """One moved to another person's row is worth nothing."""
        wrapped = custodian.wrap(DATA_KEY, HERE)
        with pytest.raises(UnknownKeyError):
            custodian.unwrap(wrapped, THERE)

    def test_a_changed_data_key_does_not_open(self, custodian: Custodian) -> None:
        """Whichever byte: the first, the last, one in the middle; nor does a shorter one."""
        wrapped = custodian.wrap(DATA_KEY, HERE)
        for place in (0, len(wrapped.content) // 2, len(wrapped.content) - 1):
            changed = bytearray(wrapped.content)
            changed[place] ^= 1
            with pytest.raises(UnknownKeyError):
                custodian.unwrap(replace(wrapped, content=bytes(changed)), HERE)
        for content in (b"", wrapped.content[:-1], wrapped.content[: len(wrapped.content) // 2]):
            with pytest.raises(UnknownKeyError):
                custodian.unwrap(replace(wrapped, content=content), HERE)

    def test_somebody_elses_data_key_does_not_open(self, custodian: Custodian, foreign: Custodian) -> None:
        """Neither under its own name nor under one of ours."""
        wrapped = foreign.wrap(DATA_KEY, HERE)
        for claimed in (wrapped, replace(wrapped, key_id=custodian.key_id())):
            with pytest.raises(UnknownKeyError):
                custodian.unwrap(claimed, HERE)

    def test_a_new_generation_wraps_when_it_is_used_and_not_before(self, custodian: Custodian) -> None:
        """Other processes have to learn of it first."""
        before = custodian.key_id()
        old = custodian.wrap(DATA_KEY, HERE)
        made = custodian.rotate()
        assert made != before
        assert custodian.key_id() == before == custodian.wrap(DATA_KEY, HERE).key_id
        custodian.use(made)
        new = custodian.wrap(DATA_KEY, HERE)
        assert custodian.key_id() == new.key_id == made
        assert custodian.unwrap(old, HERE) == custodian.unwrap(new, HERE) == DATA_KEY
        assert {before, made} <= custodian.key_ids()

    def test_another_process_opens_and_uses_a_new_generation(self, custodian: Custodian, second: Custodian) -> None:
        """It was started before the rotation, and does not have to be started again."""
        second.wrap(DATA_KEY, HERE)
        made = custodian.rotate()
        custodian.use(made)
        assert second.unwrap(custodian.wrap(DATA_KEY, HERE), HERE) == DATA_KEY
        second.use(made)
        assert custodian.unwrap(second.wrap(DATA_KEY, HERE), HERE) == DATA_KEY
        assert second.key_id() == made

    def test_three_generations_live_at_once(self, custodian: Custodian) -> None:
        """A rotation may begin while the one before is not finished."""
        wrapped = []
        for _ in range(3):
            wrapped.append(custodian.wrap(DATA_KEY, HERE))
            custodian.use(custodian.rotate())
        assert [custodian.unwrap(one, HERE) for one in wrapped] == [DATA_KEY] * 3
        assert len({one.key_id for one in wrapped}) == 3  # noqa: PLR2004 - three rounds

    def test_a_generation_that_is_not_there_cannot_be_used(self, custodian: Custodian) -> None:
        """What wraps is what it was."""
        before = custodian.key_id()
        with pytest.raises(UnknownKeyError):
            custodian.use(f"{custodian.kind}:no-such-generation")
        assert custodian.key_id() == before
        custodian.wrap(DATA_KEY, HERE)

    def test_a_dropped_generation_never_takes_the_present_one_along(self, custodian: Custodian) -> None:
        """Dropping twice, or dropping what wraps, harms nobody."""
        before = custodian.key_id()
        custodian.use(custodian.rotate())
        now = custodian.wrap(DATA_KEY, HERE)
        for _ in range(2):
            custodian.drop(frozenset({before, now.key_id}))
        assert custodian.unwrap(now, HERE) == DATA_KEY

    def test_it_says_that_it_serves(self, custodian: Custodian) -> None:
        """Asked every few seconds, so that its absence is told within a minute."""
        custodian.check()
