"""A simulation that finds no planted bug would find no real one."""

import pytest

from tests.simulation.bugs import BUGS, Bug
from tests.simulation.campaign import find_first
from tests.simulation.simulation import run_seed, simulated


@pytest.mark.parametrize("bug", BUGS, ids=lambda bug: bug.name)
def test_a_planted_bug_is_found(bug: Bug) -> None:
    """Each breaks one promise in one function; within the seeds it says, some world shows it, and shows nothing without it."""
    found = find_first(bug.name, range(bug.within))
    assert found is not None, f"not found in {bug.within} seeds"
    with simulated():
        assert not run_seed(found.seed).violations
