"""Bounds on what one peer may ask of the site chat."""

from leadgate.web import site_pace
from leadgate.web.site_pace import OpenPolls, VisitPace


def test_a_peer_has_a_burst_and_then_a_steady_pace() -> None:
    """An office behind one address opens its pages; a loop is told after how many seconds to try again."""
    pace = VisitPace(burst=2, per_s=0.5)
    assert [pace.wait_s("a", monotonic_s=0) for _ in range(3)] == [0, 0, 2]
    assert pace.wait_s("b", monotonic_s=0) == 0, "one peer's loop is nobody else's trouble"
    assert pace.wait_s("a", monotonic_s=1) == 1
    assert pace.wait_s("a", monotonic_s=2) == 0
    assert pace.wait_s("a", monotonic_s=2) == 2


def test_being_refused_costs_nothing() -> None:
    """Somebody who keeps asking is let in when the time has come, not punished for asking."""
    pace = VisitPace(burst=1, per_s=1)
    waits = [pace.wait_s("a", monotonic_s=tenth / 10) for tenth in range(11)]
    assert waits == [0] + [1] * 9 + [0]


def test_the_memory_of_peers_is_bounded() -> None:
    """Millions of addresses must not fill the memory; who was silent the longest is forgotten."""
    pace = VisitPace(burst=1, per_s=0.001)
    assert pace.wait_s("first", monotonic_s=0) == 0
    for number in range(site_pace.MAX_PEERS):
        pace.wait_s(f"peer-{number}", monotonic_s=1)
    assert pace.wait_s("first", monotonic_s=1) == 0
    assert pace.wait_s(f"peer-{site_pace.MAX_PEERS - 1}", monotonic_s=1) > 0


def test_too_many_open_polls_are_answered_at_once_and_counted_down() -> None:
    """Held connections are what a small server has least of."""
    polls = OpenPolls(per_peer=2, in_all=3)
    with polls.waiting("a") as first, polls.waiting("a") as second, polls.waiting("a") as third:
        assert (first, second, third) == (True, True, False)
        with polls.waiting("b") as other:
            assert not other, "three stand open in all"
    with polls.waiting("a") as again:
        assert again
