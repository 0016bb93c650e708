import re
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from leadgate.system import SystemClock, SystemIds


def test_ids_grow_and_never_repeat() -> None:
    """They sort by time of creation, also within a millisecond and from many threads."""
    ids = SystemIds()
    made = [ids.new("evt") for _ in range(20_000)]
    assert made == sorted(set(made))
    with ThreadPoolExecutor(4) as pool:
        crowd = list(pool.map(lambda _: ids.new("evt"), range(20_000)))
    assert len(set(crowd)) == len(crowd)
    assert min(crowd) > made[-1]


def test_ids_grow_when_the_clock_goes_back(monkeypatch: pytest.MonkeyPatch) -> None:
    """A time server corrects by a second now and then."""
    ids = SystemIds()
    first = ids.new("evt")
    monkeypatch.setattr(time, "time_ns", lambda: 0)
    second = ids.new("evt")
    assert second > first
    assert ids.new("evt") > second


def test_an_id_is_a_word_that_can_be_read_aloud() -> None:
    """A prefix and 26 letters and digits, none of which looks like another."""
    assert re.fullmatch(r"lead_[0-9A-HJKMNP-TV-Z]{26}", SystemIds().new("lead"))


def test_tokens_are_long_and_different() -> None:
    """256 random bits, fit for an address."""
    tokens = {SystemIds().token() for _ in range(100)}
    assert len(tokens) == 100
    assert all(re.fullmatch(r"[A-Za-z0-9_-]{43}", token) for token in tokens)


def test_fractions_stay_below_one() -> None:
    """Jitter of a whole step would be a step more."""
    fractions = [SystemIds().fraction() for _ in range(1000)]
    assert 0 <= min(fractions) < max(fractions) < 1


def test_the_clock_is_aware_and_in_utc() -> None:
    """A naive time would be compared wrongly by the first database in another zone."""
    offset = SystemClock().now().utcoffset()
    assert offset is not None
    assert not offset
    assert SystemClock().monotonic_s() <= SystemClock().monotonic_s()
